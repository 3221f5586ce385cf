/**
 * Round trips, counted by a server on the loopback that says nothing before its input has gone silent: each time
 * it speaks, the client has had to wait for it. The client counts the same.
 */
import { describe, expect, test } from 'vitest';
import { type ConnectOptions, connect, type Receipt, type SmtpClient } from '../../src/index.ts';
import { offer, options, type ScriptedServer, useServers, within } from './scripted-server.ts';

const start = useServers();
/** How long the input has to be silent, in ms: the latency of the network, as it were. */
const LATENCY = 8;

interface Counted {
  readonly server: ScriptedServer;
  /** How often it has spoken. */
  readonly waits: () => number;
  /** Each message's recipients, in the order they came. */
  readonly kept: readonly string[][];
}

/** A good server that counts. */
async function counting(...keywords: readonly string[]): Promise<Counted> {
  const kept: string[][] = [];
  let waits = 0;
  const server = await start((peer) => {
    let held = '';
    let content = false;
    let recipients: string[] = [];
    const lmtp = keywords.includes('LMTP');
    let replies = ['220 mail.example.com'];
    const keep = (): void => {
      kept.push(recipients);
      replies.push(...(lmtp ? recipients.map(() => '250 for this one') : ['250 queued']));
      recipients = [];
    };
    const speak = (): void => {
      if (replies.length === 0) return;
      waits += 1;
      peer.say(...replies);
      if (replies.at(-1) === '221 bye') peer.end();
      replies = [];
    };
    /** Takes what stands first in `held`; false where more has to come. */
    const take = (): boolean => {
      const end = held.indexOf('\r\n') + 2;
      const line = held.slice(0, end - 2);
      const [, octets, last] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? [];
      const length = end + Number(octets ?? 0);
      if (end < 2 || held.length < length) return false;
      held = held.slice(length);
      if (content) {
        content = line !== '.';
        if (!content) keep();
      } else if (last) keep();
      else if (line === 'DATA') {
        content = true;
        replies.push('354 go');
      } else if (/^(EHLO|LHLO)/.test(line)) replies.push(...offer(...keywords));
      else if (line.startsWith('RCPT')) {
        recipients.push(line);
        replies.push('250 ok');
      } else replies.push(line === 'QUIT' ? '221 bye' : '250 ok');
      return true;
    };
    let timer = setTimeout(speak, LATENCY);
    peer.tcp.on('data', (octets: Buffer) => {
      held += octets.toString('latin1');
      while (take());
      clearTimeout(timer);
      timer = setTimeout(speak, LATENCY);
    });
    peer.tcp.on('close', () => clearTimeout(timer));
  });
  return { server, waits: () => waits, kept };
}

const open = ({ server }: Counted, more: Partial<ConnectOptions>): Promise<SmtpClient> =>
  connect(options(server, { tls: 'off', ...more, timeouts: { quit: 2_000 } }));

const message = (recipients: number, at = 0) => ({
  from: 'a@client.example',
  to: Array.from({ length: recipients }, (_, to) => `b${to}@m${at}.example`),
  content: `Subject: ${at}\r\n\r\nHi\r\n`,
});

/** Sends so many messages at once; the waits for them by the server's count, which is the client's too. */
async function queued(
  counted: Counted,
  client: SmtpClient,
  count: number,
  recipients = 1,
): Promise<number> {
  const [before, byClient] = [counted.waits(), client.roundTrips];
  const sending = Array.from({ length: count }, (_, at) => client.send(message(recipients, at)));
  const receipts: Receipt[] = await within(10_000, Promise.all(sending));
  const waits = counted.waits() - before;
  expect(client.roundTrips - byClient).toBe(waits);
  expect(receipts.reduce((sum, { roundTrips }) => sum + roundTrips, 0)).toBe(waits);
  expect(counted.kept.length).toBe(count);
  for (const to of counted.kept) expect(to.length).toBe(recipients);
  return waits;
}

test.each([1, 20])(
  'overlap by DATA, %d recipients: one wait for each message',
  async (recipients) => {
    const counted = await counting('PIPELINING', '8BITMIME', 'SIZE');
    const client = await open(counted, {});
    // The first one has nobody to overlap with: it waits for 354 and for the end.
    expect(await queued(counted, client, 20, recipients)).toBe(21);
    await client.close();
  },
);

test.each([1, 20])(
  'overlap by BDAT, %d recipients: one wait for each message',
  async (recipients) => {
    const counted = await counting('PIPELINING', 'CHUNKING', 'SIZE');
    const client = await open(counted, {});
    expect(await queued(counted, client, 20, recipients)).toBe(20);
    await client.close();
  },
);

test.each([
  [32, 320],
  [4, 200],
])(
  'flight with a window of %d: hardly any wait for each of %d messages',
  async (transactions, count) => {
    const counted = await counting('PIPELINING', 'CHUNKING', 'SIZE');
    const client = await open(counted, { pipelining: 'flight', window: { transactions } });
    const waits = await queued(counted, client, count);
    expect(waits / count).toBeLessThanOrEqual(1.1 / transactions);
    await client.close();
  },
);

test('flight by LMTP with two recipients', async () => {
  const counted = await counting('PIPELINING', 'CHUNKING', 'LMTP');
  const client = await open(counted, {
    pipelining: 'flight',
    protocol: 'lmtp',
    window: { transactions: 8 },
  });
  const waits = await queued(counted, client, 80, 2);
  expect(waits / 80).toBeLessThanOrEqual(1.1 / 8);
  await client.close();
});

describe('cold, without TLS and AUTH', () => {
  test.each<[string, number, readonly string[], Partial<ConnectOptions>]>([
    ['BDAT', 3, ['PIPELINING', 'CHUNKING'], {}],
    ['BDAT by flight', 3, ['PIPELINING', 'CHUNKING'], { pipelining: 'flight' }],
    ['DATA', 4, ['PIPELINING'], {}],
    // EHLO; MAIL; RCPT; DATA; the end. Or MAIL; RCPT; BDAT.
    ['DATA, nothing grouped', 6, ['8BITMIME'], {}],
    ['BDAT, nothing grouped', 5, ['CHUNKING'], {}],
  ])('%s: %d waits with the greeting', async (_name, waits, keywords, more) => {
    const counted = await counting(...keywords);
    const client = await open(counted, more);
    expect(client.roundTrips).toBe(2);
    const receipt = await client.send(message(1));
    expect(counted.waits()).toBe(waits);
    expect(client.roundTrips).toBe(waits);
    expect(receipt.roundTrips).toBe(waits - 2);
    await client.close();
    expect(client.roundTrips).toBe(waits + 1);
  });
});
