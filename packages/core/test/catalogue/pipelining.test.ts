/** PIP: commands in groups, and the replies to them. */
import { expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import {
  eventually,
  failureOf,
  greet,
  MESSAGE,
  offer,
  options,
  type ScriptedServer,
  verdict,
  within,
} from '../e2e/scripted-server.ts';
import {
  deal,
  good,
  HandClock,
  Heard,
  refused,
  settled,
  silence,
  useJudgedServers,
} from './support.ts';

const serve = useJudgedServers();
const OFF = { tls: 'off' } as const;
const TO = ['b@example.com', 'no@example.com', 'c@example.com'];

/** A server that reads the whole group of a message to one recipient, and then says this. */
const group = (heard: Heard, ...replies: readonly string[]): Promise<ScriptedServer> =>
  serve(
    good(
      ['PIPELINING'],
      {
        MAIL: undefined,
        RCPT: undefined,
        DATA: ({ peer }) => {
          peer.say(...replies.slice(0, -1));
          return replies.at(-1);
        },
      },
      heard,
    ),
  );

test('PIP-01 PIPELINING not offered: one command for each reply', async () => {
  const heard = new Heard();
  const early: string[] = [];
  const server = await serve(async (peer) => {
    await greet(peer);
    // What comes before its time comes within this.
    for (const reply of ['250 ok', '250 ok', '250 ok', '250 ok', '354 go']) {
      await peer.hear();
      const before = peer.plain.length;
      await silence(30);
      early.push(peer.plain.slice(before));
      peer.say(reply);
    }
    heard.contents.push(await peer.content());
    peer.say('250 queued');
    await peer.hear('QUIT');
    peer.say('221 bye');
    peer.end();
  });
  const client = await connect(options(server, OFF));
  const sending = client.send({ ...MESSAGE, to: TO });
  // Nor does what is asked for meanwhile.
  const closing = client.close();
  expect((await within(4_000, sending)).accepted).toEqual(TO);
  await within(4_000, closing);
  expect(early.join('')).toBe('');
  expect(server.peer().lines.map((line) => line.slice(0, 4))).toEqual(
    'EHLO MAIL RCPT RCPT RCPT DATA QUIT'.split(' '),
  );
});

test('PIP-02 354 is late: DATA is the last of its group, and no content comes before', async () => {
  let early = '';
  const heard = new Heard();
  const server = await serve(
    good(
      ['PIPELINING'],
      {
        DATA: async ({ peer }) => {
          const before = peer.plain.length;
          await silence(150);
          early += peer.plain.slice(before);
          return '354 go';
        },
      },
      heard,
    ),
  );
  const client = await connect(options(server, OFF));
  // The second is ready to go behind the first.
  const receipts = await Promise.all([client.send(MESSAGE), client.send(MESSAGE)]);
  await client.close();
  expect(receipts).toHaveLength(2);
  expect(early).toBe('');
  expect(heard.contents).toEqual([MESSAGE.content, MESSAGE.content]);
});

test('PIP-04 MAIL 550, RCPT 503, DATA 354: no content', async () => {
  const heard = new Heard();
  const server = await serve(
    good(['PIPELINING'], { MAIL: '550 5.7.1 not you', RCPT: '503 no MAIL', dot: '554 no' }, heard),
  );
  const error = await refused(server);
  expect(verdict(error)).toBe('ERR_SMTP_REPLY in mail, rejected, never');
  expect(error.reply?.code).toBe(550);
  // RFC 2920 §3.1: a lone dot is what such a server may be given.
  expect(heard.contents.join('')).toBe('');
  expect(server.plain).not.toContain('Subject');
});

test('PIP-05 some recipients refused: content, and a result for each', async () => {
  const heard = new Heard();
  const server = await serve(
    good(
      ['PIPELINING'],
      { RCPT: ({ line }) => (line.includes('<no') ? '550 5.1.1 nobody' : '250 ok') },
      heard,
    ),
  );
  expect(await deal(server, { to: TO })).toMatchObject({
    accepted: ['b@example.com', 'c@example.com'],
    rejected: [{ address: 'no@example.com', reply: { code: 550, enhanced: '5.1.1' } }],
  });
  expect(heard.messages[0]?.content).toBe(MESSAGE.content);
});

test('PIP-06 RCPT 250, DATA 451 or 554: no content', async () => {
  for (const [code, retry] of [
    [451, 'later'],
    [554, 'never'],
  ] as const) {
    const heard = new Heard();
    const server = await group(heard, '250 ok', '250 ok', `${code} no`);
    const error = await refused(server);
    expect(verdict(error)).toBe(`ERR_SMTP_REPLY in data, rejected, ${retry}`);
    expect(error.reply?.code).toBe(code);
    expect(heard.contents).toEqual([]);
    expect(server.plain).not.toContain('Subject');
  }
});

test('PIP-07 replies of several lines count as one each', async () => {
  const heard = new Heard();
  const server = await serve(
    good(
      ['PIPELINING'],
      {
        MAIL: ['250-a', '250-b', '250 c'],
        RCPT: ({ line }) =>
          line.includes('<no') ? ['550-5.1.1 x', '550-5.1.1 y', '550 5.1.1 z'] : ['250-', '250 ok'],
        DATA: ['354-go', '354 ahead'],
        dot: ['250-q', '250 r'],
      },
      heard,
    ),
  );
  expect(await deal(server, { to: TO })).toMatchObject({
    accepted: ['b@example.com', 'c@example.com'],
    rejected: [{ address: 'no@example.com', reply: { text: 'x y z' } }],
    reply: { lines: ['q', 'r'] },
  });
  expect(heard.contents).toEqual([MESSAGE.content]);
});

test('PIP-09 one reply too few, then silence: no content', async () => {
  const heard = new Heard();
  const server = await serve(good(['PIPELINING'], { DATA: undefined }, heard));
  const clock = new HandClock();
  const client = await connect(
    options(server, { ...OFF, clock, timeouts: { mail: 7e4, rcpt: 7e4, data: 2_000, total: 6e4 } }),
  );
  const sending = client.send(MESSAGE);
  sending.catch(() => {});
  await eventually(() => heard.all('DATA').length === 1, 'the group is there');
  // The deadline of DATA has begun with the reply to RCPT.
  await eventually(
    () => [...clock.timers.values()].some(({ at }) => at === 3_000),
    'the client waits for the reply to DATA',
  );
  clock.advance(1_999);
  expect(await settled(sending)).toBe(false);
  clock.advance(1);
  expect(verdict(await failureOf(sending))).toBe('ERR_SMTP_TIMEOUT in data, not-sent, reconnect');
  expect(heard.contents).toEqual([]);

  // Where it is the reply to one of two recipients, 354 comes too early.
  const other = await serve(async (peer) => {
    await greet(peer, 'PIPELINING');
    for (let count = 0; count < 4; count += 1) await peer.hear();
    peer.say('250 ok', '250 ok', '354 go');
    await peer.content();
  });
  const error = await refused(
    other,
    { to: ['b@example.com', 'c@example.com'] },
    { timeouts: { data: 150 } },
  );
  expect(error.code).toMatch(/PROTOCOL|TIMEOUT/);
  expect(error.delivery).toBe('not-sent');
  expect(other.plain).not.toContain('Subject');
});

test('PIP-10 the end behind the first of three replies: nothing was accepted', async () => {
  const server = await serve(async (peer) => {
    await greet(peer, 'PIPELINING');
    for (let count = 0; count < 3; count += 1) await peer.hear();
    peer.say('250 ok');
    peer.end();
  });
  const error = await refused(server);
  expect(verdict(error)).toBe('ERR_SMTP_CLOSED in rcpt, not-sent, reconnect');
  expect(error.accepted ?? []).toEqual([]);
  expect(server.plain).not.toContain('Subject');
});

test('PIP-11 1,000 recipients, answered before they are read: read while writing', async () => {
  const to = Array.from({ length: 1_000 }, (_, at) => `b${at}.${'x'.repeat(220)}@example.com`);
  let content = '';
  const server = await serve(async (peer) => {
    peer.say('220 mail.example.com');
    await peer.hear(/^EHLO/);
    peer.say(...offer('PIPELINING'));
    await peer.hear(/^MAIL/);
    peer.say('250 ok');
    // Nothing is read, and more is said than the buffers between the two hold, until the client takes it.
    peer.pause();
    const line = 'y'.repeat(500);
    for (const _ of to) {
      const more = peer.raw(`${`250-${line}\r\n`.repeat(7)}250 ok\r\n`);
      if (!more) await peer.drained();
    }
    peer.resume();
    for (const address of to) await peer.hear(`RCPT TO:<${address}>`);
    await peer.hear('DATA');
    peer.say('354 go');
    content = await peer.content();
    peer.say('250 queued');
    await peer.hear('QUIT');
    peer.say('221 bye');
    peer.end();
  });
  expect((await deal(server, { to })).accepted).toEqual(to);
  expect(content).toBe(MESSAGE.content);
});

test('PIP-12 texts that say something else: replies are matched by count', async () => {
  const heard = new Heard();
  const server = await serve(
    good(
      ['PIPELINING'],
      {
        MAIL: '250 RCPT refused, 550 5.1.1',
        RCPT: ({ line }) => (line.includes('<no') ? '550 250 MAIL ok' : '250 DATA refused'),
        DATA: '354 MAIL ok, 250 queued',
        dot: '250 554 QUIT',
      },
      heard,
    ),
  );
  expect(await deal(server, { to: TO })).toMatchObject({
    accepted: ['b@example.com', 'c@example.com'],
    rejected: [{ address: 'no@example.com', reply: { code: 550 } }],
    reply: { code: 250, text: '554 QUIT' },
  });
  expect(heard.contents).toEqual([MESSAGE.content]);
});
