/** TLS: how it begins, with whom, and what follows where it does not. */
import { describe, expect, test } from 'vitest';
import { type ConnectOptions, connect } from '../../src/index.ts';
import {
  eventually,
  greet,
  type KeyPair,
  MESSAGE,
  offer,
  options,
  PASS,
  type ScriptedServer,
  USER,
  verdict,
} from '../e2e/scripted-server.ts';
import {
  deal,
  good,
  goodSecurely,
  Heard,
  type Kind,
  refused,
  silence,
  useCertificates,
  useJudgedServers,
} from './support.ts';

const serve = useJudgedServers();
const certificates = useCertificates('wrong-host', 'expired', 'self-signed', 'no-san');
const auth = { user: USER, pass: PASS };
/** By STARTTLS, required, with credentials. */
const SECURE = (): Partial<ConnectOptions> => ({
  tls: 'starttls',
  auth,
  tlsOptions: { ca: certificates.ca },
});

/** Nothing was said outside TLS but what has to be, and nothing of value. */
function nothingPlain(server: ScriptedServer): void {
  for (const { plain } of server.peers)
    expect(plain).toMatch(/^EHLO \S+\r\nSTARTTLS\r\n(QUIT\r\n)?$/);
}

describe('STARTTLS', () => {
  test('TLS-01 STARTTLS, a good certificate: EHLO again, and all of the rest under TLS', async () => {
    const heard = new Heard();
    const server = await serve(goodSecurely(certificates.pair, ['AUTH PLAIN'], {}, heard));
    const { reply } = await deal(server, {}, SECURE());
    expect(reply.code).toBe(250);
    expect(server.plain).toBe('EHLO [127.0.0.1]\r\nSTARTTLS\r\n');
    expect(heard.verbs).toEqual('EHLO STARTTLS EHLO AUTH MAIL RCPT DATA QUIT'.split(' '));
    expect(server.peer().secured).toMatch(/^EHLO .*QUIT\r\n$/s);
    expect(heard.messages[0]?.content).toBe(MESSAGE.content);
  });

  test('TLS-02 TLS required and not offered: neither AUTH nor MAIL', async () => {
    for (const keywords of [[], ['XSTARTTLS', 'AUTH PLAIN LOGIN', 'PIPELINING'], ['STARTTLSX']]) {
      const heard = new Heard();
      const server = await serve(good(keywords, {}, heard));
      const error = await refused(server, {}, SECURE());
      expect(verdict(error)).toBe('ERR_SMTP_TLS in starttls, not-sent, fix-first');
      await eventually(() => server.open === 0, 'the client leaves');
      expect(heard.verbs.join()).toMatch(/^EHLO(,STARTTLS)?(,QUIT)?$/);
    }
  });

  /** A server that refuses STARTTLS, and would take anything then. */
  const refusing = async (
    reply: string,
    to: Partial<ConnectOptions> = SECURE(),
  ): Promise<{ error: Awaited<ReturnType<typeof refused>>; heard: Heard }> => {
    const heard = new Heard();
    const server = await serve(good(['STARTTLS', 'AUTH PLAIN LOGIN'], { STARTTLS: reply }, heard));
    const error = await refused(server, {}, to);
    await eventually(() => server.open === 0, 'the client leaves');
    return { error, heard };
  };

  test('TLS-03 454 to STARTTLS, required: it ends, with that reply', async () => {
    const { error, heard } = await refusing('454 4.7.0 TLS not available');
    expect(verdict(error)).toBe('ERR_SMTP_TLS in starttls, not-sent, later');
    expect(error.reply?.code).toBe(454);
    expect(heard.verbs.join()).toMatch(/^EHLO,STARTTLS(,QUIT)?$/);
  });

  test('TLS-04 454 to STARTTLS, not required: the password does not go in plain', async () => {
    const { error, heard } = await refusing('454 TLS not available', {
      ...SECURE(),
      tls: 'opportunistic',
    });
    expect(error.code).toBe('ERR_SMTP_AUTH');
    expect(heard.verbs.join()).toMatch(/^EHLO,STARTTLS(,QUIT)?$/);
  });

  test('TLS-05 502 to a STARTTLS that was offered, required: it ends', async () => {
    const { error, heard } = await refusing('502 5.5.1 what?');
    expect(error).toMatchObject({
      code: 'ERR_SMTP_TLS',
      delivery: 'not-sent',
      reply: { code: 502 },
    });
    expect(heard.verbs.join()).toMatch(/^EHLO,STARTTLS(,QUIT)?$/);
  });

  test('TLS-06 354 to STARTTLS: no session without TLS, and no content', async () => {
    for (const tls of ['starttls', 'opportunistic'] as const) {
      const { error, heard } = await refusing('354 go ahead', { tls });
      expect(error.code).toMatch(/PROTOCOL|TLS/);
      // What follows 354 may be read as content: QUIT would be.
      expect(heard.verbs.join()).toMatch(/^EHLO,STARTTLS(,QUIT)?$/);
      expect(heard.contents).toEqual([]);
    }
  });

  test('TLS-08 half a line behind the 220, the rest of it under TLS: never read as one', async () => {
    const heard = new Heard();
    const server = await serve(
      goodSecurely(
        certificates.pair,
        [],
        {
          STARTTLS: async ({ peer }) => {
            peer.raw('220 go ahead\r\n250-AUTH PLA');
            await peer.startTls(certificates.pair());
          },
          EHLO: ({ nth }) => (nth ? ['IN', '250-x', '250 SIZE'] : offer('STARTTLS')),
        },
        heard,
      ),
    );
    const error = await refused(server, {}, SECURE());
    expect(error).toMatchObject({ delivery: 'not-sent' });
    await eventually(() => server.open === 0, 'the client leaves');
    expect(server.plain + server.peer().secured).not.toMatch(/AUTH|MAIL/);
  });

  test('TLS-10 EHLO refused under TLS: nothing goes back to plain', async () => {
    for (const to of [SECURE(), { ...SECURE(), auth: [] }]) {
      const heard = new Heard();
      const server = await serve(
        goodSecurely(
          certificates.pair,
          [],
          { EHLO: ({ nth }) => (nth ? '500 what?' : offer('STARTTLS', 'AUTH PLAIN')) },
          heard,
        ),
      );
      await deal(server, {}, to).catch((error: unknown) =>
        expect(error).toMatchObject({ delivery: 'not-sent' }),
      );
      await eventually(() => server.open === 0, 'the client leaves');
      nothingPlain(server);
      expect(server.peers).toHaveLength(1);
      // AUTH of the plain EHLO is forgotten.
      expect(heard.all('AUTH')).toEqual([]);
      expect(heard.verbs.slice(0, 3)).toEqual(['EHLO', 'STARTTLS', 'EHLO']);
    }
  });

  test('TLS-19 no octet between STARTTLS and the ClientHello', async () => {
    let first = '';
    const server = await serve(async (peer) => {
      await greet(peer, 'STARTTLS', 'PIPELINING', 'AUTH PLAIN');
      await peer.hear('STARTTLS');
      await silence();
      const before = peer.plain.length;
      expect(peer.plain).toMatch(/^EHLO \S+\r\nSTARTTLS\r\n$/);
      peer.say('220 go ahead');
      await peer.octets(5);
      first = peer.plain.slice(before);
      peer.end();
    });
    const error = await refused(server, {}, SECURE());
    expect(error.code).toBe('ERR_SMTP_TLS');
    // handshake(22), legacy_record_version (RFC 8446 §5.1), ClientHello.
    expect(first.slice(0, 2)).toBe('\x16\x03');
    expect(first[5]).toBe('\x01');
  });

  test('TLS-20 220, and then the end: no second try in plain', async () => {
    const server = await serve(async (peer) => {
      await greet(peer, 'STARTTLS', 'AUTH PLAIN');
      await peer.hear('STARTTLS');
      peer.say('220 go ahead');
      peer.end();
    });
    const error = await refused(server, {}, SECURE());
    expect(error).toMatchObject({ delivery: 'not-sent' });
    expect(error.code).toMatch(/TLS|CLOSED/);
    await silence(100);
    expect(server.peers).toHaveLength(1);
    expect(server.plain).not.toMatch(/AUTH|MAIL/);
  });

  test('TLS-21 220, and then silence: the handshake has a deadline', async () => {
    const server = await serve(async (peer) => {
      await greet(peer, 'STARTTLS');
      await peer.hear('STARTTLS');
      peer.say('220 go ahead');
    });
    const error = await refused(server, {}, { ...SECURE(), timeouts: { tls: 80 } });
    expect(error).toMatchObject({ code: 'ERR_SMTP_TIMEOUT', phase: 'tls' });
  });

  test('TLS-23 the end without close_notify, in the middle of the final reply: no success', async () => {
    for (const said of ['250', '250 queued', '250-queued\r\n', '250 queued\r']) {
      const server = await serve(
        goodSecurely(certificates.pair, [], {
          dot: async ({ peer }) => {
            peer.raw(said);
            await silence(10);
            peer.tcp.end();
          },
        }),
      );
      const error = await refused(server, {}, { ...SECURE(), auth: [] });
      expect(verdict(error)).toBe('ERR_SMTP_CLOSED in final, unknown, unknown');
    }
  });

  test('TLS-28 PIPELINING offered: nothing stands behind STARTTLS', async () => {
    let behind = '';
    const server = await serve(
      goodSecurely(certificates.pair, ['PIPELINING'], {
        EHLO: ({ nth }) => offer('PIPELINING', ...(nth ? [] : ['STARTTLS'])),
        STARTTLS: async ({ peer }) => {
          await silence();
          behind = peer.plain.replace(/^.*STARTTLS\r\n/s, '');
          peer.say('220 go ahead');
          await peer.startTls(certificates.pair());
        },
      }),
    );
    const client = await connect(options(server, { ...SECURE(), auth: [] }));
    // Where nothing waits in between.
    await Promise.all([client.send(MESSAGE), client.send(MESSAGE), client.close()]);
    expect(behind).toBe('');
    expect(server.plain).toBe('EHLO [127.0.0.1]\r\nSTARTTLS\r\n');
  });
});

describe('certificates', () => {
  /** What a client does about a certificate, by either way into TLS. */
  const judge = async (kind: Kind, ca: string | undefined, host = 'localhost'): Promise<void> => {
    for (const tls of ['starttls', 'implicit'] as const) {
      const server = await serve(async (peer) => {
        if (tls === 'starttls')
          return goodSecurely(() => certificates.pair(kind), ['AUTH PLAIN'])(peer, 0);
        await peer.startTls(certificates.pair(kind));
        await good(['AUTH PLAIN'])(peer, 0);
      });
      const error = await refused(
        server,
        {},
        { tls, auth, host, ...(ca && { tlsOptions: { ca } }) },
      );
      expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
      expect(error.cause).toBeInstanceOf(Error);
      await eventually(() => server.open === 0, 'the client leaves');
      // No application data: neither EHLO nor AUTH.
      for (const { secured } of server.peers) expect(secured).toBe('');
      expect(server.peers).toHaveLength(1);
      if (tls === 'starttls') nothingPlain(server);
    }
  };

  test('TLS-12 a certificate of an unknown CA', async () => {
    await judge('good', undefined);
    await judge('self-signed', certificates.ca);
  });

  test('TLS-13 a certificate for another host', async () => {
    await judge('wrong-host', certificates.ca);
    await judge('wrong-host', certificates.ca, '127.0.0.1');
  });

  test('TLS-14 an expired certificate', async () => {
    await judge('expired', certificates.ca);
  });

  test('TLS-15 a certificate that has the host in its CN, and nowhere else', async () => {
    // Nothing else is wrong with it: who does not look at the host takes it.
    const server = await serve(goodSecurely(() => certificates.pair('no-san')));
    const lax = { ca: certificates.ca, checkServerIdentity: () => undefined };
    await deal(server, {}, { tls: 'starttls', host: 'localhost', tlsOptions: lax });
    await judge('no-san', certificates.ca);
  });

  test('TLS-16 a server that speaks nothing newer than TLS 1.1', async () => {
    for (const maxVersion of ['TLSv1.1', 'TLSv1'] as const) {
      const old = { maxVersion, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      const pair = (): KeyPair => ({ ...certificates.pair(), ...old });
      const server = await serve(goodSecurely(pair, ['AUTH PLAIN']));
      const error = await refused(server, {}, SECURE());
      expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
      await eventually(() => server.open === 0, 'the client leaves');
      expect(server.peer().secured).toBe('');
      nothingPlain(server);
      // The server does speak it, with whoever wants that.
      const tlsOptions = { ca: certificates.ca, minVersion: old.minVersion, ciphers: old.ciphers };
      await deal(server, {}, { ...SECURE(), tlsOptions });
    }
  });

  test('TLS-17 the name of the host is sent as SNI, an address is not', async () => {
    const names: string[] = [];
    const pair = (): KeyPair =>
      ({
        ...certificates.pair(),
        SNICallback(name: string, answer: (error: null, context?: undefined) => void) {
          names.push(name);
          answer(null, undefined);
        },
      }) as KeyPair;
    const server = await serve(goodSecurely(pair));
    const tlsOptions = { ca: certificates.ca };
    await deal(server, {}, { tls: 'starttls', host: 'localhost', tlsOptions });
    expect(names).toEqual(['localhost']);
    await deal(server, {}, { tls: 'starttls', host: '127.0.0.1', tlsOptions });
    expect(names).toEqual(['localhost']);
  });

  test('TLS-27 a server that asks for a certificate of the client', async () => {
    const pair = (): KeyPair =>
      ({ ...certificates.pair(), requestCert: true, rejectUnauthorized: false }) as KeyPair;
    const server = await serve(goodSecurely(pair, ['AUTH PLAIN']));
    expect((await deal(server, {}, SECURE())).reply.code).toBe(250);
  });
});

describe('REQUIRETLS', () => {
  test('TLS-24 wanted, and not offered under TLS: no MAIL', async () => {
    const heard = new Heard();
    const server = await serve(
      goodSecurely(
        certificates.pair,
        [],
        // What is offered outside TLS does not count.
        { EHLO: ({ nth }) => offer(...(nth ? ['8BITMIME'] : ['STARTTLS', 'REQUIRETLS'])) },
        heard,
      ),
    );
    for (const onUnsupported of ['error', 'drop'] as const) {
      const to = { ...SECURE(), auth: [] };
      const error = await refused(server, { requireTls: true }, to, { onUnsupported });
      expect(verdict(error)).toBe('ERR_SMTP_UNSUPPORTED in mail, not-sent, fix-first');
    }
    expect(heard.all('MAIL')).toEqual([]);
    expect(heard.all('QUIT')).toHaveLength(2);
  });

  test('TLS-25 wanted, and no TLS: no MAIL', async () => {
    const heard = new Heard();
    const server = await serve(good(['REQUIRETLS', 'PIPELINING'], {}, heard));
    for (const tls of ['off', 'opportunistic'] as const) {
      const error = await refused(server, { requireTls: true }, { tls }, { onUnsupported: 'drop' });
      expect(verdict(error)).toBe('ERR_SMTP_UNSUPPORTED in mail, not-sent, fix-first');
    }
    expect(heard.all('MAIL')).toEqual([]);
  });

  test('TLS-26 offered under TLS: MAIL has it', async () => {
    const heard = new Heard();
    const server = await serve(goodSecurely(certificates.pair, ['REQUIRETLS'], {}, heard));
    await deal(server, { requireTls: true }, { ...SECURE(), auth: [] });
    await deal(server, {}, { ...SECURE(), auth: [] });
    expect(heard.all('MAIL')).toEqual([
      'MAIL FROM:<a@client.example> REQUIRETLS',
      'MAIL FROM:<a@client.example>',
    ]);
  });
});
