/** REP: how replies are read, whole or in pieces, and what is none. */
import { describe, expect, test } from 'vitest';
import { connect, type TranscriptEvent } from '../../src/index.ts';
import {
  eventually,
  failureOf,
  MESSAGE,
  offer,
  options,
  verdict,
  within,
} from '../e2e/scripted-server.ts';
import {
  type Answers,
  converse,
  deal,
  dripping,
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

/** What a message to TO has to come to, where the server refuses the second. */
const RESULT = {
  accepted: ['b@example.com', 'c@example.com'],
  rejected: [{ address: 'no@example.com', reply: { code: 550, enhanced: '5.1.1' } }],
  reply: { code: 250, enhanced: '2.0.0', lines: ['2.0.0 one', '2.0.0 queued'] },
};
const ANSWERS: Answers = {
  RCPT: ({ line }) => (line.includes('<no') ? ['550-5.1.1 not', '550 5.1.1 there'] : '250 ok'),
  dot: ['250-2.0.0 one', '250 2.0.0 queued'],
};

describe('in pieces', () => {
  test('REP-01 a whole session octet by octet', async () => {
    for (const keywords of [[], ['PIPELINING']]) {
      const server = await serve(async (peer) => {
        dripping(peer);
        peer.say('220-mail.example.com', '220 ESMTP');
        await converse(peer, keywords, ANSWERS);
      });
      expect(await deal(server, { to: TO })).toMatchObject(RESULT);
    }
  });

  test('REP-02 the replies of a group in one segment, and cut in the middle of a code', async () => {
    for (const cut of [undefined, 1, 2, 3, 9, 13, 30] as const) {
      const heard = new Heard();
      const server = await serve(async (peer) => {
        peer.say('220 mail.example.com');
        await peer.hear(/^EHLO/);
        peer.say(...offer('PIPELINING'));
        for (const begin of [/^MAIL/, /^RCPT/, /^RCPT/, /^RCPT/, /^DATA/]) await peer.hear(begin);
        const text = '250 ok\r\n250 ok\r\n550-5.1.1 not\r\n550 5.1.1 there\r\n250 ok\r\n354 go\r\n';
        peer.raw(text.slice(0, cut));
        if (cut) {
          await silence(10);
          peer.raw(text.slice(cut));
        }
        heard.contents.push(await peer.content());
        peer.say('250-2.0.0 one', '250 2.0.0 queued');
        await peer.hear('QUIT');
        peer.say('221 bye');
        peer.end();
      });
      expect(await deal(server, { to: TO })).toMatchObject(RESULT);
      expect(heard.contents).toEqual([MESSAGE.content]);
    }
  });

  test('REP-03 the reply to EHLO cut between CR and LF', async () => {
    const heard = new Heard();
    const server = await serve(async (peer) => {
      dripping(peer, (text) => text.split(/(?<=\r)(?=\n)/));
      await good(['SIZE 4711', 'PIPELINING'], {}, heard)(peer, 0);
    });
    await deal(server);
    // Both lines were read as keywords.
    expect(heard.all('MAIL')).toEqual([
      `MAIL FROM:<a@client.example> SIZE=${MESSAGE.content.length}`,
    ]);
    expect(server.peer().chunks.some((chunk) => /^MAIL.*DATA\r\n$/s.test(`${chunk}`))).toBe(true);
  });

  test('REP-16 a line of 512 octets, and one of 4,096', async () => {
    for (const octets of [512, 4_096]) {
      const text = 'x'.repeat(octets - 6);
      const server = await serve(good([], { dot: `250 ${text}` }));
      expect((await deal(server)).reply.text).toBe(text);
    }
  });
});

describe('codes', () => {
  test('REP-05 a final reply whose code changes is no success', async () => {
    const server = await serve(good([], { dot: ['250-x', '550 y'] }));
    const error = await refused(server);
    expect(verdict(error)).toBe('ERR_SMTP_PROTOCOL in final, unknown, unknown');
  });

  test('REP-07 498 and 598 to RCPT: the first digit counts', async () => {
    for (const keywords of [[], ['PIPELINING']])
      for (const [code, retry] of [
        [498, 'later'],
        [598, 'never'],
      ] as const) {
        const server = await serve(
          good(keywords, { RCPT: `${code} no`, DATA: '503 out of order' }),
        );
        const error = await refused(server);
        expect(verdict(error)).toBe(`ERR_SMTP_REPLY in rcpt, rejected, ${retry}`);
        expect(error.rejected).toMatchObject([{ address: MESSAGE.to, reply: { code } }]);
      }
  });

  test('REP-08 650, 199 and 000 to MAIL end the session', async () => {
    for (const said of ['650 ok', '199 x', '000 x']) {
      const heard = new Heard();
      const server = await serve(good([], { MAIL: said }, heard));
      expect(verdict(await refused(server))).toBe('ERR_SMTP_PROTOCOL in mail, not-sent, reconnect');
      await eventually(() => server.open === 0, 'the session ends');
      expect(heard.verbs.join()).toMatch(/^EHLO,MAIL(,QUIT)?$/);
    }
  });

  test('REP-09 a code that is no three digits breaks the protocol', async () => {
    for (const said of ['25 ok', '2500 ok', '25x ok', '2x0 ok', '2', '']) {
      const heard = new Heard();
      const server = await serve(good([], { RCPT: said }, heard));
      expect(verdict(await refused(server)), said).toBe(
        'ERR_SMTP_PROTOCOL in rcpt, not-sent, reconnect',
      );
      expect(heard.contents).toEqual([]);
    }
  });

  test('REP-10 TAB behind the code: no hang', async () => {
    const server = await serve(good([], { RCPT: '250\tok' }));
    expect((await refused(server)).code).toBe('ERR_SMTP_PROTOCOL');
  });

  test('REP-11 a blank before the code breaks the protocol', async () => {
    const heard = new Heard();
    const server = await serve(good([], { RCPT: ' 250 ok' }, heard));
    expect(verdict(await refused(server))).toBe('ERR_SMTP_PROTOCOL in rcpt, not-sent, reconnect');
    expect(heard.contents).toEqual([]);
  });

  test('REP-12 a whole session that ends its lines with LF: no hang', async () => {
    const server = await serve(async (peer) => {
      const raw = peer.raw.bind(peer);
      peer.raw = (octets) => raw(`${octets}`.replaceAll('\r\n', '\n'));
      await good()(peer, 0);
    });
    expect((await refused(server)).code).toBe('ERR_SMTP_PROTOCOL');
  });

  test('REP-19 550, and one reply more, to the only RCPT: no content', async () => {
    for (const keywords of [[], ['PIPELINING']]) {
      const heard = new Heard();
      const server = await serve(good(keywords, { RCPT: ['550 a', '250 b'] }, heard));
      const error = await refused(server);
      expect(error.delivery).not.toBe('unknown');
      expect(error.code).toMatch(/REPLY|PROTOCOL/);
      await eventually(() => server.open === 0, 'the client leaves');
      // The lone dot of a client that was told 354 is none.
      expect(heard.contents.join('')).toBe('');
      expect(heard.messages.map(({ rcpt }) => rcpt)).toEqual(heard.messages.map(() => []));
      expect(server.plain).not.toContain('Subject');
    }
  });

  test('REP-20 empty lines between replies: no hang', async () => {
    const server = await serve(good([], { MAIL: ['250 ok', ''] }));
    expect((await refused(server)).code).toBe('ERR_SMTP_PROTOCOL');
  });

  test('REP-22 a continuation without a code breaks the protocol', async () => {
    for (const said of [
      ['250-a', 'text', '250 b'],
      ['250-a', '', '250 b'],
      ['250-a', ' 250-text', '250 b'],
    ]) {
      const heard = new Heard();
      const server = await serve(good([], { RCPT: said }, heard));
      expect(verdict(await refused(server))).toBe('ERR_SMTP_PROTOCOL in rcpt, not-sent, reconnect');
      expect(heard.contents).toEqual([]);
    }
  });
});

describe('texts', () => {
  test('REP-14 NUL in the text changes nothing of what the reply says', async () => {
    const server = await serve(good([], { RCPT: '550 before\x150 behind', dot: '250 a\0b' }));
    const error = await refused(server);
    expect(verdict(error)).toBe('ERR_SMTP_REPLY in rcpt, rejected, never');
    expect(error.reply?.code).toBe(550);
    expect(error.reply?.text).toMatch(/^before.?250 behind$/u);
    const other = await serve(good([], { MAIL: '250 o\0k', dot: ['250-a\0', '250 \0b'] }));
    expect((await deal(other)).reply.code).toBe(250);
  });

  test('REP-15 octets in the text that are no UTF-8: the code is kept', async () => {
    for (const octets of ['caf\xe9', '\xff\xfe', '\xc3', '\xed\xa0\x80', '\xf8\x88\x80\x80\x80']) {
      const server = await serve(good([], { RCPT: `550 5.1.1 ${octets} end` }));
      const error = await refused(server);
      expect(error.reply).toMatchObject({ code: 550, enhanced: '5.1.1' });
      expect(error.reply?.text).toMatch(/ end$/);
    }
  });

  test('REP-21 ESC and CR in the text: no control character in the message', async () => {
    const server = await serve(good([], { RCPT: '550 \x1b[31mred\x1b[0m \r over \x07\x9b' }));
    const error = await refused(server);
    expect(error.reply?.code).toBe(550);
    expect(error.message).toContain('red');
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });
});

describe('replies that do not come, or come with others', () => {
  test('REP-18 RCPT never answered: its deadline passes, and the socket is closed', async () => {
    const heard = new Heard();
    const server = await serve(good([], { RCPT: undefined }, heard));
    const clock = new HandClock();
    const client = await connect(
      options(server, { ...OFF, clock, timeouts: { rcpt: 2_000, total: 60_000 } }),
    );
    const sending = client.send(MESSAGE);
    sending.catch(() => {});
    await eventually(() => heard.all('RCPT').length === 1, 'RCPT is there');
    clock.advance(1_999);
    expect(await settled(sending)).toBe(false);
    clock.advance(1);
    expect(verdict(await failureOf(sending))).toBe('ERR_SMTP_TIMEOUT in rcpt, not-sent, reconnect');
    await eventually(() => server.open === 0, 'the socket is closed');
    expect(heard.contents).toEqual([]);
  });

  test('REP-24 garbage, 550 and 221, where QUIT is due behind the dot: the dot was not accepted', async () => {
    for (const [garbage, keywords] of [
      ['garbage', []],
      ['garbage', ['PIPELINING']],
      ['-ERR', ['PIPELINING']],
      ['', ['PIPELINING']],
    ] as const) {
      const said: TranscriptEvent[] = [];
      const server = await serve(
        good([...keywords], {
          dot: async ({ ear, peer }) => {
            // QUIT may be here already, and may not be.
            await Promise.race([ear.line(), silence(40)]);
            peer.say(garbage, '550 no', '221 bye');
            peer.end();
          },
        }),
      );
      const client = await connect(
        options(server, { ...OFF, onTranscript: (event) => said.push(event) }),
      );
      const sending = client.send(MESSAGE);
      const closing = client.close();
      const error = await failureOf(sending);
      await within(4_000, closing);
      expect(error.reply?.code).not.toBe(221);
      expect(['rejected', 'unknown']).toContain(error.delivery);
    }
  });
});
