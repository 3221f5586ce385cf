/** Performs the steps of a script on one connection. */
import type { TLSSocketOptions } from 'node:tls';
import { inOneCase } from './command-line.ts';
import { Left, type Peer } from './peer.ts';
import { authenticate, type Credentials } from './sasl-server.ts';
import type { Manners, Step, TlsSituation, Turn } from './steps.ts';

/** What a client did that its script did not expect. */
export interface Finding {
  readonly expected: string;
  readonly actual: string;
}

/** What a script needs beside its connection. */
export interface Surroundings {
  readonly credentials: Credentials;
  /** What makes a TLS server of that kind. */
  tls(situation: TlsSituation): TLSSocketOptions;
  found(finding: Finding): void;
  /** Every wait of a script is so many times as long. */
  readonly slow: number;
}

/** The script has come to its end before its last step. */
class Over extends Error {}

/** Between the pieces of what is cut, in ms. */
const PARTED = 20;

/** What is said where a turn leaves the answer to the server. */
const USUAL = Symbol('usual');

/** Plays one script to its end, or to the client's leaving, which is no error. */
export async function playScript(
  peer: Peer,
  steps: readonly Step[],
  surroundings: Surroundings,
): Promise<void> {
  try {
    await new Playing(peer, surroundings).all(steps);
  } catch (error) {
    if (!(error instanceof Left || error instanceof Over)) throw error;
  }
}

class Playing {
  readonly #peer: Peer;
  readonly #around: Surroundings;
  /** How often each step that counts was come to. */
  readonly #times = new Map<Step, number>();
  /** The line that was read last. */
  #line = '';
  /** The code that was said last; 0: none since the line was read. */
  #code = 0;
  /** Replies that are held back, and where they are cut; undefined: none are. */
  #held: { text: string; readonly cuts: readonly number[] } | undefined;

  constructor(peer: Peer, around: Surroundings) {
    this.#peer = peer;
    this.#around = around;
  }

  async all(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#perform(step);
  }

  async #turn(turn: Turn): Promise<unknown> {
    if (typeof turn === 'string') return this.#say(turn.split('\n'));
    if (!('do' in turn)) return this.all(turn);
    return this.#perform(turn);
  }

  async #say(lines: readonly string[]): Promise<void> {
    this.#code = codeOf(lines.at(-1));
    const text = lines.map((line) => `${line}\r\n`).join('');
    if (this.#held) this.#held.text += text;
    else await this.#peer.write(text);
  }

  /** Says what was held back. */
  async #release(): Promise<void> {
    const { text = '', cuts = [] } = this.#held ?? {};
    if (!this.#held || text === '') return;
    this.#held.text = '';
    const ends = [...cuts.filter((cut) => cut < text.length), text.length];
    for (const [at, end] of ends.entries()) {
      if (at > 0) await this.#peer.delay(PARTED);
      await this.#peer.write(text.slice(ends[at - 1] ?? 0, end), true);
    }
  }

  async #next(): Promise<string> {
    if (this.#peer.waiting === 0) await this.#release();
    this.#line = inOneCase(await this.#peer.line());
    this.#code = 0;
    return this.#line;
  }

  #wrong(expected: string, actual: string): never {
    this.#around.found({ expected, actual });
    this.#peer.destroy();
    throw new Over();
  }

  async #perform(step: Step): Promise<unknown> {
    const peer = this.#peer;
    const { slow } = this.#around;
    if (this.#held && !/^(send|nth|match|converse)$/.test(step.do)) await this.#release();
    switch (step.do) {
      case 'send':
        return this.#say(step.lines);
      case 'raw':
        this.#code = codeOf(step.octets);
        return peer.write(step.octets, step.whole);
      case 'slowly':
        this.#code = codeOf(step.octets);
        return peer.slowly(step.octets, step.every);
      case 'flood':
        return peer.flood(step.octets, step.times);
      case 'expect': {
        const line = await this.#next();
        if (!step.line.test(line)) this.#wrong(`a line like ${step.line}`, line);
        return;
      }
      case 'expect-any':
        return this.#branch(await this.#next(), step.branches, step.otherwise);
      case 'match':
        for (const [pattern, turn] of step.branches)
          if (pattern.test(this.#line)) return this.#turn(turn);
        return step.otherwise === undefined ? USUAL : this.#turn(step.otherwise);
      case 'nth': {
        const time = this.#times.get(step) ?? 0;
        this.#times.set(step, time + 1);
        return this.#turn(step.turns[Math.min(time, step.turns.length - 1)] as Turn);
      }
      case 'expect-nothing': {
        const before = peer.waiting;
        try {
          await peer.delay(step.ms * slow);
        } finally {
          // One who has left may have said something before.
          if (peer.waiting > before)
            this.#around.found({
              expected: `silence for ${step.ms} ms`,
              actual: `${peer.waiting - before} octets`,
            });
        }
        return;
      }
      case 'if-silent':
        return (await peer.speaks(step.ms * slow)) ? undefined : this.#turn(step.turn);
      case 'expect-data':
        return peer.data();
      case 'expect-bdat':
        for (;;) {
          const line = await this.#next();
          const [, octets, last] = /^BDAT (\d+)( LAST)?$/i.exec(line) ?? [];
          if (octets === undefined) this.#wrong('BDAT', line);
          await peer.octets(Number(octets));
          if (last) return;
          await this.#say(['250 2.0.0 taken']);
        }
      case 'expect-close':
        if (!(await peer.leaves(step.ms * slow)))
          this.#around.found({
            expected: `the client closes its side within ${step.ms} ms`,
            actual: 'it did not',
          });
        return;
      case 'auth':
        return this.#say(
          (await authenticate(peer, this.#line, this.#around.credentials, step.plan)).split('\n'),
        );
      case 'starttls':
        if (step.situation === 'stall') {
          peer.stall();
          return;
        }
        if (step.situation === 'garbage') {
          peer.stall();
          // What stands behind the reply to STARTTLS may be dropped: the answer to a ClientHello may not.
          await peer.until(() => peer.waiting > 0);
          return peer.write('This is no TLS.\r\n'.repeat(20), true);
        }
        return peer.startTls(this.#around.tls(step.situation));
      case 'read-octets':
        return peer.octets(step.octets);
      case 'discard':
        return peer.discard();
      case 'pause-reading':
        return peer.pause();
      case 'resume-reading':
        return peer.resume();
      case 'read-slowly':
        return peer.slow(step.octets, step.every);
      case 'delay':
        return peer.delay(step.ms * slow);
      case 'close':
        if (step.how === 'half') return peer.half();
        if (step.how === 'end') peer.end();
        else if (step.how === 'reset') peer.reset();
        else peer.cutOff();
        throw new Over();
      case 'fail':
        return this.#wrong('not to come here', step.why);
      case 'drain':
        for (;;) {
          await peer.until(() => peer.waiting > 0);
          peer.discard();
        }
      case 'converse':
        return this.#converse(step);
    }
  }

  #branch(
    line: string,
    branches: readonly (readonly [RegExp, Turn])[],
    otherwise: Turn | undefined,
  ): Promise<unknown> {
    for (const [pattern, turn] of branches) if (pattern.test(line)) return this.#turn(turn);
    if (otherwise !== undefined) return this.#turn(otherwise);
    return this.#wrong(`one of ${branches.map(([pattern]) => pattern).join(' ')}`, line);
  }

  /** The answers of a good server, but for those that are given. */
  async #converse({ offers = [], secure, answers = {}, held, finals }: Manners): Promise<void> {
    const peer = this.#peer;
    this.#held = held && { text: '', cuts: held };
    let lmtp = false;
    let accepted = 0;
    /** A chunk of this transaction was refused (RFC 3030 §2). */
    let failed = false;
    const answer = async (verb: string, usual: Turn): Promise<number> => {
      this.#code = 0;
      const given = answers[verb];
      if (given === undefined || (await this.#turn(given)) === USUAL) await this.#turn(usual);
      return this.#code;
    };
    const hello = (): string => {
      const under = peer.secure && secure ? secure : offers;
      const keywords = secure && !peer.secure ? ['STARTTLS', ...under] : under;
      return ['mail.example.com', ...keywords]
        .map((line, at, all) => `250${at === all.length - 1 ? ' ' : '-'}${line}`)
        .join('\n');
    };
    for (;;) {
      const line = await this.#next();
      const verb = (/^[A-Za-z]*/.exec(line)?.[0] ?? '').toUpperCase();
      switch (verb) {
        case 'EHLO':
        case 'LHLO':
          lmtp = verb === 'LHLO';
          await answer(verb, hello());
          break;
        case 'HELO':
          await answer(verb, '250 mail.example.com');
          break;
        case 'STARTTLS':
          await answer(verb, [
            { do: 'send', lines: ['220 2.0.0 go ahead'] },
            { do: 'starttls', situation: 'good' },
          ]);
          break;
        case 'AUTH':
          await answer(verb, { do: 'auth', plan: {} });
          break;
        case 'MAIL':
          accepted = 0;
          failed = false;
          await answer(verb, '250 2.1.0 ok');
          break;
        case 'RCPT':
          if (isPositive(await answer(verb, '250 2.1.5 ok'))) accepted += 1;
          break;
        case 'DATA':
          if ((await answer(verb, '354 go ahead')) !== 354) break;
          await this.#release();
          await peer.data();
          await answer('dot', lmtp ? replies(accepted, finals) : '250 2.0.0 queued');
          break;
        case 'BDAT': {
          const [, octets = '0', last] = /^BDAT (\d+)( LAST)?/i.exec(line) ?? [];
          await peer.octets(Number(octets));
          const usual = last && lmtp ? replies(accepted, finals) : '250 2.0.0 taken';
          const code = await answer(verb, failed ? '503 5.5.1 a chunk was refused' : usual);
          failed ||= code >= 400;
          break;
        }
        case 'RSET':
        case 'NOOP':
          await answer(verb, '250 2.0.0 ok');
          break;
        case 'VRFY':
          await answer(verb, '252 2.5.0 perhaps');
          break;
        case 'QUIT':
          await answer(verb, '221 2.0.0 bye');
          await this.#release();
          this.#held = undefined;
          if (this.#code) peer.end();
          else await peer.until(() => false);
          return;
        default:
          await answer('other', '500 5.5.1 there is no such command');
      }
    }
  }
}

/** The code of the last line. */
const codeOf = (text = ''): number => Number(/(?:^|\n)(\d{3})[^\n]*\r?\n?$/.exec(text)?.[1] ?? 0);
const isPositive = (code: number): boolean => code >= 200 && code < 300;
const replies = (count: number, finals: readonly string[] = ['250 2.0.0 delivered']): Step[] => [
  {
    do: 'send',
    lines: Array.from({ length: count }, (_, at) => finals[at] ?? (finals.at(-1) as string)),
  },
];
