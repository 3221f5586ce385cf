/** Scenes for the tests of one part of the protocol each, and a session driven by hand. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Action,
  createSession,
  envelope,
  isSmtpError,
  type OpenOptions,
  type OutgoingMessage,
  open,
  type Procedure,
  type ProcedureName,
  type SendOptions,
  type Session,
  SmtpError,
  type Task,
  type TransactionResult,
  transaction,
} from '../../src/session/index.ts';
import { binary, CUTS, octetsOf, randomCut } from '../wire/cuts.ts';
import {
  describeOutcome,
  OPEN,
  type Outcome,
  play,
  type Scene,
  type Sending,
} from './transcript.ts';

export const TEXT = 'Subject: a\r\n\r\nHi\r\n';

export const ABORTED: SmtpError = new SmtpError('ERR_SMTP_ABORTED', 'Cannot go on: aborted', {
  phase: 'idle',
});

export function message(change: Partial<OutgoingMessage> = {}, options: SendOptions = {}): Sending {
  return {
    message: { from: 'a@client.example', to: 'b@example.com', content: TEXT, ...change },
    options,
  };
}

/** A message of 12 octets that can be told from others. */
export const numbered = (number: number, options: SendOptions = {}): Sending =>
  message({ to: `b${number}@example.com`, content: `Subject: ${number}\r\n` }, options);

/** A source whose blocks are there when they are asked for: the session need not wait. */
export function stream(...blocks: readonly (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  const read = (): Iterator<Uint8Array> =>
    blocks.map((block) => (typeof block === 'string' ? octetsOf(block) : block))[Symbol.iterator]();
  // The player takes a value for a promise of it.
  return { [Symbol.asyncIterator]: read } as unknown as AsyncIterable<Uint8Array>;
}

/** Content that comes when the test gives it. */
export const slow = (): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
});

/** Greeting, EHLO or LHLO, and what the server offers. */
export function greetingBy(verb: string, ...keywords: readonly string[]): string {
  const lines = ['mail.example.com', ...keywords];
  const reply = lines.map((line, at) => `S: 250${at < lines.length - 1 ? '-' : ' '}${line}`);
  return ['S: 220 mail.example.com ESMTP', `C: ${verb} client.example`, ...reply, ''].join('\n');
}

export const greeting = (...keywords: readonly string[]): string => greetingBy('EHLO', ...keywords);

/** So many lines of 64 octets each with their CRLF: content, and as the client says it. */
export function lines64(count: number): { readonly text: string; readonly said: string } {
  const lines = Array.from({ length: count }, (_, at) => `${at} `.padEnd(62, 'x'));
  return {
    text: lines.map((line) => `${line}\r\n`).join(''),
    said: lines.map((line) => `C: ${line}`).join('\n'),
  };
}

/** As describeOutcome(), with everything that is told of recipients: `…, accepted b@x, refused c@x 550, replies 250`. */
export function tell(outcome: Outcome): string {
  const { error, value } = outcome;
  const about: string[] = [];
  if (isSmtpError(error)) {
    if (error.accepted?.[0]) about.push(`accepted ${error.accepted.join(' ')}`);
    for (const { address, reply } of error.rejected ?? [])
      about.push(`refused ${address} ${reply.code}`);
  }
  const { replies } = (value ?? {}) as Partial<TransactionResult>;
  if (replies) about.push(`replies ${replies.map(({ code }) => code).join(' ')}`);
  return [describeOutcome(outcome), ...about].join(', ');
}

/** A scene with what its tasks come to. */
export interface Case extends Scene {
  readonly name: string;
  readonly outcomes: readonly string[];
  /** Writes per turn of the client, where they matter. */
  readonly writes?: readonly number[];
  /** What the session's pipelining is at the end, where it matters. */
  readonly pipelining?: Session['pipelining'];
}

/** Plays each case whole, per line, per octet, and in random cuts. */
export function playAll(cases: readonly Case[]): void {
  describe.each(CUTS)('cut %s', (_, cut) => {
    test.each(cases)('Session plays $name', (scene) => {
      const { outcomes, bursts, session } = play(scene, cut);
      expect(outcomes.map(tell)).toEqual(scene.outcomes);
      if (scene.writes) expect(bursts.map((burst) => burst.length)).toEqual(scene.writes);
      if (scene.pipelining) expect(session.pipelining).toBe(scene.pipelining);
    });
  });
  test.each(cases)('Session plays $name when the cuts are random', (scene) => {
    // Only replies are cut, however long the content is.
    const numRuns = scene.text.length > 20_000 ? 1 : 10;
    fc.assert(
      fc.property(randomCut, (cut) => {
        expect(play(scene, cut).outcomes.map(tell)).toEqual(scene.outcomes);
      }),
      { numRuns },
    );
  });
}

/** A session driven by hand: what it writes is given out only when the test polls. */
export class Stage {
  readonly session: Session = createSession();
  readonly outcomes: Outcome[] = [];
  closes = 0;
  #asked: Extract<Action, { type: 'await' }> | undefined;

  run<T>(name: ProcedureName | 'open', procedure: Procedure<T>): Task {
    return this.session.start(name, procedure, (error, value) => {
      this.outcomes.push({ name, error, value });
    });
  }

  send(change: Partial<OutgoingMessage> = {}, options: SendOptions = {}): Task {
    const prepared = envelope(message(change).message, this.session.capabilities, options);
    return this.run('transaction', transaction(this.session, prepared, options));
  }

  sendNumbered(number: number): Task {
    return this.send(numbered(number).message);
  }

  /** Performs what is wanted and answers at once, but for content that has to be waited for; returns what was written. */
  poll(): string {
    let written = '';
    for (let action = this.session.poll(); action; action = this.session.poll()) {
      if (action.type === 'write') written += binary(action.octets);
      else if (action.type === 'close') this.closes += 1;
      else if (action.type === 'start-tls') this.session.answer(action, undefined);
      else {
        const value = action.ask();
        if (value instanceof Promise) this.#asked = action;
        else this.session.answer(action, value);
      }
    }
    return written;
  }

  /** The next block of content; undefined at its end. */
  give(block: string | undefined): void {
    if (!this.#asked) throw new Error('no content was asked for');
    const value = block === undefined ? undefined : octetsOf(block);
    this.session.answer(this.#asked, { done: block === undefined, value });
  }

  hear(...lines: readonly string[]): void {
    this.session.receive(octetsOf(lines.map((line) => `${line}\r\n`).join('')));
  }

  /** The error of a task that has settled. */
  error(at: number): SmtpError {
    const error = this.outcomes[at]?.error;
    if (!isSmtpError(error)) throw new Error('it has not failed');
    return error;
  }

  get told(): readonly string[] {
    return this.outcomes.map(tell);
  }
}

/** A stage whose session is open. */
export function opened(keywords: readonly string[], options: Partial<OpenOptions> = {}): Stage {
  const stage = new Stage();
  stage.run('open', open(stage.session, { ...OPEN, ...options }));
  stage.poll();
  stage.hear('220 mail.example.com');
  stage.poll();
  stage.hear(
    ...['mail.example.com', ...keywords].map(
      (line, at) => `250${at < keywords.length ? '-' : ' '}${line}`,
    ),
  );
  stage.poll();
  expect(stage.told).toEqual(['open: ok']);
  stage.outcomes.length = 0;
  return stage;
}
