/** GRE and EHL: what comes before the first command, and what the server says that it offers. */
import { describe, expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import { createPool, type PoolOptions } from '../../src/pool/index.ts';
import {
  eventually,
  failureOf,
  MESSAGE,
  options,
  type Peer,
  verdict,
  within,
} from '../e2e/scripted-server.ts';
import {
  converse,
  deal,
  drip,
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
    const error = await failureOf(connect(options(server, { ...OFF, timeouts: { greeting: 80 } })));
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
