/** The server's side of every mechanism, against clients that are written here from the RFCs. */
import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CREDENTIALS } from '../../src/server/credentials.ts';
import type { Peer } from '../../src/server/peer.ts';
import { implicit, script } from '../../src/server/plan.ts';
import { authenticate, type Credentials, type SaslPlan } from '../../src/server/sasl-server.ts';
import { auth, drain, expect as line, send } from '../../src/server/steps.ts';
import { useBench } from './bench.ts';
import { ScramClient, type ScramHash } from './scram-client.ts';

const { user, pass, token } = CREDENTIALS;
const WELCOME = '235 2.7.0 welcome';
const REFUSED = '535 5.7.8 authentication failed';
const CANCELLED = '501 5.7.0 cancelled';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const decoded = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

/** What a client answers to a challenge, both decoded; '*' is given up as it is. */
type Answering = (challenge: string, nth: number) => string;

interface Exchange {
  readonly end: string;
  /** The lines of the server in front of the end. */
  readonly lines: readonly string[];
}

/** One exchange without a socket. */
async function exchange(
  command: string,
  answer: Answering = () => '*',
  plan: SaslPlan = {},
  credentials: Credentials = CREDENTIALS,
): Promise<Exchange> {
  const lines: string[] = [];
  const peer = {
    write: async (text: string) => {
      expect(text).toMatch(/^334[^\r\n]*\r\n$/);
      lines.push(text.slice(0, -2));
    },
    line: async () => {
      const said = answer(decoded(lines.at(-1)?.slice(4) ?? ''), lines.length);
      return said === '*' ? '*' : base64(said);
    },
    tls: undefined,
  };
  const end = await authenticate(peer as unknown as Peer, command, credentials, plan);
  return { end, lines };
}

/** Text that any mechanism can carry. */
const word = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 20 })
  .filter((text) => !text.includes('\0'));
const wrong = (text: string): string => `${text}x`;

describe('PLAIN (RFC 4616)', () => {
  test.each([
    ['with an initial response', `AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`, 0],
    ['behind an empty challenge', 'AUTH PLAIN', 1],
    ['in lower case', 'auth plain', 1],
  ])('welcomes who knows the password, %s', async (_how, command, challenges) => {
    const { end, lines } = await exchange(command, () => `\0${user}\0${pass}`);
    expect(end).toBe(WELCOME);
    expect(lines).toEqual(Array(challenges).fill('334 '));
  });

  test.each([
    ['another password', `\0${user}\0${wrong(pass)}`],
    ['another user', `\0${wrong(user)}\0${pass}`],
    ['no user', `\0\0${pass}`],
    ['no password', `\0${user}\0`],
    ['no NUL', user + pass],
    ['one NUL', `${user}\0${pass}`],
    ['something behind the password', `\0${user}\0${pass}\0`],
    ['nothing', ''],
  ])('refuses %s', async (_what, response) => {
    expect((await exchange('AUTH PLAIN', () => response)).end).toBe(REFUSED);
    expect((await exchange(`AUTH PLAIN ${base64(response) || '='}`)).end).toBe(REFUSED);
  });

  test('property: any user with any password, and nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(word, word, word, async (name, secret, other) => {
        const credentials = { user: name, pass: secret, token };
        const said = async (asked: string, by: string): Promise<string> =>
          (await exchange('AUTH PLAIN', () => `${asked}\0${name}\0${by}`, {}, credentials)).end;
        expect(await said('', secret)).toBe(WELCOME);
        expect(await said(name, secret)).toBe(WELCOME);
        expect(await said('', other)).toBe(other === secret ? WELCOME : REFUSED);
      }),
      { numRuns: 50 },
    );
  });
});

describe('LOGIN', () => {
  const login: Answering = (_challenge, nth) => (nth === 1 ? user : pass);

  test('asks for the user and the password', async () => {
    const { end, lines } = await exchange('AUTH LOGIN', login);
    expect([end, lines]).toEqual([WELCOME, ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6']]);
  });

  test('takes the user with the command', async () => {
    const { end, lines } = await exchange(`AUTH LOGIN ${base64(user)}`, () => pass);
    expect([end, lines]).toEqual([WELCOME, ['334 UGFzc3dvcmQ6']]);
  });

  test('has its own prompts; one without text is an empty challenge', async () => {
    const plan: SaslPlan = { prompts: ['', base64('Passwort:')], empty: '334' };
    const { end, lines } = await exchange('AUTH LOGIN', login, plan);
    expect([end, lines]).toEqual([WELCOME, ['334', '334 UGFzc3dvcnQ6']]);
  });

  test('property: any user with any password, and nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(word, word, fc.boolean(), async (name, secret, initial) => {
        const credentials = { user: name, pass: secret, token };
        const command = initial ? `AUTH LOGIN ${base64(name)}` : 'AUTH LOGIN';
        const said = async (who: string, by: string): Promise<string> => {
          const answers = initial ? [by] : [who, by];
          return (await exchange(command, (_, nth) => answers[nth - 1] ?? '', {}, credentials)).end;
        };
        // What cannot be told from '*' is that.
        fc.pre(name !== '*' && secret !== '*');
        expect(await said(name, secret)).toBe(WELCOME);
        expect(await said(name, wrong(secret))).toBe(REFUSED);
        expect(await said(wrong(name), secret)).toBe(initial ? WELCOME : REFUSED);
      }),
      { numRuns: 50 },
    );
  });
});

describe('CRAM-MD5 (RFC 2195)', () => {
  const cram =
    (name: string, secret: string): Answering =>
    (challenge) =>
      `${name} ${createHmac('md5', secret).update(challenge).digest('hex')}`;

  test('asks with another challenge each time', async () => {
    const seen: string[] = [];
    for (let time = 0; time < 3; time += 1) {
      const { end, lines } = await exchange('AUTH CRAM-MD5', cram(user, pass));
      expect(end).toBe(WELCOME);
      expect(lines).toHaveLength(1);
      seen.push(decoded(lines[0]?.slice(4) ?? ''));
    }
    for (const challenge of seen) expect(challenge).toMatch(/^<[0-9a-f]+@mail\.example\.com>$/);
    expect(new Set(seen).size).toBe(3);
  });

  test.each([
    ['another user', cram(wrong(user), pass)],
    ['another password', cram(user, wrong(pass))],
    [
      'a digest in upper case',
      ((challenge) => cram(user, pass)(challenge, 1).toUpperCase()) as Answering,
    ],
    ['no digest', (() => user) as Answering],
    ['nothing', (() => '') as Answering],
  ])('refuses %s', async (_what, answer) => {
    expect((await exchange('AUTH CRAM-MD5', answer)).end).toBe(REFUSED);
  });

  test.each([64, 400, 9_000])('a challenge may have %i octets', async (length) => {
    const { end, lines } = await exchange('AUTH CRAM-MD5', cram(user, pass), { length });
    expect(end).toBe(WELCOME);
    expect(decoded(lines[0]?.slice(4) ?? '')).toHaveLength(length);
  });

  test('property: any user with any password, and nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(word, word, async (name, secret) => {
        const credentials = { user: name, pass: secret, token };
        const said = async (by: string): Promise<string> =>
          (await exchange('AUTH CRAM-MD5', cram(name, by), {}, credentials)).end;
        expect(await said(secret)).toBe(WELCOME);
        expect(await said(wrong(secret))).toBe(REFUSED);
      }),
      { numRuns: 50 },
    );
  });
});

describe('SCRAM (RFC 5802, RFC 7677)', () => {
  const HASHES: readonly (readonly [string, ScramHash])[] = [
    ['SCRAM-SHA-1', 'sha1'],
    ['SCRAM-SHA-224', 'sha224'],
    ['SCRAM-SHA-256', 'sha256'],
    ['SCRAM-SHA-384', 'sha384'],
    ['SCRAM-SHA-512', 'sha512'],
  ];
  /** Few iterations, so that many exchanges take no time. */
  const QUICK: SaslPlan = { iterations: 16 };

  const answering =
    (client: ScramClient, initial: boolean, seen: string[] = []): Answering =>
    (challenge) => {
      if (!initial && seen.length === 0) {
        seen.push('');
        return client.first;
      }
      if (client.serverFirst === '') return client.final(challenge);
      seen.push(challenge);
      return '';
    };
  const play = async (
    mechanism: string,
    client: ScramClient,
    plan: SaslPlan = QUICK,
    credentials: Credentials = CREDENTIALS,
  ): Promise<Exchange & { readonly serverFinal: string | undefined }> => {
    const seen: string[] = [];
    const command = `AUTH ${mechanism} ${base64(client.first)}`;
    const played = await exchange(command, answering(client, true, seen), plan, credentials);
    return { ...played, serverFinal: seen[0] };
  };
  const sha256 = (
    options: Partial<ConstructorParameters<typeof ScramClient>[0]> = {},
  ): ScramClient => new ScramClient({ hash: 'sha256', user, pass, ...options });

  test('the client of this test is right by the examples of both RFCs', () => {
    const one = new ScramClient({
      hash: 'sha1',
      user: 'user',
      pass: 'pencil',
      nonce: 'fyko+d2lbbFgONRv9qkxdawL',
    });
    expect(one.first).toBe('n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL');
    expect(
      one.final('r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096'),
    ).toBe('c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=');
    expect(one.verifies('v=rmF9pqV8S7suAoZWja4dJRkFsKQ=')).toBe(true);
    const other = new ScramClient({
      hash: 'sha256',
      user: 'user',
      pass: 'pencil',
      nonce: 'rOprNGfwEbeRWgbNEkqO',
    });
    expect(
      other.final(
        'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      ),
    ).toMatch(/,p=dHzbZapWIk4jUhN\+Ute9ytag9zjfMHgsqmmiz7AndVQ=$/);
    expect(other.verifies('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toBe(true);
  });

  test.each(HASHES)(
    '%s welcomes who knows the password, and shows that it does too',
    async (mechanism, hash) => {
      const client = new ScramClient({ hash, user, pass });
      const { end, lines, serverFinal } = await play(mechanism, client, {});
      expect(end).toBe(WELCOME);
      expect(client.verifies(serverFinal ?? '')).toBe(true);
      expect(lines).toHaveLength(2);
      expect(client.serverFirst).toMatch(/^r=[!-+--~]+,s=[A-Za-z0-9+/=]+,i=4096$/);
      expect(client.serverFirst.startsWith(`r=${client.nonce}`)).toBe(true);
      expect(client.serverFirst.startsWith(`r=${client.nonce},`)).toBe(false);
    },
  );

  test.each(HASHES)('%s refuses another password without a signature', async (mechanism, hash) => {
    const client = new ScramClient({ hash, user, pass: wrong(pass) });
    const { end, lines } = await play(mechanism, client);
    expect([end, lines.length]).toEqual([REFUSED, 1]);
  });

  test('takes client-first behind an empty challenge', async () => {
    const client = sha256();
    const { end, lines } = await exchange('AUTH SCRAM-SHA-256', answering(client, false), {
      ...QUICK,
      empty: '334',
    });
    expect(end).toBe(WELCOME);
    expect(lines[0]).toBe('334');
  });

  test('has a nonce and a salt of its own each time', async () => {
    const seen = new Set<string>();
    for (let time = 0; time < 4; time += 1) {
      const client = sha256({ nonce: 'the-same' });
      await play('SCRAM-SHA-256', client);
      for (const field of client.serverFirst.split(',').slice(0, 2)) seen.add(field);
    }
    expect(seen.size).toBe(8);
  });

  test.each<[string, ScramClient]>([
    ['another user', sha256({ user: wrong(user) })],
    ['another nonce', sha256({ bend: (text) => text.replace(/r=.*$/, 'r=another') })],
    [
      'the own nonce alone',
      sha256({ nonce: 'own', bend: (text) => text.replace(/r=.*$/, 'r=own') }),
    ],
    [
      'another header than in client-first',
      sha256({ bend: (text) => text.replace(/c=[^,]*/, `c=${base64('y,,')}`) }),
    ],
    ['a channel that nobody asked to bind', sha256({ binding: Buffer.from('x') })],
    ['binding without -PLUS', sha256({ header: 'p=tls-exporter,,', binding: Buffer.from('x') })],
    ['no header', sha256({ header: '' })],
    ['the hash of another mechanism', sha256({ hash: 'sha1' })],
  ])('refuses %s', async (_what, client) => {
    expect((await play('SCRAM-SHA-256', client)).end).toBe(REFUSED);
  });

  test.each<[string, Answering]>([
    ['nothing', () => ''],
    ['what is no client-final', () => 'rubbish'],
    ['no proof', (challenge) => `c=biws,${challenge.split(',')[0]}`],
    ['an empty proof', (challenge) => `c=biws,${challenge.split(',')[0]},p=`],
  ])('refuses %s in place of client-final', async (_what, answer) => {
    const { end } = await exchange(`AUTH SCRAM-SHA-256 ${base64(sha256().first)}`, answer, QUICK);
    expect(end).toBe(REFUSED);
  });

  test.each(['y,,', 'n,a=somebody,', 'y,a=some=2Cbody,'])('takes the header %s', async (header) => {
    expect((await play('SCRAM-SHA-256', sha256({ header }))).end).toBe(WELCOME);
  });

  test('property: any user with any password, and nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(
        word,
        word,
        fc.constantFrom(...HASHES),
        async (name, secret, [mechanism, hash]) => {
          const credentials = { user: name, pass: secret, token };
          const said = async (by: string): Promise<string> =>
            (
              await play(
                mechanism,
                new ScramClient({ hash, user: name, pass: by }),
                QUICK,
                credentials,
              )
            ).end;
          expect(await said(secret)).toBe(WELCOME);
          expect(await said(wrong(secret))).toBe(REFUSED);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a user may have the characters that SCRAM needs itself', async () => {
    const credentials = { user: 'a,b=c=2C', pass, token };
    expect(
      (await play('SCRAM-SHA-256', sha256({ user: 'a,b=c=2C' }), QUICK, credentials)).end,
    ).toBe(WELCOME);
    expect((await play('SCRAM-SHA-256', sha256({ user: 'a,b=c,' }), QUICK, credentials)).end).toBe(
      REFUSED,
    );
  });

  test('plan.iterations is how many there are', async () => {
    const client = sha256();
    expect((await play('SCRAM-SHA-256', client, { iterations: 77 })).end).toBe(WELCOME);
    expect(client.serverFirst).toMatch(/,i=77$/);
  });

  test("plan.foreignNonce is one that does not begin with the client's", async () => {
    const client = sha256();
    await play('SCRAM-SHA-256', client, { ...QUICK, foreignNonce: true });
    expect(client.serverFirst).toMatch(/^r=.{20,},s=/);
    expect(client.serverFirst).not.toContain(client.nonce);
  });

  test('plan.extension stands in front of server-first, and is no part of the nonce', async () => {
    const client = sha256();
    expect((await play('SCRAM-SHA-256', client, { ...QUICK, extension: 'm=x,' })).end).toBe(
      WELCOME,
    );
    expect(client.serverFirst).toMatch(/^m=x,r=/);
  });

  test.each([600, 9_000])('plan.length makes server-first %i octets long', async (length) => {
    const client = sha256();
    expect((await play('SCRAM-SHA-256', client, { ...QUICK, length })).end).toBe(WELCOME);
    expect(client.serverFirst).toHaveLength(length);
    expect(client.serverFirst).toMatch(/,x=p+$/);
  });

  test('plan.final is said in place of the signature, and refuses', async () => {
    const { end, serverFinal } = await play('SCRAM-SHA-256', sha256(), {
      ...QUICK,
      final: 'e=other-error',
    });
    expect([end, serverFinal]).toEqual([REFUSED, 'e=other-error']);
  });

  test('an empty plan.final is not said; with plan.welcome in the end it is a forged success', async () => {
    const { end, lines } = await play('SCRAM-SHA-256', sha256(), {
      ...QUICK,
      final: '',
      answer: WELCOME,
    });
    expect([end, lines.length]).toEqual([WELCOME, 1]);
  });

  test.each([1, 2, 3])("'*' cancels at challenge %i", async (when) => {
    const client = sha256();
    const answer = answering(client, false);
    const { end } = await exchange(
      'AUTH SCRAM-SHA-256',
      (challenge, nth) => (nth === when ? '*' : answer(challenge, nth)),
      QUICK,
    );
    expect(end).toBe(CANCELLED);
  });
});

describe('SCRAM with -PLUS, over TLS', () => {
  const bench = useBench();

  const bound = async (
    mechanism: string,
    version: 'TLSv1.2' | 'TLSv1.3',
    make: (bindings: Record<string, Buffer>) => ScramClient,
  ): Promise<string> => {
    const { client } = await bench.meet(
      implicit(script(send('220 hello'), line(/^AUTH/), auth({ iterations: 16 }), drain())),
    );
    await client.startTls({ ca: bench.ca, minVersion: version, maxVersion: version });
    await client.lines();
    const exporter = client.tls.exportKeyingMaterial(
      32,
      'EXPORTER-Channel-Binding',
      Buffer.alloc(0),
    );
    const scram = make({
      exporter,
      endPoint: createHash('sha256').update(client.tls.getPeerCertificate().raw).digest(),
      ...(version === 'TLSv1.2' ? { unique: client.tls.getFinished() ?? Buffer.alloc(0) } : {}),
    });
    const [, first = ''] = (await client.ask(`AUTH ${mechanism} ${base64(scram.first)}`)).split(
      ' ',
    );
    let reply = await client.ask(base64(scram.final(decoded(first))));
    if (reply.startsWith('334')) {
      expect(scram.verifies(decoded(reply.slice(4)))).toBe(true);
      reply = await client.ask('');
    }
    return reply;
  };
  const make =
    (type: string, of: string, bend: (octets: Buffer) => Buffer = (octets) => octets) =>
    (bindings: Record<string, Buffer>): ScramClient =>
      new ScramClient({
        hash: 'sha256',
        user,
        pass,
        header: `p=${type},,`,
        binding: bend(bindings[of] ?? Buffer.alloc(0)),
      });

  test.each([
    ['tls-exporter', 'exporter', 'TLSv1.3'],
    ['tls-exporter', 'exporter', 'TLSv1.2'],
    ['tls-server-end-point', 'endPoint', 'TLSv1.3'],
    ['tls-server-end-point', 'endPoint', 'TLSv1.2'],
    ['tls-unique', 'unique', 'TLSv1.2'],
  ] as const)('welcomes who is bound by %s (%s, %s)', async (type, of, version) => {
    expect(await bound('SCRAM-SHA-256-PLUS', version, make(type, of))).toBe(WELCOME);
  });

  test.each([
    [
      'the octets of another channel',
      make('tls-exporter', 'exporter', (octets) => Buffer.from(octets).fill(0)),
    ],
    ['the octets of another type', make('tls-exporter', 'endPoint')],
    ['a type that there is not', make('tls-nothing', 'exporter')],
    ['tls-unique under TLS 1.3', make('tls-unique', 'exporter')],
    ['no binding', () => new ScramClient({ hash: 'sha256', user, pass })],
  ] as const)('refuses %s', async (_what, scram) => {
    expect(await bound('SCRAM-SHA-256-PLUS', 'TLSv1.3', scram)).toBe(REFUSED);
  });

  test('refuses binding by the mechanism without -PLUS', async () => {
    expect(await bound('SCRAM-SHA-256', 'TLSv1.3', make('tls-exporter', 'exporter'))).toBe(REFUSED);
  });

  test('outside TLS there is nothing to be bound by', async () => {
    const client = new ScramClient({ hash: 'sha256', user, pass, header: 'p=tls-exporter,,' });
    const { end } = await exchange(
      `AUTH SCRAM-SHA-256-PLUS ${base64(client.first)}`,
      (challenge) => client.final(challenge),
      { iterations: 16 },
    );
    expect(end).toBe(REFUSED);
  });
});

describe('XOAUTH2 and OAUTHBEARER (RFC 7628)', () => {
  const SOH = '\x01';
  const xoauth2 = (name: string, secret: string): string =>
    `user=${name}${SOH}auth=Bearer ${secret}${SOH}${SOH}`;
  const bearer = (header: string, secret: string): string =>
    [header, 'host=mail.example.com', 'port=587', `auth=Bearer ${secret}`, '', ''].join(SOH);

  test.each([
    ['XOAUTH2', xoauth2(user, token)],
    ['OAUTHBEARER', bearer(`n,a=${user},`, token)],
    ['OAUTHBEARER', bearer('n,,', token)],
    ['OAUTHBEARER', ['n,,', `auth=Bearer ${token}`, '', ''].join(SOH)],
    ['oauthbearer', bearer('y,,', token)],
  ])('%s welcomes who has the token: %j', async (mechanism, response) => {
    expect((await exchange(`AUTH ${mechanism} ${base64(response)}`)).end).toBe(WELCOME);
    const { end, lines } = await exchange(`AUTH ${mechanism}`, () => response);
    expect([end, lines]).toEqual([WELCOME, ['334 ']]);
  });

  test.each([
    ['XOAUTH2', xoauth2(user, wrong(token))],
    ['XOAUTH2', xoauth2(wrong(user), token)],
    ['XOAUTH2', xoauth2(user, token).slice(0, -1)],
    ['XOAUTH2', `auth=Bearer ${token}${SOH}${SOH}`],
    ['XOAUTH2', bearer(`n,a=${user},`, token)],
    ['XOAUTH2', ''],
    ['OAUTHBEARER', bearer(`n,a=${user},`, wrong(token))],
    ['OAUTHBEARER', bearer(`n,a=${wrong(user)},`, token)],
    ['OAUTHBEARER', bearer('p=tls-exporter,,', token)],
    ['OAUTHBEARER', bearer('', token)],
    ['OAUTHBEARER', bearer('n,,', token).slice(0, -1)],
    ['OAUTHBEARER', xoauth2(user, token)],
    ['OAUTHBEARER', ''],
  ])('%s refuses %j', async (mechanism, response) => {
    expect((await exchange(`AUTH ${mechanism}`, () => response)).end).toBe(REFUSED);
  });

  test('OAUTHBEARER: a user may have the characters that the header needs itself', async () => {
    const credentials = { user: 'a,b=c', pass, token };
    const said = async (name: string): Promise<string> =>
      (await exchange('AUTH OAUTHBEARER', () => bearer(`n,a=${name},`, token), {}, credentials))
        .end;
    expect([await said('a=2Cb=3Dc'), await said('a=2Cb')]).toEqual([WELCOME, REFUSED]);
  });

  test.each([
    ['XOAUTH2', xoauth2(user, token), ''],
    ['OAUTHBEARER', bearer('n,,', token), SOH],
  ])(
    '%s: plan.challenge is said even to the right token, and refuses',
    async (mechanism, response, dummy) => {
      const asked: string[] = [];
      const { end, lines } = await exchange(
        `AUTH ${mechanism} ${base64(response)}`,
        (challenge) => {
          asked.push(challenge);
          return dummy;
        },
        { challenge: '{"status":"401"}' },
      );
      expect([end, asked, lines.length]).toEqual([REFUSED, ['{"status":"401"}'], 1]);
    },
  );
});

describe('EXTERNAL (RFC 4422)', () => {
  test.each([
    ['AUTH EXTERNAL =', 0],
    [`AUTH EXTERNAL ${base64(user)}`, 0],
    ['AUTH EXTERNAL', 1],
  ])('welcomes whoever TLS has let in: %s', async (command, challenges) => {
    const { end, lines } = await exchange(command, () => '');
    expect([end, lines.length]).toEqual([WELCOME, challenges]);
  });
});

describe('every exchange', () => {
  const MECHANISMS = [
    'PLAIN',
    'LOGIN',
    'CRAM-MD5',
    'EXTERNAL',
    'XOAUTH2',
    'OAUTHBEARER',
    'SCRAM-SHA-1',
  ];

  test.each(MECHANISMS)("%s is cancelled by '*', whatever the plan is", async (mechanism) => {
    expect((await exchange(`AUTH ${mechanism}`)).end).toBe(CANCELLED);
    const plan = { welcome: '235 mine', answer: '454 never' };
    expect((await exchange(`AUTH ${mechanism}`, () => '*', plan)).end).toBe(CANCELLED);
  });

  test("'*' cancels LOGIN at the password too", async () => {
    expect((await exchange('AUTH LOGIN', (_, nth) => (nth === 1 ? user : '*'))).end).toBe(
      CANCELLED,
    );
  });

  test.each(['ANONYMOUS', 'DIGEST-MD5', 'SCRAM-SHA-999', 'SCRAM-MD5', 'SCRAM-SHA-256-MINUS', ''])(
    'there is no mechanism %j',
    async (mechanism) => {
      expect(await exchange(`AUTH ${mechanism}`)).toEqual({
        end: '504 5.5.4 there is no such mechanism',
        lines: [],
      });
    },
  );

  test('plan.welcome is said to who is known, plan.answer to anybody', async () => {
    const plain = async (secret: string, plan: SaslPlan): Promise<string> =>
      (await exchange('AUTH PLAIN', () => `\0${user}\0${secret}`, plan)).end;
    const welcome = '235-2.7.0 come\n235 2.7.0 in';
    expect(await plain(pass, { welcome })).toBe(welcome);
    expect(await plain(wrong(pass), { welcome })).toBe(REFUSED);
    for (const secret of [pass, wrong(pass)])
      expect(await plain(secret, { welcome, answer: '454 4.7.0 later' })).toBe('454 4.7.0 later');
  });

  test('plan.knows is another user than that of the suite', async () => {
    const knows = { user: 'somebody', pass: 'something' };
    const plain = async (name: string, secret: string): Promise<string> =>
      (await exchange('AUTH PLAIN', () => `\0${name}\0${secret}`, { knows })).end;
    expect(await plain('somebody', 'something')).toBe(WELCOME);
    expect(await plain(user, pass)).toBe(REFUSED);
    const client = new ScramClient({ hash: 'sha256', ...knows });
    const { end } = await exchange(
      `AUTH SCRAM-SHA-256 ${base64(client.first)}`,
      (challenge) => (client.serverFirst ? '' : client.final(challenge)),
      { knows, iterations: 16 },
    );
    expect(end).toBe(WELCOME);
  });
});
