/** The driver of docs/writing-a-driver.md, as it stands there: against a server in memory, and a scripted one under TLS. */
import { connect as dialTcp, type Socket } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, importBlock } from '../../../../test/document-blocks.ts';
import { createCertificateAuthority } from '../../../conformance/src/sandbox/certificates.ts';
import {
  type OpenOptions,
  type OutgoingMessage,
  SmtpError,
  TIMEOUTS,
  type Timeouts,
  type TransactionResult,
} from '../../src/session/index.ts';
import {
  eventually,
  failureOf,
  greetSecurely,
  MESSAGE,
  type ScriptedServer,
  takeMessages,
  useServers,
  within,
} from '../e2e/scripted-server.ts';
import { binary, latin1, octetsOf } from '../wire/cuts.ts';
import { OPEN } from './transcript.ts';

/** As the page's runtime.ts has it. */
interface Connection {
  readonly secure: boolean;
  read(): Promise<Uint8Array | undefined>;
  write(octets: Uint8Array): Promise<void>;
  startTls(): Promise<void>;
  close(): void;
}
type Settings = Omit<OpenOptions, 'connect'> & { readonly timeouts: Partial<Timeouts> };
type Connect = (
  dial: () => Promise<Connection>,
  settings: Settings,
) => Promise<{
  send(message: OutgoingMessage): Promise<TransactionResult>;
  close(): Promise<unknown>;
}>;

const PAGE = 'docs/writing-a-driver.md';
const { connect: _connect, ...open } = OPEN;
const SETTINGS: Settings = { ...open, timeouts: TIMEOUTS };
const late = (phases: Partial<Timeouts>): Settings => ({
  ...SETTINGS,
  timeouts: { ...TIMEOUTS, ...phases },
});

const start = useServers();
let connect: Connect;
let settings: Settings;

beforeAll(async () => {
  ({ connect } = (await importBlock('docs/writing-a-driver.md', 'driver.ts')) as {
    connect: Connect;
  });
  ({ settings } = (await importBlock('docs/writing-a-driver.md', 'settings.ts')) as {
    settings: Settings;
  });
});

test('the driver has less than 60 lines', () => {
  const code = blocksOf(PAGE).find(({ name }) => name === 'driver.ts')?.code ?? '';
  const lines = code.split('\n').filter((line) => line.trim() !== '');
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.length).toBeLessThan(60);
});

/** What is queued on one side and awaited on the other. */
class Queue<T> {
  readonly #held: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  push(value: T): void {
    const next = this.#waiting.shift();
    if (next) next(value);
    else this.#held.push(value);
  }
  take(): Promise<T> {
    return this.#held.length > 0
      ? Promise.resolve(this.#held.shift() as T)
      : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

interface ServerSettings {
  /** Holds each write until `drain()`. */
  readonly slow?: boolean;
  /** Replies come octet by octet. */
  readonly trickle?: boolean;
  /** Is silent from this line on. */
  readonly silentAt?: RegExp;
  /** Ends the connection in order in place of a reply to this line. */
  readonly endAt?: RegExp;
  /** How long a reply takes, in ms. */
  readonly delay?: number;
  /** Is lost when it has read so many octets. */
  readonly lostAt?: number;
  readonly pipelining?: boolean;
}

/** A server in memory, and the connection to it. */
class Memory implements Connection {
  readonly secure = false;
  /** The messages that it keeps. */
  readonly kept: string[] = [];
  closed = 0;
  /** Octets that were written to it, and octets that it has read. */
  written = '';
  octets = 0;
  readonly #settings: ServerSettings;
  readonly #out = new Queue<Uint8Array | undefined>();
  #drains: (() => void)[] = [];
  #line = '';
  #content: string | undefined;
  #silent = false;

  constructor(settings: ServerSettings = {}) {
    this.#settings = settings;
    this.#say('220 hello');
  }
  read(): Promise<Uint8Array | undefined> {
    return this.#out.take();
  }
  async write(octets: Uint8Array): Promise<void> {
    this.written += binary(octets);
    for (const character of binary(octets)) {
      if (this.octets === this.#settings.lostAt) return this.#lose();
      this.octets += 1;
      this.#take(character);
    }
    if (this.#settings.slow) await new Promise<void>((resolve) => this.#drains.push(resolve));
  }
  startTls(): Promise<void> {
    return Promise.reject(new Error('there is no TLS here'));
  }
  close(): void {
    this.closed += 1;
    this.#out.push(undefined);
  }
  /** Writes that wait. */
  get full(): number {
    return this.#drains.length;
  }
  drain(): void {
    for (const go of this.#drains.splice(0)) go();
  }

  #lose(): Promise<never> {
    this.#silent = true;
    this.#out.push(undefined);
    return Promise.reject(new Error('broken pipe'));
  }
  #say(...lines: readonly string[]): void {
    if (this.#silent) return;
    const octets = latin1(lines.map((line) => `${line}\r\n`).join(''));
    const { delay, trickle } = this.#settings;
    if (delay !== undefined) setTimeout(() => this.#out.push(octets), delay);
    else if (!trickle) this.#out.push(octets);
    else for (const octet of octets) this.#out.push(Uint8Array.of(octet));
  }
  #take(character: string): void {
    this.#line += character;
    if (!this.#line.endsWith('\r\n')) return;
    const line = this.#line.slice(0, -2);
    this.#line = '';
    this.#silent ||= this.#settings.silentAt?.test(line) ?? false;
    if (this.#settings.endAt?.test(line)) {
      this.#silent = true;
      this.#out.push(undefined);
    }
    if (this.#content !== undefined && line !== '.') this.#content += `${line}\r\n`;
    else if (this.#content !== undefined) {
      this.kept.push(this.#content);
      this.#content = undefined;
      this.#say('250 queued');
    } else if (line === 'DATA') {
      this.#content = '';
      this.#say('354 go');
    } else if (line.startsWith('EHLO') && this.#settings.pipelining)
      this.#say('250-mail.example.com', '250 PIPELINING');
    else this.#say(line === 'QUIT' ? '221 bye' : '250 ok');
  }
}

/** Lets everything happen that needs no time. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

const to = (memory: Memory) => (): Promise<Connection> => Promise.resolve(memory);

describe('against a server in memory', () => {
  test.each([
    { pipelining: true, trickle: false },
    { pipelining: true, trickle: true },
    { pipelining: false, trickle: false },
  ])('messages arrive, %j', async (world) => {
    const memory = new Memory(world);
    const client = await connect(to(memory), SETTINGS);
    const [first, second] = await Promise.all([
      client.send(MESSAGE),
      client.send({ ...MESSAGE, content: 'Subject: b\r\n\r\n.\r\n' }),
    ]);
    expect([first?.reply.text, second?.accepted]).toEqual(['queued', ['b@example.com']]);
    await within(1_000, client.close());
    expect(memory.kept).toEqual([MESSAGE.content, 'Subject: b\r\n\r\n..\r\n']);
    expect(memory.written.endsWith('QUIT\r\n')).toBe(true);
    await rest();
    expect(memory.closed).toBeGreaterThan(0);
  });

  test('a full network reads nothing from the source of the content', async () => {
    const memory = new Memory({ slow: true, pipelining: true });
    const opening = connect(to(memory), SETTINGS);
    const drainUntil = async (done: () => boolean): Promise<void> => {
      for (let turn = 0; turn < 500 && !done(); turn += 1) {
        await rest();
        if (!done()) memory.drain();
      }
      expect(done()).toBe(true);
    };
    let opened = false;
    void opening.then(() => {
      opened = true;
    });
    await drainUntil(() => opened);
    const client = await opening;
    let read = 0;
    async function* content(): AsyncGenerator<Uint8Array> {
      for (; read < 40; read += 1) yield octetsOf('x'.repeat(998).concat('\r\n'));
    }
    let settled = false;
    const sending = client.send({ ...MESSAGE, content: content() }).finally(() => {
      settled = true;
    });
    for (let step = 0; step < 12; step += 1) {
      const before = read;
      await rest();
      expect(read - before).toBeLessThanOrEqual(1);
      await rest();
      expect(read - before).toBeLessThanOrEqual(1);
      memory.drain();
    }
    expect(read).toBeLessThan(20);
    await drainUntil(() => settled);
    expect((await sending).octets).toBe(40_000);
    let closed = false;
    const closing = client.close().then(() => {
      closed = true;
    });
    await drainUntil(() => closed);
    await closing;
    // QUIT is answered before the network says that it has left.
    expect([memory.full, memory.closed]).toEqual([1, 0]);
    memory.drain();
    await rest();
    expect(memory.closed).toBe(1);
  });

  test.each([
    ['greeting', /^/, 'not-sent'],
    ['mail', /^MAIL/, 'not-sent'],
    ['final', /^\.$/, 'unknown'],
  ] as const)('a deadline passes: %s', async (phase, silentAt, delivery) => {
    const memory = new Memory({ silentAt });
    const settings = late({ [phase]: 30 });
    const error = await failureOf(
      phase === 'greeting'
        ? connect(() => Promise.resolve(new Silent()), settings)
        : connect(to(memory), settings).then((client) => client.send(MESSAGE)),
    );
    expect(error.message).toBe(`Cannot go on: ${phase} took too long`);
    expect([error.code, error.phase, error.delivery]).toEqual([
      'ERR_SMTP_TIMEOUT',
      phase,
      delivery,
    ]);
    await rest();
    if (phase !== 'greeting') expect(memory.closed).toBeGreaterThan(0);
  });

  test('a deadline passes though octets trickle in, and while the network is full', async () => {
    const trickling = new Silent();
    const timer = setInterval(() => trickling.give('2'), 5);
    const error = await failureOf(
      connect(() => Promise.resolve(trickling), late({ greeting: 40 })),
    );
    clearInterval(timer);
    expect([error.code, error.phase]).toEqual(['ERR_SMTP_TIMEOUT', 'greeting']);
    const full = new Memory({ slow: true });
    const stuck = await failureOf(
      connect(to(full), late({ mail: 40 })).then((client) => client.send(MESSAGE)),
    );
    expect([stuck.code, stuck.phase, full.full]).toEqual(['ERR_SMTP_TIMEOUT', 'mail', 1]);
    await rest();
    expect(full.closed).toBeGreaterThan(0);
  });

  test('each wait has a deadline of its own', async () => {
    const memory = new Memory({ delay: 60 });
    const phases = ['greeting', 'ehlo', 'mail', 'rcpt', 'data', 'final', 'quit'] as const;
    const client = await connect(
      to(memory),
      late(Object.fromEntries(phases.map((phase) => [phase, 300]))),
    );
    const begun = performance.now();
    await client.send(MESSAGE);
    await client.send(MESSAGE);
    expect(performance.now() - begun).toBeGreaterThan(300);
    await within(2_000, client.close());
    expect(memory.written).toMatch(/QUIT\r\n$/);
  });

  test.each([
    ['mail', /^MAIL/, 'not-sent'],
    ['final', /^\.$/, 'unknown'],
  ] as const)('the server ends in order: %s', async (phase, endAt, delivery) => {
    const memory = new Memory({ endAt });
    const client = await connect(to(memory), SETTINGS);
    const error = await failureOf(client.send(MESSAGE));
    expect([error.code, error.phase, error.delivery]).toEqual(['ERR_SMTP_CLOSED', phase, delivery]);
    expect((await failureOf(client.send(MESSAGE))).delivery).toBe('not-sent');
    await within(1_000, client.close());
    await rest();
    expect(memory.closed).toBeGreaterThan(0);
  });

  test('a connection that comes too late is closed', async () => {
    const memory = new Memory();
    let come = (_: Connection): void => {};
    const opening = connect(
      () =>
        new Promise((resolve) => {
          come = resolve;
        }),
      late({ connect: 20 }),
    );
    expect((await failureOf(opening)).phase).toBe('connect');
    come(memory);
    await rest();
    expect(memory.closed).toBe(1);
    expect(memory.written).toBe('');
  });

  test('one that cannot be made', async () => {
    const error = await failureOf(connect(() => Promise.reject(new Error('no way')), SETTINGS));
    expect([error.code, error.message]).toEqual(['ERR_SMTP_CONNECT', 'Cannot go on: no way']);
  });

  test.each([true, false])(
    'lost at every octet (pipelining %s): each message’s delivery is true',
    async (pipelining) => {
      const messages = ['1', '2', '3'].map((body) => ({ ...MESSAGE, content: `${body}\r\n` }));
      const play = async (lostAt: number): Promise<number> => {
        const memory = new Memory({ pipelining, lostAt });
        const outcomes = await connect(to(memory), SETTINGS).then(
          async (client) => {
            const sent = await within(
              2_000,
              Promise.allSettled(messages.map((message) => client.send(message))),
            );
            await within(2_000, client.close());
            return sent;
          },
          (reason: unknown) => messages.map(() => ({ status: 'rejected', reason }) as const),
        );
        for (const [index, outcome] of outcomes.entries()) {
          const body = messages[index]?.content as string;
          const kept = memory.kept.includes(body);
          const polled = memory.written.includes(`${body}.\r\n`);
          if (outcome.status === 'fulfilled') expect(kept).toBe(true);
          else {
            expect(outcome.reason).toBeInstanceOf(SmtpError);
            expect(outcome.reason.delivery).toBe(polled ? 'unknown' : 'not-sent');
          }
        }
        return memory.octets;
      };
      const all = await play(Infinity);
      expect(all).toBeGreaterThan(200);
      for (let at = 0; at < all; at += 1) await play(at);
    },
  );
});

/** A connection that says what it is told to. */
class Silent implements Connection {
  readonly secure = false;
  readonly #out = new Queue<Uint8Array | undefined>();
  give(text: string): void {
    this.#out.push(octetsOf(text));
  }
  read(): Promise<Uint8Array | undefined> {
    return this.#out.take();
  }
  write(): Promise<void> {
    return Promise.resolve();
  }
  startTls(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    this.#out.push(undefined);
  }
}

/** The page's runtime, on Node. */
async function dialNode(server: ScriptedServer, ca: string): Promise<Connection> {
  let socket: Socket = dialTcp(server.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const read = new Queue<Uint8Array | undefined>();
  const listen = (): void => {
    const from = socket;
    from
      .on('data', (octets) => from === socket && read.push(octets))
      .on('error', () => {})
      .on('close', () => from === socket && read.push(undefined));
  };
  listen();
  return {
    secure: false,
    read: () => read.take(),
    write: (octets) =>
      new Promise((resolve, reject) => {
        socket.write(octets, (error) => (error ? reject(error) : resolve()));
      }),
    async startTls() {
      const secured = dialTls({ socket, ca, servername: 'localhost' });
      socket = secured;
      listen();
      await new Promise((resolve, reject) => {
        secured.once('secureConnect', resolve).once('error', reject);
      });
    },
    close: () => void socket.end(),
  };
}

describe('against a scripted server, over STARTTLS', () => {
  test('with the settings of the page', async () => {
    const authority = await createCertificateAuthority();
    const pair = await authority.issue();
    const taken: string[] = [];
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'PIPELINING', 'AUTH PLAIN');
      await takeMessages(peer, taken);
    });
    const client = await connect(() => dialNode(server, authority.ca), settings);
    const content = `${'x'.repeat(70)}\r\n`.repeat(30_000);
    await within(5_000, client.send({ ...MESSAGE, content }));
    await within(2_000, client.close());
    expect(taken).toHaveLength(1);
    expect(taken[0] === content).toBe(true);
    const { lines, plain } = server.peer();
    expect(plain).toBe('EHLO client.example.com\r\nSTARTTLS\r\n');
    expect(lines).toContain(`AUTH PLAIN ${Buffer.from('\x001website\x00test').toString('base64')}`);
    expect(lines.at(-1)).toBe('QUIT');
  });

  test('a certificate that is not to be trusted', async () => {
    const [authority, other] = await Promise.all([
      createCertificateAuthority(),
      createCertificateAuthority(),
    ]);
    const pair = await authority.issue();
    const server = await start((peer) => greetSecurely(peer, pair, 'AUTH PLAIN'));
    const error = await failureOf(connect(() => dialNode(server, other.ca), settings));
    expect([error.code, error.delivery]).toEqual(['ERR_SMTP_TLS', 'not-sent']);
    expect(server.peer().secured).toBe('');
  });

  test('the server dies in the content', async () => {
    const authority = await createCertificateAuthority();
    const pair = await authority.issue();
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'PIPELINING', 'AUTH PLAIN');
      for (const reply of ['235 welcome', '250 ok', '250 ok', '354 go']) {
        await peer.hear();
        peer.say(reply);
      }
      await peer.octets(100_000);
      peer.destroy(true);
    });
    const client = await connect(() => dialNode(server, authority.ca), settings);
    async function* content(): AsyncGenerator<Uint8Array> {
      for (;;) yield octetsOf(`${'x'.repeat(70)}\r\n`.repeat(500));
    }
    const error = await failureOf(client.send({ ...MESSAGE, content: content() }));
    expect([error.code, error.delivery]).toEqual(['ERR_SMTP_CLOSED', 'not-sent']);
    await within(2_000, client.close());
    await eventually(() => server.open === 0, 'it is closed');
  });
});
