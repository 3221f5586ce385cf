/**
 * Deadlines by a clock that the test turns: each phase has its own, which passes to the millisecond and names
 * itself; nothing that a server dribbles holds it up; content has to keep a minimum rate, whoever is slow.
 */
import { afterEach, describe, expect, test } from 'vitest';
import {
  type ConnectOptions,
  connect,
  type SmtpClient,
  type Transport,
  type TransportEvents,
} from '../../src/index.ts';
import { login } from '../../src/sasl/index.ts';
import { octetsOf } from '../wire/cuts.ts';
import { failureOf, verdict } from './scripted-server.ts';

/** Lets everything run that is due at this moment. */
const turns = async (count = 8): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
};

/** Time that stands still until it is advanced. */
class StillClock {
  #now = 1_000_000;
  #last = 0;
  readonly timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  readonly performance = { now: (): number => this.#now };
  setTimeout = (callback: () => void, ms: number): number => {
    this.#last += 1;
    this.timers.set(this.#last, { at: this.#now + ms, callback });
    return this.#last;
  };
  clearTimeout = (timer: number): void => {
    this.timers.delete(timer);
  };

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turns();
    for (;;) {
      const [next] = [...this.timers].sort(([, a], [, b]) => a.at - b.at);
      if (!next || next[1].at > end) break;
      this.#now = Math.max(this.#now, next[1].at);
      this.timers.delete(next[0]);
      next[1].callback();
      await turns();
    }
    this.#now = end;
    await turns();
  }
}

/** A server in memory that answers at once, until there comes what it is deaf for. */
class Peer implements Transport {
  readonly secure = false;
  readonly keywords: readonly string[];
  readonly deafFor: RegExp;
  lines: string[] = [];
  /** Whether writes fill it; what was written then waits for {@link drain}. */
  full = false;
  gone = false;
  deaf = false;
  #events: TransportEvents | undefined;
  #held = '';
  #content = false;

  constructor(deafFor: RegExp, ...keywords: readonly string[]) {
    this.deafFor = deafFor;
    this.keywords = keywords;
  }
  attach(events: TransportEvents): void {
    this.#events = events;
    this.#answer('greeting', '220 mail.example.com\r\n');
  }
  write(octets: Uint8Array): boolean {
    this.#held += Buffer.from(octets).toString('latin1');
    for (;;) {
      const [, octetCount, last] = /^BDAT (\d+)( LAST)?\r\n/.exec(this.#held) ?? [];
      const end = this.#held.indexOf('\r\n') + 2 + Number(octetCount ?? 0);
      if (end < 2 || this.#held.length < end) break;
      const line = this.#held.slice(0, this.#held.indexOf('\r\n'));
      this.#held = this.#held.slice(end);
      if (!this.#content || line === '.') this.#take(this.#content ? 'content' : line, last);
    }
    return !this.full;
  }
  startTls(): Promise<void> {
    return this.deafFor.test('TLS') ? new Promise(() => {}) : Promise.resolve();
  }
  end(): void {
    setImmediate(() => this.#events?.onClose());
  }
  destroy(): void {
    this.gone = true;
  }
  drain(): void {
    this.#events?.onDrain();
  }
  say(text: string): void {
    if (!this.gone) this.#events?.onData(octetsOf(text));
  }
  #answer(line: string, reply: string): void {
    this.deaf ||= this.deafFor.test(line);
    if (!this.deaf) setImmediate(() => this.say(reply));
  }
  #take(line: string, last?: string): void {
    this.lines.push(line);
    this.#content = line === 'DATA';
    const lines = ['mail.example.com', ...this.keywords];
    if (line.startsWith('EHLO'))
      this.#answer(
        line,
        lines.map((one, at) => `250${at < lines.length - 1 ? '-' : ' '}${one}\r\n`).join(''),
      );
    else if (line === 'DATA') this.#answer(line, '354 go\r\n');
    else if (line.startsWith('AUTH')) this.#answer(line, '334 VXNlcm5hbWU6\r\n');
    else
      this.#answer(
        last ? 'content' : line,
        line === 'STARTTLS' || line === 'QUIT' ? '220 ok\r\n' : '250 ok\r\n',
      );
  }
}

let clock: StillClock;
afterEach(() => {
  // Whatever happened, nothing is left to wait for.
  expect([...clock.timers.values()]).toEqual([]);
});

const opening = (peer: Peer, more: Partial<ConnectOptions> = {}): Promise<SmtpClient> =>
  connect({
    host: 'mail.example.com',
    tls: 'off',
    name: 'client.example',
    transport: peer,
    clock,
    ...more,
  });

/** What becomes of something when so much time has passed: undefined where nothing did. */
function watch(promise: Promise<unknown>): { settled: boolean } {
  const watched = { settled: false };
  const settle = (): void => {
    watched.settled = true;
  };
  promise.then(settle, settle);
  return watched;
}

/** Fails at exactly this time from now, and not before. */
async function passes(promise: Promise<unknown>, after: number): Promise<string> {
  const watched = watch(promise);
  await clock.advance(after - 1);
  expect(watched.settled).toBe(false);
  await clock.advance(1);
  expect(watched.settled).toBe(true);
  const error = await failureOf(promise);
  const [, name] = /timeouts\.(\w+) passed/.exec(error.message) ?? [];
  return `${name}: ${verdict(error)}`;
}

const MESSAGE = {
  from: 'a@client.example',
  to: ['b@example.com', 'c@example.com'],
  content: 'Subject: a\r\n\r\nHi\r\n',
};
const auth = login({ user: 'a', pass: 'b' });

describe('while it connects', () => {
  test.each<[string, number, RegExp, Partial<ConnectOptions>]>([
    ['connect', 30_000, /^$/, { transport: () => new Promise(() => {}) }],
    ['tls', 30_000, /^TLS|greeting/, { tls: 'implicit' }],
    ['greeting', 300_000, /^greeting/, {}],
    ['ehlo', 300_000, /^EHLO/, {}],
    ['starttls', 120_000, /^STARTTLS/, { tls: 'starttls' }],
    ['tls', 30_000, /^TLS/, { tls: 'starttls' }],
    ['auth', 120_000, /^AUTH/, { auth, allowInsecureAuth: true }],
    // The answer to the first challenge, which is the user name.
    ['auth', 120_000, /^YQ==/, { auth, allowInsecureAuth: true }],
  ])('timeouts.%s passes after %d ms', async (phase, ms, deafFor, more) => {
    clock = new StillClock();
    const peer = new Peer(deafFor, 'STARTTLS', 'AUTH LOGIN');
    const error = await passes(opening(peer, more), ms);
    expect(error).toBe(`${phase}: ERR_SMTP_TIMEOUT in ${phase}, not-sent, reconnect`);
    if (phase !== 'connect') expect(peer.gone).toBe(true);
  });
});

describe('on an open connection', () => {
  const phases: [string, number, RegExp, string][] = [
    ['mail', 300_000, /^MAIL/, 'not-sent'],
    ['rcpt', 300_000, /^RCPT TO:<c/, 'not-sent'],
    ['data', 120_000, /^DATA/, 'not-sent'],
    ['final', 600_000, /^content/, 'unknown'],
  ];
  const cases = phases.flatMap(([...one]) =>
    ['PIPELINING', '8BITMIME'].map((keyword) => [...one, keyword] as const),
  );
  test.each(cases)(
    'timeouts.%s passes after %d ms (%s, %s, %s)',
    async (phase, ms, deafFor, delivery, keyword) => {
      clock = new StillClock();
      const client = await opening(new Peer(deafFor, keyword));
      const retry = delivery === 'unknown' ? 'unknown' : 'reconnect';
      const error = await passes(client.send(MESSAGE), ms);
      expect(error).toBe(`${phase}: ERR_SMTP_TIMEOUT in ${phase}, ${delivery}, ${retry}`);
      await client.close();
    },
  );

  test('a chunk and the last one have the deadlines of DATA and of the end', async () => {
    for (const [deafFor, partial, phase, ms, outcome] of [
      [/^BDAT 18/, 'abort', 'data', 120_000, 'not-sent, reconnect'],
      [/^content/, 'abort', 'final', 600_000, 'unknown, unknown'],
      [/^content/, 'send', 'final', 600_000, 'unknown, unknown'],
    ] as const) {
      clock = new StillClock();
      const client = await opening(new Peer(deafFor, 'PIPELINING', 'CHUNKING'));
      const error = await passes(client.send(MESSAGE, { partial }), ms);
      expect(error).toBe(`${phase}: ERR_SMTP_TIMEOUT in ${phase}, ${outcome}`);
      await client.close();
    }
  });

  test.each(['noop', 'reset', 'verify'] as const)('timeouts.idle passes: %s', async (name) => {
    clock = new StillClock();
    const client = await opening(new Peer(/NOOP|RSET|VRFY/));
    const error = await passes(client[name]('a@example.com'), 300_000);
    expect(error).toBe('idle: ERR_SMTP_TIMEOUT in idle, not-sent, reconnect');
    await client.close();
  });

  test('timeouts.quit passes: close() resolves', async () => {
    clock = new StillClock();
    const client = await opening(new Peer(/QUIT/));
    const closing = client.close();
    const closed = watch(closing);
    await clock.advance(4_999);
    expect(closed.settled).toBe(false);
    await clock.advance(1);
    await closing;
  });

  test('each reply has the whole of its time, and no other deadline runs', async () => {
    clock = new StillClock();
    const peer = new Peer(/MAIL|RCPT|DATA|content/, 'PIPELINING');
    const client = await opening(peer);
    const sending = client.send(MESSAGE);
    for (const [ms, reply] of [
      [299_999, '250 ok\r\n'],
      [299_999, '250 ok\r\n'],
      [299_999, '250 ok\r\n'],
      [119_999, '354 go\r\n'],
      [599_999, '250 queued\r\n'],
    ] as const) {
      await clock.advance(ms);
      expect(clock.timers.size).toBe(1);
      peer.say(reply);
    }
    expect((await sending).reply.text).toBe('queued');
    expect(clock.timers.size).toBe(0);
    await clock.advance(3_600_000);
    client.destroy();
  });

  test('two messages that overlap: the second one waits behind the first, then for itself', async () => {
    clock = new StillClock();
    const peer = new Peer(/content/, 'PIPELINING');
    const client = await opening(peer);
    const first = client.send(MESSAGE);
    const second = client.send(MESSAGE);
    const watched = watch(second);
    await clock.advance(599_999);
    peer.say('250 queued\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n');
    expect((await first).reply.text).toBe('queued');
    expect(watched.settled).toBe(false);
    expect(await passes(second, 600_000)).toBe(
      'final: ERR_SMTP_TIMEOUT in final, unknown, unknown',
    );
    await client.close();
  });
});

describe('a trickling server holds nothing up', () => {
  const lines = '250-one\r\n250-two\r\n250-three\r\n250-four\r\n250-five';
  test.each<[string, number, RegExp, Partial<ConnectOptions>]>([
    ['greeting', 300_000, /greeting/, {}],
    ['ehlo', 300_000, /EHLO/, {}],
    ['starttls', 120_000, /STARTTLS/, { tls: 'starttls' }],
    ['auth', 120_000, /AUTH/, { auth, allowInsecureAuth: true }],
  ])('in the reply to %s', async (phase, ms, deafFor, more) => {
    clock = new StillClock();
    const peer = new Peer(deafFor, 'STARTTLS', 'AUTH LOGIN');
    const opened = opening(peer, more);
    const watched = watch(opened);
    const reply = phase === 'greeting' ? lines.replaceAll('250', '220') : lines;
    const each = ms / (reply.length + 1);
    for (const octet of reply) {
      await clock.advance(each);
      expect(watched.settled).toBe(false);
      peer.say(octet);
    }
    expect(await passes(opened, each)).toContain(`${phase}: ERR_SMTP_TIMEOUT in ${phase}`);
  });

  test.each<[string, number, RegExp]>([
    ['mail', 300_000, /MAIL/],
    ['rcpt', 300_000, /RCPT/],
    ['data', 120_000, /DATA/],
    ['final', 600_000, /content/],
  ])('in the reply to %s', async (phase, ms, deafFor) => {
    clock = new StillClock();
    const peer = new Peer(deafFor, 'PIPELINING');
    const client = await opening(peer);
    const sending = client.send(MESSAGE);
    const watched = watch(sending);
    const each = ms / (lines.length + 1);
    for (const octet of lines) {
      await clock.advance(each);
      expect(watched.settled).toBe(false);
      peer.say(octet);
    }
    expect(await passes(sending, each)).toContain(`${phase}: ERR_SMTP_TIMEOUT in ${phase}`);
    await client.close();
  });
});

describe('timeouts.total', () => {
  test('bounds connect(), whatever its phases take', async () => {
    clock = new StillClock();
    const peer = new Peer(/greeting/);
    const opened = opening(peer, { timeouts: { total: 1_000 } });
    await clock.advance(600);
    peer.say('220 mail.example.com\r\n');
    expect(await passes(opened, 400)).toBe('total: ERR_SMTP_TIMEOUT in ehlo, not-sent, reconnect');
  });

  test.each([
    [300, 'final', 'unknown, unknown'],
    [400, 'data', 'not-sent, reconnect'],
    [600, 'rcpt', 'not-sent, reconnect'],
  ])('bounds send() when each reply takes %d ms', async (each, phase, outcome) => {
    clock = new StillClock();
    const peer = new Peer(/MAIL|RCPT|DATA|content/);
    const client = await opening(peer, { timeouts: { total: 1_000 } });
    const sending = client.send({ ...MESSAGE, to: 'b@example.com' });
    let left = 1_000;
    for (const reply of ['250 ok', '250 ok', '354 go']) {
      if (each >= left) break;
      await clock.advance(each);
      left -= each;
      peer.say(`${reply}\r\n`);
    }
    expect(await passes(sending, left)).toBe(`total: ERR_SMTP_TIMEOUT in ${phase}, ${outcome}`);
    client.destroy();
    await client.closed;
  });

  test('counts from the call, also for who waits behind another message', async () => {
    clock = new StillClock();
    const peer = new Peer(/MAIL/);
    const client = await opening(peer, { timeouts: { total: 1_000 } });
    const first = client.send(MESSAGE);
    await clock.advance(250);
    const second = client.send(MESSAGE);
    const watched = watch(second);
    expect(await passes(first, 750)).toBe('total: ERR_SMTP_TIMEOUT in mail, not-sent, reconnect');
    // It was given up before its last octet: the connection is closed, and takes the other with it.
    expect(watched.settled).toBe(true);
    expect(verdict(await failureOf(second))).toBe('ERR_SMTP_CLOSED in idle, not-sent, reconnect');
    await client.close();
  });
});

/** A source that gives a block when it is told to. */
class Tap implements AsyncIterable<Uint8Array> {
  #give: ((result: IteratorResult<Uint8Array>) => void) | undefined;
  released = 0;
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () =>
        new Promise((resolve) => {
          this.#give = resolve;
        }),
      return: async () => {
        this.released += 1;
        return { done: true, value: undefined };
      },
    };
  }
  give(octets: number): void {
    const line = `${'x'.repeat(98)}\r\n`;
    this.#give?.({ done: false, value: octetsOf(line.repeat(octets / 100)) });
  }
}

describe('timeouts.content and minimumRate', () => {
  /** The moment when content has passed its deadline: no wait over 180 s, and never behind by more (500 octets/s). */
  const due = (since: number, octets: number, rate = 500, content = 180_000): number =>
    content + Math.min(since, (octets / rate) * 1_000);
  const told = 'content: ERR_SMTP_TIMEOUT in content, not-sent, reconnect';

  const begin = async (
    more: Partial<ConnectOptions> = {},
    keyword = 'PIPELINING',
  ): Promise<{ peer: Peer; client: SmtpClient; tap: Tap; sending: Promise<unknown> }> => {
    clock = new StillClock();
    const peer = new Peer(/^$/, keyword);
    const client = await opening(peer, more);
    const tap = new Tap();
    const sending = client.send({ from: 'a@b.example', to: 'b@example.com', content: tap });
    sending.catch(() => {});
    await turns(20);
    return { peer, client, tap, sending };
  };

  test('a source that gives nothing has timeouts.content', async () => {
    const { client, tap, sending } = await begin();
    expect(await passes(sending, 180_000)).toBe(told);
    await turns();
    expect(tap.released).toBe(1);
    await client.close();
  });

  test.each<[blocks: readonly (readonly [at: number, octets: number])[]]>([
    // A little now and then, which timeouts.content alone would bear for ever.
    [
      [
        [60_000, 100],
        [120_000, 100],
        [179_000, 100],
      ],
    ],
    [
      [
        [100_000, 50_000],
        [200_000, 50_000],
        [300_000, 10_000],
        [390_000, 100],
      ],
    ],
    // Fast at first: what was gained is not lost, but no single wait is longer.
    [[[1_000, 1_000_000]]],
    [
      [
        [1_000, 100_000],
        [150_000, 100],
        [320_000, 100],
      ],
    ],
  ])('a source that gives %j is late to the millisecond', async (blocks) => {
    const { client, tap, sending } = await begin();
    const watched = watch(sending);
    let now = 0;
    let octets = 0;
    for (const [at, count] of blocks) {
      await clock.advance(at - now);
      expect([at, watched.settled]).toEqual([at, false]);
      tap.give(count);
      await turns();
      now = at;
      octets += count;
    }
    expect(await passes(sending, due(now, octets) - now)).toBe(told);
    await client.close();
  });

  test('a source that keeps the minimum rate, in large blocks, is never late', async () => {
    const { client, tap, sending } = await begin();
    const watched = watch(sending);
    for (let block = 0; block < 20; block += 1) {
      await clock.advance(120_000);
      expect([block, watched.settled]).toEqual([block, false]);
      tap.give(60_000);
      await turns();
    }
    client.destroy();
    await client.closed;
  });

  test('with a rate and a time of its own', async () => {
    const { client, tap, sending } = await begin({
      timeouts: { minimumRate: 100, content: 5_000 },
    });
    await clock.advance(4_000);
    tap.give(200);
    await turns();
    await clock.advance(2_500);
    tap.give(200);
    await turns();
    expect(await passes(sending, due(6_500, 400, 100, 5_000) - 6_500)).toBe(told);
    await client.close();
  });

  /** Content in memory over a network that takes a write, 65,536 octets, each `ms`; the moment when it is late. */
  test.each([30_000, 140_000, 160_000, 200_000])(
    'a network that takes one write each %d ms',
    async (ms) => {
      clock = new StillClock();
      const peer = new Peer(/^$/, 'PIPELINING');
      const client = await opening(peer);
      peer.full = true;
      const content = `${'x'.repeat(98)}\r\n`.repeat(10_000);
      const sending = client.send({ from: 'a@b.example', to: 'b@example.com', content });
      const watched = watch(sending);
      // The envelope fills it as well.
      await turns(20);
      let now = 0;
      let writes = 1;
      peer.drain();
      await turns();
      for (; writes < 15 && due(now, writes * 65_536) > now + ms; writes += 1) {
        await clock.advance(ms);
        now += ms;
        expect([now, watched.settled]).toEqual([now, false]);
        peer.drain();
        await turns();
      }
      if (writes < 15) expect(await passes(sending, due(now, writes * 65_536) - now)).toBe(told);
      else {
        peer.full = false;
        await clock.advance(ms);
        peer.drain();
        await turns();
        await sending;
      }
      await client.close();
    },
  );
});
