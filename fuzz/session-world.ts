/**
 * A session, and the octets between it and a server that says whatever it is told to: what it asks is answered or refused,
 * what it writes is read by the pairing, and what it tells of each task is kept.
 */

import { Dialogue } from '../packages/conformance/src/judge/dialogue.ts';
import type { WireEvent } from '../packages/conformance/src/server/wire-log.ts';
import { authenticate } from '../packages/core/src/authenticate/index.ts';
import type { SaslMechanism } from '../packages/core/src/sasl/index.ts';
import {
  type Action,
  createSession,
  type OpenOptions,
  open,
  type Procedure,
  type ProcedureName,
  type Question,
  type Session,
  SmtpError,
  type Task,
} from '../packages/core/src/session/index.ts';
import { binary, latin1 } from '../packages/core/test/wire/cuts.ts';
import { claim, same } from './claim.ts';
import { Pairing } from './pairing.ts';

/** What became of one task, and whether the last octet of its message had left by then. */
export interface Settled {
  readonly key: string;
  readonly error: unknown;
  readonly value: unknown;
  times: number;
}

export interface WorldOptions extends Omit<OpenOptions, 'connect' | 'authenticate'> {
  readonly auth: readonly SaslMechanism[];
  readonly allowInsecureAuth: boolean;
  /** Whether the transport is there at all, and under TLS from its first octet. */
  readonly connects: boolean;
  readonly secure: boolean;
  /** Is never told to anybody. */
  readonly secret: string;
}

/** Actions between two events. A session that asks for more goes round in circles. */
const MOST_ACTIONS = 400;

export class World {
  readonly session: Session;
  readonly pairing: Pairing = new Pairing();
  readonly settled: Map<string, Settled> = new Map();
  readonly tasks: Map<string, Task> = new Map();
  opened = false;
  /** What it asks and nobody has answered: a block of content, a handshake. */
  asked: Question | undefined;
  /** The last line that it wrote. */
  lastLine = '';
  readonly #events: WireEvent[] = [];
  readonly #options: WorldOptions;
  readonly #told: string[] = [];
  #unjudged: Settled[] = [];
  #closes = 0;
  #secure = false;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.session = createSession((_direction, text) => {
      this.#told.push(text);
    });
    this.begin(
      'open',
      'open',
      open(this.session, {
        ...options,
        connect: () => {
          if (!options.connects) throw new Error('refused');
          return { secure: options.secure, localAddress: '192.0.2.1' };
        },
        ...(options.auth[0] && { authenticate: (line) => authenticate(line, options) }),
      }),
    );
  }

  get closed(): boolean {
    return this.session.phase === 'closed';
  }

  begin<T>(key: string, name: ProcedureName, procedure: Procedure<T>): void {
    const task = this.session.start(name, procedure, (error, value) => {
      const before = this.settled.get(key);
      if (before) before.times += 1;
      else {
        const settled = { key, error, value, times: 1 };
        this.settled.set(key, settled);
        this.#unjudged.push(settled);
        if (key === 'open') this.opened = error === undefined;
      }
    });
    this.tasks.set(key, task);
  }

  /** What has settled since it was asked last: before any octet that is written then. */
  newlySettled(): Settled[] {
    return this.#unjudged.splice(0);
  }

  /**
   * One action; false where there was none.
   *
   * @param judge - is called behind poll(), before what it gives is written
   */
  poll(judge: () => void): boolean {
    const action = this.session.poll();
    judge();
    if (!action) return false;
    claim(this.#closes === 0, 'nothing behind close', action.type);
    if (action.type === 'close') this.#closes += 1;
    else claim(!this.closed, 'nothing but close when it is closed', action.type);
    if (action.type === 'write') this.#write(binary(action.octets));
    else if (action.type !== 'close') this.#ask(action);
    return true;
  }

  pollAll(judge: () => void): boolean {
    let polled = 0;
    while (this.poll(judge)) {
      polled += 1;
      claim(polled < MOST_ACTIONS, 'it comes to an end of what it wants done');
    }
    return polled > 0;
  }

  /** Octets of the server. */
  receive(octets: string): void {
    // Nobody hears a server before there is a connection, or behind its end.
    if (this.closed || this.pairing.broken || !this.#connected) return;
    this.pairing.server(octets);
    this.#event('server', octets);
    this.session.receive(latin1(octets));
    if (this.pairing.broken) claim(this.closed, 'what is no reply ends the session');
  }

  /** Answers what was asked, or refuses it. */
  reply(refused: boolean): boolean {
    const { asked } = this;
    this.asked = undefined;
    if (!asked || this.closed) return false;
    if (refused) this.session.refuse(asked, new Error('asked in vain'));
    else if (asked.type === 'await') this.#perform(asked);
    else {
      this.#secure = true;
      this.#events.push({ at: 0, who: 'handshake' });
      if (this.pairing.replies > 0) this.pairing.secured();
      this.session.answer(asked, undefined);
    }
    return true;
  }

  /** Gives a task up, if it has not settled. */
  abort(key: string): void {
    const task = this.tasks.get(key);
    if (task && !this.settled.has(key)) this.session.abort(task, gone('ERR_SMTP_ABORTED'));
  }

  fail(): void {
    this.session.fail(gone('ERR_SMTP_TIMEOUT'));
  }

  /** Everything is over: each task has settled once, nothing is left to do, and nobody was told the secret. */
  finish(judge: () => void): void {
    this.session.end();
    judge();
    this.pollAll(judge);
    same(this.session.phase, 'closed', 'the phase');
    same(this.#closes, 1, 'it closes once');
    same(this.session.waiting, undefined, 'what it waits for');
    for (const key of this.tasks.keys())
      same([key, this.settled.get(key)?.times], [key, 1], 'settled');
    // What comes too late changes nothing.
    this.session.receive(latin1('250 late\r\n'));
    this.session.end(new Error('late'));
    this.fail();
    same(this.session.poll(), undefined, 'an action behind the end');
    same(this.pairing.violations, [], 'what no client may do');
    same(new Dialogue(this.#events).offences, [], 'what no client may do, by the suite');
    const { secret } = this.#options;
    for (const text of [
      ...this.#told,
      ...[...this.settled.values()].map(({ error }) => String(error)),
    ])
      for (const form of [secret, btoa(secret), btoa(`\0user\0${secret}`)])
        claim(!text.includes(form), 'the secret is told', text);
  }

  get #connected(): boolean {
    return this.#options.connects && this.tasks.has('open') && this.#opening;
  }

  /** Whether the transport was asked for and is there. */
  #opening = false;

  #write(octets: string): void {
    this.lastLine = /([^\r\n]*)\r\n$/.exec(octets.slice(-600))?.[1] ?? this.lastLine;
    this.#event('client', octets);
    this.pairing.client(octets);
  }

  #ask(question: Exclude<Action, { type: 'write' | 'close' }>): void {
    if (question.type === 'await' && question.phase !== 'content') {
      if (question.phase === 'connect') this.#opening = true;
      this.#perform(question);
    } else this.asked = question;
  }

  #perform(question: Extract<Question, { type: 'await' }>): void {
    let value: unknown;
    try {
      value = question.ask();
    } catch (error) {
      this.session.refuse(question, error);
      return;
    }
    this.session.answer(question, value);
  }

  #event(who: 'client' | 'server', text: string): void {
    if (text !== '') this.#events.push({ at: 0, who, secure: this.#secure, text });
  }
}

const gone = (code: 'ERR_SMTP_ABORTED' | 'ERR_SMTP_TIMEOUT'): SmtpError =>
  new SmtpError(code, 'Cannot go on: given up', { phase: 'idle' });
