import { describe, expect, test } from 'vitest';
import type { SaslExchange, SaslMechanism } from '../../src/sasl/index.ts';
import { play } from '../session/transcript.ts';
import { octetsOf, whole } from '../wire/cuts.ts';

const CAUSE = new Error('the token provider is down');

function mechanism(change: Partial<SaslMechanism>): SaslMechanism {
  return {
    name: 'XOAUTH2',
    strength: 9,
    exposesSecret: false,
    // biome-ignore lint/correctness/useYield: it fails before its first response
    *start(): Generator<Uint8Array, void> {
      throw CAUSE;
    },
    ...change,
  };
}

const GREETING = `S: 220 mail.example.com
  C: EHLO client.example
  S: 250-mail.example.com
  S: 250 AUTH XOAUTH2 PLAIN`;

function failure(text: string, ...mechanisms: readonly SaslMechanism[]): unknown {
  return play({ text, open: { mechanisms } }, whole).outcomes[0]?.error;
}

const EXPECTED = {
  name: 'SmtpError',
  code: 'ERR_SMTP_AUTH',
  phase: 'auth',
  delivery: 'not-sent',
  retry: 'fix-first',
  message: 'Cannot authenticate: XOAUTH2: the token provider is down',
  cause: CAUSE,
};

describe('a mechanism that fails', () => {
  test('is an SmtpError with its cause, and nothing is sent, when its first response fails', () => {
    expect(failure(GREETING, mechanism({}))).toMatchObject(EXPECTED);
  });

  test('is an SmtpError with its cause when it cannot be started', () => {
    const start = (): SaslExchange => {
      throw CAUSE;
    };
    expect(failure(GREETING, mechanism({ start }))).toMatchObject(EXPECTED);
  });

  test('cancels the exchange with * when a later response fails', () => {
    const text = `${GREETING}
      C: AUTH XOAUTH2 Zmlyc3Q=
      S: 334
      C: *
      S: 501 cancelled`;
    const start = function* (): Generator<Uint8Array, void> {
      yield octetsOf('first');
      throw CAUSE;
    };
    expect(failure(text, mechanism({ start }))).toMatchObject(EXPECTED);
  });

  test('cancels nothing when another mechanism was answered 504 before', () => {
    const text = `${GREETING}
      C: AUTH PLAIN Zmlyc3Q=
      S: 504 unknown`;
    const start = function* (): Generator<Uint8Array, void> {
      yield octetsOf('first');
    };
    expect(
      failure(text, mechanism({}), mechanism({ name: 'PLAIN', strength: 10, start })),
    ).toMatchObject(EXPECTED);
  });
});
