import { describe, expect, test, vi } from 'vitest';
import { type BearerToken, xoauth2 } from '../../src/sasl/index.ts';
import { begin, step } from './exchange.ts';

const USER = 'someuser@example.com';
const TOKEN = 'ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg';
const FIRST = `user=${USER}\x01auth=Bearer ${TOKEN}\x01\x01`;
const ERROR = '{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}';

describe('xoauth2()', () => {
  test('xoauth2() gives the example of its documentation when it is given a token', async () => {
    const { exchange, first } = await begin(xoauth2({ user: USER, token: TOKEN }));
    expect(first).toEqual({ done: false, said: FIRST });
    expect(btoa(FIRST)).toBe(
      'dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==',
    );
    expect(await step(exchange)).toEqual({ done: true, said: undefined });
  });

  test('xoauth2() answers with nothing, once, when the server explains an error', async () => {
    const { exchange } = await begin(xoauth2({ user: USER, token: TOKEN }));
    expect(await step(exchange, ERROR)).toEqual({ done: false, said: '' });
    expect((await step(exchange, ERROR)).done).toBe(true);
  });

  test('xoauth2() has nothing to refresh when the token is a string', () => {
    expect(xoauth2({ user: USER, token: TOKEN }).refreshed).toBeUndefined();
    expect(xoauth2({ user: USER, token: () => TOKEN }).refreshed?.refreshed).toBeUndefined();
    expect(xoauth2({ user: USER, token: () => TOKEN }).refreshed).toMatchObject({
      name: 'XOAUTH2',
      strength: 5,
      exposesSecret: true,
    });
  });

  test.each<[string, BearerToken]>([
    ['a string', TOKEN],
    ['a function', () => TOKEN],
    ['a function that promises', async () => TOKEN],
  ])('xoauth2() goes the same way when the token is %s', async (_name, token) => {
    const mechanism = xoauth2({ user: USER, token });
    for (let time = 0; time < 2; time++) {
      const { exchange, first } = await begin(mechanism);
      expect(first).toEqual({ done: false, said: FIRST });
      expect(await step(exchange, ERROR)).toEqual({ done: false, said: '' });
      expect(await step(exchange)).toEqual({ done: true, said: undefined });
    }
  });

  test('xoauth2() tells the function whether to refresh when it asks for the token', async () => {
    const token = vi.fn(({ refresh }: { refresh: boolean }) => (refresh ? 'new' : 'old'));
    const mechanism = xoauth2({ user: USER, token });
    expect(token).not.toHaveBeenCalled();
    const said = [];
    for (const attempt of [mechanism, mechanism.refreshed ?? mechanism])
      said.push((await begin(attempt)).first.said?.split('Bearer ')[1]);
    expect(said).toEqual(['old\x01\x01', 'new\x01\x01']);
    expect(token.mock.calls).toEqual([[{ refresh: false }], [{ refresh: true }]]);
  });

  test('xoauth2() asks for no token when it is started and not resumed', () => {
    const token = vi.fn(() => TOKEN);
    xoauth2({ user: USER, token }).start();
    expect(token).not.toHaveBeenCalled();
  });

  test.each<[string, BearerToken]>([
    [
      'throws',
      () => {
        throw new Error('no token today');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('no token today');
      },
    ],
  ])('xoauth2() fails with the error of the function when it %s', async (_name, token) => {
    await expect(begin(xoauth2({ user: USER, token }))).rejects.toThrow('no token today');
  });

  test('xoauth2() is weaker than OAUTHBEARER and exposes the token when it is chosen among others', () => {
    expect(xoauth2({ user: USER, token: TOKEN })).toMatchObject({
      name: 'XOAUTH2',
      strength: 5,
      exposesSecret: true,
    });
  });

  const BAD = [
    '',
    'secret\n',
    'sec ret',
    'secret\x01',
    'secret\x7f',
    'sécret',
    undefined,
    42,
    null,
  ];

  test.each(BAD)(
    'xoauth2() throws TypeError, and does not name it, when the token is %j',
    (given) => {
      const make = (): unknown => xoauth2({ user: USER, token: given as string });
      expect(make).toThrow(TypeError);
      expect(make).toThrow(/^Cannot use token$/);
    },
  );

  test.each(BAD)('xoauth2() fails with TypeError when a function gives %j', async (given) => {
    const promised = xoauth2({ user: USER, token: async () => given as string });
    await expect(begin(promised)).rejects.toThrow(new TypeError('Cannot use token'));
  });

  test.each(['a\x01b', 'a\0', 'a\r\n', '\udfff', undefined as unknown as string])(
    'xoauth2() throws TypeError when the user is %j',
    (user) => {
      expect(() => xoauth2({ user, token: TOKEN })).toThrow(TypeError);
    },
  );
});
