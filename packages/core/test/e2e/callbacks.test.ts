/**
 * The caller's own code runs in the middle of everything: transcript and progress listeners, the content's source,
 * a mechanism. Whatever it does there, at whichever of these moments: every promise settles, with the truth.
 */
import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TransportEvents } from '../../src/driver/transport.ts';
import { connect, isSmtpError, type SmtpClient, type Transport } from '../../src/index.ts';
import { latin1 } from '../wire/cuts.ts';
import { within } from './scripted-server.ts';

/** What the caller does at one moment. */
const DEEDS = ['abort the first', 'abort the second', 'destroy', 'close', 'send', 'throw'] as const;
type Deed = (typeof DEEDS)[number];

interface World {
  readonly pipelining: boolean;
  readonly streamed: boolean;
}

const TIMEOUTS = Object.fromEntries(
  ['greeting', 'ehlo', 'auth', 'mail', 'rcpt', 'data', 'content', 'final'].map((at) => [at, 2_000]),
);
const WHY = new Error('the caller wants it so');
const MESSAGES = ['first', 'second'].map((name) => [`${name} 1\r\n`, `${name} 2\r\n`]);

/** A good server in memory; it answers in a later turn of the event loop. */
class GoodServer implements Transport {
  readonly secure = false;
  readonly delivered: string[] = [];
  destroyed = false;
  readonly #keywords: string;
  #events: TransportEvents | undefined;
  #held = '';
  #content: string | undefined;

  constructor(pipelining: boolean) {
    this.#keywords = pipelining ? '250-PIPELINING\r\n' : '';
  }
  attach(events: TransportEvents): void {
    this.#events = events;
    this.#say('220 hello');
  }
  write(octets: Uint8Array): boolean {
    this.#held += Buffer.from(octets).toString('latin1');
    const lines = this.#held.split('\r\n');
    this.#held = lines.pop() ?? '';
    if (!this.destroyed) for (const line of lines) this.#read(line);
    return true;
  }
  startTls(): Promise<void> {
    return Promise.reject(WHY);
  }
  end(): void {
    setImmediate(() => this.#events?.onClose());
  }
  destroy(): void {
    this.destroyed = true;
  }
  #say(reply: string): void {
    setImmediate(() => {
      if (!this.destroyed) this.#events?.onData(latin1(`${reply}\r\n`));
    });
  }
  #read(line: string): void {
    if (this.#content !== undefined && line !== '.') this.#content += `${line}\r\n`;
    else if (this.#content !== undefined) {
      this.delivered.push(this.#content);
      this.#content = undefined;
      this.#say('250 queued');
    } else if (line === 'DATA') {
      this.#content = '';
      this.#say('354 go');
    } else if (line.startsWith('EHLO')) {
      this.#say(`250-mail.example.com\r\n${this.#keywords}250 AUTH EXAMPLE`);
    } else if (line.startsWith('AUTH')) this.#say('235 welcome');
    else this.#say(line === 'QUIT' ? '221 bye' : '250 ok');
  }
}

/** Plays two messages, and one deed at the moment with this number; returns how many moments there were. */
async function play({ pipelining, streamed }: World, deed?: Deed, at = 0): Promise<number> {
  const controllers = [new AbortController(), new AbortController()];
  const extra: Promise<unknown>[] = [];
  const settled = (promise: Promise<unknown>): Promise<unknown> =>
    within(
      2_000,
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
  let client: SmtpClient | undefined;
  let moments = 0;
  const moment = (): void => {
    moments += 1;
    if (moments !== at) return;
    if (deed === 'throw') throw WHY;
    if (deed === 'abort the first') controllers[0]?.abort(WHY);
    if (deed === 'abort the second') controllers[1]?.abort(WHY);
    if (!client) return;
    if (deed === 'destroy') client.destroy(WHY);
    if (deed === 'close') extra.push(settled(client.close()));
    if (deed === 'send')
      extra.push(settled(client.send({ from: 'a@b.org', to: 'c@d.org', content: 'x\r\n' })));
  };
  const sources = MESSAGES.map(() => ({ opened: 0, ended: 0, released: 0 }));
  const sourceOf = (index: number): AsyncIterable<Uint8Array> => ({
    [Symbol.asyncIterator]() {
      moment();
      const source = sources[index] as (typeof sources)[number];
      source.opened += 1;
      const blocks = [...(MESSAGES[index] as string[])];
      return {
        async next() {
          moment();
          const block = blocks.shift();
          if (block !== undefined) return { done: false, value: latin1(block) };
          source.ended += 1;
          return { done: true, value: undefined };
        },
        async return() {
          source.released += 1;
          moment();
          return { done: true, value: undefined };
        },
      };
    },
  });
  const server = new GoodServer(pipelining);
  const connecting = connect({
    host: 'mail.example.com',
    tls: 'off',
    transport: server,
    timeouts: { ...TIMEOUTS, quit: 500 },
    onTranscript: moment,
    auth: {
      name: 'EXAMPLE',
      strength: 1,
      exposesSecret: false,
      *start() {
        moment();
        yield latin1('x');
      },
    },
  });
  const refused = await settled(connecting);
  if (refused === undefined) {
    client = await connecting;
    const { send } = client;
    const sending = MESSAGES.map((blocks, index) =>
      settled(
        send(
          {
            from: 'a@b.org',
            to: 'c@d.org',
            content: streamed ? sourceOf(index) : blocks.join(''),
          },
          { signal: controllers[index]?.signal as AbortSignal, onProgress: moment },
        ),
      ),
    );
    const outcomes = await Promise.all(sending);
    expect(await settled(client.close())).toBe(undefined);
    await Promise.all(extra);
    for (const [index, error] of outcomes.entries()) {
      const whole = MESSAGES[index]?.join('') as string;
      if (error !== undefined && !isSmtpError(error)) throw error;
      const delivery = error?.delivery ?? 'ok';
      const possible = server.delivered.includes(whole) ? ['ok', 'unknown'] : ['not-sent'];
      expect(possible, `message ${index}: ${error}`).toContain(delivery);
    }
    for (const { opened, ended, released } of streamed ? sources : []) {
      // What ends while it is being released is both.
      expect(ended + released).toBeGreaterThanOrEqual(opened);
      expect(released).toBeLessThanOrEqual(1);
    }
  } else {
    expect(deed).toBe('throw');
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  }
  expect(server.destroyed).toBe(true);
  const wholes = [...MESSAGES.map((blocks) => blocks.join('')), 'x\r\n'];
  expect(wholes).toEqual(expect.arrayContaining(server.delivered));
  for (const { signal } of controllers) expect(getEventListeners(signal, 'abort')).toEqual([]);
  return moments;
}

const uncaught: unknown[] = [];
const onUncaught = (error: unknown): void => {
  uncaught.push(error);
};
beforeAll(() => {
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
});
afterAll(() => {
  process.off('uncaughtException', onUncaught);
  process.off('unhandledRejection', onUncaught);
});

test.each(
  [true, false].flatMap((pipelining) =>
    [true, false].flatMap((streamed) => DEEDS.map((deed) => ({ pipelining, streamed, deed }))),
  ),
)(
  '$deed at every moment (pipelining $pipelining, streamed $streamed)',
  async ({ deed, ...world }) => {
    const moments = await play(world);
    expect(moments).toBeGreaterThan(20);
    await Promise.all(Array.from({ length: moments }, (_, at) => play(world, deed, at + 1)));
    await new Promise(setImmediate);
    expect(uncaught.splice(0)).toEqual([]);
  },
);

test.each(['destroy', 'throw', 'abort'] as const)(
  '%s when the final reply is told: the message is accepted',
  async (deed) => {
    const controller = new AbortController();
    const client: SmtpClient = await connect({
      host: 'mail.example.com',
      tls: 'off',
      transport: new GoodServer(true),
      onTranscript({ text }) {
        if (!text.startsWith('250 queued')) return;
        if (deed === 'destroy') client.destroy(WHY);
        else if (deed === 'abort') controller.abort(WHY);
        else throw WHY;
      },
    });
    const receipt = await within(
      1_000,
      client.send(
        { from: 'a@b.org', to: 'c@d.org', content: 'x\r\n' },
        { signal: controller.signal },
      ),
    );
    expect(receipt.reply.text).toBe('queued');
    await within(1_000, client.close());
  },
);
