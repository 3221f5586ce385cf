/** What is tried again, where, how often and when: on connections in memory, by a clock that stands until it is moved. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { OutgoingMessage } from '../../src/index.ts';
import { Fake, fail, reply, settled } from './fake.ts';

describe('a message whose connection is lost', () => {
  test.each([
    ['ERR_SMTP_CLOSED', {}],
    ['ERR_SMTP_TIMEOUT', {}],
    ['ERR_SMTP_PROTOCOL', {}],
    ['ERR_SMTP_CLOSED', { reply: reply(421) }],
    // RSET was refused.
    ['ERR_SMTP_REPLY', { phase: 'idle', reply: reply(451) }],
  ] as const)('is sent again where it is not-sent: %s %o', async (code, details) => {
    const fake = new Fake({ maxConnections: 1 });
    const [first] = await fake.give(1);
    void fake.send(0, 0).refuse(fail(code, details));
    await settled();
    await fake.clock.pass(2_000);
    expect(fake.client(0).said).toEqual(['QUIT']);
    await fake.send(1, 0).accept();
    expect(first?.outcome).toBe('sent');
    expect(fake.pool.stats).toMatchObject({ sent: 1, failed: 0, resent: 1 });
  });

  test.each([
    ['ERR_SMTP_CLOSED', { delivery: 'unknown' }],
    ['ERR_SMTP_TIMEOUT', { delivery: 'unknown' }],
    ['ERR_SMTP_REPLY', { delivery: 'rejected', reply: reply(451) }],
    ['ERR_SMTP_REPLY', { delivery: 'rejected', reply: reply(421) }],
    ['ERR_SMTP_CLOSED', { delivery: 'rejected', reply: reply(421) }],
    ['ERR_SMTP_CONTENT', {}],
    ['ERR_SMTP_UNSUPPORTED', {}],
    ['ERR_SMTP_TOO_LARGE', {}],
    ['ERR_SMTP_ABORTED', {}],
  ] as const)('is not sent again: %s %o', async (code, details) => {
    const fake = new Fake();
    const [first] = await fake.give(1);
    await fake.send(0, 0).refuse(fail(code, details));
    await fake.clock.pass(60_000);
    expect(first?.outcome).toMatchObject({ code });
    expect(fake.attempts).toBe(1);
  });

  test.each([undefined, null, 'no', { code: 'UND_ERR_CONNECT_TIMEOUT' }])(
    'is not sent again where something else was thrown: %s',
    async (error) => {
      const fake = new Fake();
      const [first] = await fake.give(1);
      await fake.send(0, 0).refuse(error);
      await fake.give(1);
      await fake.send(0, 1).accept();
      expect(first?.outcome).toBe(error);
      expect(fake.pool.stats).toMatchObject({ sent: 1, failed: 1, resent: 0 });
      expect(fake.attempts).toBe(1);
    },
  );

  test('was told 421: nothing more is sent on that connection', async () => {
    const fake = new Fake();
    await fake.give(1);
    await fake
      .send(0, 0)
      .refuse(fail('ERR_SMTP_REPLY', { delivery: 'rejected', reply: reply(421) }));
    expect(fake.client(0).said).toEqual(['QUIT']);
    await fake.give(1);
    await fake.clock.pass(1_000);
    expect(fake.client(1).subjects).toEqual(['2']);
  });

  test('is no longer sent again after its signal was aborted', async () => {
    const fake = new Fake();
    const controller = new AbortController();
    const [first] = await fake.give(1, { signal: controller.signal });
    controller.abort();
    await fake.client(0).lose();
    expect(first?.outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED' });
  });

  test('keeps its place before those that came later', async () => {
    const fake = new Fake({ maxConnections: 1, maxInFlight: 3 });
    await fake.give(1);
    await fake.acceptAll();
    await fake.give(5);
    expect(fake.client(0).subjects).toEqual(['1', '2', '3', '4']);
    await fake.client(0).lose();
    await fake.clock.pass(2_000);
    await fake.acceptAll();
    expect(fake.client(1).subjects).toEqual(['2', '3', '4', '5', '6']);
    expect(fake.pool.stats).toMatchObject({ sent: 6, resent: 3, failed: 0 });
  });

  test('fails with its last error after maxAttempts', async () => {
    const fake = new Fake({ maxAttempts: 4 });
    const [first] = await fake.give(1);
    for (let at = 0; at < 4; at += 1) {
      expect(first?.outcome).toBeUndefined();
      await fake.client(at).lose(fail('ERR_SMTP_CLOSED', { cause: at }));
      await fake.clock.pass(60_000);
    }
    expect(first?.outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED', cause: 3 });
    expect(fake.attempts).toBe(4);
    expect(fake.pool.stats).toMatchObject({ failed: 1, resent: 3 });
  });

  test('has not used an attempt up where it had not begun, on a connection that has served others', async () => {
    const fake = new Fake({ maxConnections: 1, maxInFlight: 3, maxAttempts: 2 });
    const all = await fake.give(12);
    // A server that takes one message from each connection, and does not say so.
    for (let at = 0; at < 12; at += 1) {
      await fake.send(at, 0).accept();
      await fake.client(at).lose(fail('ERR_SMTP_CLOSED', { phase: 'idle' }));
    }
    expect(all.map(({ outcome }) => outcome)).toEqual(Array(12).fill('sent'));
  });

  test('fails, and is not tried for ever, where connections are lost before they serve any', async () => {
    const fake = new Fake({ maxConnections: 1 });
    const [first] = await fake.give(1);
    for (let at = 0; at < 3; at += 1) {
      await fake.client(at).lose(fail('ERR_SMTP_CLOSED', { phase: 'idle' }));
      // The n-th time: half of 1,000 * 2 ** (n - 1).
      await fake.clock.pass(500 * 2 ** at - 1);
      expect(fake.attempts).toBe(at + 1);
      await fake.clock.pass(2);
    }
    expect(first?.outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED' });
    expect(fake.clock.timers).toBe(0);
  });

  test('is not begun again after timeouts.total has passed', async () => {
    const fake = new Fake({ timeouts: { total: 5_000 } });
    const [first] = await fake.give(1);
    await fake.clock.pass(5_000);
    await fake.client(0).lose(fail('ERR_SMTP_TIMEOUT'));
    expect(first?.outcome).toMatchObject({ code: 'ERR_SMTP_TIMEOUT', phase: 'mail' });
    expect(fake.attempts).toBe(1);
  });
});

describe('content', () => {
  /** Loses the connection under a message, after its content was read or before. */
  const lose = async (content: OutgoingMessage['content'], read: boolean): Promise<unknown> => {
    const fake = new Fake();
    const [slot] = await fake.give(1, {}, content);
    const { message } = fake.send(0, 0);
    expect(message.from).toBe('1');
    const given = message.content;
    const source = typeof given === 'function' ? given(fake.client(0).capabilities) : given;
    if (read && typeof source === 'object' && !(source instanceof Uint8Array)) {
      const iterator = (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.return?.();
    }
    await fake.client(0).lose();
    await fake.clock.pass(2_000);
    if (fake.attempts === 1) return slot?.outcome;
    await fake.send(1, 0).accept();
    expect(slot?.outcome).toBe('sent');
    return 'sent again';
  };
  async function* generator(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1);
  }
  const kept = generator();
  const gone = { code: 'ERR_SMTP_CLOSED', delivery: 'not-sent' };
  const stream = (): ReadableStream<Uint8Array> =>
    new Blob([new Uint8Array(1)]).stream() as ReadableStream<Uint8Array>;

  test.each([
    ['a string', 'x', 'sent again'],
    ['octets', new Uint8Array(1), 'sent again'],
    ['a function', generator, 'sent again'],
    ['an iterable that begins anew', { [Symbol.asyncIterator]: generator }, 'sent again'],
    ['an iterable that does not', { [Symbol.asyncIterator]: () => kept }, gone],
    ['a generator', generator(), gone],
    ['a web stream', stream(), gone],
    ['a stream of Node', Readable.from([new Uint8Array(1)]), gone],
  ])('that was read, from %s', async (_, content, outcome) => {
    const came = await lose(content as OutgoingMessage['content'], true);
    expect(came).toEqual(typeof outcome === 'string' ? outcome : expect.objectContaining(outcome));
  });

  test.each([
    ['a generator', generator()],
    ['a web stream', stream()],
    ['a stream of Node', Readable.from([new Uint8Array(1)])],
  ])('that nobody has begun to read, from %s', async (_, content) => {
    expect(await lose(content as OutgoingMessage['content'], false)).toBe('sent again');
  });

  test('a message of whatever class stays what it is', async () => {
    class Mail {
      readonly #to = 'c@d';
      readonly from = 'me@d';
      readonly content = generator();
      get to(): string {
        return this.#to;
      }
    }
    const fake = new Fake();
    const sending = fake.pool.send(Object.freeze(new Mail()));
    await settled();
    const { message } = fake.send(0, 0);
    expect([message.from, message.to]).toEqual(['me@d', 'c@d']);
    await fake.send(0, 0).accept();
    await sending;
  });

  test('of no kind at all is left to the client', async () => {
    const fake = new Fake();
    await fake.give(1, {}, null as never);
    expect(fake.send(0, 0).message.content).toBe(null);
    await fake.send(0, 0).refuse(new TypeError('content'));
    expect(fake.pool.stats).toMatchObject({ failed: 1, connections: 1, idle: 1 });
  });
});

describe('a connection that cannot be made', () => {
  const refuse = (fake: Fake, error: unknown): void => {
    fake.before = () => {
      throw error;
    };
  };

  test.each([
    fail('ERR_SMTP_CONNECT', { phase: 'connect' }),
    fail('ERR_SMTP_TIMEOUT', { phase: 'greeting' }),
    fail('ERR_SMTP_REPLY', { phase: 'greeting', reply: reply(421) }),
    fail('ERR_SMTP_AUTH', { phase: 'auth', reply: reply(454) }),
  ])('is tried again, later each time, then what waits fails: %s', async (error) => {
    const fake = new Fake({ backoff: { initial: 100, max: 250 }, maxAttempts: 5 });
    refuse(fake, error);
    const all = await fake.give(3);
    const began: number[] = [];
    for (let ms = 0; ms < 2_000; ms += 1) {
      if (fake.attempts > began.length) began.push(ms);
      await fake.clock.pass(1);
    }
    // Halves, by the random source, of 100, 200, 250, 250.
    expect(began.map((ms, at) => ms - (began[at - 1] ?? 0))).toEqual([0, 50, 100, 125, 125]);
    expect(all.map(({ outcome }) => outcome)).toEqual([error, error, error]);
    expect(fake.clock.timers).toBe(0);
    await fake.pool.close();
  });

  test.each([
    fail('ERR_SMTP_AUTH', { phase: 'auth', reply: reply(535) }),
    fail('ERR_SMTP_TLS', { phase: 'tls' }),
    fail('ERR_SMTP_REPLY', { phase: 'greeting', reply: reply(554) }),
    new TypeError('host'),
  ])('fails all that wait at once, where it would fail again: %s', async (error) => {
    const fake = new Fake();
    refuse(fake, error);
    const all = await fake.give(20);
    expect(all.map(({ outcome }) => outcome)).toEqual(Array(20).fill(error));
    expect(fake.attempts).toBe(1);
    expect(fake.clock.timers).toBe(0);
    // The next one tries again, not before the backoff is over.
    fake.before = () => {};
    const [next] = await fake.give(1);
    expect(fake.attempts).toBe(1);
    await fake.clock.pass(500);
    expect(fake.attempts).toBe(2);
    await fake.acceptAll();
    expect(next?.outcome).toBe('sent');
  });

  test('takes nothing from messages that another connection serves', async () => {
    const fake = new Fake({ maxConnections: 3, maxInFlight: 1 });
    fake.before = (_, attempt) => {
      // A server that gives each client one connection.
      if (attempt > 1) throw fail('ERR_SMTP_REPLY', { phase: 'greeting', reply: reply(554) });
    };
    const all = await fake.give(10);
    for (let at = 0; at < 10; at += 1) {
      await fake.send(0, at).accept();
      await fake.clock.pass(100);
    }
    expect(all.map(({ outcome }) => outcome)).toEqual(Array(10).fill('sent'));
    expect(fake.attempts).toBeLessThan(6);
  });

  test('leaves no timer where no message waits for the next', async () => {
    const fake = new Fake();
    await fake.give(1);
    refuse(fake, fail('ERR_SMTP_CONNECT'));
    await fake.give(1);
    expect(fake.attempts).toBe(2);
    expect(fake.pool.stats).toMatchObject({ active: 2, queued: 0 });
    expect(fake.clock.timers).toBe(0);
  });

  test('is waited for no longer than at first, after a message was sent', async () => {
    const fake = new Fake({ maxConnections: 1 });
    for (const round of [1, 2, 3]) {
      fake.before = (_, attempt) => {
        if (attempt < 3 * round) throw fail('ERR_SMTP_CONNECT');
      };
      await fake.give(1);
      // Twice: half of 1,000, half of 2,000.
      await fake.clock.pass(1_500);
      expect(fake.attempts).toBe(3 * round);
      await fake.acceptAll();
      await fake.client(round - 1).lose();
      await fake.clock.pass(10_000);
    }
    expect(fake.pool.stats.sent).toBe(3);
  });

  test('is tried one by one, until one was made', async () => {
    const fake = new Fake({ maxInFlight: 1 });
    let up = false;
    fake.before = () => {
      if (!up) throw fail('ERR_SMTP_CONNECT');
    };
    await fake.give(10);
    await fake.clock.pass(499);
    expect(fake.attempts).toBe(1);
    await fake.clock.pass(2);
    expect(fake.attempts).toBe(2);
    up = true;
    await fake.clock.pass(2_000);
    expect(fake.attempts).toBe(7);
    await fake.acceptAll();
    expect(fake.pool.stats).toMatchObject({ sent: 10, failed: 0 });
  });

  test('counts once where several are refused together', async () => {
    const fake = new Fake({ maxConnections: 5, maxInFlight: 1, maxAttempts: 2 });
    await fake.give(1);
    await fake.acceptAll();
    await fake.client(0).lose();
    refuse(fake, fail('ERR_SMTP_CONNECT'));
    const all = await fake.give(9);
    expect(fake.attempts).toBe(6);
    expect(all[0]?.outcome).toBeUndefined();
    fake.before = () => {};
    await fake.clock.pass(60_000);
    await fake.acceptAll();
    expect(fake.pool.stats).toMatchObject({ sent: 10, failed: 0 });
  });

  test('fails by whatever connect() throws, also where it throws at once', async () => {
    const fake = new Fake({
      connect: () => {
        throw new Error('no');
      },
    });
    const [first] = await fake.give(1);
    expect(first?.outcome).toMatchObject({ message: 'no' });
    const other = new Fake({ connect: () => Promise.reject(undefined) });
    await expect(other.pool.send({ from: 'a', to: 'b', content: 'x' })).rejects.toBeUndefined();
  });
});
