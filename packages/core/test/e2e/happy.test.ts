import { networkInterfaces } from 'node:os';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCertificateAuthority } from '../../../conformance/src/sandbox/certificates.ts';
import { type ConnectOptions, connect, type TranscriptEvent } from '../../src/index.ts';
import {
  eventually,
  greet,
  greetSecurely,
  type KeyPair,
  options as lostCaseOptions,
  MESSAGE,
  PASS,
  type Peer,
  PLAIN,
  takeMessages,
  USER,
  useServers,
  within,
} from './scripted-server.ts';

const start = useServers();
const auth = { user: USER, pass: PASS };
const OFF = { tls: 'off' } as const;
/** Every server here answers QUIT: however slow the machine is, it is waited for. */
const options: typeof lostCaseOptions = (server, { timeouts, ...more } = {}) =>
  lostCaseOptions(server, { ...more, timeouts: { quit: 10_000, ...timeouts } });
const GROUP = 'MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n';

let ca = '';
let pair: KeyPair;
beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  pair = await authority.issue();
});

/** A server that takes messages, without TLS; `taken` are their contents. */
async function taker(
  keywords: readonly string[],
  taken: string[] = [],
  host?: string,
): ReturnType<typeof start> {
  return start(async (peer: Peer) => {
    await greet(peer, ...keywords);
    await takeMessages(peer, taken);
  }, host);
}

const chunksOf = (peer: Peer): string[] => peer.chunks.map((chunk) => chunk.toString('latin1'));

describe('the whole dialogue', () => {
  test('STARTTLS: every line in its order, the envelope in one segment', async () => {
    const said: TranscriptEvent[] = [];
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'PIPELINING', 'AUTH PLAIN LOGIN');
      await takeMessages(peer);
    });
    const client = await connect(
      options(server, {
        auth,
        tlsOptions: { ca },
        name: 'client.example',
        onTranscript: (event) => said.push(event),
      }),
    );
    expect(client.secure).toBe(true);
    expect(client.greeting).toEqual({
      code: 220,
      lines: ['mail.example.com ESMTP'],
      text: 'mail.example.com ESMTP',
    });
    expect([...client.capabilities.auth]).toEqual(['PLAIN', 'LOGIN']);
    // Greeting, EHLO, STARTTLS, the handshake, EHLO, AUTH.
    expect(client.roundTrips).toBe(6);
    const receipt = await client.send(MESSAGE);
    expect(receipt).toEqual({
      accepted: ['b@example.com'],
      rejected: [],
      reply: { code: 250, lines: ['queued as 1'], text: 'queued as 1' },
      octets: MESSAGE.content.length,
      roundTrips: 2,
    });
    expect(client.roundTrips).toBe(8);
    await client.close();
    expect(client.roundTrips).toBe(9);
    const peer = server.peer();
    expect(peer.plain).toBe('EHLO client.example\r\nSTARTTLS\r\n');
    const secured = [
      'EHLO client.example\r\n',
      `AUTH PLAIN ${PLAIN}\r\n`,
      GROUP,
      `${MESSAGE.content}.\r\n`,
      'QUIT\r\n',
    ];
    // One write each, and so one TLS record.
    expect(peer.secured).toBe(secured.join(''));
    expect(chunksOf(peer).slice(-secured.length)).toEqual(secured);
    expect(
      said.map(({ direction, text, secure }) => `${direction[0]}${secure ? '+' : ' '}${text}`),
    ).toEqual([
      's 220 mail.example.com ESMTP',
      'c EHLO client.example',
      's 250-mail.example.com\n250 STARTTLS',
      'c STARTTLS',
      's 220 go ahead',
      'c+EHLO client.example',
      's+250-mail.example.com\n250-PIPELINING\n250 AUTH PLAIN LOGIN',
      'c+AUTH PLAIN ***',
      's+235 welcome',
      'c+MAIL FROM:<a@client.example>',
      'c+RCPT TO:<b@example.com>',
      'c+DATA',
      's+250 ok',
      's+250 ok',
      's+354 go ahead',
      `c+(${MESSAGE.content.length} octets)`,
      's+250 queued as 1',
      'c+QUIT',
      's+221 bye',
    ]);
    expect(said.every(({ at }, index) => at >= (said[index - 1]?.at ?? 0))).toBe(true);
  });

  test('implicit TLS, with LOGIN: not an octet in clear', async () => {
    const server = await start(async (peer) => {
      await peer.startTls(pair);
      await greet(peer, 'AUTH LOGIN', 'PIPELINING');
      await peer.hear('AUTH LOGIN');
      peer.say('334 VXNlcm5hbWU6');
      await peer.hear(Buffer.from(USER).toString('base64'));
      peer.say('334 UGFzc3dvcmQ6');
      await peer.hear(Buffer.from(PASS).toString('base64'));
      peer.say('235 welcome');
      await takeMessages(peer);
    });
    const client = await connect(options(server, { tls: 'implicit', auth, tlsOptions: { ca } }));
    // The handshake, greeting, EHLO, and three for AUTH.
    expect([client.secure, client.roundTrips]).toEqual([true, 6]);
    expect((await client.send(MESSAGE)).roundTrips).toBe(2);
    await client.close();
    expect(server.peer().plain).toBe('');
    expect(server.peer().lines).toEqual([
      'EHLO [127.0.0.1]',
      'AUTH LOGIN',
      Buffer.from(USER).toString('base64'),
      Buffer.from(PASS).toString('base64'),
      'MAIL FROM:<a@client.example>',
      'RCPT TO:<b@example.com>',
      'DATA',
      'QUIT',
    ]);
  });

  test.each([
    ['with PIPELINING', ['PIPELINING'], {}, 2],
    ['without PIPELINING', [], {}, 4],
    ["with pipelining: 'off'", ['PIPELINING'], { pipelining: 'off' }, 4],
    ['with PIPELINING ignored', ['PIPELINING'], { ignoreExtensions: ['pipelining'] }, 4],
  ] as const)('grouping %s', async (_name, keywords, more: Partial<ConnectOptions>, roundTrips) => {
    const server = await taker(keywords);
    const client = await connect(options(server, { ...OFF, ...more }));
    expect(client.roundTrips).toBe(2);
    expect((await client.send(MESSAGE)).roundTrips).toBe(roundTrips);
    expect(client.roundTrips).toBe(2 + roundTrips);
    await client.close();
    expect(chunksOf(server.peer())).toEqual([
      'EHLO [127.0.0.1]\r\n',
      ...(roundTrips === 2 ? [GROUP] : (GROUP.match(/.*\r\n/g) ?? [])),
      `${MESSAGE.content}.\r\n`,
      'QUIT\r\n',
    ]);
  });

  test('VRFY, NOOP and RSET', async () => {
    const server = await taker([]);
    const client = await connect(options(server, OFF));
    expect((await client.verify('b@example.com')).code).toBe(250);
    await client.noop();
    await client.reset();
    await client.close();
    expect(server.peer().lines.slice(1)).toEqual(['VRFY b@example.com', 'NOOP', 'RSET', 'QUIT']);
  });

  const v6 = Object.values(networkInterfaces()).some((each) =>
    each?.some(({ address }) => address === '::1'),
  );
  // Node 22.23 takes an IPv6 address for a host name, and finds no certificate that is for it.
  const known = !checkServerIdentity('::1', {
    subject: {},
    subjectaltname: 'IP Address:0:0:0:0:0:0:0:1',
  } as PeerCertificate);
  test.skipIf(!v6 || !known)(
    'IPv6: the literal of the local end, and a certificate for it',
    async () => {
      const server = await start(async (peer) => {
        await greetSecurely(peer, pair);
        await takeMessages(peer);
      }, '::1');
      const client = await connect(options(server, { host: '::1', tlsOptions: { ca } }));
      await client.close();
      expect(server.peer().lines[0]).toBe('EHLO [IPv6:::1]');
    },
  );

  test('a name in place of an address: localhost', async () => {
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair);
      await takeMessages(peer);
    });
    const client = await connect(options(server, { host: 'localhost', tlsOptions: { ca } }));
    expect(client.secure).toBe(true);
    await client.close();
  });

  test('replies that come octet by octet', async () => {
    const server = await start(async (peer) => {
      const drip = async (text: string): Promise<void> => {
        for (const octet of text) {
          peer.raw(octet);
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await drip('220 mail.example.com\r\n');
      await peer.hear(/^EHLO/);
      await drip('250-mail.example.com\r\n250-PIPELINING\r\n250 SIZE 1000\r\n');
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        await drip(`${reply}\r\n`);
      }
      await peer.content();
      await drip('250-queued\r\n250 for good\r\n');
      await takeMessages(peer);
    });
    const client = await connect(options(server, OFF));
    expect(client.capabilities.size).toBe(1000);
    const receipt = await client.send(MESSAGE);
    expect([receipt.reply.text, receipt.roundTrips]).toEqual(['queued for good', 2]);
    await client.close();
    expect(server.peer().lines[1]).toBe(
      `MAIL FROM:<a@client.example> SIZE=${MESSAGE.content.length}`,
    );
  });
});

describe('content', () => {
  test.each([
    ['dots at line starts', '.\r\n..\r\n.x\r\nx.\r\n', '..\r\n...\r\n..x\r\nx.\r\n'],
    ['an end of data inside', 'a\r\n.\r\nQUIT\r\n', 'a\r\n..\r\nQUIT\r\n'],
    ['no line end at the end', 'a\r\nb', 'a\r\nb\r\n'],
    ['bare CR and bare LF', 'a\rb\nc\n.\nd\r.\r', 'a\r\nb\r\nc\r\n..\r\nd\r\n..\r\n'],
    ['nothing at all', '', ''],
    ['one empty line', '\r\n', '\r\n'],
  ])('octet for octet: %s', async (_name, content, expected) => {
    const server = await taker(['PIPELINING']);
    const client = await connect(options(server, OFF));
    const lone = async function* (): AsyncGenerator<Uint8Array> {
      for (const octet of Buffer.from(content)) yield Uint8Array.of(octet);
    };
    const octets = expected.replace(/^\./gm, '').length;
    expect((await client.send({ ...MESSAGE, content })).octets).toBe(octets);
    expect((await client.send({ ...MESSAGE, content: lone() })).octets).toBe(octets);
    await client.close();
    expect(server.peer().plain).toBe(
      `EHLO [127.0.0.1]\r\n${`${GROUP}${expected}.\r\n`.repeat(2)}QUIT\r\n`,
    );
  });

  test('3 MB with dots, in memory and as a stream under TLS, arrive as they are', async () => {
    const line = `.${'x'.repeat(70)}\r\n`;
    const content = line.repeat(40_000);
    const taken: string[] = [];
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'PIPELINING');
      await takeMessages(peer, taken);
    });
    const client = await connect(options(server, { tlsOptions: { ca } }));
    const progress: number[] = [];
    const receipt = await within(
      8_000,
      client.send({ ...MESSAGE, content }, { onProgress: (octets) => progress.push(octets) }),
    );
    expect(receipt.octets).toBe(content.length);
    expect(progress.at(-1)).toBe(content.length);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < content.length; at += 10_007)
          controller.enqueue(Buffer.from(content.slice(at, at + 10_007)));
        controller.close();
      },
    });
    await within(8_000, client.send({ ...MESSAGE, content: stream }));
    await client.close();
    const stuffed = `.${line}`.repeat(40_000);
    expect(taken.map((each) => each === stuffed)).toEqual([true, true]);
  }, 20_000);

  test('is made for the capabilities of this server', async () => {
    const taken: string[] = [];
    const server = await taker(['8BITMIME'], taken);
    const client = await connect(options(server, OFF));
    await client.send({
      ...MESSAGE,
      content: ({ has }) => (has('8BITMIME') ? 'Subject: é\r\n' : 'Subject: e\r\n'),
    });
    await client.close();
    expect(taken).toEqual([Buffer.from('Subject: é\r\n').toString('latin1')]);
    expect(server.peer().lines[1]).toBe('MAIL FROM:<a@client.example> BODY=8BITMIME');
  });
});

describe('recipients', () => {
  test.each([[['PIPELINING']], [[]]])('some refused, some accepted: %j', async (keywords) => {
    const taken: string[] = [];
    const server = await taker(keywords, taken);
    const client = await connect(options(server, OFF));
    const receipt = await client.send({
      ...MESSAGE,
      to: ['no1@example.com', 'b@example.com', { address: 'no2@example.com' }],
    });
    const reply = {
      code: 550,
      enhanced: '5.1.1',
      lines: ['5.1.1 nobody there'],
      text: 'nobody there',
    };
    expect(receipt.accepted).toEqual(['b@example.com']);
    expect(receipt.rejected).toEqual([
      { address: 'no1@example.com', reply },
      { address: 'no2@example.com', reply },
    ]);
    expect(taken).toHaveLength(1);
    await client.close();
  });

  test('all refused: rejected, and the next message is sent on the same connection', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'PIPELINING');
      for (const reply of ['250 ok', '550 5.1.1 nobody', '503 no recipients']) {
        await peer.hear();
        peer.say(reply);
      }
      await takeMessages(peer);
    });
    const client = await connect(options(server, OFF));
    await expect(within(2_000, client.send(MESSAGE))).rejects.toMatchObject({
      code: 'ERR_SMTP_REPLY',
      phase: 'rcpt',
      delivery: 'rejected',
      retry: 'never',
      rejected: [{ address: 'b@example.com', reply: { code: 550 } }],
    });
    expect((await client.send(MESSAGE)).reply.code).toBe(250);
    await client.close();
    // What the first one left open is ended in the second one's group.
    expect(chunksOf(server.peer())).toContain(`RSET\r\n${GROUP}`);
  });

  test('the null path', async () => {
    const server = await taker([]);
    const client = await connect(options(server, OFF));
    await client.send({ ...MESSAGE, from: '' });
    await client.close();
    expect(server.peer().lines[1]).toBe('MAIL FROM:<>');
  });
});

describe('many at once', () => {
  const COUNT = 20;
  const contents = Array.from({ length: COUNT }, (_, at) => `Subject: ${at}\r\n\r\n.${at}\r\n`);

  test.each([
    ['overlap', ['PIPELINING'], 1 + COUNT],
    ['envelope', ['PIPELINING'], 2 * COUNT],
    ['off', ['PIPELINING'], 4 * COUNT],
    ['overlap', [], 4 * COUNT],
  ] as const)('20 sends, pipelining %s, offered %j', async (pipelining, keywords, roundTrips) => {
    const taken: string[] = [];
    const server = await taker(keywords, taken);
    const client = await connect(options(server, { ...OFF, pipelining }));
    const before = client.roundTrips;
    const settled: number[] = [];
    const receipts = await within(
      5_000,
      Promise.all(
        contents.map(async (content, at) => {
          const receipt = await client.send({ ...MESSAGE, content });
          settled.push(at);
          return receipt;
        }),
      ),
    );
    expect(settled).toEqual([...contents.keys()]);
    expect(receipts.map(({ reply }) => reply.text)).toEqual(
      contents.map((_, at) => `queued as ${at + 1}`),
    );
    expect(taken).toEqual(contents.map((content) => content.replace('\r\n.', '\r\n..')));
    expect(client.roundTrips - before).toBe(roundTrips);
    await client.close();
    if (pipelining !== 'overlap' || keywords.length === 0) return;
    // The next envelope leaves behind the content of the one before, in one write.
    expect(chunksOf(server.peer())[2]).toBe(`${taken[0]}.\r\n${GROUP}`);
  });

  test('one that is refused does not disturb the others', async () => {
    const server = await taker(['PIPELINING']);
    const client = await connect(options(server, OFF));
    const outcomes = await within(
      5_000,
      Promise.allSettled(
        contents.map((content, at) =>
          client.send({
            ...MESSAGE,
            content,
            to: at % 3 === 1 ? ['no@example.com', 'b@example.com'] : 'b@example.com',
          }),
        ),
      ),
    );
    expect(outcomes.map((outcome) => outcome.status)).toEqual(contents.map(() => 'fulfilled'));
    await client.close();
  });

  test('20 connections at once', async () => {
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'PIPELINING', 'AUTH PLAIN');
      await takeMessages(peer);
    });
    const replies = await within(
      8_000,
      Promise.all(
        contents.map(async (content) => {
          const client = await connect(options(server, { auth, tlsOptions: { ca } }));
          const { reply } = await client.send({ ...MESSAGE, content });
          await client.close();
          return reply.code;
        }),
      ),
    );
    expect(replies).toEqual(contents.map(() => 250));
    await eventually(() => server.open === 0, 'the connections are closed');
  });
});
