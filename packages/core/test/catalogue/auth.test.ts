/** AUT: what is said in AUTH, and what follows where it fails. */
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
  MESSAGE,
  options,
  PASS,
  type Peer,
  PLAIN,
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
  refused,
  silence,
  useCertificates,
  useJudgedServers,
} from './support.ts';

const serve = useJudgedServers();
const certificates = useCertificates();
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
          said = await exchange(asked, `334 ${encode('Password:')}`, `334 ${encode('Username:')}`);
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
    await deal(await serve(goodSecurely(certificates.pair, ['AUTH LOGIN'], answers)), {}, by(auth));
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
    const server = await serve(goodSecurely(certificates.pair, [offered], { AUTH: reply }, heard));
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
