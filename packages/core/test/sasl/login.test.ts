import { describe, expect, test } from 'vitest';
import { login, type SaslExchange, type SaslMechanism } from '../../src/sasl/index.ts';

type Step = IteratorResult<Uint8Array | undefined, void>;

function begin(mechanism: SaslMechanism): SaslExchange {
  const exchange = mechanism.start();
  // The server speaks first.
  expect((exchange.next(new Uint8Array()) as Step).value).toBeUndefined();
  return exchange;
}

function respond(exchange: SaslExchange, challenge: string): string {
  const { value } = exchange.next(new TextEncoder().encode(challenge)) as Step;
  return new TextDecoder('utf-8', { fatal: true }).decode(value as Uint8Array);
}

describe('login()', () => {
  test('login() answers with user, then password when the prompts are usual', () => {
    const exchange = begin(login({ user: 'tim', pass: 'tanstaaf' }));
    expect(respond(exchange, 'Username:')).toBe('tim');
    expect(respond(exchange, 'Password:')).toBe('tanstaaf');
  });

  test.each([
    ['User Name\0', 'Password\0'],
    ['', ''],
    ['Benutzername', 'Kennwort'],
    ['Password:', 'Username:'],
  ])('login() answers by order when the prompts are %j and %j', (first, second) => {
    const exchange = begin(login({ user: 'tim', pass: 'tanstaaf' }));
    expect([respond(exchange, first), respond(exchange, second)]).toEqual(['tim', 'tanstaaf']);
  });

  test('login() has nothing to say when the server asks a third time', () => {
    const exchange = begin(login({ user: 'tim', pass: 'tanstaaf' }));
    respond(exchange, 'a');
    respond(exchange, 'b');
    expect((exchange.next(new Uint8Array()) as Step).done).toBe(true);
  });

  test('login() begins anew when it is started again', () => {
    const mechanism = login({ user: 'tim', pass: 'tanstaaf' });
    for (const exchange of [begin(mechanism), begin(mechanism)]) {
      expect(respond(exchange, 'Username:')).toBe('tim');
    }
  });

  test('login() is weaker than PLAIN and exposes the secret when it is chosen among others', () => {
    expect(login({ user: 'a', pass: 'b' })).toMatchObject({
      name: 'LOGIN',
      strength: 1,
      exposesSecret: true,
    });
  });

  test('login() gives UTF-8 and empty parts when the credentials are such', () => {
    const exchange = begin(login({ user: 'жук👋', pass: '' }));
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
