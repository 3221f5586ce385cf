/** TLS and AUT: with whom the client speaks, who it says that it is, and what follows where either fails. */

import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type ConnectOptions,
  connect,
  type SmtpError,
  type TranscriptEvent,
} from '../../src/index.ts';
import {
  external,
  login,
  oauthBearer,
  plain,
  type SaslMechanism,
  scramSha1,
  scramSha256,
  xoauth2,
} from '../../src/sasl/index.ts';
import {
  eventually,
  everythingIn,
  greet,
  type KeyPair,
  MESSAGE,
  offer,
  options,
  PASS,
  type Peer,
  PLAIN,
  type ScriptedServer,
  USER,
  verdict,
} from '../e2e/scripted-server.ts';
import { ScramServer } from '../sasl/scram-server.ts';
import {
  type Answers,
  deal,
  type Ear,
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

describe('TLS', () => {
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
      const server = await serve(
        good(['STARTTLS', 'AUTH PLAIN LOGIN'], { STARTTLS: reply }, heard),
      );
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
      // The first line of a reply to EHLO names the server: what is injected may stand behind one.
      for (const injected of [
        '250-AUTH PLA',
        '250-evil.example\r\n250-AUTH PLA',
        '250-evil\r\n250 AUTH PLA',
      ]) {
        const heard = new Heard();
        const server = await serve(
          goodSecurely(
            certificates.pair,
            [],
            {
              STARTTLS: async ({ peer }) => {
                peer.raw(`220 go ahead\r\n${injected}`);
                await peer.startTls(certificates.pair());
              },
              EHLO: ({ nth }) =>
                nth ? ['IN', '250-mail.example.com', '250 SIZE'] : offer('STARTTLS'),
            },
            heard,
          ),
        );
        expect(await refused(server, {}, SECURE())).toMatchObject({ delivery: 'not-sent' });
        await eventually(() => server.open === 0, 'the client leaves');
        expect(server.plain + server.peer().secured).not.toMatch(/AUTH|MAIL/);
      }
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
        const tlsOptions = {
          ca: certificates.ca,
          minVersion: old.minVersion,
          ciphers: old.ciphers,
        };
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
        const error = await refused(
          server,
          { requireTls: true },
          { tls },
          { onUnsupported: 'drop' },
        );
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
});

describe('AUT', () => {
  const auth = { user: USER, pass: PASS };
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const decode = (text = ''): string => Buffer.from(text, 'base64').toString();
  /** By STARTTLS, with these credentials. */
  const by = (given: NonNullable<ConnectOptions['auth']>): Partial<ConnectOptions> => ({
    tls: 'starttls',
    auth: given,
    tlsOptions: { ca: certificates.ca },
  });

  /** What was said in an exchange behind the AUTH line, line by line, in answer to the challenges. */
  async function exchange(
    { peer, ear }: { readonly peer: Peer; readonly ear: Ear },
    ...challenges: readonly string[]
  ): Promise<string[]> {
    const said: string[] = [];
    for (const challenge of challenges) {
      peer.say(challenge);
      said.push(await ear.line());
    }
    return said;
  }

  describe('PLAIN and LOGIN', () => {
    test('AUT-01 PLAIN: nobody, the user, the password', async () => {
      const heard = new Heard();
      const server = await serve(goodSecurely(certificates.pair, ['AUTH PLAIN LOGIN'], {}, heard));
      await deal(server, {}, by(auth));
      const [line = ''] = heard.all('AUTH');
      expect(line).toMatch(/^AUTH PLAIN [A-Za-z0-9+/]+=*$/);
      expect(decode(line.split(' ')[2]).split('\0')).toEqual(['', USER, PASS]);
      expect(server.plain).not.toContain('AUTH');
    });

    test('AUT-02 PLAIN without an initial response: it stands behind the challenge', async () => {
      // One that makes the command too long (RFC 4954 §4) must wait.
      const pass = 'correct-horse-'.repeat(40);
      let said: string[] = [];
      const heard = new Heard();
      const server = await serve(
        goodSecurely(
          certificates.pair,
          ['AUTH PLAIN'],
          {
            AUTH: async (asked) => {
              said = await exchange(asked, '334 ');
              return '235 welcome';
            },
          },
          heard,
        ),
      );
      expect((await deal(server, {}, by({ user: USER, pass }))).reply.code).toBe(250);
      expect(heard.all('AUTH')).toEqual(['AUTH PLAIN']);
      expect(decode(said[0])).toBe(`\0${USER}\0${pass}`);
    });

    test('AUT-03 334 without a blank is a challenge too', async () => {
      let said: string[] = [];
      const server = await serve(
        goodSecurely(certificates.pair, ['AUTH LOGIN'], {
          AUTH: async (asked) => {
            said = await exchange(asked, '334', '334');
            return '235 welcome';
          },
        }),
      );
      expect((await deal(server, {}, by(auth))).reply.code).toBe(250);
      expect(said.map((line) => decode(line))).toEqual([USER, PASS]);
    });

    test('AUT-04 LOGIN with other prompts: answered by order', async () => {
      let said: string[] = [];
      const server = await serve(
        goodSecurely(certificates.pair, ['AUTH LOGIN'], {
          AUTH: async (asked) => {
            said = await exchange(asked, '334 dXNlcg==', '334 cGFzcw==');
            return '235 welcome';
          },
        }),
      );
      await deal(server, {}, by(auth));
      expect(said.map((line) => decode(line))).toEqual([USER, PASS]);
    });

    test('AUT-05 LOGIN that asks for the password first: nothing hangs', async () => {
      let said: string[] = [];
      const server = await serve(
        goodSecurely(certificates.pair, ['AUTH LOGIN'], {
          AUTH: async (asked) => {
            said = await exchange(
              asked,
              `334 ${encode('Password:')}`,
              `334 ${encode('Username:')}`,
            );
            return '535 no';
          },
        }),
      );
      expect((await refused(server, {}, by(auth))).code).toBe('ERR_SMTP_AUTH');
      expect(said.map((line) => decode(line))).toEqual([USER, PASS]);
    });

    test('AUT-06 LOGIN alone: used under TLS, and not without', async () => {
      const heard = new Heard();
      const answers: Answers = {
        AUTH: async (asked) => {
          await exchange(asked, '334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6');
          return '235 welcome';
        },
      };
      await deal(
        await serve(goodSecurely(certificates.pair, ['AUTH LOGIN'], answers)),
        {},
        by(auth),
      );
      const error = await refused(
        await serve(good(['AUTH LOGIN'], answers, heard)),
        {},
        { tls: 'off', auth },
      );
      expect(error.code).toBe('ERR_SMTP_AUTH');
      expect(heard.verbs.join()).toMatch(/^EHLO(,QUIT)?$/);
    });

    test('AUT-07 user and password go as UTF-8', async () => {
      // In NFD, as some keyboards and file systems write.
      const [user, pass] = [
        'bu\u0308cher',
        'pa\u0308sswo\u0308rd \u043f\u0430\u0440\u043e\u043b\u044c',
      ];
      const heard = new Heard();
      const server = await serve(goodSecurely(certificates.pair, ['AUTH PLAIN'], {}, heard));
      await deal(server, {}, by({ user, pass }));
      const octets = Buffer.from(heard.all('AUTH')[0]?.split(' ')[2] ?? '', 'base64');
      const text = new TextDecoder('utf-8', { fatal: true }).decode(octets);
      // SASLprep is a SHOULD: as they are, or composed.
      expect([`\0${user}\0${pass}`, `\0${user}\0${pass}`.normalize('NFKC')]).toContain(text);
    });

    test('AUT-32 a challenge of 12,288 octets reaches the mechanism', async () => {
      for (const octets of [3_000, 9_216]) {
        const challenge = randomBytes(octets);
        let got: Uint8Array | undefined;
        const mechanism: SaslMechanism = {
          name: 'X-LONG',
          strength: 1,
          exposesSecret: false,
          *start() {
            got = yield;
            yield createHash('sha256')
              .update(got ?? '')
              .digest();
          },
        };
        let said: string[] = [];
        const server = await serve(
          goodSecurely(certificates.pair, ['AUTH X-LONG'], {
            AUTH: async (asked) => {
              // RFC 4954 §4: "base64 strings up to 12288 octets in length".
              said = await exchange(asked, `334 ${challenge.toString('base64')}`);
              return '235 welcome';
            },
          }),
        );
        expect((await deal(server, {}, by(mechanism))).reply.code, `${octets} octets`).toBe(250);
        expect(said[0]).toBe(createHash('sha256').update(challenge).digest('base64'));
      }
    });
  });

  describe('refusals', () => {
    /** What a client makes of an answer to AUTH. */
    const answered = async (
      reply: string | readonly string[],
      given: NonNullable<ConnectOptions['auth']> = auth,
      offered = 'AUTH PLAIN LOGIN',
    ): Promise<{ error: SmtpError; heard: Heard }> => {
      const heard = new Heard();
      const server = await serve(
        goodSecurely(certificates.pair, [offered], { AUTH: reply }, heard),
      );
      const error = await refused(server, {}, by(given));
      await eventually(() => server.open === 0, 'the client leaves');
      await silence();
      expect(server.peers).toHaveLength(1);
      expect(heard.all('MAIL')).toEqual([]);
      return { error, heard };
    };

    test('AUT-11 535: reported, no MAIL, and each mechanism is tried once at most', async () => {
      const { error, heard } = await answered('535 5.7.8 Authentication credentials invalid');
      expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
      expect(error.reply).toMatchObject({ code: 535, enhanced: '5.7.8' });
      const names = heard.all('AUTH').map((line) => line.split(' ')[1]);
      expect(names.length).toBe(new Set(names).size);
      expect(names.length).toBeGreaterThan(0);
    });

    test('AUT-12 454: temporary', async () => {
      const { error, heard } = await answered('454 4.7.0 try later');
      expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, later');
      expect(error.reply?.code).toBe(454);
      expect(heard.all('AUTH')).toHaveLength(1);
    });

    test('AUT-13 534, 538 and 432: reported with that code', async () => {
      for (const code of [534, 538, 432]) {
        const { error } = await answered(`${code} no`);
        expect(error).toMatchObject({ code: 'ERR_SMTP_AUTH', phase: 'auth', delivery: 'not-sent' });
        expect(error.reply?.code).toBe(code);
        expect(error.retry === 'later').toBe(code === 432);
      }
    });

    test('AUT-14 530 to MAIL is about AUTH, not about the sender', async () => {
      for (const keywords of [[], ['PIPELINING']]) {
        const server = await serve(
          good(keywords, {
            MAIL: '530 5.7.0 Authentication required',
            RCPT: '503 no MAIL',
            DATA: '503 no RCPT',
          }),
        );
        const error = await refused(server);
        expect(verdict(error)).toBe('ERR_SMTP_AUTH in mail, rejected, fix-first');
        expect(error.reply?.code).toBe(530);
      }
    });

    test('AUT-15 credentials given, and no AUTH offered: no mail without', async () => {
      const heard = new Heard();
      const server = await serve(goodSecurely(certificates.pair, [], {}, heard));
      expect((await refused(server, {}, by(auth))).code).toBe('ERR_SMTP_AUTH');
      await eventually(() => server.open === 0, 'the client leaves');
      expect(heard.verbs.join()).toMatch(/^EHLO,STARTTLS,EHLO(,QUIT)?$/);
    });

    test('AUT-28 an error challenge of OAUTHBEARER and XOAUTH2: one line, and then the refusal', async () => {
      for (const [mechanism, expected] of [
        [oauthBearer({ user: USER, token: 'abc' }), /^(AQ==|\*)$/],
        [xoauth2({ user: USER, token: 'abc' }), /^(|\*)$/],
      ] as const) {
        let said: string[] = [];
        const heard = new Heard();
        const server = await serve(
          goodSecurely(
            certificates.pair,
            [`AUTH ${mechanism.name}`],
            {
              AUTH: async (asked) => {
                said = await exchange(asked, `334 ${encode('{"status":"invalid_token"}')}`);
                return '535 5.7.8 no';
              },
            },
            heard,
          ),
        );
        const error = await refused(server, {}, by(mechanism));
        expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
        expect(error.reply?.code).toBe(535);
        expect(said).toHaveLength(1);
        expect(said[0]).toMatch(expected);
        expect(heard.verbs.join()).toMatch(/^EHLO,STARTTLS,EHLO,AUTH(,QUIT)?$/);
      }
    });

    test('AUT-35 235 in several lines is success, 250 in its place is none', async () => {
      const server = await serve(
        goodSecurely(certificates.pair, ['AUTH PLAIN'], {
          AUTH: ['235-2.7.0 wel', '235 2.7.0 come'],
        }),
      );
      expect((await deal(server, {}, by(auth))).reply.code).toBe(250);
      // Recorded: it is not what RFC 4954 §4 has.
      const { error } = await answered('250 ok');
      expect(error).toMatchObject({ phase: 'auth', delivery: 'not-sent' });
    });

    test('AUT-36 no secret in errors and transcripts', async () => {
      const said: TranscriptEvent[] = [];
      const server = await serve(
        goodSecurely(certificates.pair, ['AUTH PLAIN'], { AUTH: `535 not ${PASS}, ${PLAIN}` }),
      );
      const to = { ...by(auth), onTranscript: (event: TranscriptEvent) => void said.push(event) };
      const everything = everythingIn(await refused(server, {}, to)) + JSON.stringify(said);
      expect(everything).toContain('AUTH PLAIN');
      for (const secret of [PASS, PLAIN, encode(PASS)]) expect(everything).not.toContain(secret);
    });
  });

  describe('SCRAM', () => {
    const scram = scramSha256({ user: USER, pass: PASS });
    const account = {
      hash: 'SHA-256',
      user: USER,
      pass: PASS,
      iterations: 4_096,
      nonce: 'more',
    } as const;
    const NAMES = 'AUTH SCRAM-SHA-256';

    /** Plays a server of SCRAM; `first` and `final` may change its messages. Returns what the client said. */
    const play = async (
      change: {
        readonly first?: (text: string) => string;
        readonly final?: (text: string) => string;
        readonly offered?: string;
        readonly user?: string;
      },
      mechanism: SaslMechanism = scram,
    ): Promise<{ outcome: unknown; said: string[]; name: string; heard: Heard }> => {
      const said: string[] = [];
      let name = '';
      const heard = new Heard();
      const server = await serve(
        goodSecurely(
          certificates.pair,
          [change.offered ?? NAMES],
          {
            AUTH: async ({ line, peer, ear }) => {
              const [, used = '', initial] = line.split(' ');
              name = used;
              said.push(decode(initial));
              const side = new ScramServer({
                ...account,
                user: change.user ?? USER,
                salt: randomBytes(16),
              });
              const first = side.first(said[0] as string);
              peer.say(`334 ${encode(change.first?.(first) ?? first)}`);
              const second = await ear.line();
              said.push(second === '*' ? second : decode(second));
              if (second === '*') return '501 cancelled';
              const final = side.final(said[1] as string);
              peer.say(`334 ${encode(change.final?.(final) ?? final)}`);
              const third = await ear.line();
              said.push(third);
              return third === '' ? '235 welcome' : '501 cancelled';
            },
          },
          heard,
        ),
      );
      const outcome = await deal(server, {}, by(mechanism)).catch((error: unknown) => error);
      await eventually(() => server.open === 0, 'the client leaves');
      return { outcome, said, name, heard };
    };

    /** It was cancelled or left, with an error of AUTH and no mail. */
    const cancelled = (
      { outcome, said, heard }: Awaited<ReturnType<typeof play>>,
      after: number,
    ): void => {
      expect(outcome).toMatchObject({ code: 'ERR_SMTP_AUTH', phase: 'auth', delivery: 'not-sent' });
      expect(said.slice(after).join()).toMatch(/^(\*|)$/);
      expect(heard.all('MAIL')).toEqual([]);
    };

    test('AUT-19 SCRAM: a nonce that does not begin with ours is not answered', async () => {
      expect((await play({})).outcome).toMatchObject({ reply: { code: 250 } });
      for (const nonce of ['r=somebody-elses-nonce', 'r=x$1', 'r='])
        cancelled(
          await play({ first: (text) => text.replace(/r=([^,]*)/, nonce.replace('$1', 'y')) }),
          1,
        );
      // As it was, with nothing of the server.
      cancelled(await play({ first: (text) => text.replace(/more,/, ',') }), 1);
    });

    test('AUT-21 SCRAM: an iteration count of 1 is refused', async () => {
      cancelled(await play({ first: (text) => text.replace(/i=\d+/, 'i=1') }), 1);
    });

    test('AUT-23 SCRAM: an error of the server fails, with its text', async () => {
      const played = await play({ final: () => 'e=other-error' });
      cancelled(played, 2);
      expect((played.outcome as Error).message).toContain('other-error');
      // One that does not prove itself fails too.
      cancelled(await play({ final: () => `v=${encode('x'.repeat(32))}` }), 2);
    });

    test('AUT-24 SCRAM: an extension that is demanded fails', async () => {
      cancelled(await play({ first: (text) => `m=something,${text}` }), 1);
    });

    test('AUT-25 SCRAM: the gs2 flag says what the client can do, and what was offered', async () => {
      const stripped = await play({});
      // Nothing was offered to bind with, but it could.
      expect([stripped.name, stripped.said[0]?.slice(0, 3)]).toEqual(['SCRAM-SHA-256', 'y,,']);
      // It shows how before it can know whether the server likes it: this one knows no channel.
      const offered = await play({ offered: `${NAMES} SCRAM-SHA-256-PLUS` });
      expect(offered.name).toBe('SCRAM-SHA-256-PLUS');
      expect(offered.said[0]).toMatch(/^p=[a-z-]+,,/);
    });

    test('AUT-26 SCRAM: under TLS 1.3 the channel is bound by tls-exporter', async () => {
      const { name, said } = await play({ offered: 'AUTH SCRAM-SHA-256-PLUS' });
      expect(name).toBe('SCRAM-SHA-256-PLUS');
      expect(said[0]).toMatch(/^p=tls-exporter,,/);
      // What it is, to the octet, is judged in tls-channel.test.ts: here, that there is one.
      const channel = Buffer.from(/^c=([^,]*)/.exec(said[1] as string)?.[1] as string, 'base64');
      expect(channel.toString('latin1', 0, 16)).toBe('p=tls-exporter,,');
      expect(channel).toHaveLength(16 + 32);
    });

    test('AUT-27 SCRAM: a comma and an equals sign in the user name', async () => {
      const user = 'a,b=c,=';
      const { outcome, said } = await play({ user }, scramSha256({ user, pass: PASS }));
      expect(said[0]).toMatch(/^.*,,n=a=2Cb=3Dc=2C=3D,r=/);
      expect(outcome).toMatchObject({ reply: { code: 250 } });
    });
  });

  describe('the mechanism, and where AUTH stands', () => {
    test('AUT-09 EXTERNAL with an empty response', async () => {
      const heard = new Heard();
      const server = await serve(goodSecurely(certificates.pair, ['AUTH EXTERNAL'], {}, heard));
      await deal(server, {}, by(external()));
      expect(heard.all('AUTH')).toEqual(['AUTH EXTERNAL =']);
    });

    test('AUT-30 PIPELINING offered: nothing stands behind AUTH', async () => {
      let behind: string | undefined;
      const server = await serve(
        goodSecurely(certificates.pair, ['PIPELINING', 'AUTH PLAIN'], {
          AUTH: async ({ peer }) => {
            await silence();
            behind = peer.secured.replace(/^.*AUTH PLAIN \S+\r\n/s, '');
            return '235 welcome';
          },
        }),
      );
      const client = await connect(options(server, by(auth)));
      await Promise.all([client.send(MESSAGE), client.send(MESSAGE)]);
      await client.close();
      expect(behind).toBe('');
    });

    test('AUT-31 two messages on one connection: AUTH once', async () => {
      const heard = new Heard();
      const server = await serve(goodSecurely(certificates.pair, ['AUTH PLAIN'], {}, heard));
      const client = await connect(options(server, by(auth)));
      await client.send(MESSAGE);
      await client.send(MESSAGE);
      await client.close();
      expect(heard.messages).toHaveLength(2);
      expect(heard.all('AUTH')).toHaveLength(1);
    });

    test('AUT-33 of several mechanisms the strongest is used', async () => {
      const heard = new Heard();
      const server = await serve(
        goodSecurely(
          certificates.pair,
          ['AUTH PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256'],
          { AUTH: '535 no' },
          heard,
        ),
      );
      await refused(server, {}, by([login(auth), scramSha1(auth), plain(auth), scramSha256(auth)]));
      expect(heard.all('AUTH')[0]).toMatch(/^AUTH SCRAM-SHA-256 /);
    });
  });
});
