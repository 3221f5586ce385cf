/** DAT, CHU and LMT, ERR, DEV: how content is sent, and what its verdicts mean. */
import { describe, expect, test } from 'vitest';
import {
  check,
  type DevinoContext,
  type DevinoExplanation,
  explain,
} from '../../src/devino/index.ts';
import {
  type ConnectOptions,
  connect,
  type OutgoingMessage,
  type SmtpError,
} from '../../src/index.ts';
import { createPool, type PoolOptions } from '../../src/pool/index.ts';
import {
  eventually,
  failureOf,
  greet,
  MESSAGE,
  options,
  PASS,
  USER,
  verdict,
  within,
} from '../e2e/scripted-server.ts';
import {
  type Answers,
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

describe('DAT and CHU', () => {
  const OFF = { tls: 'off' } as const;

  /** Content that is read block by block. */
  async function* stream(...blocks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
    for (const block of blocks)
      yield typeof block === 'string' ? Buffer.from(block, 'latin1') : block;
  }

  /** What a server hears of content. */
  async function said(
    content: OutgoingMessage['content'],
    keywords: readonly string[] = [],
    more: Partial<OutgoingMessage> = {},
  ): Promise<Heard> {
    const heard = new Heard();
    await deal(await serve(good(keywords, {}, heard)), { content, ...more });
    return heard;
  }

  /** By memory, and as a stream in each of these cuttings. */
  const cuttings = (text: string): OutgoingMessage['content'][] => [
    text,
    Buffer.from(text, 'latin1'),
    stream(...text),
    stream(...(text.match(/.{1,3}/gs) ?? [])),
    stream(text),
  ];

  describe('DATA', () => {
    const DOTS = [
      '.\r\n',
      '..\r\n',
      '.x\r\n.\r\n..\r\n...\r\nx.\r\n',
      'Subject: a\r\n\r\n.\r\nRSET\r\n.\r\n',
      '\r\n.\r\n\r\n.\r\n',
      'a\r\n.b\r\n..c\r\n.',
    ];

    test('DAT-01 a dot at the begin of a line is doubled, and no other', async () => {
      for (const text of DOTS)
        for (const content of cuttings(text)) {
          const { messages, contents } = await said(content);
          const whole = text.endsWith('\r\n') ? text : `${text}\r\n`;
          expect(messages[0]?.content).toBe(whole);
          expect(contents).toEqual([whole.replace(/(?<=^|\n)\./g, '..')]);
        }
    });

    test('DAT-02 bare LF and bare CR become CR LF', async () => {
      for (const content of cuttings('Subject: a\n\nx\ry\r\n.\n.z\n\r\n\r\r\nend\n'))
        expect((await said(content)).messages[0]?.content).toBe(
          'Subject: a\r\n\r\nx\r\ny\r\n.\r\n.z\r\n\r\n\r\n\r\nend\r\n',
        );
    });

    test('DAT-04 content without a final CR LF gets one', async () => {
      for (const text of ['Subject: a\r\n\r\nend', 'x', 'end\r'])
        for (const content of cuttings(text))
          expect((await said(content)).contents).toEqual([`${text.replace(/\r$/, '')}\r\n`]);
    });

    test('DAT-05 content with a final CR LF gets none', async () => {
      for (const text of ['Subject: a\r\n\r\nend\r\n', '\r\n', 'a\r\n\r\n'])
        for (const content of cuttings(text))
          expect((await said(content)).contents).toEqual([text]);
    });

    test('DAT-06 an empty body: the header, the empty line, the dot', async () => {
      for (const text of ['Subject: a\r\n\r\n', ''])
        for (const content of cuttings(text)) {
          const heard = await said(content);
          expect(heard.contents).toEqual([text]);
          expect(heard.messages).toHaveLength(1);
        }
    });

    test('DAT-07 a line of 2,000 octets is not sent', async () => {
      for (const content of ['x'.repeat(2_000), stream('x'.repeat(900), 'x'.repeat(1_100))]) {
        const heard = new Heard();
        const server = await serve(good([], {}, heard));
        expect((await refused(server, { content })).code).toBe('ERR_SMTP_CONTENT');
        expect(heard.contents).toEqual([]);
        expect(server.plain).not.toMatch(/x{999}/);
      }
    });

    test('DAT-09 octets over 127, 8BITMIME offered: BODY=8BITMIME', async () => {
      const heard = await said(Buffer.from('caf\xe9\r\n', 'latin1'), ['8BITMIME']);
      expect(heard.all('MAIL')).toEqual(['MAIL FROM:<a@client.example> BODY=8BITMIME']);
      expect(heard.contents).toEqual(['caf\xe9\r\n']);
      // Not offered: it does not go as if it were 7-bit.
      const none = new Heard();
      const server = await serve(good([], {}, none));
      expect((await refused(server, { content: 'caf\xe9\r\n' })).code).toBe('ERR_SMTP_UNSUPPORTED');
      expect(none.all('MAIL')).toEqual([]);
    });

    test('DAT-10 NUL is not sent', async () => {
      for (const content of ['a\0b\r\n', stream('a\r\n', 'b\0\r\n')]) {
        const server = await serve(good());
        expect((await refused(server, { content })).code).toBe('ERR_SMTP_CONTENT');
        expect(server.plain).not.toContain('\0');
      }
    });

    test('DAT-11 451 or 554 to DATA: no content', async () => {
      for (const [code, retry] of [
        [451, 'later'],
        [554, 'never'],
      ] as const) {
        const heard = new Heard();
        const server = await serve(good([], { DATA: `${code} no` }, heard));
        const error = await refused(server);
        expect(verdict(error)).toBe(`ERR_SMTP_REPLY in data, rejected, ${retry}`);
        expect(error.reply?.code).toBe(code);
        expect(server.plain).not.toContain('Subject');
        expect(heard.verbs.join()).toMatch(/^EHLO,MAIL,RCPT,DATA(,RSET)?,QUIT$/);
      }
      // Nor is it wanted by any other code than 354.
      const heard = new Heard();
      const server = await serve(good([], { DATA: '250 ok' }, heard));
      expect((await refused(server)).delivery).toBe('not-sent');
      expect(server.plain).not.toContain('Subject');
    });

    test('DAT-13 4yz and 5yz to the dot: refused, with the reply', async () => {
      for (const keywords of [[], ['PIPELINING']])
        for (const [code, retry] of [
          [451, 'later'],
          [452, 'later'],
          [550, 'never'],
          [554, 'never'],
        ] as const) {
          const server = await serve(good(keywords, { dot: `${code} 5.7.0 because` }));
          const error = await refused(server);
          expect(verdict(error)).toBe(`ERR_SMTP_REPLY in final, rejected, ${retry}`);
          expect(error.reply).toMatchObject({ code, text: expect.stringContaining('because') });
        }
    });

    test('DAT-14 250 with a queue id, in several lines', async () => {
      const server = await serve(good([], { dot: ['250-2.0.0 Ok:', '250 2.0.0 queued as 4711'] }));
      expect((await deal(server)).reply).toMatchObject({
        code: 250,
        enhanced: '2.0.0',
        text: 'Ok: queued as 4711',
      });
    });

    test('DAT-15 a server that stops reading behind 354: the deadline of content, and memory is bounded', async () => {
      const block = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1_000));
      let read = 0;
      const server = await serve(async (peer) => {
        await greet(peer);
        for (const reply of ['250 ok', '250 ok', '354 go']) {
          await peer.hear();
          peer.say(reply);
        }
        peer.pause();
      });
      const content = (async function* () {
        for (; read < 100; read += 1) yield block;
      })();
      const error = await refused(server, { content }, { timeouts: { content: 200 } });
      expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in content, not-sent, reconnect');
      // No more was read from it than the network took.
      expect(read).toBeLessThan(50);
      server.peer().resume();
    });

    test('DAT-17 no answer to the dot: nobody knows, and nothing is sent again', async () => {
      const heard = new Heard();
      const server = await serve(good([], { dot: undefined }, heard));
      const clock = new HandClock();
      const client = await connect(
        options(server, { ...OFF, clock, timeouts: { final: 2_000, total: 60_000 } }),
      );
      const sending = client.send(MESSAGE);
      sending.catch(() => {});
      await eventually(() => heard.contents.length === 1, 'the content is there');
      clock.advance(1_999);
      expect(await settled(sending)).toBe(false);
      clock.advance(1);
      expect(verdict(await failureOf(sending))).toBe('ERR_SMTP_TIMEOUT in final, unknown, unknown');
      // Nor does who would know how.
      const pool = createPool({
        ...(options(server, { ...OFF, timeouts: { final: 60 } }) as PoolOptions),
        backoff: { initial: 1, max: 1 },
      });
      expect((await failureOf(pool.send(MESSAGE))).delivery).toBe('unknown');
      await silence();
      await pool.close();
      expect(heard.contents).toEqual([MESSAGE.content, MESSAGE.content]);
      expect(server.peers).toHaveLength(2);
    });

    test('DAT-18 a source that fails half-way: no dot, and no LAST', async () => {
      for (const keywords of [[], ['CHUNKING'], ['PIPELINING', 'CHUNKING']]) {
        const heard = new Heard();
        const server = await serve(good(keywords, {}, heard));
        const content = (async function* () {
          yield Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(300));
          throw new Error('the disk is gone');
        })();
        const error = await refused(server, { content });
        expect(verdict(error)).toBe('ERR_SMTP_CONTENT in content, not-sent, fix-first');
        expect((error.cause as Error).message).toBe('the disk is gone');
        await eventually(() => server.open === 0, 'the connection is closed');
        expect(server.plain).not.toMatch(/(^|\n)\.\r\n|LAST|QUIT/);
        expect(heard.messages).toEqual([]);
      }
    });

    test('DAT-19 blocks that end between CR and LF, and before a dot', async () => {
      for (const blocks of [
        ['a\r', '\n.b\r\n'],
        ['a\r\n', '.\r\n', '.', '.\r', '\n'],
        ['a\n', '.b\n', '.'],
        ['', 'a\r', '', '\n', '', '.'],
        ['.', '\r', '\n', '.'],
      ]) {
        const { messages } = await said(stream(...blocks));
        const whole = blocks
          .join('')
          .replace(/\r?\n|$/g, (end, at, text) =>
            end || !/\n$/.test(text) || at === 0 ? '\r\n' : '',
          );
        expect(messages[0]?.content).toBe(whole);
      }
    });

    test('DAT-20 given up in the middle of content: no dot', async () => {
      for (const keywords of [[], ['CHUNKING']]) {
        const heard = new Heard();
        const server = await serve(good(keywords, {}, heard));
        const giveUp = new AbortController();
        const content = (async function* () {
          yield Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(300));
          giveUp.abort(new Error('enough'));
          await silence(20);
          yield Buffer.from('the rest\r\n');
        })();
        const error = await refused(server, { content }, {}, { signal: giveUp.signal });
        expect(verdict(error)).toBe('ERR_SMTP_ABORTED in content, not-sent, reconnect');
        await eventually(() => server.open === 0, 'the connection is closed');
        expect(server.plain).not.toMatch(/(^|\n)\.\r\n|LAST|QUIT|the rest/);
        expect(heard.messages).toEqual([]);
      }
    });
  });

  describe('BDAT', () => {
    const LINES = `.a line with a dot\r\n..\r\n${'x'.repeat(70)}\r\n`.repeat(2_000);

    /** The sizes that BDAT has announced, and which of them was the last. */
    const sizes = (heard: Heard): { octets: number[]; last: boolean[] } => ({
      octets: heard.all('BDAT').map((line) => Number(/^BDAT (\d+)( LAST)?$/.exec(line)?.[1])),
      last: heard.all('BDAT').map((line) => line.endsWith(' LAST')),
    });

    test('CHU-01 CHUNKING not offered: DATA', async () => {
      const heard = await said('Hi\r\n', ['XCHUNKING', 'PIPELINING']);
      expect(heard.all('BDAT')).toEqual([]);
      expect(heard.all('DATA')).toHaveLength(1);
    });

    test('CHU-02 CHUNKING offered: exact sizes, one LAST, no dot doubled', async () => {
      for (const keywords of [['CHUNKING'], ['CHUNKING', 'PIPELINING']])
        for (const text of ['.\r\n', '..x\r\n.', 'a\nb', LINES]) {
          const whole = text.replace(/(?<!\r)\n/g, '\r\n').replace(/(?<!\n)$/, '\r\n');
          const heard = await said(text, keywords);
          // Commands were found where the sizes said, so they are exact.
          expect(heard.messages[0]?.content).toBe(whole);
          expect(heard.all('DATA')).toEqual([]);
          const { octets, last } = sizes(heard);
          expect(octets.reduce((sum, one) => sum + one, 0)).toBe(whole.length);
          expect(last.indexOf(true)).toBe(last.length - 1);
        }
    });

    test('CHU-04 a chunk was refused: RSET goes before the next message', async () => {
      for (const keywords of [['CHUNKING'], ['CHUNKING', 'PIPELINING']])
        for (const content of ['Hi\r\n', LINES, stream(LINES, LINES, LINES)]) {
          const heard = new Heard();
          const server = await serve(
            good(keywords, { BDAT: ({ nth }) => (nth ? '250 ok' : '452 4.3.1 full') }, heard),
          );
          const client = await connect(options(server, OFF));
          expect((await failureOf(client.send({ ...MESSAGE, content }))).reply?.code).toBe(452);
          const receipt = await within(4_000, client.send(MESSAGE));
          expect(receipt.reply.code).toBe(250);
          await client.close();
          expect(heard.verbs.join()).toMatch(/^EHLO,MAIL,RCPT,BDAT,RSET,MAIL,RCPT,BDAT,QUIT$/);
        }
    });

    test('CHU-05 content of unknown length: what is sent last says so', async () => {
      for (const blocks of [[], ['Hi\r\n'], [LINES], [LINES, LINES, LINES, LINES], ['x', '']]) {
        const heard = await said(stream(...blocks), ['CHUNKING']);
        const whole = blocks.join('').replace(/(?<=[^\n])$/, '\r\n');
        expect(heard.messages[0]?.content).toBe(whole);
        const { octets, last } = sizes(heard);
        expect(octets.reduce((sum, one) => sum + one, 0)).toBe(whole.length);
        expect(last.indexOf(true)).toBe(last.length - 1);
      }
    });

    test('CHU-06 the reply to the first chunk does not come: no success, whatever comes behind', async () => {
      const heard = new Heard();
      const server = await serve(good(['CHUNKING'], { BDAT: undefined }, heard));
      const content = stream(LINES, LINES, LINES, LINES, LINES);
      const error = await refused(server, { content }, { timeouts: { data: 80, content: 80 } });
      expect(error.code).toBe('ERR_SMTP_TIMEOUT');
      expect(error.delivery).toBe('not-sent');
      await eventually(() => server.open === 0, 'the connection is closed');
      expect(sizes(heard).last).not.toContain(true);
      expect(heard.messages).toEqual([]);
    });

    test('CHU-07 BINARYMIME: with BDAT, and as it is', async () => {
      const content = Buffer.from('a\0b\nc\rd.\n.\r\n\xff', 'latin1');
      for (const given of [content, stream(content)]) {
        const heard = await said(given, ['CHUNKING', 'BINARYMIME'], { body: 'BINARYMIME' });
        expect(heard.all('MAIL')[0]).toMatch(/ BODY=BINARYMIME( |$)/);
        expect(heard.all('DATA')).toEqual([]);
        expect(heard.messages[0]?.content).toBe(content.toString('latin1'));
      }
    });

    test('CHU-08 BINARYMIME without CHUNKING is not used', async () => {
      for (const onUnsupported of ['error', 'drop'] as const) {
        const heard = new Heard();
        const server = await serve(good(['BINARYMIME', '8BITMIME'], {}, heard));
        const error = await refused(server, { body: 'BINARYMIME' }, {}, { onUnsupported });
        expect(verdict(error)).toBe('ERR_SMTP_UNSUPPORTED in mail, not-sent, fix-first');
        expect(heard.verbs).toEqual(['EHLO', 'QUIT']);
      }
    });

    test('CHU-09 500 to BDAT: no DATA in the same transaction', async () => {
      for (const content of ['Hi\r\n', LINES]) {
        const heard = new Heard();
        const server = await serve(good(['CHUNKING'], { BDAT: '500 what?' }, heard));
        await deal(server, { content }).catch((error: unknown) =>
          expect(error).toMatchObject({ delivery: 'rejected', reply: { code: 500 } }),
        );
        expect(heard.verbs.join()).not.toMatch(/BDAT,(BDAT,)*DATA/);
      }
    });

    test('CHU-10 chunks in groups, and the first is refused: every other reply keeps its place', async () => {
      const refuseFirst: Answers = {
        BDAT: ({ nth }) => (nth ? `250 queued as ${nth}` : '554 5.6.0 no'),
      };
      for (const pipelining of ['envelope', 'overlap', 'flight'] as const) {
        const heard = new Heard();
        const server = await serve(good(['CHUNKING', 'PIPELINING'], refuseFirst, heard));
        const client = await connect(options(server, { ...OFF, pipelining }));
        const outcomes = await within(
          4_000,
          Promise.allSettled([1, 2, 3].map(() => client.send(MESSAGE))),
        );
        await client.close();
        expect(outcomes).toMatchObject([
          { reason: { code: 'ERR_SMTP_REPLY', delivery: 'rejected', reply: { code: 554 } } },
          { value: { reply: { text: 'queued as 1' } } },
          { value: { reply: { text: 'queued as 2' } } },
        ]);
        expect(heard.messages).toHaveLength(2);
      }
      // The envelope was refused, and the chunk behind it with it.
      const server = await serve(
        good(['CHUNKING', 'PIPELINING'], {
          MAIL: ({ nth }) => (nth ? '250 ok' : '550 not you'),
          RCPT: ({ nth }) => (nth ? '250 ok' : '503 no MAIL'),
          BDAT: ({ nth }) => (nth ? '250 ok' : '503 no RCPT'),
        }),
      );
      const client = await connect(options(server, OFF));
      expect((await failureOf(client.send(MESSAGE))).phase).toBe('mail');
      expect((await within(4_000, client.send(MESSAGE))).reply.code).toBe(250);
      await client.close();
    });
  });
});

describe('LMT, ERR and DEV', () => {
  describe('LMTP', () => {
    const LMTP = { protocol: 'lmtp' } as const;
    const TO = ['b@example.com', 'c@example.com', 'd@example.com'];
    const three = ['250 2.0.0 b', '250 2.0.0 c', '250 2.0.0 d'];

    test('LMT-01 LHLO, and nothing to fall back to', async () => {
      const heard = new Heard();
      await deal(await serve(good([], { dot: three }, heard)), { to: TO }, LMTP);
      expect(heard.verbs.join()).toBe('LHLO,MAIL,RCPT,RCPT,RCPT,DATA,QUIT');
      for (const code of [500, 502, 550]) {
        const other = new Heard();
        const server = await serve(good([], { LHLO: `${code} what?` }, other));
        expect(verdict(await refused(server, {}, LMTP))).toBe(
          'ERR_SMTP_REPLY in ehlo, not-sent, never',
        );
        await eventually(() => server.open === 0, 'the client leaves');
        expect(other.verbs.join()).toMatch(/^LHLO(,QUIT)?$/);
      }
    });

    test('LMT-03 two replies of three, then the end: the third is no success', async () => {
      for (const keywords of [[], ['PIPELINING']]) {
        const server = await serve(
          good(keywords, {
            dot: ({ peer }) => {
              peer.say(...three.slice(0, 2));
              peer.end();
            },
          }),
        );
        const error = await refused(server, { to: TO }, LMTP);
        expect(verdict(error)).toBe('ERR_SMTP_CLOSED in final, unknown, unknown');
        expect(error.accepted).toEqual(TO.slice(0, 2));
      }
    });

    test('LMT-04 a recipient that was refused before gets no reply', async () => {
      for (const keywords of [[], ['PIPELINING']]) {
        const server = await serve(
          good(keywords, {
            RCPT: ({ line }) => (line.includes('<c@') ? '550 5.1.1 nobody' : '250 ok'),
            dot: ['250 2.0.0 for b', '452 4.2.2 for d'],
          }),
        );
        const receipt = await deal(server, { to: TO }, LMTP);
        expect(receipt).toMatchObject({
          accepted: ['b@example.com'],
          replies: [{ text: 'for b' }],
        });
        expect(
          Object.fromEntries(receipt.rejected.map(({ address, reply }) => [address, reply.code])),
        ).toEqual({ 'c@example.com': 550, 'd@example.com': 452 });
      }
    });

    test('LMT-05 one address twice: two replies', async () => {
      const heard = new Heard();
      const server = await serve(good([], { dot: ['250 one', '250 two'] }, heard));
      const receipt = await deal(server, { to: [MESSAGE.to, MESSAGE.to] }, LMTP);
      expect(receipt).toMatchObject({
        accepted: [MESSAGE.to, MESSAGE.to],
        replies: [{ text: 'one' }, { text: 'two' }],
      });
      expect(heard.all('RCPT')).toHaveLength(2);
      // The second of them counts: it is not taken for the reply to QUIT.
      const other = await serve(good([], { dot: ['250 one', '550 5.2.1 two'] }));
      expect(await deal(other, { to: [MESSAGE.to, MESSAGE.to] }, LMTP)).toMatchObject({
        accepted: [MESSAGE.to],
        rejected: [{ address: MESSAGE.to, reply: { code: 550 } }],
      });
    });

    test('LMT-06 no recipient accepted: no DATA', async () => {
      const heard = new Heard();
      const server = await serve(good([], { RCPT: '550 5.1.1 nobody' }, heard));
      const error = await refused(server, { to: TO }, LMTP);
      expect(verdict(error)).toBe('ERR_SMTP_REPLY in rcpt, rejected, never');
      expect(heard.verbs.join()).toBe('LHLO,MAIL,RCPT,RCPT,RCPT,QUIT');
    });
  });

  describe('enhanced codes', () => {
    const replyOf = async (
      said: string | readonly string[],
      ...keywords: readonly string[]
    ): Promise<SmtpError> => refused(await serve(good(keywords, { MAIL: said })));

    test('ERR-01 code, enhanced code and text', async () => {
      const { reply } = await replyOf('550 5.1.1 No such user: x', 'ENHANCEDSTATUSCODES');
      expect(reply).toMatchObject({ code: 550, enhanced: '5.1.1', text: 'No such user: x' });
      const { reply: long } = await replyOf('452 4.123.45 x', 'ENHANCEDSTATUSCODES');
      expect(long).toMatchObject({ code: 452, enhanced: '4.123.45', text: 'x' });
    });

    test('ERR-02 550 4.2.1: the code counts', async () => {
      const error = await replyOf('550 4.2.1 x', 'ENHANCEDSTATUSCODES');
      expect(error.retry).toBe('never');
      expect(error.reply?.enhanced).toBeUndefined();
    });

    test('ERR-03 what looks like an enhanced code, and is none', async () => {
      for (const text of [
        '5.7.1234 x',
        '10.1.1.1 listed',
        '5.7 x',
        '5.7.1.2 x',
        '5.7.1x',
        '3.1.1 x',
      ]) {
        const { reply } = await replyOf(`554 ${text}`, 'ENHANCEDSTATUSCODES');
        expect(reply).toMatchObject({ code: 554, text });
        expect(reply?.enhanced).toBeUndefined();
      }
    });

    test('ERR-04 on each line: one enhanced code, and the text without it', async () => {
      const { reply } = await replyOf(
        ['550-5.1.1 No such', '550-5.1.1 user', '550 5.1.1 here'],
        'ENHANCEDSTATUSCODES',
      );
      expect(reply).toMatchObject({ code: 550, enhanced: '5.1.1', text: 'No such user here' });
    });

    test('ERR-05 not offered: the text is there as it came', async () => {
      const error = await replyOf('550 5.1.1 No such user');
      expect(error.reply?.code).toBe(550);
      expect(error.reply?.lines).toEqual(['5.1.1 No such user']);
      expect(error.message).toContain('550 5.1.1 No such user');
    });
  });

  describe('Devino', () => {
    const TO = MESSAGE.to;
    const FROM = MESSAGE.from;
    /** What that platform offers. */
    const OFFERED = ['AUTH PLAIN LOGIN CRAM-MD5 ANONYMOUS', 'SIZE=512000', '8BITMIME'];
    const STAGES = { MAIL: 'mail', RCPT: 'rcpt', dot: 'final' } as const;
    type Stage = keyof typeof STAGES;

    /** A message that is refused so at a stage, and what that means. */
    const refusal = async (
      stage: Stage,
      said: string | readonly string[],
      context?: DevinoContext,
    ): Promise<{ error: SmtpError; why: DevinoExplanation | undefined }> => {
      const answers: Answers = { [stage]: said };
      const error = await refused(await serve(good(OFFERED, answers)));
      expect(error.phase).toBe(STAGES[stage]);
      expect(error.delivery).toBe('rejected');
      return { error, why: explain(error, context) };
    };
    const AUTH: Partial<ConnectOptions> = {
      auth: { user: USER, pass: PASS },
      allowInsecureAuth: true,
    };

    test('DEV-01 no credentials, 554 to MAIL: not authenticated', async () => {
      const { error, why } = await refusal('MAIL', '554 Must authenticate before sending mail');
      expect(error.reply?.code).toBe(554);
      expect(why).toMatchObject({ reason: 'not-authenticated', code: 554, retry: 'fix-first' });
    });

    test('DEV-03 535 to AUTH: not authenticated, and no MAIL', async () => {
      const heard = new Heard();
      const server = await serve(good(OFFERED, { AUTH: '535 Authentication failure' }, heard));
      const error = await refused(server, {}, AUTH);
      expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
      expect(explain(error)).toMatchObject({ reason: 'not-authenticated', code: 535 });
      await eventually(() => server.open === 0, 'the client leaves');
      expect(heard.all('MAIL')).toEqual([]);
    });

    test('DEV-04 the same text at RCPT, behind the dot, and to AUTH', async () => {
      const text = '554 Must authenticate before sending mail';
      for (const stage of ['RCPT', 'dot'] as const)
        expect((await refusal(stage, text)).why).toMatchObject({ reason: 'not-authenticated' });
      const error = await refused(await serve(good(OFFERED, { AUTH: text })), {}, AUTH);
      expect(error).toMatchObject({ code: 'ERR_SMTP_AUTH', phase: 'auth', delivery: 'not-sent' });
      expect(explain(error)).toMatchObject({ reason: 'not-authenticated', code: 554 });
    });

    test('DEV-05 Internal server error at any stage: their fault, worth another try', async () => {
      for (const stage of ['MAIL', 'RCPT', 'dot'] as const) {
        const { error, why } = await refusal(stage, '554 Internal server error');
        // By its code it is permanent.
        expect(error.retry).toBe('never');
        expect(why).toMatchObject({ reason: 'server-error', code: 554, retry: 'later' });
      }
    });

    test('DEV-06 Internal server error in place of a greeting', async () => {
      const server = await serve((peer) => peer.say('554 Internal server error'));
      const error = await refused(server);
      expect(error).toMatchObject({
        phase: 'greeting',
        delivery: 'not-sent',
        reply: { code: 554 },
      });
      expect(explain(error)).toMatchObject({ reason: 'server-error', retry: 'later' });
    });

    test('DEV-07 the end in place of a reply: closed, temporary', async () => {
      const server = await serve(good(OFFERED, { RCPT: ({ peer }) => peer.end() }));
      const error = await refused(server);
      expect(verdict(error)).toBe('ERR_SMTP_CLOSED in rcpt, not-sent, reconnect');
      expect(explain(error)).toBeUndefined();
    });

    test('DEV-08 a file that is not allowed: its extension', async () => {
      const { why } = await refusal('dot', '554 Not allowed attachement type .exe');
      expect(why).toMatchObject({ reason: 'attachment-type', extension: 'exe', code: 554 });
    });

    test('DEV-10 the extension in other spellings', async () => {
      for (const [text, kind] of [
        ['Not allowed attachment type .exe', { extension: 'exe' }],
        ['Not allowed attachement type "exe"', { extension: 'exe' }],
        ['Not allowed attachement type EXE', { extension: 'exe' }],
        ['Not allowed attachement type tar.gz', { extension: 'tar.gz' }],
        ['Not allowed attachement type', {}],
        ['Not allowed attachement type application/zip', { type: 'application/zip' }],
      ] as const) {
        const { why } = await refusal('dot', `554 ${text}`);
        expect(why?.reason).toBe('attachment-type');
        expect({
          ...(why?.extension && { extension: why.extension }),
          ...(why?.type && { type: why.type }),
        }).toEqual(kind);
      }
      const cyrillic = Buffer.from('554 Not allowed attachement type .\u0435\u0445\u0435').toString(
        'latin1',
      );
      expect((await refusal('dot', cyrillic)).why?.extension).toBe('\u0435\u0445\u0435');
    });

    test('DEV-11 too large, behind the dot', async () => {
      const { error, why } = await refusal('dot', '554 Message exceeds fixed size limit');
      expect(error.reply?.code).toBe(554);
      expect(why).toMatchObject({ reason: 'too-large', code: 554, retry: 'fix-first' });
    });

    test('DEV-13 an invalid recipient at RCPT', async () => {
      const { error, why } = await refusal('RCPT', `554 Invalid recipient address: ${TO}`);
      expect(error.rejected?.[0]).toMatchObject({ address: TO, reply: { code: 554 } });
      expect(why).toMatchObject({ reason: 'invalid-recipient', address: TO, retry: 'never' });
      // And as one of several.
      const server = await serve(
        good(OFFERED, {
          RCPT: ({ line }) =>
            line.includes('<no') ? '554 Invalid recipient address: no@example.com' : '250 ok',
        }),
      );
      const { rejected } = await deal(server, { to: [TO, 'no@example.com'] });
      expect(rejected.map((one) => explain(one))).toMatchObject([
        { reason: 'invalid-recipient', address: 'no@example.com' },
      ]);
    });

    test('DEV-14 an invalid recipient behind the dot', async () => {
      const { error, why } = await refusal('dot', `554 Invalid recipient address: ${TO}`);
      // No RCPT was refused: the address is in the text.
      expect(error.rejected ?? []).toEqual([]);
      expect(why).toMatchObject({ reason: 'invalid-recipient', address: TO });
    });

    test('DEV-15 the address in other spellings', async () => {
      for (const [text, address] of [
        [`<${TO}>`, TO],
        [`${TO}.`, TO],
        ['"a:b"@example.com', '"a:b"@example.com'],
        ['B@EXAMPLE.COM', TO],
        ['', TO],
      ] as const) {
        const context = { recipients: [TO] };
        const { why } = await refusal('dot', `554 Invalid recipient address: ${text}`, context);
        expect(why).toMatchObject({ reason: 'invalid-recipient', address });
      }
    });

    test('DEV-16 a sender that is not confirmed, at MAIL, at RCPT and behind the dot', async () => {
      for (const stage of ['MAIL', 'RCPT', 'dot'] as const) {
        const { why } = await refusal(stage, `554 Disallowed source address: ${FROM}`);
        expect(why).toMatchObject({
          reason: 'sender-not-confirmed',
          address: FROM,
          code: 554,
          retry: 'fix-first',
        });
      }
    });

    test('DEV-17 the sender of the text is another than that of the envelope: that of the text', async () => {
      const { why } = await refusal('dot', '554 Disallowed source address: header@client.example', {
        sender: FROM,
      });
      expect(why).toMatchObject({ address: 'header@client.example' });
    });

    test('DEV-18 behind "Transaction failed"', async () => {
      for (const said of [
        `554 Transaction failed: Invalid recipient address: ${TO}`,
        `554 Transaction failed Invalid recipient address: ${TO}`,
        [`554-Transaction failed`, `554 Invalid recipient address: ${TO}`],
        [`554-5.6.0 Transaction failed`, `554 5.6.0 Invalid recipient address: ${TO}`],
      ])
        for (const stage of ['RCPT', 'dot'] as const)
          expect((await refusal(stage, said)).why).toMatchObject({
            reason: 'invalid-recipient',
            address: TO,
          });
    });

    test('DEV-20 the order reversed, and a fold inside the address', async () => {
      for (const said of [
        [`554-Invalid recipient address: ${TO}`, '554 Transaction failed'],
        ['554-Transaction failed: Invalid recipient address: b@exam', '554 ple.com'],
      ])
        expect((await refusal('dot', said, { recipients: [TO] })).why).toMatchObject({
          reason: 'invalid-recipient',
          address: TO,
        });
    });

    test('DEV-21 "Transaction failed" alone, and texts that nobody knows: refused, the text kept', async () => {
      for (const text of ['Transaction failed', 'Message looks like spam', 'recipient address']) {
        const { error, why } = await refusal('dot', `554 ${text}`);
        expect(verdict(error)).toBe('ERR_SMTP_REPLY in final, rejected, never');
        expect(error.reply).toMatchObject({ code: 554, text });
        expect(why).toBeUndefined();
      }
    });

    test('DEV-22 upper case, double blanks, a final full stop', async () => {
      for (const text of [
        'INTERNAL SERVER ERROR',
        'Internal  server  error.',
        'internal server error!',
      ])
        expect((await refusal('dot', `554 ${text}`)).why?.reason).toBe('server-error');
    });

    test('DEV-23 with another code: the same reason, temporary by the code', async () => {
      for (const code of [550, 552, 451]) {
        const { error, why } = await refusal('dot', `${code} Message exceeds fixed size limit`);
        expect(why).toMatchObject({ reason: 'too-large', code });
        expect(why?.retry === 'later').toBe(code === 451);
        expect(error.retry === 'later').toBe(code === 451);
      }
    });

    test('DEV-24 a text inside an address does not count', async () => {
      const said = '554 Invalid recipient address: "Internal server error"@x.example';
      expect((await refusal('RCPT', said)).why).toMatchObject({
        reason: 'invalid-recipient',
        address: '"Internal server error"@x.example',
      });
    });

    test('DEV-25 two recipients break a rule', () => {
      expect(check({ from: FROM, to: [TO, 'c@example.com'], size: 1 })).toContainEqual(
        expect.objectContaining({ rule: 'recipient-count', severity: 'error', actual: 2 }),
      );
    });

    test('DEV-26 512,001 octets break a rule', () => {
      const rules = (size: number): unknown[] =>
        check({ from: FROM, to: TO, size }).filter(({ rule }) => rule === 'too-large');
      expect(rules(512_001)).toMatchObject([{ severity: 'error', excess: 1 }]);
      expect(rules(512_000)).not.toContainEqual(expect.objectContaining({ severity: 'error' }));
    });

    test('DEV-27 an attachment breaks a rule', () => {
      expect(check({ from: FROM, to: TO, size: 1, attachments: [{}] })).toContainEqual(
        expect.objectContaining({ rule: 'attachments', severity: 'error' }),
      );
    });

    test('DEV-28 221 that nobody asked for', async () => {
      const server = await serve(
        good(OFFERED, {
          RCPT: ({ peer }) => {
            peer.say('250 ok', '221 Too many bad commands. Bye!');
            peer.end();
          },
        }),
      );
      const error = await refused(server);
      expect(error.code).toMatch(/CLOSED|PROTOCOL/);
      expect([error.delivery, error.retry]).toEqual(['not-sent', 'reconnect']);
    });
  });
});
