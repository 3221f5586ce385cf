/** ENV, SIZ, UTF, DSN and PIP: what MAIL and RCPT say, alone and in groups, and what is made of their replies. */
import { describe, expect, test } from 'vitest';
import { connect, type OutgoingMessage } from '../../src/index.ts';
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
  type Answers,
  deal,
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

describe('ENV, SIZ, UTF and DSN', () => {
  const OFF = { tls: 'off' } as const;
  const GROUPED = [[], ['PIPELINING']] as const;

  /** What is said of a message by a server that offers this, and takes everything. */
  async function said(
    message: Partial<OutgoingMessage>,
    ...keywords: readonly string[]
  ): Promise<Heard> {
    const heard = new Heard();
    await deal(await serve(good(keywords, {}, heard)), message);
    return heard;
  }

  /** Everything that is offered: then nothing is refused because it is not. */
  const ALL = [
    'PIPELINING',
    'SIZE',
    '8BITMIME',
    'SMTPUTF8',
    'DSN',
    'DELIVERBY',
    'MT-PRIORITY',
    'FUTURERELEASE',
  ];

  /** What the client says of messages that have to be refused before anything is said. */
  async function refusedHere(
    messages: readonly Partial<OutgoingMessage>[],
    ...keywords: readonly string[]
  ): Promise<void> {
    const heard = new Heard();
    const server = await serve(good(keywords, {}, heard));
    const client = await within(4_000, connect(options(server, OFF)));
    for (const message of messages) {
      const outcome = await within(4_000, client.send({ ...MESSAGE, ...message })).catch(
        (error: unknown) => error,
      );
      expect(outcome, JSON.stringify(message)).toBeInstanceOf(TypeError);
    }
    await client.close();
    expect(heard.verbs).toEqual(['EHLO', 'QUIT']);
  }

  describe('addresses', () => {
    test('ENV-01 no blank around the colon', async () => {
      const heard = await said({});
      expect(heard.commands.slice(1, 3)).toEqual([
        'MAIL FROM:<a@client.example>',
        'RCPT TO:<b@example.com>',
      ]);
    });

    test('ENV-02 the null sender', async () => {
      expect((await said({ from: '' })).all('MAIL')).toEqual(['MAIL FROM:<>']);
    });

    test('ENV-03 a quoted local part keeps its quotes', async () => {
      const heard = await said({
        from: '"a b"@x.example',
        to: ['"c\\"d>"@x.example', '"@"@x.example'],
      });
      expect(heard.all('MAIL')).toEqual(['MAIL FROM:<"a b"@x.example>']);
      expect(heard.all('RCPT')).toEqual([
        'RCPT TO:<"c\\"d>"@x.example>',
        'RCPT TO:<"@"@x.example>',
      ]);
    });

    test('ENV-04 the case of a local part is kept', async () => {
      const heard = await said({ from: 'MiXed@client.example', to: 'ToM@example.com' });
      expect(heard.commands.slice(1, 3)).toEqual([
        'MAIL FROM:<MiXed@client.example>',
        'RCPT TO:<ToM@example.com>',
      ]);
    });

    test('ENV-06 an address with a line break is refused', async () => {
      const bad = ['\r\n', '\n', '\r', '\0', '\x85'].flatMap((end) => [
        `a@b${end}RCPT TO:<evil@example.com>`,
        `a${end}@b.example`,
        `"a${end}"@b.example`,
        `a@b.example${end}`,
      ]);
      await refusedHere(
        [
          ...bad.map((from) => ({ from })),
          ...bad.map((to) => ({ to })),
          ...bad.map((address) => ({ to: [MESSAGE.to, { address }] })),
        ],
        ...ALL,
      );
    });

    test('ENV-07 no parameter comes in by an address', async () => {
      const bad = [
        'a@b.example> NOTIFY=NEVER <x',
        'a@b.example SIZE=1',
        'a@b.example>',
        '<a@b.example>',
        'a@b.example> SIZE=1',
        '>@b.example',
        'a b@b.example',
        'a@b.example,c@d.example',
        '@relay.example:a@b.example',
      ];
      await refusedHere([...bad.map((from) => ({ from })), ...bad.map((to) => ({ to }))], ...ALL);
    });

    test('ENV-08 a line break in a parameter makes no command', async () => {
      for (const end of ['\r\n', '\n', '\r']) {
        const evil = `1${end}RCPT TO:<evil@example.com>`;
        const messages: Partial<OutgoingMessage>[] = [
          { envid: evil },
          { size: evil as never, content: (async function* () {})() },
          { to: [{ address: MESSAGE.to, orcpt: evil }] },
          { to: [{ address: MESSAGE.to, orcpt: `x400;${evil}` }] },
          { to: [{ address: MESSAGE.to, notify: [evil as never] }] },
          { ret: evil as never },
          { body: evil as never },
          { priority: evil as never },
          { holdFor: evil as never },
          { deliverBy: { seconds: 1, mode: evil as never } },
          { deliverBy: { seconds: evil as never, mode: 'R' } },
        ];
        const heard = new Heard();
        const server = await serve(good(ALL, {}, heard));
        const client = await connect(options(server, OFF));
        for (const message of messages) {
          const outcome = await within(4_000, client.send({ ...MESSAGE, ...message })).catch(
            (error: unknown) => error,
          );
          // Refused, or encoded: but not said.
          if (!(outcome instanceof TypeError))
            expect(outcome, JSON.stringify(message)).toMatchObject({ accepted: [MESSAGE.to] });
        }
        await client.close();
        expect(heard.commands.filter((line) => line.includes('evil@'))).toEqual([]);
      }
    });

    test('ENV-18 150 recipients', async () => {
      for (const keywords of GROUPED) {
        const to = Array.from({ length: 150 }, (_, at) => `b${at}@example.com`);
        const heard = new Heard();
        const { accepted } = await deal(await serve(good([...keywords], {}, heard)), { to });
        expect(accepted).toEqual(to);
        expect(heard.messages.flatMap(({ rcpt }) => rcpt)).toEqual(
          to.map((address) => `RCPT TO:<${address}>`),
        );
      }
    });

    test('ENV-19 a domain outside ASCII, no SMTPUTF8: A-labels', async () => {
      const heard = await said({
        from: 'a@b\xfccher.example',
        to: 'b@\u043f\u0440\u0438\u043c\u0435\u0440.example',
      });
      expect(heard.commands.slice(1, 3)).toEqual([
        'MAIL FROM:<a@xn--bcher-kva.example>',
        'RCPT TO:<b@xn--e1afmkfd.example>',
      ]);
    });

    test('ENV-20 a domain literal is kept', async () => {
      const heard = await said({ from: 'a@[192.0.2.1]', to: 'b@[IPv6:2001:db8::1]' });
      expect(heard.commands.slice(1, 3)).toEqual([
        'MAIL FROM:<a@[192.0.2.1]>',
        'RCPT TO:<b@[IPv6:2001:db8::1]>',
      ]);
    });

    test('ENV-21 what is too long is refused or sent whole, never cut', async () => {
      const long = [
        `${'x'.repeat(65)}@example.com`,
        `${'x'.repeat(200)}@example.com`,
        `b@${'sub.'.repeat(70)}example.com`,
        `b@${'y'.repeat(64)}.example.com`,
      ];
      for (const address of long) {
        const heard = new Heard();
        const server = await serve(good([], {}, heard));
        for (const message of [{ from: address }, { to: address }])
          await deal(server, message).catch((error: unknown) =>
            expect(error).toBeInstanceOf(TypeError),
          );
        for (const line of [...heard.all('MAIL'), ...heard.all('RCPT')])
          expect(['<a@client.example>', '<b@example.com>', `<${address}>`]).toContain(
            line.replace(/^.*?:/, ''),
          );
      }
    });

    test('ENV-22 one recipient twice: asked for twice', async () => {
      const heard = await said({ to: [MESSAGE.to, MESSAGE.to] });
      expect(heard.messages[0]?.rcpt).toHaveLength(2);
    });

    test('ENV-23 MAIL with many parameters is not longer than each extension allows', async () => {
      // The growth that each one allows: RFC 1870 §3, 6152 §2, 6531 §3.1, 8689 §2, 3461 §10.1, 2852 §2, 6710 §3, 4865 §3.
      const growth = 26 + 17 + 10 + 11 + 107 + 17 + 15 + 34;
      const heard = new Heard();
      const server = await serve(
        goodSecurely(certificates.pair, [...ALL, 'REQUIRETLS'], {}, heard),
      );
      const message = {
        from: `${'x'.repeat(64)}@${'y'.repeat(60)}.${'z'.repeat(60)}.${'w'.repeat(60)}.ex`,
        content: 'caf\xe9\r\n',
        smtpUtf8: true,
        requireTls: true,
        ret: 'HDRS',
        deliverBy: { seconds: 999_999_999, mode: 'R', trace: true },
        priority: -9,
        holdUntil: new Date('2030-01-01T00:00:00Z'),
      } as const;
      const to = { tls: 'starttls', tlsOptions: { ca: certificates.ca } } as const;
      await deal(server, { ...message, envid: '='.repeat(33) }, to);
      const [line = ''] = heard.all('MAIL');
      expect(
        line
          .split(' ')
          .map((word) => word.split('=')[0])
          .sort(),
      ).toEqual(
        [
          `FROM:<${message.from}>`,
          ...'MAIL SIZE BODY SMTPUTF8 REQUIRETLS RET ENVID BY MT-PRIORITY HOLDUNTIL'.split(' '),
        ].sort(),
      );
      // With its CR LF.
      expect(line.length + 2).toBeLessThanOrEqual(512 + growth);
      // What would make it longer is refused.
      for (const more of [
        { envid: '='.repeat(34) },
        { envid: 'x'.repeat(101) },
        { from: `${'x'.repeat(255)}@example.com` },
        { deliverBy: { seconds: 1e10, mode: 'R' } },
        { priority: -10 },
      ] as const) {
        const outcome = await deal(server, { ...message, ...more }, to).catch(
          (error: unknown) => error,
        );
        expect(outcome).toBeInstanceOf(TypeError);
      }
      expect(heard.all('MAIL')).toHaveLength(1);
    });
  });

  describe('replies to MAIL and RCPT', () => {
    /** What becomes of a message to b@, no@ and c@, where `no` is answered so. */
    const to = ['b@example.com', 'no@example.com', 'c@example.com'];
    const refusing = (reply: string): Answers => ({
      RCPT: ({ line }) => (line.includes('<no') ? reply : '250 ok'),
    });

    test('ENV-10 all recipients refused: no DATA, where nothing is grouped', async () => {
      const heard = new Heard();
      const server = await serve(good([], { RCPT: '550 5.1.1 nobody there' }, heard));
      const error = await refused(server, { to });
      expect(verdict(error)).toBe('ERR_SMTP_REPLY in rcpt, rejected, never');
      expect(error.rejected?.map(({ address }) => address)).toEqual(to);
      expect(heard.verbs).toEqual('EHLO MAIL RCPT RCPT RCPT QUIT'.split(' '));
    });

    test('ENV-11 450 and 550 for different recipients: each its own, temporary if any is', async () => {
      for (const keywords of GROUPED) {
        const server = await serve(
          good([...keywords], {
            RCPT: ({ nth }) => ['450 4.2.0 later', '550 5.1.1 never'][nth] as string,
            DATA: '503 no recipient',
          }),
        );
        const error = await refused(server, { to: ['b@example.com', 'c@example.com'] });
        expect(verdict(error)).toBe('ERR_SMTP_REPLY in rcpt, rejected, later');
        expect(error.rejected).toMatchObject([
          { address: 'b@example.com', reply: { code: 450, enhanced: '4.2.0' } },
          { address: 'c@example.com', reply: { code: 550, enhanced: '5.1.1' } },
        ]);
      }
    });

    test('ENV-12 251 and 252 to RCPT accept', async () => {
      for (const keywords of GROUPED)
        for (const reply of ['251 will forward', '252 will try']) {
          const heard = new Heard();
          const receipt = await deal(await serve(good([...keywords], refusing(reply), heard)), {
            to,
          });
          expect(receipt).toMatchObject({ accepted: to, rejected: [] });
          expect(heard.messages).toHaveLength(1);
        }
    });

    test('ENV-13 551 to RCPT refuses, and nothing is redirected', async () => {
      const heard = new Heard();
      const server = await serve(
        good([], { RCPT: '551 User not local; please try <other@example.org>' }, heard),
      );
      const error = await refused(server);
      expect(verdict(error)).toBe('ERR_SMTP_REPLY in rcpt, rejected, never');
      expect(error.rejected).toMatchObject([{ address: MESSAGE.to, reply: { code: 551 } }]);
      expect(server.peers).toHaveLength(1);
      expect(heard.all('RCPT')).toEqual([`RCPT TO:<${MESSAGE.to}>`]);
    });

    test('ENV-14 452 or 552 from the 101st recipient on: those are told apart', async () => {
      const many = Array.from({ length: 103 }, (_, at) => `b${at}@example.com`);
      for (const code of [452, 552]) {
        const server = await serve(
          good(['PIPELINING'], { RCPT: ({ nth }) => (nth < 100 ? '250 ok' : `${code} too many`) }),
        );
        const { accepted, rejected } = await deal(server, { to: many });
        expect(accepted).toEqual(many.slice(0, 100));
        expect(rejected.map(({ address, reply }) => [address, reply.code])).toEqual(
          many.slice(100).map((address) => [address, code]),
        );
      }
    });

    test('ENV-15 550 to MAIL: neither RCPT nor DATA, where nothing is grouped', async () => {
      const heard = new Heard();
      const server = await serve(good([], { MAIL: '550 5.7.1 not you' }, heard));
      const error = await refused(server);
      expect(verdict(error)).toBe('ERR_SMTP_REPLY in mail, rejected, never');
      expect(error.reply).toMatchObject({ code: 550, text: 'not you' });
      // It is about the sender: no recipient was refused.
      expect(error.rejected ?? []).toEqual([]);
      expect(heard.verbs).toEqual(['EHLO', 'MAIL', 'QUIT']);
    });

    test('ENV-16 451 to MAIL is temporary', async () => {
      for (const keywords of GROUPED) {
        const server = await serve(
          good([...keywords], { MAIL: '451 4.3.0 later', RCPT: '503 no', DATA: '503 no' }),
        );
        expect(verdict(await refused(server))).toBe('ERR_SMTP_REPLY in mail, rejected, later');
      }
    });
  });

  describe('SIZE', () => {
    const stream = (...blocks: readonly string[]): AsyncIterable<Uint8Array> =>
      (async function* () {
        for (const block of blocks) yield Buffer.from(block);
      })();

    test('SIZ-01 more than the server takes is refused here', async () => {
      const heard = new Heard();
      const server = await serve(good(['SIZE 512000'], {}, heard));
      const error = await refused(server, { content: 'x'.repeat(70).concat('\r\n').repeat(8_600) });
      expect(verdict(error)).toBe('ERR_SMTP_TOO_LARGE in mail, not-sent, fix-first');
      expect(heard.verbs).toEqual(['EHLO', 'QUIT']);
    });

    test.each([['CHUNKING'], ['PIPELINING'], ['PIPELINING', 'CHUNKING']])(
      'nothing of a stream goes out that passes the announced SIZE: %s %s',
      async (...keywords) => {
        const heard = new Heard();
        const server = await serve(good(['SIZE 150000', ...keywords], {}, heard));
        const block = `${'x'.repeat(70)}\r\n`.repeat(1_000);
        const written: number[] = [];
        const error = await refused(server, { content: stream(block, block, block) });
        expect(verdict(error)).toBe('ERR_SMTP_TOO_LARGE in content, not-sent, fix-first');
        expect(error.message).toBe('Cannot send the message: the server accepts 150000');
        expect(heard.messages).toEqual([]);
        for (const line of heard.all('BDAT')) written.push(Number(line.split(' ')[1]));
        expect(written.reduce((sum, octets) => sum + octets, 0)).toBeLessThanOrEqual(150_000);
        // Exactly as much is a message.
        expect(
          (await said({ content: stream('x'.repeat(8).concat('\r\n')) }, 'SIZE 10', ...keywords))
            .messages,
        ).toHaveLength(1);
      },
    );

    test('SIZ-02 SIZE= is not less than what is sent', async () => {
      for (const content of ['a\nb\nc', '.\r\n..\r\n', '', 'x', 'caf\xe9\r\n', 'a\rb\r\n']) {
        const heard = await said({ content }, 'SIZE 100000', '8BITMIME');
        const declared = Number(/ SIZE=(\d+)/.exec(heard.all('MAIL')[0] ?? '')?.[1]);
        // CR LF counts, what is doubled does not (RFC 1870 §3).
        expect(declared).toBeGreaterThanOrEqual(heard.messages[0]?.content.length as number);
      }
    });

    test('SIZ-04 SIZE without a number is no limit', async () => {
      for (const keyword of ['SIZE', 'SIZE 0', 'SIZE '])
        expect((await said({}, keyword)).messages).toHaveLength(1);
    });

    test('SIZ-05 SIZE not offered: not declared', async () => {
      const heard = new Heard();
      const server = await serve(good(['PIPELINING', 'XSIZE 1', 'SIZES'], {}, heard));
      await deal(server);
      await deal(server, { content: stream('Hi\r\n'), size: 4 });
      expect(heard.messages).toHaveLength(2);
      for (const line of heard.all('MAIL')) expect(line).toBe('MAIL FROM:<a@client.example>');
    });

    test('SIZ-06 a limit beyond all numbers is no small one', async () => {
      const content = `${'x'.repeat(70)}\r\n`.repeat(1_000);
      for (const limit of [
        '99999999999999999999',
        '18446744073709551617',
        '4294967296',
        '9'.repeat(400),
      ])
        expect((await said({ content }, `SIZE ${limit}`)).messages).toHaveLength(1);
    });

    test('SIZ-07 a value that is none is ignored', async () => {
      for (const value of ['abc', '-1', '1e1', '0x1', '1,000', '1.5'])
        expect((await said({}, `SIZE ${value}`)).messages).toHaveLength(1);
    });

    test('SIZ-08 552 and 452 to MAIL: permanent and temporary, and RSET or QUIT is next', async () => {
      for (const [code, retry] of [
        [552, 'never'],
        [452, 'later'],
      ] as const) {
        const heard = new Heard();
        const server = await serve(good(['SIZE 1000000'], { MAIL: `${code} too big` }, heard));
        const error = await refused(server);
        expect(verdict(error)).toBe(`ERR_SMTP_REPLY in mail, rejected, ${retry}`);
        expect(error.reply?.code).toBe(code);
        expect(heard.verbs.join()).toMatch(/^EHLO,MAIL(,RSET)?,QUIT$/);
      }
    });

    test('SIZ-09 552 to one recipient: that one is refused', async () => {
      for (const keywords of GROUPED) {
        const server = await serve(
          good(['SIZE', ...keywords], {
            RCPT: ({ line }) => (line.includes('<no') ? '552 5.2.2 mailbox full' : '250 ok'),
          }),
        );
        expect(await deal(server, { to: [MESSAGE.to, 'no@example.com'] })).toMatchObject({
          accepted: [MESSAGE.to],
          rejected: [{ address: 'no@example.com', reply: { code: 552 } }],
        });
      }
    });

    test('SIZ-10 552 to the dot', async () => {
      const server = await serve(good(['SIZE'], { dot: '552 5.3.4 too big' }));
      const error = await refused(server);
      expect(verdict(error)).toBe('ERR_SMTP_REPLY in final, rejected, never');
      expect(error.reply).toMatchObject({ code: 552, enhanced: '5.3.4' });
    });
  });

  describe('SMTPUTF8', () => {
    const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
    const USER = '\u043f\u043e\u0447\u0442\u0430@example.com';

    test('UTF-02 offered: the address goes as UTF-8, with SMTPUTF8', async () => {
      const heard = await said({ to: USER }, 'SMTPUTF8', '8BITMIME');
      expect(heard.all('MAIL')[0]).toMatch(/^MAIL FROM:<a@client\.example>( .*)? SMTPUTF8( |$)/);
      expect(heard.all('RCPT')).toEqual([utf8(`RCPT TO:<${USER}>`)]);
      const from = await said({ from: USER }, 'SMTPUTF8', '8BITMIME');
      expect(from.all('MAIL')[0]).toBe(utf8(`MAIL FROM:<${USER}> SMTPUTF8`));
      // Not offered: nothing of it is said.
      const none = new Heard();
      const server = await serve(good([], {}, none));
      expect((await refused(server, { to: USER })).code).toBe('ERR_SMTP_UNSUPPORTED');
      expect(none.verbs).toEqual(['EHLO', 'QUIT']);
    });

    test('UTF-03 offered, and all in ASCII: no SMTPUTF8', async () => {
      const heard = await said({}, 'SMTPUTF8', '8BITMIME');
      expect(heard.all('MAIL')).toEqual(['MAIL FROM:<a@client.example>']);
    });

    test('UTF-04 a domain outside ASCII, not offered: A-labels', async () => {
      const heard = await said({ to: 'b@b\xfccher.example' });
      expect(heard.commands.slice(1, 3)).toEqual([
        'MAIL FROM:<a@client.example>',
        'RCPT TO:<b@xn--bcher-kva.example>',
      ]);
    });

    test('UTF-06 parameters of SMTPUTF8 are ignored', async () => {
      const heard = await said({ to: USER }, 'SMTPUTF8 foo bar=1', '8BITMIME');
      expect(heard.messages).toHaveLength(1);
      expect(heard.all('MAIL')[0]).toContain(' SMTPUTF8');
    });

    test('UTF-07 SMTPUTF8 without 8BITMIME: nothing hangs', async () => {
      const heard = await said({ to: USER }, 'SMTPUTF8');
      expect(heard.all('MAIL')).toEqual(['MAIL FROM:<a@client.example> SMTPUTF8']);
    });

    test('UTF-08 half a surrogate pair in an address is refused', async () => {
      const bad = [
        'a\ud800@b.example',
        '\udc00@b.example',
        'a@b\ud800.example',
        '"\ud83d"@b.example',
      ];
      await refusedHere([...bad.map((from) => ({ from })), ...bad.map((to) => ({ to }))], ...ALL);
    });
  });

  describe('DSN', () => {
    const DSN = {
      ret: 'HDRS',
      envid: 'QQ314159',
      to: [{ address: MESSAGE.to, notify: ['SUCCESS', 'FAILURE'], orcpt: 'Bob@example.org' }],
    } as const;

    test('DSN-01 asked for and not offered: no RET, ENVID, NOTIFY or ORCPT', async () => {
      const heard = new Heard();
      const server = await serve(good(['PIPELINING', 'XDSN'], {}, heard));
      expect((await refused(server, DSN)).code).toBe('ERR_SMTP_UNSUPPORTED');
      expect(heard.all('MAIL')).toEqual([]);
      await deal(server, DSN, {}, { onUnsupported: 'drop' });
      expect([...heard.all('MAIL'), ...heard.all('RCPT')]).toEqual([
        'MAIL FROM:<a@client.example>',
        `RCPT TO:<${MESSAGE.to}>`,
      ]);
      // Where it is offered, they are said.
      const offered = await said(DSN, 'DSN');
      expect([...offered.all('MAIL'), ...offered.all('RCPT')]).toEqual([
        'MAIL FROM:<a@client.example> RET=HDRS ENVID=QQ314159',
        `RCPT TO:<${MESSAGE.to}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob@example.org`,
      ]);
    });

    test('DSN-03 NEVER together with others is refused', async () => {
      const lists = [['NEVER', 'SUCCESS'], ['FAILURE', 'NEVER'], ['NEVER', 'NEVER'], [''], ['x']];
      await refusedHere(
        lists.map((notify) => ({ to: [{ address: MESSAGE.to, notify: notify as never }] })),
        'DSN',
      );
      const heard = await said({ to: [{ address: MESSAGE.to, notify: 'NEVER' }] }, 'DSN');
      expect(heard.all('RCPT')).toEqual([`RCPT TO:<${MESSAGE.to}> NOTIFY=NEVER`]);
    });

    test('DSN-04 ENVID over 100 octets and ORCPT over 500 are refused', async () => {
      const orcpt = (text: string) => ({ to: [{ address: MESSAGE.to, orcpt: text }] });
      await refusedHere(
        [
          { envid: 'x'.repeat(101) },
          // Encoded, each is three.
          { envid: '+'.repeat(34) },
          orcpt(`${'x'.repeat(500)}@example.org`),
          orcpt(`${'='.repeat(170)}@example.org`),
          orcpt(`rfc822;${'x'.repeat(500)}`),
        ],
        'DSN',
      );
      const heard = await said(
        { envid: 'x'.repeat(100), ...orcpt(`rfc822;${'x'.repeat(400)}`) },
        'DSN',
      );
      expect(heard.all('MAIL')[0]).toContain(` ENVID=${'x'.repeat(100)}`);
      expect(heard.all('RCPT')[0]).toContain(` ORCPT=rfc822;${'x'.repeat(400)}`);
    });

    test('DSN-05 a line break in ENVID is encoded or refused', async () => {
      await refusedHere(
        ['a\r\nRCPT TO:<evil@example.com>', 'a\nb', 'a\rb', 'a\0b', 'caf\xe9'].map((envid) => ({
          envid,
        })),
        'DSN',
      );
      const heard = await said({ envid: 'a b+c=d' }, 'DSN');
      expect(heard.all('MAIL')).toEqual(['MAIL FROM:<a@client.example> ENVID=a+20b+2Bc+3Dd']);
    });
  });
});

describe('PIP', () => {
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
      good(
        ['PIPELINING'],
        { MAIL: '550 5.7.1 not you', RCPT: '503 no MAIL', dot: '554 no' },
        heard,
      ),
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
            line.includes('<no')
              ? ['550-5.1.1 x', '550-5.1.1 y', '550 5.1.1 z']
              : ['250-', '250 ok'],
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
      options(server, {
        ...OFF,
        clock,
        timeouts: { mail: 7e4, rcpt: 7e4, data: 2_000, total: 6e4 },
      }),
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
});
