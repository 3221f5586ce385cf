import { describe, expect, test } from 'vitest';
import { type DevinoContext, type DevinoReason, devino, explain } from '../src/devino/index.ts';
import type { Reply } from '../src/wire/reply.ts';

function reply(code: number, ...lines: string[]): Reply {
  return { code, lines, text: lines.join(' ') };
}

interface Documented {
  readonly reason: DevinoReason;
  readonly text: string;
  readonly details: object;
}

const TO = 'to@example.com';
const FROM = 'from@example.org';
const SENT: DevinoContext = { recipients: [TO], sender: FROM };

/** The six texts as the page has them, with a value where it has a placeholder. */
const DOCUMENTED: readonly Documented[] = devino.refusals.map(({ reason, text }) => {
  if (reason === 'attachment-type') {
    return { reason, text: `${text} exe`, details: { extension: 'exe' } };
  }
  if (!text.endsWith(':')) return { reason, text, details: {} };
  const address = reason === 'invalid-recipient' ? TO : FROM;
  return { reason, text: `${text} ${address}`, details: { address } };
});

type Variant = readonly [name: string, change: (text: string) => readonly string[]];

const VARIANTS: readonly Variant[] = [
  ['as documented', (text) => [text]],
  ['after "Transaction failed: "', (text) => [`Transaction failed: ${text}`]],
  ['after "Transaction failed "', (text) => [`Transaction failed ${text}`]],
  ['after "TRANSACTION FAILED. "', (text) => [`TRANSACTION FAILED. ${text}`]],
  ['after "Transaction failed - "', (text) => [`Transaction failed - ${text}`]],
  ['after "Transaction failed," without a blank', (text) => [`Transaction failed,${text}`]],
  ['after a line "Transaction failed"', (text) => ['Transaction failed', text]],
  ['before a line "Transaction failed"', (text) => [text, 'Transaction failed']],
  ['before "Transaction failed" on its line', (text) => [`${text} Transaction failed.`]],
  ['with an enhanced status code', (text) => [`5.7.1 ${text}`]],
  ['with an enhanced status code of the other class', (text) => [`4.3.0 ${text}`]],
  [
    'with an enhanced status code on each line',
    (text) => ['5.0.0 Transaction failed', `5.0.0 ${text}`],
  ],
  ['with an enhanced status code, alone on the last line', (text) => [`5.0.0 ${text}`, '5.0.0']],
  [
    'with the enhanced status code behind the name',
    (text) => [`Transaction failed: 5.1.1 ${text}`],
  ],
  ['with the reply code left on the lines', (text) => ['554-Transaction failed', `554 ${text}`]],
  ['in upper case', (text) => [text.toUpperCase()]],
  ['in lower case', (text) => [text.toLowerCase()]],
  ['with double blanks and tabs', (text) => [text.replaceAll(' ', '  ').replace('  ', ' \t ')]],
  ['with blanks around', (text) => [`  ${text}  `]],
  ['with a final full stop', (text) => [`${text}.`]],
  ['folded at the first blank', (text) => text.split(/ (.*)/s).filter(Boolean)],
  ['folded at the last blank', (text) => text.split(/ (?=\S+$)/)],
  ['with an empty last line', (text) => [text, '']],
  ['with a further line', (text) => [text, 'Please call the support']],
  ['in parentheses', (text) => [`Transaction failed (${text})`]],
  ['in quotes', (text) => [`"${text}"`]],
  ['with no-break spaces', (text) => [text.replaceAll(' ', '\u00a0')]],
  ['behind other words', (text) => [`Sorry! ${text}`]],
  ['behind another line', (text) => ['The message was refused', text]],
  ['attachment spelled right', (text) => [text.replace('attachement', 'attachment')]],
];

describe('explain() recognises each documented text', () => {
  for (const { reason, text, details } of DOCUMENTED) {
    for (const [name, change] of VARIANTS) {
      test(`${reason}: ${name}`, () => {
        const found = explain(reply(554, ...change(text)), SENT);
        expect(found).toMatchObject({ reason, ...details, code: 554 });
        expect(found).not.toHaveProperty('assumed');
      });
    }

    for (const code of [421, 450, 451, 452, 454, 500, 501, 530, 535, 550, 552, 553, 554, 599]) {
      test(`${reason}: with code ${code}`, () => {
        const table = devino.refusals.find((refusal) => refusal.reason === reason);
        const found = explain(reply(code, text), SENT);
        expect(found).toEqual({
          reason,
          ...details,
          retry: code < 500 ? 'later' : table?.retry,
          text,
          code,
        });
      });
    }

    test(`${reason}: without a context, in anything with a reply, at any phase`, () => {
      expect(explain(reply(554, text))).toMatchObject({ reason, ...details });
      for (const phase of ['greeting', 'auth', 'mail', 'rcpt', 'data', 'final']) {
        const error = Object.assign(new Error('x'), {
          code: 'ERR_SMTP_REPLY',
          phase,
          reply: reply(554, text),
        });
        expect(explain(error)).toMatchObject({ reason, ...details, code: 554, text });
      }
    });
  }
});

describe('explain() follows the conformance catalogue', () => {
  const rows: readonly [string, Reply, DevinoContext, object | undefined][] = [
    [
      'DEV-01',
      reply(554, 'Must authenticate before sending mail'),
      {},
      { reason: 'not-authenticated', retry: 'fix-first' },
    ],
    [
      'DEV-03',
      reply(535, 'Authentication failure'),
      {},
      {
        reason: 'not-authenticated',
        retry: 'fix-first',
        code: 535,
        text: 'Authentication failure',
      },
    ],
    ['DEV-05', reply(554, 'Internal server error'), {}, { reason: 'server-error', retry: 'later' }],
    [
      'DEV-08',
      reply(554, 'Not allowed attachement type .exe'),
      {},
      { reason: 'attachment-type', extension: 'exe', retry: 'fix-first' },
    ],
    [
      'DEV-11',
      reply(554, 'Message exceeds fixed size limit'),
      {},
      { reason: 'too-large', retry: 'fix-first' },
    ],
    [
      'DEV-13',
      reply(554, 'Invalid recipient address: to@x'),
      { recipients: ['to@x'] },
      { reason: 'invalid-recipient', address: 'to@x', retry: 'never' },
    ],
    [
      'DEV-16',
      reply(554, 'Disallowed source address: from@x'),
      { sender: 'from@x' },
      { reason: 'sender-not-confirmed', address: 'from@x', retry: 'fix-first' },
    ],
    [
      'DEV-17',
      reply(554, 'Disallowed source address: header@x'),
      { sender: 'envelope@x' },
      { address: 'header@x' },
    ],
    [
      'DEV-18',
      reply(554, 'Transaction failed: Invalid recipient address: a@b'),
      {},
      { reason: 'invalid-recipient', address: 'a@b' },
    ],
    [
      'DEV-20 reversed',
      reply(554, 'Invalid recipient address: a@b', 'Transaction failed'),
      {},
      { reason: 'invalid-recipient', address: 'a@b' },
    ],
    [
      'DEV-20 folded',
      reply(554, 'Invalid recipient address: some.long.na', 'me@example.com'),
      {},
      { reason: 'invalid-recipient', address: 'some.long.name@example.com' },
    ],
    ['DEV-21 alone', reply(554, 'Transaction failed'), SENT, undefined],
    ['DEV-21 unknown', reply(554, 'Transaction failed: spam'), SENT, undefined],
    [
      'DEV-22',
      reply(554, 'INVALID  RECIPIENT  ADDRESS:  A@B.'),
      { recipients: ['a@b'] },
      { reason: 'invalid-recipient', address: 'a@b' },
    ],
    [
      'DEV-23 550',
      reply(550, 'Invalid recipient address: a@b'),
      {},
      { reason: 'invalid-recipient', retry: 'never', code: 550 },
    ],
    [
      'DEV-23 552',
      reply(552, 'Message exceeds fixed size limit'),
      {},
      { reason: 'too-large', retry: 'fix-first', code: 552 },
    ],
    [
      'DEV-23 530',
      reply(530, 'Must authenticate before sending mail'),
      {},
      { reason: 'not-authenticated', retry: 'fix-first', code: 530 },
    ],
    [
      'DEV-23 451',
      reply(451, 'Invalid recipient address: a@b'),
      {},
      { reason: 'invalid-recipient', retry: 'later', code: 451 },
    ],
    [
      'DEV-24',
      reply(554, 'Invalid recipient address: "Internal server error"@x'),
      {},
      { reason: 'invalid-recipient', address: '"Internal server error"@x' },
    ],
  ];
  test.each(rows)('%s', (_, given, context, expected) => {
    const found = explain(given, context);
    if (expected) expect(found).toMatchObject(expected);
    else expect(found).toBeUndefined();
  });
});

describe('explain() lets no echoed text change the reason', () => {
  const text = 'Invalid recipient address: Internal server error';
  test.each<[string, ...string[]]>([
    [text],
    [`Transaction failed ${text}`],
    [`Transaction failed: ${text}`],
    [`Transaction failed. ${text}`],
    [`Transaction failed, ${text}`],
    [`Transaction failed - ${text}`],
    [`5.1.1 ${text}`],
    [`5.1.1 Transaction failed: ${text}`],
    [`554 ${text}`],
    ['554-5.1.1 Transaction failed', `554 5.1.1 ${text}`],
    ['', text],
    ['5.1.1', text],
  ])('%j', (...lines) => {
    expect(explain(reply(554, ...lines))).toMatchObject({
      reason: 'invalid-recipient',
      address: 'Internal server error',
    });
  });
});

describe('explain() returns undefined', () => {
  test.each([
    ['for an unknown text', reply(554, 'No such user')],
    ['for a text behind 4096 characters', reply(554, `${'x'.repeat(4096)} Internal server error`)],
    ['for a code above 599', reply(600, 'Internal server error')],
    ['for no text', reply(554)],
    ['for a positive reply', reply(250, 'Internal server error')],
    ['for an intermediate reply', reply(354, 'Internal server error')],
    ['for 530, which asks for TLS too', reply(530, '5.7.0 Must issue a STARTTLS command first')],
    [
      'for two texts that are not at the start',
      reply(554, 'x Internal server error Message exceeds fixed size limit'),
    ],
    [
      'for a text in a quoted local part',
      reply(550, 'No relay to "Internal server error"@example.com'),
    ],
    [
      'for a text in a quoted local part behind a line separator',
      reply(550, 'No relay to "\u2028Internal server error"@example.com'),
    ],
    ['for a code that is no number', { ...reply(554, 'Internal server error'), code: '554' }],
    ['for a code that is no code', reply(Number.NaN, 'Internal server error')],
    ['for undefined', undefined],
    ['for null', null],
    ['for a string', '554 Internal server error'],
    ['for an error without a reply', new Error('Internal server error')],
    ['for an error with a null reply', { reply: null, code: 'ERR_SMTP_CLOSED' }],
    ['for a reply without lines and text', { code: 554 }],
  ])('%s', (_, given) => {
    expect(explain(given)).toBeUndefined();
  });
});

describe('explain() keeps the text', () => {
  test('as it came, but for control characters', () => {
    const text = 'Internal server error \u001b[31m\u0000';
    expect(explain({ code: 554, lines: [text], text })?.text).toBe(
      'Internal server error \ufffd[31m\ufffd',
    );
    expect(explain(reply(554, '5.0.0 Transaction failed:', 'Internal  server error'))?.text).toBe(
      '5.0.0 Transaction failed: Internal  server error',
    );
  });

  test('and lets no control character into the address', () => {
    const found = explain(reply(554, 'Invalid recipient address: a\r\nb\u0085\u0000@c'));
    expect(found?.address).toBe('ab\ufffd\ufffd@c');
  });
});
