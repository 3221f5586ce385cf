import { describe, expect, test, vi } from 'vitest';
import { oauthBearer } from '../../src/sasl/index.ts';
import { begin, step } from './exchange.ts';

const USER = 'user@example.com';
const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';
const ERROR =
  '{"status":"invalid_token","schemes":"bearer mac","scope":"https://mail.example.com/"}';

const firstOf = async (given: Partial<Parameters<typeof oauthBearer>[0]>): Promise<string> =>
  (await begin(oauthBearer({ user: USER, token: TOKEN, ...given }))).first.said ?? '';

describe('oauthBearer()', () => {
  test('oauthBearer() gives the SMTP example of RFC 7628 §4.1 when it is given host and port', async () => {
    expect(btoa(await firstOf({ host: 'server.example.com', port: 587 }))).toBe(
      'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB',
    );
  });

  test.each([
    ['nothing more', {}, 'n,a=user@example.com,\x01'],
    ['a host', { host: 'h.example' }, 'n,a=user@example.com,\x01host=h.example\x01'],
    ['a port', { port: 25 }, 'n,a=user@example.com,\x01port=25\x01'],
    ['another identity', { authorizationId: 'other' }, 'n,a=other,\x01'],
    ['no identity', { authorizationId: '' }, 'n,,\x01'],
    ['no user', { user: '' }, 'n,,\x01'],
    ['a user with , and =', { user: 'a=b,c' }, 'n,a=a=3Db=2Cc,\x01'],
    ['a user in UTF-8', { user: 'жук@пример' }, 'n,a=жук@пример,\x01'],
  ])(
    'oauthBearer() gives header, keys and token when it is given %s',
    async (_name, given, head) => {
      expect(await firstOf(given)).toBe(`${head}auth=Bearer ${TOKEN}\x01\x01`);
    },
  );

  test('oauthBearer() answers with %x01, once, when the server explains an error (RFC 7628 §3.2.3)', async () => {
    const { exchange } = await begin(oauthBearer({ user: USER, token: TOKEN }));
    expect(await step(exchange, ERROR)).toEqual({ done: false, said: '\x01' });
    expect((await step(exchange, ERROR)).done).toBe(true);
  });

  test('oauthBearer() just ends when the server is satisfied', async () => {
    const { exchange } = await begin(oauthBearer({ user: USER, token: TOKEN }));
    expect(await step(exchange)).toEqual({ done: true, said: undefined });
  });

  test('oauthBearer() tells the function whether to refresh when it asks for the token', async () => {
    const token = vi.fn(async ({ refresh }: { refresh: boolean }) => (refresh ? 'new' : 'old'));
    const mechanism = oauthBearer({ user: USER, token });
    expect((await begin(mechanism)).first.said).toContain('Bearer old\x01');
    expect((await begin(mechanism.refreshed ?? mechanism)).first.said).toContain('Bearer new\x01');
  });

  test('oauthBearer() is weaker than SCRAM and exposes the token when it is chosen among others', () => {
    expect(oauthBearer({ user: USER, token: TOKEN })).toMatchObject({
      name: 'OAUTHBEARER',
      strength: 6,
      exposesSecret: true,
    });
  });

  test.each([
    ['a token with a control character', { token: `${TOKEN}\x01` }],
    ['an empty token', { token: '' }],
    ['a user with a control character', { user: 'a\x01auth=Bearer x' }],
    ['an identity with a control character', { authorizationId: 'a\x01b' }],
    ['a host with a control character', { host: 'a\x01b' }],
    ['an empty host', { host: '' }],
    ['port 0', { port: 0 }],
    ['a port that is no integer', { port: 1.5 }],
    ['a port of six digits', { port: 100_000 }],
    ['a negative port', { port: -1 }],
    ['no user', { user: undefined as unknown as string }],
  ])('oauthBearer() throws TypeError, and names no token, when it is given %s', (_name, given) => {
    const make = (): unknown => oauthBearer({ user: USER, token: TOKEN, ...given });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(/^(?!.*vF9dft4)/);
  });
});
