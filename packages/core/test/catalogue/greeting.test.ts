/** GRE, EHL and REP: what comes before the first command, what the server offers, and how its replies are read. */
import { describe, expect, test } from 'vitest';
import { connect, type TranscriptEvent } from '../../src/index.ts';
import { createPool, type PoolOptions } from '../../src/pool/index.ts';
import {
  eventually,
  failureOf,
  MESSAGE,
  offer,
  options,
  type Peer,
  verdict,
  within,
} from '../e2e/scripted-server.ts';
import {
  type Answers,
  converse,
  deal,
  drip,
  dripping,
  good,
  goodSecurely,
  HandClock,
  Heard,
  refused,
  settled,
  silence,
  useCertificates,
  useJudgedServers,
} from './support.ts';

const serve = useJudgedServers();
const certificates = useCertificates();

describe('GRE and EHL', () => {
  const OFF = { tls: 'off' } as const;

  /** Fails the test where the client has said anything yet. */
  const mute = (peer: Peer): void => expect(peer.plain, 'said before the greeting').toBe('');

  describe('greeting', () => {
    test('GRE-01 the client waits for the greeting, then says EHLO', async () => {
      const heard = new Heard();
      const server = await serve(async (peer) => {
        await silence();
        mute(peer);
        peer.say('220 mail.example.com ESMTP');
        await converse(peer, [], {}, heard);
      });
      await deal(server);
      expect(heard.verbs).toEqual(['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT']);
      const lmtp = new Heard();
      await deal(await serve(good([], {}, lmtp)), {}, { protocol: 'lmtp' });
      expect(lmtp.verbs[0]).toBe('LHLO');
    });

    test('GRE-02 a greeting of several lines is answered once, behind the last', async () => {
      const heard = new Heard();
      const server = await serve(async (peer) => {
        for (const line of ['220-a', '220-b', '220 c']) {
          await silence(40);
          mute(peer);
          peer.say(line);
        }
        await converse(peer, [], {}, heard);
      });
      await deal(server);
      expect(heard.all('EHLO')).toHaveLength(1);
    });

    test('GRE-03 554 in place of a greeting: nothing but QUIT is said, and the refusal is reported', async () => {
      const server = await serve((peer) => peer.say('554 No SMTP service here'));
      const error = await failureOf(connect(options(server, OFF)));
      expect(verdict(error)).toBe('ERR_SMTP_REPLY in greeting, not-sent, never');
      expect(error.reply).toMatchObject({ code: 554, text: 'No SMTP service here' });
      await eventually(() => server.open === 0, 'the client leaves');
      expect(server.plain).toMatch(/^(QUIT\r\n)?$/);
    });

    test('GRE-04 421 and the end: temporary, and nothing is tried by itself', async () => {
      const server = await serve((peer) => {
        peer.say('421 too busy');
        peer.end();
      });
      const error = await failureOf(connect(options(server, OFF)));
      expect(error).toMatchObject({ delivery: 'not-sent', reply: { code: 421 } });
      expect(['later', 'reconnect']).toContain(error.retry);
      await silence(250);
      expect(server.peers).toHaveLength(1);
      expect(server.plain).toMatch(/^(QUIT\r\n)?$/);
    });

    test('GRE-05 a greeting octet by octet', async () => {
      const heard = new Heard();
      const server = await serve(async (peer) => {
        await drip(peer, '220 mail.example.com ESMTP');
        mute(peer);
        await drip(peer, '\r\n');
        await converse(peer, [], {}, heard);
      });
      await deal(server);
      expect(heard.verbs).toEqual(['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT']);
    });

    test('GRE-06 nothing is sent before a greeting that is late', async () => {
      const server = await serve(async (peer) => {
        await silence(400);
        mute(peer);
        await good()(peer, 0);
      });
      expect((await deal(server)).reply.code).toBe(250);
    });

    test('GRE-07 no greeting: the deadline of the greeting passes, and the socket is closed', async () => {
      const server = await serve(() => {});
      const clock = new HandClock();
      const connecting = connect(
        options(server, { ...OFF, clock, timeouts: { greeting: 2_000, total: 60_000 } }),
      );
      connecting.catch(() => {});
      // The deadline of the connection is gone, and that of the greeting has begun.
      await eventually(
        () => [...clock.timers.values()].some(({ at }) => at === 3_000),
        'the client waits for the greeting',
      );
      clock.advance(1_999);
      expect(await settled(connecting)).toBe(false);
      clock.advance(1);
      expect(verdict(await failureOf(connecting))).toBe(
        'ERR_SMTP_TIMEOUT in greeting, not-sent, reconnect',
      );
      await eventually(() => server.open === 0, 'the socket is closed');
      expect(server.plain).toMatch(/^(QUIT\r\n)?$/);
    });

    test('GRE-09 354 is no greeting: nothing but QUIT follows', async () => {
      const server = await serve((peer) => peer.say('354 go'));
      const error = await failureOf(connect(options(server, OFF)));
      expect(error).toMatchObject({ code: 'ERR_SMTP_PROTOCOL', phase: 'greeting' });
      await eventually(() => server.open === 0, 'the client leaves');
      expect(server.plain).toMatch(/^(QUIT\r\n)?$/);
    });

    test('GRE-10 250 is no greeting either', async () => {
      const server = await serve((peer) => peer.say('250 hello'));
      const error = await failureOf(connect(options(server, OFF)));
      expect(error.code).toBe('ERR_SMTP_PROTOCOL');
    });

    test('GRE-11 220 without a text', async () => {
      const server = await serve(async (peer) => {
        peer.say('220');
        await converse(peer, []);
      });
      expect((await deal(server)).reply.code).toBe(250);
    });

    test('GRE-13 octets in a greeting that are no text', async () => {
      const server = await serve(async (peer) => {
        peer.raw(
          Buffer.concat([
            Buffer.from('220-caf\xe9 \xff\xfe\r\n', 'latin1'),
            Buffer.from('220-\u043f\u043e\u0447\u0442\u0430\r\n'),
            Buffer.from('220 \x1b[2J\x07 \0 ESMTP\r\n'),
          ]),
        );
        await converse(peer, []);
      });
      const client = await within(4_000, connect(options(server, OFF)));
      expect(client.greeting.code).toBe(220);
      expect(client.greeting.lines[1]).toBe('\u043f\u043e\u0447\u0442\u0430');
      expect(client.greeting.lines[2]).toContain('ESMTP');
      for (const text of [client.greeting.text, ...client.greeting.lines])
        expect(text).not.toMatch(/\p{Cc}/u);
      await client.close();
    });

    test('GRE-14 the end in place of a greeting', async () => {
      const server = await serve((peer) => peer.end());
      const error = await failureOf(connect(options(server, OFF)));
      expect(verdict(error)).toBe('ERR_SMTP_CLOSED in greeting, not-sent, reconnect');
    });

    test('GRE-15 a reset in place of a greeting', async () => {
      const server = await serve((peer) => peer.destroy(true));
      const error = await failureOf(connect(options(server, OFF)));
      // It may come before the client knows that it is connected.
      expect(verdict(error)).toMatch(
        /^ERR_SMTP_(CLOSED in greeting|CONNECT in connect), not-sent, reconnect$/,
      );
    });

    test('GRE-16 a greeting that ends with LF alone: no hang', async () => {
      const server = await serve(async (peer) => {
        peer.raw('220 x\n');
        await converse(peer, []);
      });
      const error = await failureOf(connect(options(server, OFF)));
      expect(error.code).toBe('ERR_SMTP_PROTOCOL');
    });

    test('GRE-17 a greeting where TLS was to begin: no plain SMTP, and no second try', async () => {
      const server = await serve((peer) => peer.say('220 mail.example.com ESMTP'));
      const error = await failureOf(
        connect(options(server, { tls: 'implicit', tlsOptions: { ca: certificates.ca } })),
      );
      expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
      await eventually(() => server.open === 0, 'the client leaves');
      await silence();
      expect(server.peers).toHaveLength(1);
      // A ClientHello (RFC 8446 §5.1), and nothing that is a command.
      expect(server.plain.slice(0, 2)).toBe('\x16\x03');
      expect(server.plain).not.toMatch(/EHLO|HELO|QUIT|MAIL|AUTH/);
    });

    test('GRE-18 a port that waits for TLS: the deadline passes, with a hint', async () => {
      const server = await serve((peer) => peer.startTls(certificates.pair()));
      const error = await failureOf(
        connect(options(server, { ...OFF, timeouts: { greeting: 80 } })),
      );
      expect(error.code).toBe('ERR_SMTP_TIMEOUT');
      expect(error.message).toMatch(/implicit/);
    });
  });

  describe('EHLO', () => {
    test('EHL-02 500 to EHLO: HELO, and MAIL without parameters', async () => {
      const heard = new Heard();
      const server = await serve(good([], { EHLO: '500 what?' }, heard));
      await deal(server, { content: 'caf\xe9\r\n' }, {}, { onUnsupported: 'drop' });
      expect(heard.verbs.slice(0, 2)).toEqual(['EHLO', 'HELO']);
      expect(heard.all('MAIL')).toEqual(['MAIL FROM:<a@client.example>']);
    });

    test('EHL-04 EHLO refused: that reply is reported', async () => {
      for (const code of [550, 554]) {
        const heard = new Heard();
        const refusal = `${code} 5.7.1 not you`;
        const server = await serve(good([], { EHLO: refusal, HELO: refusal }, heard));
        const error = await refused(server);
        expect(verdict(error)).toBe('ERR_SMTP_REPLY in ehlo, not-sent, never');
        expect(error.reply).toMatchObject({ code, enhanced: '5.7.1', text: 'not you' });
        await eventually(() => server.open === 0, 'the client leaves');
        expect(heard.commands.join('\n')).toMatch(/^EHLO \S+(\nHELO \S+)?(\nQUIT)?$/);
      }
    });

    test('EHL-05 421 to EHLO: no HELO, and temporary', async () => {
      const heard = new Heard();
      const server = await serve(good([], { EHLO: '421 4.3.2 shutting down' }, heard));
      const error = await refused(server);
      expect(error).toMatchObject({ delivery: 'not-sent', retry: 'later', reply: { code: 421 } });
      await eventually(() => server.open === 0, 'the client leaves');
      expect(heard.commands.join('\n')).toMatch(/^EHLO \S+(\nQUIT)?$/);
    });

    test('EHL-06 nothing offered: no parameter, no AUTH, one command for each reply', async () => {
      const heard = new Heard();
      const server = await serve(good([], {}, heard));
      // Whatever may be left out is asked for.
      await deal(
        server,
        {
          to: [{ address: 'b@example.com', notify: ['SUCCESS'], orcpt: 'b@example.org' }],
          content: 'Subject: caf\xe9\r\n\r\nHi\r\n',
          ret: 'HDRS',
          envid: 'x1',
        },
        {},
        { onUnsupported: 'drop' },
      );
      await deal(server);
      // That nothing is grouped is judged in every case.
      const session = [
        'EHLO [127.0.0.1]',
        'MAIL FROM:<a@client.example>',
        'RCPT TO:<b@example.com>',
        'DATA',
        'QUIT',
      ];
      expect(heard.commands).toEqual([...session, ...session]);
      // Credentials cannot be used.
      expect((await refused(server, {}, { auth: { user: 'u', pass: 'p' } })).code).toBe(
        'ERR_SMTP_AUTH',
      );
      expect(server.plain).not.toMatch(/AUTH/);
    });

    test('EHL-07 the argument of EHLO is a domain or an address literal', async () => {
      const heard = new Heard();
      const script = good([], {}, heard);
      const server = await serve(script);
      await deal(server);
      await deal(server, {}, { name: 'client.example' });
      await deal(server, {}, { name: '[192.0.2.1]' });
      await deal(await serve(script, '::1'), {}, { host: '::1' });
      expect(heard.all('EHLO')).toEqual([
        'EHLO [127.0.0.1]',
        'EHLO client.example',
        'EHLO [192.0.2.1]',
        'EHLO [IPv6:::1]',
      ]);
      // RFC 5321 §4.1.2: sub-domain = Let-dig [Ldh-str].
      const argument = /^EHLO ([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.|$))+$|^EHLO \[\S+\]$/;
      for (const name of ['', 'two words', 'under_score.example', '-a.example', 'a..b', '.']) {
        heard.commands.length = 0;
        await deal(server, {}, { name }).catch((error: unknown) => {
          expect(error, `name: ${JSON.stringify(name)}`).toBeInstanceOf(TypeError);
        });
        for (const line of heard.all('EHLO')) expect(line).toMatch(argument);
      }
    });

    test('EHL-08 a client name with a line break injects nothing', async () => {
      const heard = new Heard();
      const server = await serve(good([], {}, heard));
      for (const name of ['x\r\nMAIL FROM:<e>', 'x\nMAIL FROM:<e>', 'x\rMAIL FROM:<e>', 'x\0y']) {
        const error = await within(
          4_000,
          connect(options(server, { ...OFF, name })).then(
            () => 'it was taken',
            (reason: unknown) => reason,
          ),
        );
        expect(error).toBeInstanceOf(TypeError);
      }
      expect(heard.commands).toEqual([]);
      expect(server.plain).toBe('');
    });

    test('EHL-09 a client name outside ASCII goes as A-labels', async () => {
      const heard = new Heard();
      const server = await serve(good([], {}, heard));
      await deal(server, {}, { name: 'b\xfccher.example' });
      expect(heard.all('EHLO')).toEqual(['EHLO xn--bcher-kva.example']);
    });

    test('EHL-10 AUTH=LOGIN PLAIN, as it was written once: used, or said not to be there', async () => {
      const heard = new Heard();
      const server = await serve(goodSecurely(certificates.pair, ['AUTH=LOGIN PLAIN'], {}, heard));
      await deal(
        server,
        {},
        { tls: 'starttls', auth: { user: 'u', pass: 'p' }, tlsOptions: { ca: certificates.ca } },
      ).catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_SMTP_AUTH' }));
      if (heard.all('MAIL')[0]) expect(heard.all('AUTH')).toHaveLength(1);
    });

    test('EHL-12 keywords that are not known, further parameters, trailing blanks', async () => {
      const heard = new Heard();
      const server = await serve(
        good(
          [
            'XUNKNOWN a b=c',
            'size 1000 2000 x ',
            '8BITMIME foo',
            'PIPELINING  ',
            '',
            'X-Y.Z?',
            'ETRN\t',
          ],
          {},
          heard,
        ),
      );
      const { reply } = await deal(server, { content: 'caf\xe9\r\n' });
      expect(reply.code).toBe(250);
      expect(heard.all('MAIL')).toEqual(['MAIL FROM:<a@client.example> SIZE=7 BODY=8BITMIME']);
    });

    test('EHL-13 SIZE twice', async () => {
      const server = await serve(good(['SIZE 1000', 'SIZE 2000']));
      expect((await deal(server)).reply.code).toBe(250);
    });

    test('EHL-14 LIMITS RCPTMAX=2: no more recipients in one transaction', async () => {
      const heard = new Heard();
      const server = await serve(good(['LIMITS RCPTMAX=2'], {}, heard));
      const to = [1, 2, 3, 4, 5].map((at) => `b${at}@example.com`);
      const pool = createPool(options(server, OFF) as PoolOptions);
      const { accepted } = await within(4_000, pool.send({ ...MESSAGE, to }));
      await within(4_000, pool.close());
      expect(accepted).toEqual(to);
      expect(heard.messages.map(({ rcpt }) => rcpt.length)).toEqual([2, 2, 1]);
    });

    test('EHL-15 400 lines of 80 octets', async () => {
      const keywords = Array.from({ length: 400 }, (_, at) => `X${at} `.padEnd(74, 'y'));
      const server = await serve(good([...keywords, 'SIZE 1']));
      // What the last line says was read.
      expect((await refused(server)).code).toBe('ERR_SMTP_TOO_LARGE');
    });

    test('EHL-16 a last line with another code is no success', async () => {
      const heard = new Heard();
      const reply = ['250-mail.example.com', '250-PIPELINING', '550 no'];
      const server = await serve(good([], { EHLO: reply, HELO: reply }, heard));
      const error = await refused(server);
      expect(error).toMatchObject({ phase: 'ehlo', delivery: 'not-sent' });
      await eventually(() => server.open === 0, 'the client leaves');
      expect(heard.verbs.join()).toMatch(/^EHLO(,HELO)?(,QUIT)?$/);
    });

    test('EHL-17 SIZE=512000 with an equals sign', async () => {
      const server = await serve(good(['SIZE=512000']));
      expect((await deal(server)).reply.code).toBe(250);
    });

    test('EHL-18 an empty line in the reply to EHLO: no hang', async () => {
      const server = await serve(good([], { EHLO: ['250-mail.example.com', '', '250 SIZE'] }));
      expect((await refused(server)).code).toBe('ERR_SMTP_PROTOCOL');
    });

    test('EHL-19 one EHLO before TLS, and one in it', async () => {
      const heard = new Heard();
      const server = await serve(goodSecurely(certificates.pair, ['PIPELINING'], {}, heard));
      await deal(server, {}, { tls: 'starttls', tlsOptions: { ca: certificates.ca } });
      expect(server.plain.match(/^EHLO /gm)).toHaveLength(1);
      expect(server.peer().secured.match(/^EHLO /gm)).toHaveLength(1);
      expect(heard.all('EHLO')[0]).toBe(heard.all('EHLO')[1]);
    });
  });
});

describe('REP', () => {
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
          const text =
            '250 ok\r\n250 ok\r\n550-5.1.1 not\r\n550 5.1.1 there\r\n250 ok\r\n354 go\r\n';
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
        expect(verdict(await refused(server))).toBe(
          'ERR_SMTP_PROTOCOL in mail, not-sent, reconnect',
        );
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
        expect(verdict(await refused(server))).toBe(
          'ERR_SMTP_PROTOCOL in rcpt, not-sent, reconnect',
        );
        expect(heard.contents).toEqual([]);
      }
    });
  });

  describe('texts', () => {
    test('REP-14 NUL in the text changes nothing of what the reply says', async () => {
      const server = await serve(good([], { RCPT: '550 before\0 250 behind', dot: '250 a\0b' }));
      const error = await refused(server);
      expect(verdict(error)).toBe('ERR_SMTP_REPLY in rcpt, rejected, never');
      expect(error.reply?.code).toBe(550);
      expect(error.reply?.text).toMatch(/^before.? 250 behind$/u);
      const other = await serve(good([], { MAIL: '250 o\0k', dot: ['250-a\0', '250 \0b'] }));
      expect((await deal(other)).reply.code).toBe(250);
    });

    test('REP-15 octets in the text that are no UTF-8: the code is kept', async () => {
      for (const octets of [
        'caf\xe9',
        '\xff\xfe',
        '\xc3',
        '\xed\xa0\x80',
        '\xf8\x88\x80\x80\x80',
      ]) {
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
      expect(verdict(await failureOf(sending))).toBe(
        'ERR_SMTP_TIMEOUT in rcpt, not-sent, reconnect',
      );
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
});
