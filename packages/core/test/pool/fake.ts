/** A clock that stands until it is moved, and connections in memory that do what the test says. */

import type { SmtpErrorDetails } from '../../src/errors.ts';
import type { ConnectOptions, OutgoingMessage, Receipt, SendOptions } from '../../src/index.ts';
import { type SmtpClient, SmtpError, type SmtpErrorCode } from '../../src/index.ts';
import { createPool, type PoolOptions, type SmtpPool } from '../../src/pool/index.ts';
import { parseCapabilities } from '../../src/wire/extension.ts';
import type { Reply } from '../../src/wire/reply.ts';
import { replyOf } from '../wire/cuts.ts';

/** Lets everything happen that waits for nothing but promises. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that passes only by `pass()`. */
export class FakeClock {
  #now = 0;
  #ids = 0;
  readonly #timers = new Map<number, { at: number; callback: () => void }>();
  readonly performance: { now(): number } = { now: () => this.#now };

  setTimeout(callback: () => void, ms: number): number {
    this.#ids += 1;
    this.#timers.set(this.#ids, { at: this.#now + Math.max(1, ms), callback });
    return this.#ids;
  }

  clearTimeout(id: number): void {
    this.#timers.delete(id);
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const [first] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at);
      if (!first || first[1].at > end) break;
      this.#timers.delete(first[0]);
      this.#now = first[1].at;
      first[1].callback();
      await settled();
    }
    this.#now = end;
  }
}

export const fail = (code: SmtpErrorCode, details: Partial<SmtpErrorDetails> = {}): SmtpError =>
  new SmtpError(code, `fake ${code}`, { phase: 'mail', ...details });

export const reply = (code: number): Reply => replyOf(code, ['fake']);

/** A message under way on a fake connection. */
export interface FakeSend {
  readonly message: OutgoingMessage;
  readonly options: SendOptions;
  accept(): Promise<void>;
  refuse(error: unknown): Promise<void>;
}

/** One connection, which holds its messages until it is told what becomes of them. */
export class FakeClient implements SmtpClient {
  readonly asked: ConnectOptions;
  pipelining: SmtpClient['pipelining'] = 'overlap';
  capabilities: SmtpClient['capabilities'] = parseCapabilities();
  readonly secure = true;
  readonly greeting: Reply = reply(220);
  readonly roundTrips = 0;
  readonly closed: Promise<void>;
  /** Everything it was given, and what of it is not done. */
  readonly sends: FakeSend[] = [];
  readonly open: Set<FakeSend> = new Set<FakeSend>();
  said: string[] = [];
  /** What NOOP comes to. */
  probe: () => Promise<Reply> = async () => reply(250);
  gone = false;
  #leave!: () => void;

  constructor(asked: ConnectOptions) {
    this.asked = asked;
    this.closed = new Promise((resolve) => {
      this.#leave = resolve;
    });
  }

  send(message: OutgoingMessage, options: SendOptions = {}): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const done = async (): Promise<void> => {
        this.open.delete(send);
        await settled();
      };
      const send: FakeSend = {
        message,
        options,
        accept: () => {
          resolve({ accepted: [], rejected: [], reply: reply(250), octets: 1, roundTrips: 1 });
          return done();
        },
        refuse: (error) => {
          reject(error);
          return done();
        },
      };
      this.sends.push(send);
      this.open.add(send);
      if (this.gone) void send.refuse(fail('ERR_SMTP_CLOSED', { phase: 'idle' }));
    });
  }

  get subjects(): string[] {
    return this.sends.map(({ message }) => message.from);
  }

  /** The connection is lost. */
  async lose(error: SmtpError = fail('ERR_SMTP_CLOSED')): Promise<void> {
    this.gone = true;
    this.#leave();
    for (const send of this.open) void send.refuse(error);
    await settled();
  }

  async verify(): Promise<Reply> {
    return reply(252);
  }
  noop(): Promise<Reply> {
    this.said.push('NOOP');
    return this.probe();
  }
  async reset(): Promise<Reply> {
    return reply(250);
  }
  async close(): Promise<void> {
    this.said.push('QUIT');
    if (!this.open.size) this.#leave();
    return this.closed;
  }
  destroy(cause?: Error): void {
    this.said.push('destroy');
    void this.lose(fail('ERR_SMTP_CLOSED', { cause }));
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A pool on fake connections. */
export class Fake {
  readonly clock: FakeClock = new FakeClock();
  readonly clients: FakeClient[] = [];
  readonly pool: SmtpPool;
  /** How many connections were asked for, failed ones included. */
  attempts = 0;
  /** What connect() does before it gives a connection. */
  before: (client: FakeClient, attempt: number) => unknown = () => {};
  #names = 0;

  constructor(options: Partial<PoolOptions> = {}) {
    this.pool = createPool({
      host: 'mail.example.com',
      clock: this.clock,
      random: () => 0.5,
      connect: async (asked) => {
        this.attempts += 1;
        const client = new FakeClient(asked);
        await this.before(client, this.attempts);
        this.clients.push(client);
        return client;
      },
      ...options,
    });
  }

  client(at: number): FakeClient {
    const client = this.clients[at];
    if (!client) throw new Error(`there was no connection ${at}`);
    return client;
  }

  send(at: number, nth: number): FakeSend {
    const send = this.client(at).sends[nth];
    if (!send) throw new Error(`connection ${at} had no message ${nth}`);
    return send;
  }

  /** Sends messages; each comes to 'sent', or to its error. They are named by their senders: 1, 2, 3 … */
  async give(
    count: number,
    options?: SendOptions,
    content: OutgoingMessage['content'] = 'x',
  ): Promise<{ outcome: unknown }[]> {
    const given = Array.from({ length: count }, () => {
      this.#names += 1;
      const slot: { outcome: unknown } = { outcome: undefined };
      this.pool.send({ from: `${this.#names}`, to: 'a@b', content }, options).then(
        () => {
          slot.outcome = 'sent';
        },
        (error: unknown) => {
          slot.outcome = error;
        },
      );
      return slot;
    });
    await settled();
    return given;
  }

  /** Accepts everything, until nothing is under way. */
  async acceptAll(): Promise<void> {
    for (;;) {
      const sends = this.clients.flatMap((client) => [...client.open]);
      if (!sends[0]) return;
      for (const send of sends) await send.accept();
    }
  }
}
