import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plain, type SaslMechanism } from '../../src/sasl/index.ts';

type Step = IteratorResult<Uint8Array | undefined, void>;

/** The initial response, NUL written as `<NUL>` as RFC 4616 §4 writes it. */
function message(mechanism: SaslMechanism): string {
  const octets = (mechanism.start().next(new Uint8Array()) as Step).value as Uint8Array;
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    .decode(octets)
    .replaceAll('\0', '<NUL>');
}

const CREDENTIALS = { user: 'tim', pass: 'tanstaaftanstaaf' };

describe('plain()', () => {
  test('plain() gives the first example of RFC 4616 when there is no authorization identity', () => {
    expect(message(plain(CREDENTIALS))).toBe('<NUL>tim<NUL>tanstaaftanstaaf');
  });

  test('plain() gives the second example of RFC 4616 when there is an authorization identity', () => {
    expect(message(plain({ user: 'Kurt', pass: 'xipj3plmq', authorizationId: 'Ursel' }))).toBe(
      'Ursel<NUL>Kurt<NUL>xipj3plmq',
    );
  });

  test('plain() is a mechanism that exposes the secret when it is chosen among others', () => {
    expect(plain(CREDENTIALS)).toMatchObject({ name: 'PLAIN', exposesSecret: true, strength: 2 });
  });

  test('plain() gives UTF-8 when user and password are not ASCII', () => {
    expect(message(plain({ user: 'жук', pass: 'п👋' }))).toBe('<NUL>жук<NUL>п👋');
  });

  test('plain() says nothing more when the server asks again', () => {
    const exchange = plain(CREDENTIALS).start();
    const steps = [exchange.next(new Uint8Array()), exchange.next(new Uint8Array())] as Step[];
    expect(steps.map(({ done }) => done)).toEqual([false, true]);
  });

  test('plain() begins anew when it is started again', () => {
    const mechanism = plain(CREDENTIALS);
    expect(message(mechanism)).toBe(message(mechanism));
  });

  test.each([
    ['a user with NUL', { user: 'a\0b', pass: 'c' }],
    ['a password with NUL', { user: 'a', pass: 'b\0c' }],
    ['an authorization identity with NUL', { user: 'a', pass: 'b', authorizationId: 'c\0d' }],
    ['a user with half a surrogate pair', { user: '\ud800', pass: 'c' }],
    ['a password with half a surrogate pair', { user: 'a', pass: 'b\udc0a' }],
    ['no user', { user: undefined as unknown as string, pass: 'c' }],
    ['a password that is no string', { user: 'a', pass: 42 as unknown as string }],
  ])('plain() throws TypeError when it is given %s', (_name, credentials) => {
    expect(() => plain(credentials)).toThrow(TypeError);
  });

  test('plain() names no credential when it throws', () => {
    expect(() => plain({ user: 'tim', pass: 'tanstaaf\0' })).toThrow(/^(?!.*(?:tim|tanstaaf)).*$/);
  });

  test('plain() is read back in three parts when the credentials are random', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((given) => !given.includes('\0'));
    fc.assert(
      fc.property(text, text, text, (user, pass, authorizationId) => {
        const parts = message(plain({ user, pass, authorizationId })).split('<NUL>');
        expect(parts.join('|')).toBe([authorizationId, user, pass].join('|'));
      }),
    );
  });
});
