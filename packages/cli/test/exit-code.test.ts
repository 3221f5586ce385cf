/** The table from failures to exit codes, each of its rows; and the page that shows it. */
import { readFileSync } from 'node:fs';
import {
  type Phase,
  type Reply,
  SmtpError,
  type SmtpErrorCode,
  type SmtpErrorDetails,
} from '@posthorn/core';
import { compose } from '@posthorn/mime';
import { describe, expect, test } from 'vitest';
import { CliError } from '../src/cli-error.ts';
import { EXIT, type ExitName, exitOf } from '../src/exit-code.ts';

const reply = (code: number, text = 'no'): Reply => ({
  code,
  lines: [text],
  text,
  enhanced: /^\d\.\d+\.\d+/.exec(text)?.[0] as Reply['enhanced'],
});

const failure = (
  code: SmtpErrorCode,
  phase: Phase,
  details: Partial<SmtpErrorDetails> = {},
): SmtpError => new SmtpError(code, 'Cannot', { phase, ...details });

const system = (code: string): Error =>
  Object.assign(new Error(code), { code, syscall: 'connect' });

const refused = (code: number, phase: Phase, text?: string): SmtpError =>
  failure('ERR_SMTP_REPLY', phase, { reply: reply(code, text), delivery: 'rejected' });

const rows: readonly (readonly [string, unknown, ExitName])[] = [
  ['a mistake of ours', new Error('oops'), 'SOFTWARE'],
  ['something thrown that is no error', 'oops', 'SOFTWARE'],
  ['what the program refuses itself', new CliError('NOINPUT', 'x'), 'NOINPUT'],
  ['what cannot be composed', caught(() => compose({ from: 'x' })), 'DATAERR'],
  [
    'what is too large',
    caught(() => compose({ from: 'a@example.com' }, { maxSize: 1 })),
    'DATAERR',
  ],
  [
    'a connection refused',
    failure('ERR_SMTP_CONNECT', 'connect', { cause: system('ECONNREFUSED') }),
    'TEMPFAIL',
  ],
  [
    'a host that cannot be reached',
    failure('ERR_SMTP_CONNECT', 'connect', { cause: system('EHOSTUNREACH') }),
    'TEMPFAIL',
  ],
  [
    'a name that there is not',
    failure('ERR_SMTP_CONNECT', 'connect', { cause: system('ENOTFOUND') }),
    'NOHOST',
  ],
  [
    'a name server that is silent',
    failure('ERR_SMTP_CONNECT', 'connect', { cause: system('EAI_AGAIN') }),
    'TEMPFAIL',
  ],
  [
    'a local address of another machine',
    failure('ERR_SMTP_CONNECT', 'connect', { cause: system('EADDRNOTAVAIL') }),
    'CONFIG',
  ],
  ['a greeting of 421', failure('ERR_SMTP_REPLY', 'greeting', { reply: reply(421) }), 'TEMPFAIL'],
  [
    'a greeting of 554',
    failure('ERR_SMTP_REPLY', 'greeting', { reply: reply(554) }),
    'UNAVAILABLE',
  ],
  ['a server that speaks no SMTP', failure('ERR_SMTP_PROTOCOL', 'greeting'), 'UNAVAILABLE'],
  ['a certificate', failure('ERR_SMTP_TLS', 'tls'), 'CONFIG'],
  ['a password that is wrong', failure('ERR_SMTP_AUTH', 'auth', { reply: reply(535) }), 'NOPERM'],
  [
    'a password that cannot be looked up now',
    failure('ERR_SMTP_AUTH', 'auth', { reply: reply(454) }),
    'TEMPFAIL',
  ],
  ['a mechanism that is not offered', failure('ERR_SMTP_AUTH', 'auth'), 'CONFIG'],
  ['a login that is asked for', failure('ERR_SMTP_AUTH', 'mail', { reply: reply(530) }), 'NOPERM'],
  ['a sender refused', refused(550, 'mail'), 'NOPERM'],
  ['a sender refused for now', refused(451, 'mail'), 'TEMPFAIL'],
  ['a size refused', refused(552, 'mail'), 'DATAERR'],
  ['a recipient refused', refused(550, 'rcpt', '5.1.1 nobody'), 'NOUSER'],
  ['a recipient refused for now', refused(450, 'rcpt'), 'TEMPFAIL'],
  ['a relay refused', refused(550, 'rcpt', '5.7.1 relaying denied'), 'NOPERM'],
  ['a mailbox that is too small', refused(550, 'rcpt', '5.2.3 too long'), 'DATAERR'],
  [
    'one recipient refused for good and one for now',
    failure('ERR_SMTP_REPLY', 'rcpt', {
      reply: reply(450),
      rejected: [
        { address: 'a@example.com', reply: reply(450) },
        { address: 'b@example.com', reply: reply(550) },
      ],
    }),
    'NOUSER',
  ],
  ['a content refused', refused(554, 'final'), 'DATAERR'],
  ['a content refused for now', refused(451, 'final'), 'TEMPFAIL'],
  ['a content refused by a policy', refused(550, 'final', '5.7.1 spam'), 'NOPERM'],
  ['a message for another server', failure('ERR_SMTP_UNSUPPORTED', 'mail'), 'UNAVAILABLE'],
  ['a message over SIZE', failure('ERR_SMTP_TOO_LARGE', 'mail'), 'DATAERR'],
  [
    'a file that cannot be read',
    failure('ERR_SMTP_CONTENT', 'content', { cause: new CliError('IOERR', 'x') }),
    'IOERR',
  ],
  ['a disk that fails', failure('ERR_SMTP_CONTENT', 'content', { cause: system('EIO') }), 'IOERR'],
  [
    'a content that is no mail',
    failure('ERR_SMTP_CONTENT', 'content', { cause: new Error('NUL') }),
    'DATAERR',
  ],
  ['a deadline', failure('ERR_SMTP_TIMEOUT', 'rcpt'), 'TEMPFAIL'],
  ['a connection lost before the end', failure('ERR_SMTP_CLOSED', 'content'), 'TEMPFAIL'],
  [
    'a connection lost behind the end',
    failure('ERR_SMTP_CLOSED', 'final', { delivery: 'unknown' }),
    'PROTOCOL',
  ],
  [
    'no answer to the end',
    failure('ERR_SMTP_TIMEOUT', 'final', { delivery: 'unknown' }),
    'PROTOCOL',
  ],
  [
    'nonsense as an answer to the end',
    failure('ERR_SMTP_PROTOCOL', 'final', { delivery: 'unknown' }),
    'PROTOCOL',
  ],
  [
    'a stop behind the end',
    failure('ERR_SMTP_ABORTED', 'final', { delivery: 'unknown' }),
    'PROTOCOL',
  ],
  [
    'a delivery to some, and to others not for now',
    failure('ERR_SMTP_REPLY', 'final', {
      reply: reply(451),
      delivery: 'rejected',
      accepted: ['a@example.com'],
    }),
    'UNAVAILABLE',
  ],
  ['a full pool', failure('ERR_SMTP_QUEUE_FULL', 'idle'), 'TEMPFAIL'],
];

function caught(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

test.each(rows)('%s', (_, error, exit) => {
  expect(exitOf(error)).toBe(exit);
});

test('what is unknown is never what callers send again after, whatever else is said of it', () => {
  for (const [, error] of rows)
    if (error instanceof SmtpError) {
      const unknown = new SmtpError(error.code, 'x', {
        ...error,
        retry: 'later',
        delivery: 'unknown',
      });
      expect(EXIT[exitOf(unknown)]).toBe(76);
      expect(EXIT[exitOf(unknown, 'server-error')]).toBe(76);
    }
});

test("the provider's refusals go by their reason", () => {
  const error = refused(554, 'final');
  expect(exitOf(error, 'server-error')).toBe('TEMPFAIL');
  expect(exitOf(error, 'invalid-recipient')).toBe('NOUSER');
  expect(exitOf(error, 'sender-not-confirmed')).toBe('NOPERM');
  expect(exitOf(error, 'not-authenticated')).toBe('NOPERM');
  expect(exitOf(error, 'too-large')).toBe('DATAERR');
  expect(exitOf(error, 'attachment-type')).toBe('DATAERR');
});

describe('docs/command-line.md', () => {
  const page = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8');
  const shown = [...page.matchAll(/^\| (\d+) \| `EX_(\w+)` \|/gm)].map(([, code, name]) => [
    name,
    Number(code),
  ]);

  test('shows each code', () => {
    expect(Object.fromEntries(shown)).toEqual(EXIT);
  });
});
