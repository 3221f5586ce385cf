import { describe, expect, test } from 'vitest';
import { login, type SaslExchange } from '../../src/sasl/index.ts';

function respond(exchange: SaslExchange, challenge: string): string {
  const response = exchange.respond(new TextEncoder().encode(challenge)) as Uint8Array;
  return new TextDecoder('utf-8', { fatal: true }).decode(response);
}

describe('login()', () => {
  test('login() answers with user, then password when the prompts are usual', () => {
    const exchange = login({ user: 'tim', pass: 'tanstaaf' }).start();
    expect(respond(exchange, 'Username:')).toBe('tim');
    expect(respond(exchange, 'Password:')).toBe('tanstaaf');
  });

  test.each([
    ['User Name\0', 'Password\0'],
    ['', ''],
    ['Benutzername', 'Kennwort'],
    ['Password:', 'Username:'],
  ])('login() answers by order when the prompts are %j and %j', (first, second) => {
    const exchange = login({ user: 'tim', pass: 'tanstaaf' }).start();
    expect([respond(exchange, first), respond(exchange, second)]).toEqual(['tim', 'tanstaaf']);
  });

  test('login() throws when the server asks a third time', () => {
    const exchange = login({ user: 'tim', pass: 'tanstaaf' }).start();
    respond(exchange, 'a');
    respond(exchange, 'b');
    expect(() => respond(exchange, 'c')).toThrow('it asked a third time');
  });

  test('login() begins anew when it is started again', () => {
    const mechanism = login({ user: 'tim', pass: 'tanstaaf' });
    for (const exchange of [mechanism.start(), mechanism.start()]) {
      expect(respond(exchange, 'Username:')).toBe('tim');
    }
  });

  test('login() lets the server speak first when it is started', () => {
    expect(login({ user: 'a', pass: 'b' }).start().initial).toBeUndefined();
  });

  test('login() is weaker than PLAIN and exposes the secret when it is chosen among others', () => {
    expect(login({ user: 'a', pass: 'b' })).toMatchObject({
      name: 'LOGIN',
      strength: 1,
      exposesSecret: true,
    });
  });

  test('login() gives UTF-8 and empty parts when the credentials are such', () => {
    const exchange = login({ user: 'жук👋', pass: '' }).start();
    expect([respond(exchange, ''), respond(exchange, '')]).toEqual(['жук👋', '']);
  });

  test.each([
    ['a user with NUL', { user: 'a\0b', pass: 'c' }],
    ['a password with NUL', { user: 'a', pass: '\0' }],
    ['half a surrogate pair', { user: 'a', pass: '\udfff' }],
    ['no password', { user: 'a', pass: undefined as unknown as string }],
  ])('login() throws TypeError when it is given %s', (_name, credentials) => {
    expect(() => login(credentials)).toThrow(TypeError);
  });
});
