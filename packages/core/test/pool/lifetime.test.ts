/** Idle connections, probes, and the end of the pool: on connections in memory, by a clock that stands until it is moved. */
import { describe, expect, test } from 'vitest';
import { Fake, fail, reply, settled } from './fake.ts';

describe('an idle connection', () => {
  test('says QUIT after idleTimeout, and leaves nothing behind', async () => {
    const fake = new Fake();
    await fake.give(1);
    await fake.acceptAll();
    await fake.clock.pass(29_999);
    expect(fake.client(0).said).toEqual([]);
    await fake.clock.pass(1);
    expect(fake.client(0).said).toEqual(['QUIT']);
    expect(fake.pool.stats.connections).toBe(0);
    expect(fake.clock.timers).toBe(0);
  });

  test('is used without a probe while it is fresh', async () => {
    const fake = new Fake();
    for (let at = 0; at < 3; at += 1) {
      await fake.give(1);
      await fake.acceptAll();
      await fake.clock.pass(9_999);
    }
    expect(fake.client(0).said).toEqual([]);
    expect(fake.attempts).toBe(1);
  });

  test('is probed after probeAfter, and then used', async () => {
    const fake = new Fake();
    await fake.give(1);
    await fake.acceptAll();
    await fake.clock.pass(10_000);
    let answer = (): void => {};
    fake.client(0).probe = () =>
      new Promise((resolve) => {
        answer = () => resolve(reply(250));
      });
    await fake.give(1);
    expect(fake.client(0).said).toEqual(['NOOP']);
    expect(fake.client(0).open.size).toBe(0);
    expect(fake.attempts).toBe(1);
    answer();
    await settled();
    expect(fake.client(0).subjects).toEqual(['1', '2']);
    await fake.acceptAll();
    await fake.clock.pass(30_000);
    expect(fake.clock.timers).toBe(0);
  });

  test.each([
    fail('ERR_SMTP_REPLY', { phase: 'idle', reply: reply(421) }),
    fail('ERR_SMTP_TIMEOUT', { phase: 'idle' }),
  ])('is left where the probe fails: %s', async (error) => {
    const fake = new Fake();
    await fake.give(1);
    await fake.acceptAll();
    await fake.clock.pass(10_000);
    fake.client(0).probe = () => Promise.reject(error);
    const [second] = await fake.give(1);
    expect(fake.client(0).said).toEqual(['NOOP', 'QUIT']);
    await fake.acceptAll();
    expect(second?.outcome).toBe('sent');
    expect(fake.client(1).subjects).toEqual(['2']);
  });

  test('is destroyed where the probe is not answered', async () => {
    const fake = new Fake();
    await fake.give(1);
    await fake.acceptAll();
    await fake.clock.pass(10_000);
    const client = fake.client(0);
    client.probe = () =>
      new Promise((_, reject) => {
        void client.closed.then(() => reject(fail('ERR_SMTP_CLOSED')));
      });
    const [second] = await fake.give(1);
    await fake.clock.pass(5_000);
    expect(client.said).toEqual(['NOOP', 'destroy']);
    await fake.acceptAll();
    expect(second?.outcome).toBe('sent');
    await fake.pool.close();
    expect(fake.clock.timers).toBe(0);
  });
});

describe('drain()', () => {
  test('resolves when nothing waits or is under way, and the pool goes on', async () => {
    const fake = new Fake({ maxConnections: 1, maxInFlight: 1 });
    await fake.pool.drain();
    await fake.give(3);
    let drained = false;
    void fake.pool.drain().then(() => {
      drained = true;
    });
    await fake.send(0, 0).accept();
    await fake.send(0, 1).accept();
    expect(drained).toBe(false);
    await fake.send(0, 2).accept();
    expect(drained).toBe(true);
    await fake.give(1);
    await fake.acceptAll();
    expect(fake.pool.stats.sent).toBe(4);
  });
});

describe('close()', () => {
  test('lets what was given come to its end, then says QUIT everywhere', async () => {
    const fake = new Fake({ maxConnections: 2, maxInFlight: 1 });
    await fake.give(1);
    const all = await fake.give(5);
    let closed = false;
    const closing = fake.pool.close().then(() => {
      closed = true;
    });
    expect(fake.pool.close()).toBe(fake.pool.close());
    const [late] = await fake.give(1);
    expect(late?.outcome).toMatchObject({
      code: 'ERR_SMTP_CLOSED',
      delivery: 'not-sent',
      message: 'Cannot send the message: the pool is closed',
    });
    expect(closed).toBe(false);
    await fake.acceptAll();
    await closing;
    expect(all.map(({ outcome }) => outcome)).toEqual(Array(5).fill('sent'));
    expect(fake.clients.map(({ said }) => said)).toEqual([['QUIT'], ['QUIT']]);
    expect(fake.pool.stats).toMatchObject({ connections: 0, sent: 6, failed: 1 });
    expect(fake.clock.timers).toBe(0);
  });

  test('sends again also then', async () => {
    const fake = new Fake();
    const [first] = await fake.give(1);
    const closing = fake.pool.close();
    await fake.client(0).lose();
    await fake.clock.pass(1_000);
    await fake.acceptAll();
    await closing;
    expect(first?.outcome).toBe('sent');
  });

  test('destroys what is not done after closeTimeout', async () => {
    const fake = new Fake({ maxConnections: 1, maxInFlight: 1 });
    const all = await fake.give(3);
    const closing = fake.pool.close();
    await fake.clock.pass(30_000);
    await closing;
    for (const { outcome } of all) expect(outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED' });
    expect(fake.clock.timers).toBe(0);
    expect(fake.pool.stats).toMatchObject({ connections: 0, active: 0, queued: 0, failed: 3 });
  });

  test('is bounded where a server does not answer QUIT, or a client never ends', async () => {
    const fake = new Fake();
    await fake.give(1);
    await fake.acceptAll();
    fake.client(0).close = () => new Promise(() => {});
    fake.client(0).destroy = () => {};
    const closing = fake.pool.close();
    await fake.clock.pass(30_000);
    await closing;
  });

  test('is over at once where there is nothing, and gives up a connection that nobody needs', async () => {
    const never = new Fake();
    await never.pool.close();
    const fake = new Fake();
    await fake.give(1);
    let signal: AbortSignal | undefined;
    fake.before = (client) => {
      ({ signal } = client.asked);
      return new Promise(() => {});
    };
    await fake.give(1);
    await fake.acceptAll();
    expect(fake.pool.stats.connecting).toBe(1);
    await fake.pool.close();
    expect(signal?.aborted).toBe(true);
  });

  test('keeps no connection that comes while others say QUIT', async () => {
    const fake = new Fake();
    await fake.give(1);
    let late = (): void => {};
    fake.before = () =>
      new Promise<void>((resolve) => {
        late = resolve;
      });
    await fake.give(1);
    const first = fake.client(0);
    const { close } = first;
    let quit = (): void => {};
    first.close = () =>
      new Promise((resolve) => {
        quit = () => resolve(close.apply(first));
      });
    await fake.acceptAll();
    const closing = fake.pool.close();
    await settled();
    late();
    await settled();
    expect(fake.client(1).said).toEqual(['destroy']);
    quit();
    await closing;
    expect(fake.clock.timers).toBe(0);
  });

  test('is what `await using` does', async () => {
    const fake = new Fake();
    await fake.pool[Symbol.asyncDispose]();
    const [late] = await fake.give(1);
    expect(late?.outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED' });
  });
});

describe('destroy()', () => {
  test('fails everything, gives up what connects, and resolves who waits', async () => {
    const fake = new Fake({ maxConnections: 2, maxInFlight: 1, maxQueue: 1, overflow: 'wait' });
    await fake.give(1);
    let late: (() => void) | undefined;
    fake.before = () =>
      new Promise<void>((resolve) => {
        late = resolve;
      });
    const all = await fake.give(4);
    const drained = Promise.all([fake.pool.drain(), fake.pool.ready(), fake.pool.close()]);
    const cause = new Error('enough');
    fake.pool.destroy(cause);
    fake.pool.destroy();
    await settled();
    for (const { outcome } of all)
      expect(outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED', cause });
    await drained;
    late?.();
    await settled();
    // A connection that comes in spite of the signal is not kept.
    expect(fake.client(1).said).toEqual(['destroy']);
    expect(fake.pool.stats).toMatchObject({ connections: 0, connecting: 0, active: 0, queued: 0 });
    expect(fake.clock.timers).toBe(0);
  });

  test('is what the signal of the pool does', async () => {
    const controller = new AbortController();
    const fake = new Fake({ signal: controller.signal });
    const [first] = await fake.give(1);
    const cause = new Error('enough');
    controller.abort(cause);
    await settled();
    expect(first?.outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED', cause });
    const second = new Fake({ signal: controller.signal });
    const [late] = await second.give(1);
    expect(late?.outcome).toMatchObject({ code: 'ERR_SMTP_CLOSED' });
    expect(second.attempts).toBe(0);
  });

  test('forgets the signal, and so does close()', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const removed: string[] = [];
    const { removeEventListener } = signal;
    signal.removeEventListener = (...all: Parameters<typeof removeEventListener>) => {
      removed.push(all[0]);
      removeEventListener.apply(signal, all);
    };
    new Fake({ signal }).pool.destroy();
    await new Fake({ signal }).pool.close();
    expect(removed).toEqual(['abort', 'abort']);
  });
});
