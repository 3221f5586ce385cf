/**
 * Sources, listeners and servers that do what they may not: what is sent afterwards is never read as content of what
 * failed, and what is said of a message is true.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { TransportEvents } from '../../src/driver/transport.ts';
import {
  type ConnectOptions,
  connect,
  type OutgoingMessage,
  type SmtpClient,
  SmtpError,
  type Transport,
} from '../../src/index.ts';
import { latin1 } from '../wire/cuts.ts';
import { failureOf, within } from './scripted-server.ts';

const UPSTREAM = new SmtpError('ERR_SMTP_REPLY', 'another server refused it', {
  phase: 'final',
  delivery: 'rejected',
});
const ENVELOPE = { from: 'a@example.com', to: 'b@example.com' };

/** A server in memory that takes everything, but for the commands that it is told to answer otherwise. */
class Server implements Transport {
  readonly secure = false;
  readonly messages: string[] = [];
  readonly commands: string[] = [];
  destroyed = false;
  /** What write() returns. */
  drains = true;
  readonly #offered: readonly string[];
  readonly #answers: Readonly<Record<string, string>>;
  #events: TransportEvents | undefined;
  #held = '';
  #content = '';
  #dotted = false;
  #owed = 0;
  #last = true;

  constructor(offered: readonly string[], answers: Readonly<Record<string, string>> = {}) {
    this.#offered = offered;
    this.#answers = answers;
  }
  attach(events: TransportEvents): void {
    this.#events = events;
    this.#say('220 hello');
  }
  write(octets: Uint8Array): boolean {
    this.#held += Buffer.from(octets).toString('latin1');
    while (this.#held && !this.destroyed && this.#read());
    return this.drains;
  }
  startTls(): Promise<void> {
    return Promise.reject(UPSTREAM);
  }
  end(): void {
    setImmediate(() => this.#events?.onClose());
  }
  destroy(): void {
    this.destroyed = true;
  }
  #say(...lines: string[]): void {
    setImmediate(() => {
      if (!this.destroyed)
        this.#events?.onData(latin1(lines.map((line) => `${line}\r\n`).join('')));
    });
  }
  #finish(): true {
    this.messages.push(this.#content);
    this.#content = '';
    this.#say('250 queued');
    return true;
  }
  /** Takes one line or one chunk; false where it has not arrived as a whole. */
  #read(): boolean {
    if (this.#owed > 0) {
      const part = this.#held.slice(0, this.#owed);
      this.#held = this.#held.slice(part.length);
      this.#content += part;
      this.#owed -= part.length;
      if (this.#owed > 0) return true;
      if (this.#last) return this.#finish();
      this.#say('250 chunk');
      return true;
    }
    const end = this.#held.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#held.slice(0, end);
    this.#held = this.#held.slice(end + 2);
    if (this.#dotted && line !== '.') {
      this.#content += `${line}\r\n`;
      return true;
    }
    if (this.#dotted) {
      this.#dotted = false;
      return this.#finish();
    }
    this.commands.push(line);
    const [verb = '', size, last] = line.split(' ');
    const answer = this.#answers[verb];
    if (answer) this.#say(answer);
    else if (verb === 'EHLO')
      this.#say('250-mail.example.com', ...this.#offered.map((each) => `250-${each}`), '250 HELP');
    else if (verb === 'DATA') {
      this.#dotted = true;
      this.#say('354 go');
    } else if (verb === 'BDAT') {
      this.#owed = Number(size);
      this.#last = last === 'LAST';
    } else this.#say(verb === 'QUIT' ? '221 bye' : '250 ok');
    return true;
  }
}

const open = (transport: Server, options: Partial<ConnectOptions> = {}): Promise<SmtpClient> =>
  connect({ host: 'mail.example.com', tls: 'off', transport, ...options });

async function* failing(...blocks: string[]): AsyncGenerator<Uint8Array> {
  for (const block of blocks) {
    yield latin1(block);
    await sleep(1);
  }
  throw UPSTREAM;
}

/** Sends what fails, then another; that one is the only message there, or there is none. */
async function playFailure(server: Server, message: OutgoingMessage, onProgress?: () => void) {
  const client = await open(server);
  const failed = failureOf(client.send(message, onProgress && { onProgress }));
  const second = client.send({ ...ENVELOPE, content: 'second\r\n' }).then(
    () => 'sent',
    (error: SmtpError) => error.delivery,
  );
  const error = await within(2_000, failed);
  const outcome = await within(2_000, second);
  expect(server.messages).toEqual(outcome === 'sent' ? ['second\r\n'] : []);
  return { error, outcome, server };
}

test.each<[name: string, offered: string[], message: Partial<OutgoingMessage>]>([
  ['by DATA', ['PIPELINING'], {}],
  ['by DATA, in lock-step', [], {}],
  ['by BDAT, of unknown size', ['PIPELINING', 'CHUNKING'], {}],
  ['by BDAT, of declared size', ['PIPELINING', 'CHUNKING', 'SIZE 1000'], { size: 140 }],
])(
  'a source that throws another SmtpError, %s, fails its own message',
  async (_name, offered, more) => {
    const { error } = await playFailure(new Server(offered), {
      ...ENVELOPE,
      ...more,
      content: failing('first\r\n'),
    });
    expect(error).toMatchObject({
      code: 'ERR_SMTP_CONTENT',
      delivery: 'not-sent',
      cause: UPSTREAM,
    });
  },
);

test.each([['PIPELINING'], ['PIPELINING CHUNKING']])(
  'a progress listener that throws an SmtpError fails its own message, with %s',
  async (offered) => {
    let calls = 0;
    const { error } = await playFailure(
      new Server(offered.split(' ')),
      { ...ENVELOPE, content: 'first\r\n'.repeat(20_000) },
      () => {
        calls += 1;
        if (calls === 2) throw UPSTREAM;
      },
    );
    expect(error).toMatchObject({
      code: 'ERR_SMTP_CONTENT',
      delivery: 'not-sent',
      cause: UPSTREAM,
    });
  },
);

test('send(), aborted while the transport is full, lets go of the connection', async () => {
  const server = new Server(['PIPELINING']);
  const client = await open(server);
  const controller = new AbortController();
  async function* endless(): AsyncGenerator<Uint8Array> {
    server.drains = false;
    for (;;) yield latin1('x\r\n'.repeat(1_000));
  }
  const failed = failureOf(
    client.send({ ...ENVELOPE, content: endless() }, { signal: controller.signal }),
  );
  await sleep(20);
  controller.abort();
  expect(await within(2_000, failed)).toMatchObject({
    code: 'ERR_SMTP_ABORTED',
    delivery: 'not-sent',
  });
  await within(2_000, client.closed);
  expect(server.destroyed).toBe(true);
});

test.each([65_535, 65_536, 65_537, 131_072, 131_073])(
  'content of %i octets behind another message in flight arrives',
  async (size) => {
    const server = new Server(['PIPELINING', 'CHUNKING']);
    const client = await open(server, { pipelining: 'flight' });
    const content = `${`${'x'.repeat(62)}\r\n`.repeat(size / 64 - 1)}`.padEnd(size - 2, 'y');
    const sends = ['one\r\n', `${content}\r\n`].map((each) =>
      client.send({ ...ENVELOPE, content: each }),
    );
    const receipts = await within(2_000, Promise.all(sends));
    expect(receipts.map(({ octets }) => octets)).toEqual([5, size]);
    expect(server.messages.map(({ length }) => length)).toEqual([5, size]);
  },
);

test('a server that refuses MAIL and takes the rest of its group may have the message', async () => {
  const server = new Server(['PIPELINING', 'CHUNKING'], { MAIL: '503 nested' });
  const client = await open(server);
  const error = await failureOf(client.send({ ...ENVELOPE, content: 'one\r\n' }));
  expect(error).toMatchObject({ code: 'ERR_SMTP_REPLY', phase: 'mail', delivery: 'unknown' });
});

test('a size that is text is compared with what the content comes to', async () => {
  const server = new Server(['PIPELINING', 'CHUNKING', 'SIZE 1000']);
  const client = await open(server);
  const size = '5' as unknown as number;
  async function* two(): AsyncGenerator<Uint8Array> {
    yield latin1('one\r\n');
    await sleep(1);
    yield latin1('two\r\n');
  }
  const error = await within(2_000, failureOf(client.send({ ...ENVELOPE, size, content: two() })));
  expect(error).toMatchObject({ code: 'ERR_SMTP_CONTENT', delivery: 'not-sent' });
  expect(server.messages).toEqual([]);
});

test('a source at twice the minimum rate is fast enough by BDAT', async () => {
  const server = new Server(['PIPELINING', 'CHUNKING']);
  const client = await open(server, { timeouts: { content: 500, minimumRate: 100_000 } });
  async function* steady(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < 16; at += 1) {
      await sleep(50);
      yield latin1(`${'x'.repeat(98)}\r\n`.repeat(100));
    }
  }
  const { octets } = await within(5_000, client.send({ ...ENVELOPE, content: steady() }));
  expect(octets).toBe(160_000);
});
