/**
 * One whole good dialogue, cut short at every octet of it, on either side: whatever happens is told, at once,
 * and nobody is ever told "not sent" of a message that the server has got whole.
 */
import { connect as dial } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { createCertificateAuthority } from '../../../conformance/src/sandbox/certificates.ts';
import { type ConnectOptions, connect, type Delivery, isSmtpError } from '../../src/index.ts';
import {
  greetSecurely,
  type KeyPair,
  offer,
  options,
  PASS,
  type Script,
  type ScriptedServer,
  takeMessages,
  USER,
  useServers,
  within,
} from './scripted-server.ts';

const start = useServers();
const auth = { user: USER, pass: PASS };
const AT_ONCE = 40;
const MESSAGE = {
  from: 'a@client.example',
  to: ['b@example.com', 'no@example.com'],
  content:
    'From: a@client.example\r\nTo: b@example.com\r\nSubject: cut short\r\n\r\n' +
    'Hello,\r\n.a line that begins with a dot\r\n..\r\nand one that ends the text\r\n',
};

let ca = '';
let pair: KeyPair;
beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  pair = await authority.issue();
});

/** What the caller is told in the end. */
type Outcome = 'accepted' | Delivery;

/** The whole of a caller's dealings: connect, send, close. */
async function deal(to: ConnectOptions): Promise<Outcome> {
  let client: Awaited<ReturnType<typeof connect>> | undefined;
  try {
    client = await connect(to);
    await client.send(MESSAGE);
    return 'accepted';
  } catch (error) {
    if (!isSmtpError(error)) throw error;
    return error.delivery;
  } finally {
    await client?.close();
  }
}

/** Runs something for each number below a count, so many at once; the outcomes in order. */
async function forEach<T>(count: number, work: (at: number) => Promise<T>): Promise<T[]> {
  const outcomes = new Array<T>(count);
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let at = next++; at < count; at = next++) outcomes[at] = await within(5_000, work(at));
    }),
  );
  return outcomes;
}

/** Where a server ends the connection, and how. */
interface End {
  /** When it has read so many octets, before it answers what ends there. */
  readonly reads?: number;
  /** When it has written so many octets. */
  readonly writes?: number;
  readonly by?: 'FIN' | 'RST';
}

/** How the content is sent. */
type How = 'DATA' | 'BDAT';
const ENDS = (['DATA', 'BDAT'] as const).flatMap((how) =>
  (['FIN', 'RST'] as const).map((by) => ({ how, by })),
);

/** A good server without TLS that goes as far as it is told to; `spoken` collects what it would have written. */
function good(
  how: How,
  { reads = Infinity, writes = Infinity, by }: End,
  spoken: string[] = [],
): Script {
  return async (peer) => {
    const stop = (): void => peer.destroy(by === 'RST');
    let written = 0;
    /** Whether the dialogue goes on. */
    const say = (...lines: string[]): boolean => {
      const text = lines.map((line) => `${line}\r\n`).join('');
      peer.raw(text.slice(0, writes - written));
      spoken.push(text);
      written += text.length;
      if (written < writes) return true;
      stop();
      return false;
    };
    let inContent = false;
    const answer = (line: string): boolean => {
      if (inContent) {
        if (line !== '.') return true;
        inContent = false;
        return say('250 2.0.0 queued');
      }
      inContent = line === 'DATA';
      if (inContent) return say('354 go');
      if (line.startsWith('EHLO'))
        return say(...offer('PIPELINING', how === 'BDAT' ? 'CHUNKING' : 'SIZE', 'AUTH PLAIN'));
      if (line.startsWith('BDAT')) return say('250 2.0.0 queued');
      if (line.startsWith('AUTH')) return say('235 welcome');
      if (line.startsWith('RCPT TO:<no')) return say('550 nobody there');
      if (line !== 'QUIT') return say('250 ok');
      if (say('221 bye')) peer.end();
      return false;
    };
    if (reads === 0 || writes === 0) return stop();
    if (!say('220 mail.example.com')) return;
    for (let at = 0; ; ) {
      const heard = peer.plain.slice(0, reads);
      const [whole, line = '', octets = 0] = /^((?:BDAT (\d+))?.*)\r\n/.exec(heard.slice(at)) ?? [];
      const end = at + (whole?.length ?? reads) + Number(octets);
      if (end <= heard.length && end < reads) {
        if (!answer(line)) return;
        at = end;
      } else if (heard.length === reads) return stop();
      else await peer.octets(heard.length + 1);
    }
  };
}

const dealWith = (server: ScriptedServer): Promise<Outcome> =>
  deal(options(server, { tls: 'off', auth, allowInsecureAuth: true }));

/** The dialogue whole: what the client and the server say. */
async function record(how: How): Promise<{ client: string; server: string }> {
  const spoken: string[] = [];
  const server = await start(good(how, {}, spoken));
  expect(await dealWith(server)).toBe('accepted');
  expect(server.peer().plain).toMatch(/^EHLO .*QUIT\r\n$/s);
  return { client: server.peer().plain, server: spoken.join('') };
}

/** What the message ends with on the wire. */
const LAST = { DATA: '\r\n.\r\n', BDAT: 'ends the text\r\n' } as const;
const behind = (text: string, part: string): number => text.indexOf(part) + part.length;

test.each(ENDS)(
  'the server ends by $by when it has read N octets, for each N, by $how',
  async ({ how, by }) => {
    const { client } = await record(how);
    // What the client waits for before the last octet leaves: 354; with BDAT everything goes at once.
    const data = how === 'DATA' ? behind(client, 'DATA\r\n') : client.indexOf('MAIL');
    const dot = behind(client, LAST[how]);
    expect(client.length).toBeGreaterThan(300);
    const outcomes = await forEach(client.length + 1, async (reads) =>
      dealWith(await start(good(how, { reads, by }))),
    );
    // Before it no content leaves; with it all of this small message does, and only a reply says the rest.
    const expected = (reads: number): Outcome =>
      reads <= data ? 'not-sent' : reads <= dot ? 'unknown' : 'accepted';
    expect(outcomes).toEqual(outcomes.map((_, reads) => expected(reads)));
  },
  15_000,
);

test.each(ENDS)(
  'the server ends by $by when it has written N octets, for each N, by $how',
  async ({ how, by }) => {
    const { server } = await record(how);
    const go = behind(server, how === 'DATA' ? '354 go\r\n' : '235 welcome\r\n');
    const queued = behind(server, '250 2.0.0 queued\r\n');
    expect(server.length).toBeGreaterThan(150);
    const outcomes = await forEach(server.length + 1, async (writes) => {
      const played = await start(good(how, { writes, by }));
      const outcome = await dealWith(played);
      return { outcome, whole: played.peer().plain.includes(LAST[how]) };
    });
    outcomes.forEach(({ outcome, whole }, writes) => {
      const possible: Outcome[] = [
        writes < go ? 'not-sent' : writes < queued ? 'unknown' : 'accepted',
      ];
      // An RST may overtake the reply before it.
      if (by === 'RST' && writes === go) possible.push('not-sent');
      if (by === 'RST' && writes === queued) possible.push('unknown');
      expect(possible, `after ${writes} octets`).toContain(outcome);
      if (whole) expect(outcome, `after ${writes} octets`).not.toBe('not-sent');
    });
  },
  15_000,
);

test('the network ends after N octets under STARTTLS, for many N, in either direction', async () => {
  /** Plays a whole dialogue over a connection that breaks when so many octets have passed one way. */
  const broken = async (
    from: 'client' | 'server',
    count: number,
  ): Promise<{ outcome: Outcome; taken: number; passed: number }> => {
    const taken: string[] = [];
    let passed = 0;
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'PIPELINING', 'AUTH PLAIN');
      await takeMessages(peer, taken);
    });
    const relay = await start((peer) => {
      const on = dial(server.port, '127.0.0.1');
      on.setNoDelay(true);
      on.on('error', () => {});
      const stop = (): void => {
        on.destroy();
        peer.destroy();
      };
      const pass = (way: 'client' | 'server', octets: Buffer): void => {
        const target = way === 'client' ? on : peer.tcp;
        if (target.destroyed) return;
        if (way !== from) return void target.write(octets);
        target.write(octets.subarray(0, Math.max(0, count - passed)));
        passed += octets.length;
        if (passed >= count) stop();
      };
      peer.tcp.on('data', (octets: Buffer) => pass('client', octets));
      on.on('data', (octets: Buffer) => pass('server', octets));
      peer.tcp.on('close', stop);
      on.on('end', () => peer.end());
      on.on('close', stop);
    });
    const outcome = await deal(options(relay, { auth, tlsOptions: { ca } }));
    return { outcome, taken: taken.length, passed };
  };
  for (const from of ['client', 'server'] as const) {
    const whole = await broken(from, Number.POSITIVE_INFINITY);
    expect(whole).toMatchObject({ outcome: 'accepted', taken: 1 });
    const steps = 60;
    const seen = new Set<Outcome>();
    await forEach(steps, async (step) => {
      // Close together at the end, where the message goes.
      const count = Math.round(whole.passed * Math.sqrt((step + 1) / steps));
      const { outcome, taken } = await broken(from, count);
      seen.add(outcome);
      // The one thing that may never be told wrong.
      if (outcome === 'accepted') expect({ count, taken }).toEqual({ count, taken: 1 });
      if (taken > 0) expect({ count, outcome }).not.toEqual({ count, outcome: 'not-sent' });
    });
    expect([...seen].sort()).toEqual(['accepted', 'not-sent', 'unknown']);
  }
}, 15_000);
