import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  type SaslContext,
  type SaslMechanism,
  type ScramCredentials,
  scramSha1,
  scramSha256,
  scramSha512,
} from '../../src/sasl/index.ts';
import { scram } from '../../src/sasl/scram.ts';
import { begin, offering, type Step, step } from './exchange.ts';
import { type Account, type Hash, ScramServer } from './scram-server.ts';

const USER = { user: 'user', pass: 'pencil' };
const NOWHERE: SaslContext = offering([]);
const PLUS = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-512-PLUS'];
const MAKERS: Readonly<Record<Hash, (credentials: ScramCredentials) => SaslMechanism>> = {
  'SHA-1': scramSha1,
  'SHA-256': scramSha256,
  'SHA-512': scramSha512,
};

/** What is said in one exchange, as an RFC prints it. */
interface Vector {
  readonly hash: Hash;
  readonly nonce: string;
  readonly clientFirst: string;
  readonly serverFirst: string;
  readonly clientFinal: string;
  readonly serverFinal: string;
}

const SHA_1: Vector = {
  hash: 'SHA-1',
  nonce: 'fyko+d2lbbFgONRv9qkxdawL',
  clientFirst: 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
  serverFirst: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
  clientFinal: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
  serverFinal: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
};

const SHA_256: Vector = {
  hash: 'SHA-256',
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst:
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

/** The exchange of RFC 7677 with another hash, computed as RFC 5802 §3 writes it down. */
function sha512(): Vector {
  const { nonce, clientFirst, serverFirst } = SHA_256;
  const hmac = (key: Buffer, text: string): Buffer =>
    createHmac('sha512', key).update(text).digest();
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const saltedPassword = pbkdf2Sync('pencil', salt, 4096, 64, 'sha512');
  const clientKey = hmac(saltedPassword, 'Client Key');
  const without = `c=biws,${serverFirst.split(',')[0]}`;
  const authMessage = `${clientFirst.slice(3)},${serverFirst},${without}`;
  const signature = hmac(createHash('sha512').update(clientKey).digest(), authMessage);
  const proof = Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] ?? 0)));
  return {
    hash: 'SHA-512',
    nonce,
    clientFirst,
    serverFirst,
    clientFinal: `${without},p=${proof.toString('base64')}`,
    serverFinal: `v=${hmac(hmac(saltedPassword, 'Server Key'), authMessage).toString('base64')}`,
  };
}

/** The mechanism with the nonce of a vector. */
const replay = ({ hash, nonce }: Vector, credentials: ScramCredentials = USER): SaslMechanism =>
  scram(hash, 0, credentials, () => nonce);

/** Plays RFC 7677 §3 with another first message of the server; with another last one where it is given. */
async function against(serverFirst: string, serverFinal?: string): Promise<Step> {
  const { exchange } = await begin(replay(SHA_256));
  const final = await step(exchange, serverFirst);
  return serverFinal === undefined ? final : step(exchange, serverFinal);
}

/** A whole exchange with a server. Whether it came to its end is the result; an error is thrown. */
async function talk(
  mechanism: SaslMechanism,
  server: ScramServer,
  context: SaslContext = NOWHERE,
): Promise<boolean> {
  const { exchange, first } = await begin(mechanism, context);
  const final = await step(exchange, server.first(first.said ?? ''));
  const empty = await step(exchange, server.final(final.said ?? ''));
  expect(empty).toEqual({ done: false, said: '' });
  return (await step(exchange)).done;
}

const account = (change: Partial<Account> = {}): Account => ({
  hash: 'SHA-256',
  ...USER,
  salt: randomBytes(16),
  iterations: 4096,
  nonce: 'server',
  ...change,
});

describe('the SCRAM mechanisms', () => {
  test.each([
    ['RFC 5802 §5', SHA_1],
    ['RFC 7677 §3', SHA_256],
    ['RFC 7677 §3 with SHA-512', sha512()],
  ])('scram() gives the messages of %s when it is given its nonce', async (_name, vector) => {
    const { exchange, first } = await begin(replay(vector));
    expect(first).toEqual({ done: false, said: vector.clientFirst });
    expect(await step(exchange, vector.serverFirst)).toEqual({
      done: false,
      said: vector.clientFinal,
    });
    expect(await step(exchange, vector.serverFinal)).toEqual({ done: false, said: '' });
    expect(await step(exchange)).toEqual({ done: true, said: undefined });
  });

  test.each([
    [scramSha1(USER), 'SCRAM-SHA-1', 7],
    [scramSha256(USER), 'SCRAM-SHA-256', 8],
    [scramSha512(USER), 'SCRAM-SHA-512', 9],
  ])(
    'a SCRAM mechanism binds the channel and shows no secret when it is chosen among others',
    (made, name, strength) => {
      expect(made).toMatchObject({ name, strength, exposesSecret: false });
      const binding = randomBytes(32);
      const plus = { name: `${name}-PLUS`, strength, exposesSecret: false };
      expect(made.bind?.(offering([name, plus.name], binding))).toMatchObject(plus);
      expect(made.bind?.(offering([name, plus.name]))).toMatchObject({ name });
      expect(made.bind?.(offering([name], binding))).toMatchObject({ name });
    },
  );

  test('a SCRAM mechanism is as the server wants it when everything is random', async () => {
    const text = fc
      .string({ unit: fc.constantFrom(...'aZ09=,=2C%é語жŠ👋 "\\+/'), minLength: 1, maxLength: 12 })
      .filter((given) => given === given.normalize('NFKC'));
    const binding = fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined });
    const nonce = fc.string({ unit: fc.constantFrom(...'!"+-/09AZaz=~'), minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Hash>('SHA-1', 'SHA-256', 'SHA-512'),
        text,
        text,
        fc.option(text, { nil: undefined }),
        fc.uint8Array({ minLength: 1, maxLength: 24 }),
        fc.integer({ min: 4096, max: 4100 }),
        nonce,
        binding,
        async (hash, user, pass, authorizationId, salt, iterations, own, channelBinding) => {
          const server = new ScramServer({
            ...account({ hash, user, pass, salt, iterations, nonce: own }),
            ...(channelBinding && { binding: channelBinding }),
          });
          const given = { user, pass, ...(authorizationId && { authorizationId }) };
          const context = offering(PLUS, channelBinding);
          expect(await talk(MAKERS[hash](given), server, context)).toBe(true);
          expect(server.authorizationId).toBe(authorizationId ?? '');
          expect(server.header[0]).toBe(channelBinding ? 'p' : 'n');
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a SCRAM mechanism gives a proof of no worth when the password is another', async () => {
    const server = new ScramServer(account({ pass: 'pencils' }));
    await expect(talk(scramSha256(USER), server)).rejects.toThrow('the server says invalid-proof');
  });

  test('a SCRAM mechanism hashes what SASLprep gives when user and password are to be prepared', async () => {
    const server = new ScramServer(account({ user: 'IX', pass: '1\u20442 x' }));
    const given = { user: 'I\u00adX', pass: '\u00bd\u3000x', authorizationId: '\u2168' };
    expect(await talk(scramSha256(given), server)).toBe(true);
    expect(server.authorizationId).toBe('IX');
  });

  test('a SCRAM mechanism takes another nonce for each exchange when none is given', async () => {
    const random = vi.spyOn(crypto, 'getRandomValues');
    const mechanism = scramSha256(USER);
    expect(random).not.toHaveBeenCalled();
    const first = async (): Promise<string> => (await begin(mechanism)).first.said ?? '';
    const [one, other] = [await first(), await first()];
    random.mockRestore();
    // 24 octets.
    for (const said of [one, other]) expect(said).toMatch(/^n,,n=user,r=[A-Za-z\d+/]{32}$/);
    expect(one).not.toBe(other);
  });
});

describe('the channel binding of SCRAM (RFC 5802 §6, RFC 9266)', () => {
  const channelBinding = randomBytes(32);

  test.each<[string, SaslContext | undefined, string]>([
    ['there is no context', undefined, 'n,,'],
    ['the channel cannot be bound', NOWHERE, 'n,,'],
    ['the server offers -PLUS and the channel cannot be bound', offering(PLUS), 'n,,'],
    ['the server offers no -PLUS', offering([], channelBinding), 'y,,'],
    ['it is used', offering(PLUS, channelBinding), 'p=tls-exporter,,'],
  ])('scram() says so in its header when %s', async (_name, context, header) => {
    const { exchange, first } = await begin(replay(SHA_256), context);
    expect(first.said).toBe(`${header}n=user,r=${SHA_256.nonce}`);
    const { said } = await step(exchange, SHA_256.serverFirst);
    const channel = Buffer.from(/^c=([^,]*),r=/.exec(said ?? '')?.[1] ?? '', 'base64');
    const bound = header.startsWith('p') ? channelBinding : Buffer.of();
    expect(channel).toEqual(Buffer.concat([Buffer.from(header), bound]));
  });

  test('scram() has the authorization identity in the header that it binds when there is one', async () => {
    const given = { ...USER, authorizationId: 'a=b,c' };
    const { exchange, first } = await begin(replay(SHA_256, given), NOWHERE);
    expect(first.said).toBe(`n,a=a=3Db=2Cc,n=user,r=${SHA_256.nonce}`);
    const { said } = await step(exchange, SHA_256.serverFirst);
    expect(said).toMatch(new RegExp(`^c=${btoa('n,a=a=3Db=2Cc,')},`));
  });

  test('scram() is refused when somebody between the two ends the channel', async () => {
    const server = new ScramServer(account({ binding: randomBytes(32) }));
    const context = offering(PLUS, channelBinding);
    await expect(talk(scramSha256(USER), server, context)).rejects.toThrow(
      'the server says channel-bindings-dont-match',
    );
  });

  test('scram() is refused when somebody takes -PLUS out of what the server offers', async () => {
    const server = new ScramServer(account({ binding: channelBinding }));
    const context = offering([], channelBinding);
    await expect(talk(scramSha256(USER), server, context)).rejects.toThrow(
      'the server says server-does-support-channel-binding',
    );
  });
});

describe('the user name of SCRAM', () => {
  test.each([
    ['a,b', 'a=2Cb'],
    ['a=b', 'a=3Db'],
    ['=2C', '=3D2C'],
    [',=,=', '=2C=3D=2C=3D'],
  ])(
    'scram() writes , and = in three characters when the user is %j (RFC 5802 §5.1)',
    async (user, written) => {
      const { first } = await begin(replay(SHA_256, { ...USER, user }));
      expect(first.said).toBe(`n,,n=${written},r=${SHA_256.nonce}`);
    },
  );

  const BAD = ['', 'sec\0ret', 'sec\u0007ret', 'secret\udfff', '\u00ad', undefined, 42];

  test.each(BAD)(
    'a SCRAM mechanism throws TypeError, and does not name it, when user or password is %j',
    (bad) => {
      for (const make of Object.values(MAKERS))
        for (const part of ['user', 'pass']) {
          const attempt = (): unknown => make({ ...USER, [part]: bad });
          expect(attempt).toThrow(TypeError);
          expect(attempt).toThrow(/^(?!.*(?:sec|ret|pencil|user\b))/);
        }
    },
  );

  test('a SCRAM mechanism throws TypeError when the authorization identity is prohibited', () => {
    expect(() => scramSha256({ ...USER, authorizationId: 'a\u0007' })).toThrow(TypeError);
  });

  test('a SCRAM mechanism has no authorization identity when it is empty', async () => {
    const { first } = await begin(replay(SHA_256, { ...USER, authorizationId: '' }));
    expect(first.said).toBe(SHA_256.clientFirst);
  });
});

describe('the first message of the server in SCRAM', () => {
  const { nonce } = SHA_256;
  const SALT = 's=W22ZaJ0SNY7soEsUEjb6gQ==';

  test.each([
    ['an optional extension', `r=${nonce}x,${SALT},i=4096,x=y`],
    ['the least iterations', `r=${nonce}x,${SALT},i=4096`],
    ['one octet of salt', `r=${nonce}x,s=AA==,i=4096`],
    ['two octets of salt', `r=${nonce}x,s=AAA=,i=4096`],
    ['three octets of salt', `r=${nonce}x,s=+/+/,i=4096`],
    ['a nonce that holds m=', `r=${nonce}m=1,${SALT},i=4096`],
  ])('scram() answers when it has %s', async (_name, serverFirst) => {
    expect((await against(serverFirst)).said).toMatch(/^c=biws,r=rOprNGfwEbeRWgbNEkqO.+,p=.{44}$/);
  });

  const NONCE = 'foreign nonce';
  const MALFORMED = 'malformed server message';
  const EXTENSION = 'the server demands an extension';

  test.each([
    ['another nonce', `r=fyko+d2lbbFgONRv9qkxdawL3rfc,${SALT},i=4096`, NONCE],
    ['the client nonce at the end', `r=x${nonce},${SALT},i=4096`, NONCE],
    ['the client nonce in other case', `r=${nonce.toLowerCase()}x,${SALT},i=4096`, NONCE],
    ['no nonce of its own', `r=${nonce},${SALT},i=4096`, NONCE],
    ['a shorter nonce', `r=${nonce.slice(0, -1)},${SALT},i=4096`, NONCE],
    ['an empty nonce', `r=,${SALT},i=4096`, MALFORMED],
    ['a nonce with a space', `r=${nonce} x,${SALT},i=4096`, MALFORMED],
    ['a nonce that is not ASCII', `r=${nonce}é,${SALT},i=4096`, MALFORMED],
    ['no nonce', `${SALT},i=4096`, MALFORMED],
    ['1 iteration', `r=${nonce}x,${SALT},i=1`, 'the iteration count is 1'],
    ['4095 iterations', `r=${nonce}x,${SALT},i=4095`, 'the iteration count is 4095'],
    ['too many iterations', `r=${nonce}x,${SALT},i=10000001`, 'the iteration count is 10000001'],
    ['iterations without end', `r=${nonce}x,${SALT},i=${'9'.repeat(400)}`, MALFORMED],
    ['0 iterations', `r=${nonce}x,${SALT},i=0`, MALFORMED],
    ['a leading zero', `r=${nonce}x,${SALT},i=04096`, MALFORMED],
    ['an exponent', `r=${nonce}x,${SALT},i=5e3`, MALFORMED],
    ['a fraction', `r=${nonce}x,${SALT},i=4096.5`, MALFORMED],
    ['hexadecimal digits', `r=${nonce}x,${SALT},i=0x1000`, MALFORMED],
    ['a sign', `r=${nonce}x,${SALT},i=+4096`, MALFORMED],
    ['a blank', `r=${nonce}x,${SALT},i= 4096`, MALFORMED],
    ['a line end', `r=${nonce}x,${SALT},i=4096\n`, MALFORMED],
    ['no iterations', `r=${nonce}x,${SALT}`, MALFORMED],
    ['empty iterations', `r=${nonce}x,${SALT},i=`, MALFORMED],
    ['an empty salt', `r=${nonce}x,s=,i=4096`, MALFORMED],
    ['no salt', `r=${nonce}x,i=4096`, MALFORMED],
    ['a salt that is no base64', `r=${nonce}x,s=W22Z!J0S,i=4096`, MALFORMED],
    ['a salt in base64url', `r=${nonce}x,s=W22ZaJ-_,i=4096`, MALFORMED],
    ['a salt with a blank', `r=${nonce}x,s=W22Z J0S,i=4096`, MALFORMED],
    ['a salt without padding', `r=${nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ,i=4096`, MALFORMED],
    ['a salt of padding', `r=${nonce}x,s====,i=4096`, MALFORMED],
    ['a salt of too few digits', `r=${nonce}x,s=A===,i=4096`, MALFORMED],
    ['padding inside the salt', `r=${nonce}x,s=AA==AAAA,i=4096`, MALFORMED],
    ['another order', `${SALT},r=${nonce}x,i=4096`, MALFORMED],
    ['something between', `r=${nonce}x,x=y,${SALT},i=4096`, MALFORMED],
    ['names in upper case', `R=${nonce}x,S=W22ZaJ0S,I=4096`, MALFORMED],
    ['nothing', '', MALFORMED],
    ['a mandatory extension', `m=x,r=${nonce}x,${SALT},i=4096`, EXTENSION],
    ['m= at the end', `r=${nonce}x,${SALT},i=4096,m=x`, EXTENSION],
    ['an error', 'e=unknown-user', 'the server says unknown-user'],
    ['an error that repeats the password', 'e=not pencil', 'the server says other-error'],
    ['a byte order mark in front', `\ufeffr=${nonce}x,${SALT},i=4096`, MALFORMED],
  ])('scram() refuses when it has %s', async (_name, serverFirst, message) => {
    await expect(against(serverFirst)).rejects.toThrow(new Error(message));
  });

  test('scram() derives nothing when the iteration count is refused', async () => {
    const derive = vi.spyOn(crypto.subtle, 'deriveBits');
    await expect(against(`r=${nonce}x,${SALT},i=10000001`)).rejects.toThrow();
    expect(derive).not.toHaveBeenCalled();
    derive.mockRestore();
  });

  test('scram() asks for ten million iterations when the server does', async () => {
    const derive = vi.spyOn(crypto.subtle, 'deriveBits').mockResolvedValue(new ArrayBuffer(32));
    await against(`r=${nonce}x,${SALT},i=10000000`);
    expect(derive.mock.calls[0]?.[0]).toMatchObject({ iterations: 10_000_000, hash: 'SHA-256' });
    derive.mockRestore();
  });

  test('scram() refuses when it is no UTF-8', async () => {
    const { exchange } = await begin(replay(SHA_256));
    await expect(exchange.next(Uint8Array.of(0x72, 0x3d, 0xff))).rejects.toThrow(TypeError);
  });
});

describe('the last message of the server in SCRAM', () => {
  const { serverFirst, serverFinal, clientFinal } = SHA_256;
  const PROOF = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
  const WRONG = 'wrong server signature';

  test('scram() accepts it when an extension follows', async () => {
    expect(await against(serverFirst, `${serverFinal},x=y`)).toEqual({ done: false, said: '' });
  });

  test.each([
    ['the signature of somebody else', `v=${btoa('x'.repeat(32))}`, WRONG],
    ['one other octet in front', serverFinal.replace('v=6', 'v=7'), WRONG],
    ['one other octet at the end', serverFinal.replace('G4=', 'G8='), WRONG],
    ['a part of the signature', `v=${btoa(atob(serverFinal.slice(2)).slice(0, 31))}`, WRONG],
    ['more than the signature', `v=${btoa(`${atob(serverFinal.slice(2))}x`)}`, WRONG],
    ["the client's proof", `v=${PROOF}`, WRONG],
    ['an empty signature', 'v=', WRONG],
    ['another attribute in front', `x=y,${serverFinal}`, WRONG],
    ['the name in upper case', serverFinal.replace('v=', 'V='), WRONG],
    ['nothing', '', WRONG],
    ['the first message again', serverFirst, WRONG],
    ['a mandatory extension', `${serverFinal},m=x`, 'the server demands an extension'],
    ['an error', 'e=invalid-proof', 'the server says invalid-proof'],
    ['an error of its own', 'e=Kein Zutritt!,x=y', 'the server says Kein Zutritt!'],
    ['an error that it keeps for itself', 'e=', WRONG],
    ['an error with a control character', 'e=bad\r\n\x1b[31m', 'the server says bad'],
    ['an error that repeats the password', 'e=not pencil', 'the server says other-error'],
    ['an error that repeats the proof', `e=${PROOF}`, 'the server says other-error'],
  ])('scram() refuses when it is %s', async (_name, said, message) => {
    await expect(against(serverFirst, said)).rejects.toThrow(new Error(message));
  });

  test('scram() refuses when the signature is no base64', async () => {
    await expect(against(serverFirst, 'v=6rri!')).rejects.toThrow();
  });

  test.each([
    ['at once', []],
    ['before its last message', [serverFirst]],
  ])('scram() throws when the server is satisfied %s', async (_name, challenges) => {
    const { exchange } = await begin(replay(SHA_256));
    for (const challenge of challenges) await step(exchange, challenge);
    await expect(step(exchange)).rejects.toThrow(new Error('the server proved nothing'));
  });

  test('scram() has nothing to say when the server asks behind its proof', async () => {
    const { exchange } = await begin(replay(SHA_256));
    for (const challenge of [serverFirst, serverFinal]) await step(exchange, challenge);
    expect((await step(exchange, serverFinal)).done).toBe(true);
  });

  test('scram() can be started again when an exchange has failed', async () => {
    const mechanism = replay(SHA_256);
    const failing = await begin(mechanism);
    await step(failing.exchange, serverFirst);
    await expect(step(failing.exchange, 'e=other-error')).rejects.toThrow();
    const { exchange } = await begin(mechanism);
    expect((await step(exchange, serverFirst)).said).toBe(clientFinal);
    expect((await step(exchange, serverFinal)).said).toBe('');
  });
});
