/** Which message begins when, and where: on connections in memory, by a clock that stands until it is moved. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createQueue } from '../../src/pool/queue.ts';
import { Fake, fail, settled } from './fake.ts';

describe('connections', () => {
  test('none is made before there is a message', async () => {
    const fake = new Fake();
    await settled();
    expect(fake.attempts).toBe(0);
    expect(fake.pool.stats).toEqual({
      connections: 0,
      idle: 0,
      connecting: 0,
      active: 0,
      queued: 0,
      sent: 0,
      failed: 0,
      resent: 0,
    });
    await fake.give(1);
    expect(fake.attempts).toBe(1);
    expect(fake.pool.stats).toMatchObject({ connections: 1, idle: 0, active: 1, queued: 0 });
  });

  test('one is made first, the others when it was', async () => {
    const fake = new Fake({ maxConnections: 3, maxInFlight: 1 });
    let ready = (): void => {};
    fake.before = (_, attempt) =>
      attempt === 1 &&
      new Promise<void>((resolve) => {
        ready = resolve;
      });
    await fake.give(10);
    expect(fake.attempts).toBe(1);
    expect(fake.pool.stats).toMatchObject({ connecting: 1, queued: 10 });
    ready();
    await settled();
    expect(fake.attempts).toBe(3);
    expect(fake.pool.stats).toMatchObject({ connections: 3, connecting: 0, active: 3, queued: 7 });
    await fake.acceptAll();
    expect(fake.attempts).toBe(3);
    expect(fake.pool.stats).toMatchObject({ sent: 10, idle: 3 });
  });

  test('no more are made than there are messages for', async () => {
    const fake = new Fake();
    await fake.give(2);
    expect(fake.attempts).toBe(2);
    await fake.acceptAll();
    await fake.give(2);
    expect(fake.attempts).toBe(2);
  });

  test('a message goes behind another at once, while a connection is made for the next', async () => {
    const fake = new Fake();
    await fake.give(1);
    fake.before = () => new Promise<void>(() => {});
    await fake.give(3);
    expect(fake.client(0).subjects).toEqual(['1', '2']);
    expect(fake.pool.stats).toMatchObject({ connecting: 3, queued: 2 });
  });

  test('each gets the same place for its TLS session, and nothing of the pool', async () => {
    const fake = new Fake({ maxConnections: 2 });
    await fake.give(3);
    const [first, second] = fake.clients.map(({ asked }) => asked);
    expect(first?.resumption).toBeTypeOf('object');
    expect(second?.resumption).toBe(first?.resumption);
    expect(first).not.toHaveProperty('maxConnections');
    expect(first).not.toHaveProperty('connect');
  });

  test('one that is full says QUIT when its messages are done', async () => {
    const fake = new Fake({ maxConnections: 1, maxMessages: 3 });
    await fake.give(4);
    await fake.acceptAll();
    expect(fake.client(0).subjects).toEqual(['1', '2', '3']);
    expect(fake.client(0).said).toEqual(['QUIT']);
    expect(fake.client(1).subjects).toEqual(['4']);
  });

  test.each([
    [2, ['1', '2']],
    // Values that limit nothing.
    [0, ['1', '2', '3']],
    [Number.NaN, ['1', '2', '3']],
  ])('MAILMAX=%s of the server counts where it is less than maxMessages', async (MAILMAX, on) => {
    const fake = new Fake({ maxConnections: 1, maxMessages: 3 });
    fake.before = (client) => {
      client.capabilities = { ...client.capabilities, limits: [`MAILMAX=${MAILMAX}`] } as never;
    };
    await fake.give(4);
    await fake.acceptAll();
    expect(fake.client(0).subjects).toEqual(on);
    expect(fake.pool.stats.sent).toBe(4);
  });

  test('one that has dropped to envelope is not asked for more by the next', async () => {
    const fake = new Fake({ pipelining: 'flight', maxConnections: 2 });
    await fake.give(1);
    expect(fake.client(0).asked.pipelining).toBe('flight');
    fake.client(0).pipelining = 'envelope';
    await fake.send(0, 0).accept();
    await fake.give(2);
    expect(fake.client(0).subjects).toEqual(['1', '2']);
    expect(fake.client(1).asked.pipelining).toBe('envelope');
  });

  test('one that is lost while idle is no error', async () => {
    const fake = new Fake();
    await fake.give(1);
    await fake.acceptAll();
    await fake.client(0).lose();
    expect(fake.pool.stats.connections).toBe(0);
    const [second] = await fake.give(1);
    await fake.acceptAll();
    expect(second?.outcome).toBe('sent');
    expect(fake.pool.stats).toMatchObject({ sent: 2, failed: 0, resent: 0 });
  });
});

describe('messages', () => {
  test('begin in the order of the calls', async () => {
    const fake = new Fake({ maxConnections: 1 });
    await fake.give(20);
    await fake.acceptAll();
    expect(fake.client(0).subjects).toEqual(Array.from({ length: 20 }, (_, at) => `${at + 1}`));
  });

  test.each([
    ['flight', undefined, 32],
    ['flight', 4, 4],
    ['overlap', undefined, 2],
    ['overlap', 4, 4],
    ['envelope', 4, 1],
    ['off', 4, 1],
  ] as const)('%s with maxInFlight %s: so many at once', async (pipelining, maxInFlight, at) => {
    const fake = new Fake({ maxConnections: 1, ...(maxInFlight && { maxInFlight }) });
    fake.before = (client) => {
      client.pipelining = pipelining;
    };
    await fake.give(40);
    expect(fake.client(0).open.size).toBe(at);
  });

  test('flight goes as far as its window', async () => {
    const fake = new Fake({ maxConnections: 1, window: { transactions: 7 } });
    fake.before = (client) => {
      client.pipelining = 'flight';
    };
    await fake.give(40);
    expect(fake.client(0).open.size).toBe(7);
  });

  test('go to the connection that has least to do, and of idle ones to the last used', async () => {
    const fake = new Fake({ maxConnections: 2, maxInFlight: 3 });
    await fake.give(4);
    const [first, second] = [fake.client(0), fake.client(1)];
    expect([first.open.size, second.open.size].sort()).toEqual([1, 3]);
    await fake.give(2);
    expect([first.open.size, second.open.size]).toEqual([3, 3]);
    for (const send of [...first.open, ...second.open]) {
      await send.accept();
      await fake.clock.pass(10);
    }
    await fake.give(1);
    expect([first.open.size, second.open.size]).toEqual([0, 1]);
  });
});

describe('rate', () => {
  test('bounds how many begin in any span, over all connections', async () => {
    const fake = new Fake({ maxConnections: 3, rate: { messages: 3, per: 1_000 } });
    const begun: number[] = [];
    fake.before = (client) => {
      const { send } = client;
      client.send = (...all) => {
        begun.push(fake.clock.performance.now());
        const sending = send.apply(client, all);
        void client.sends.at(-1)?.accept();
        return sending;
      };
    };
    await fake.give(1);
    await fake.clock.pass(600);
    await fake.give(7);
    await fake.clock.pass(10_000);
    expect(begun).toEqual([0, 600, 600, 1_000, 1_600, 1_600, 2_000, 2_600]);
    expect(fake.pool.stats.sent).toBe(8);
  });

  test.each([
    ['a second, where no span is said', { messages: 2 }, [2, 4, 6]],
    ['one message, where no number is said', { per: 500 }, [1, 3, 5]],
  ])('is for %s', async (_name, rate, begun) => {
    const fake = new Fake({ rate });
    await fake.give(9);
    const seen: number[] = [];
    for (const pass of [0, 1_000, 1_000]) {
      await fake.clock.pass(pass);
      await fake.acceptAll();
      seen.push(fake.pool.stats.sent);
    }
    expect(seen).toEqual(begun);
  });

  test('makes no connection for what may not begin', async () => {
    const fake = new Fake({ rate: { messages: 1, per: 1_000 } });
    await fake.give(5);
    expect(fake.attempts).toBe(1);
    expect(fake.pool.stats).toMatchObject({ active: 1, queued: 4 });
  });
});

describe('the queue', () => {
  test('refuses what is beyond maxQueue', async () => {
    const fake = new Fake({ maxConnections: 1, maxInFlight: 1, maxQueue: 2 });
    await fake.give(1);
    const [, , refused] = await fake.give(3);
    expect(refused?.outcome).toMatchObject({
      code: 'ERR_SMTP_QUEUE_FULL',
      delivery: 'not-sent',
      retry: 'later',
      message: 'Cannot send the message: 2 messages are waiting',
    });
    await fake.acceptAll();
    expect(fake.pool.stats).toMatchObject({ sent: 3, failed: 1 });
  });

  test("takes it with overflow 'wait', and tells by ready() when there is room", async () => {
    const fake = new Fake({ maxConnections: 1, maxInFlight: 1, maxQueue: 2, overflow: 'wait' });
    await fake.pool.ready();
    await fake.give(5);
    expect(fake.pool.stats.queued).toBe(4);
    let ready = false;
    void fake.pool.ready().then(() => {
      ready = true;
    });
    for (const queued of [3, 2, 1]) {
      expect(ready).toBe(false);
      await [...fake.client(0).open][0]?.accept();
      expect(fake.pool.stats.queued).toBe(queued);
    }
    expect(ready).toBe(true);
    await fake.acceptAll();
    expect(fake.pool.stats.sent).toBe(5);
  });

  test('gives back what does not begin within queueTimeout', async () => {
    const fake = new Fake({ maxConnections: 1, maxInFlight: 1, queueTimeout: 5_000 });
    const [first, second] = await fake.give(2);
    await fake.clock.pass(6_000);
    expect(second?.outcome).toMatchObject({
      code: 'ERR_SMTP_TIMEOUT',
      phase: 'idle',
      delivery: 'not-sent',
      retry: 'later',
    });
    await fake.acceptAll();
    expect(first?.outcome).toBe('sent');
    expect(fake.client(0).subjects).toEqual(['1']);
  });

  test('gives back at once what is aborted, and forgets the signal of what is done', async () => {
    const fake = new Fake({ maxConnections: 1, maxInFlight: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...all: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, all);
    };
    signal.removeEventListener = (...all: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, all);
    };
    const [first, second, third] = await fake.give(3, { signal });
    expect(listeners).toBe(3);
    await fake.send(0, 0).accept();
    expect(first?.outcome).toBe('sent');
    expect(listeners).toBe(2);
    controller.abort(new Error('enough'));
    await settled();
    // The second has begun: it is the client's.
    expect(second?.outcome).toBeUndefined();
    expect(third?.outcome).toMatchObject({
      code: 'ERR_SMTP_ABORTED',
      delivery: 'not-sent',
      cause: { message: 'enough' },
    });
    await fake.send(0, 1).refuse(fail('ERR_SMTP_CLOSED'));
    expect(second?.outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED' });
    expect(listeners).toBe(0);
    const [fourth] = await fake.give(1, { signal });
    expect(fourth?.outcome).toMatchObject({ code: 'ERR_SMTP_ABORTED' });
    expect(fake.pool.stats).toMatchObject({ queued: 0, active: 0, sent: 1, failed: 3, resent: 0 });
  });

  test('keeps the order of its numbers, whatever is put back or taken away', () => {
    const step = fc.oneof(
      fc.constant('put'),
      fc.constant('take'),
      fc.record({ back: fc.nat(5) }),
      fc.record({ remove: fc.nat(20) }),
      fc.record({ sift: fc.integer({ min: 1, max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const queue = createQueue<{ id: number }>();
        let model: { id: number }[] = [];
        const taken: { id: number }[] = [];
        let id = 0;
        for (const what of steps) {
          if (what === 'put') {
            id += 1;
            model.push({ id });
            queue.put(model.at(-1) as { id: number });
          } else if (what === 'take') {
            const first = model.shift();
            expect(queue.take()).toBe(first);
            if (first) taken.push(first);
          } else if (typeof what === 'object' && 'back' in what) {
            const [item] = taken.splice(what.back, 1);
            if (!item) continue;
            queue.put(item);
            model = [...model, item].sort((a, b) => a.id - b.id);
          } else if (typeof what === 'object' && 'remove' in what) {
            const item = model[what.remove];
            expect(queue.remove(item ?? { id: 0 })).toBe(item !== undefined);
            model = model.filter((one) => one !== item);
          } else if (typeof what === 'object') {
            const asked: number[] = [];
            queue.sift((one) => {
              asked.push(one.id);
              return one.id % what.sift === 0;
            });
            expect(asked).toEqual(model.map((one) => one.id));
            model = model.filter((one) => one.id % what.sift === 0);
          }
          expect(queue.size).toBe(model.length);
        }
        for (const item of model) expect(queue.take()).toBe(item);
        expect(queue.take()).toBeUndefined();
      }),
    );
  });
});

test('what cannot be used as an option is refused at once', () => {
  for (const options of [
    { maxConnections: 0 },
    { maxMessages: Number.NaN },
    { maxInFlight: -1 },
    { maxQueue: 0 },
    { queueTimeout: 0 },
    { idleTimeout: 0 },
    { probeAfter: -1 },
    { maxAttempts: 0 },
    { backoff: { initial: 0 } },
    { backoff: { max: Number.NaN } },
    { closeTimeout: 0 },
    { rate: { messages: 0, per: 1_000 } },
    { rate: { messages: 1.5, per: 1_000 } },
    { rate: { messages: 1, per: Number.NaN } },
    { transport: {} as never },
  ])
    expect(() => new Fake(options), JSON.stringify(options)).toThrow(TypeError);
});
