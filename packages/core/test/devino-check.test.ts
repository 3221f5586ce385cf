import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  check,
  type DevinoCheckOptions,
  type DevinoMessage,
  type DevinoProblem,
  devino,
} from '../src/devino/index.ts';

const HTML =
  '<p>Привет! <a href="[WebVersion]">Открыть</a> <a href="[Unsubscribe]">Отписаться</a></p>';

/** A message that breaks no rule. */
const GOOD: DevinoMessage = {
  from: 'shop@example.com',
  to: ['user@example.com'],
  toCount: 1,
  size: 2_000,
  minimumSize: 2_000,
  attachments: [],
  hasText: false,
  hasHtml: true,
  textParts: [HTML],
  body: '8BITMIME',
  smtpUtf8: false,
};

function problems(
  change: Partial<DevinoMessage>,
  options?: DevinoCheckOptions,
): readonly DevinoProblem[] {
  return check({ ...GOOD, ...change }, options);
}

function only(change: Partial<DevinoMessage>, options?: DevinoCheckOptions): DevinoProblem {
  const found = problems(change, options);
  expect(found).toHaveLength(1);
  return found[0] as DevinoProblem;
}

describe('check() finds nothing', () => {
  test('in a message that keeps the rules', () => {
    expect(check(GOOD, { tags: 'reject', confirmedSenders: ['shop@example.com'] })).toEqual([]);
  });

  test.each<[string, Partial<DevinoMessage>]>([
    ['a recipient as a string', { to: 'user@example.com' }],
    ['a recipient as a Recipient', { to: [{ address: 'user@example.com' }] }],
    ['a recipient with a quoted local part', { to: ['"a b"@example.com'] }],
    ['a recipient at an IDN domain', { to: ['user@почта.рф'] }],
    ['an unknown number of To addresses', { toCount: undefined }],
    ['no list of attachments', { attachments: undefined }],
    ['exactly 500,000 octets', { size: 500_000 }],
  ])('in %s', (_, change) => {
    expect(problems(change)).toEqual([]);
  });
});

describe('check() wants one recipient (DEV-25)', () => {
  test.each([0, 2, 3])('%i in the envelope', (actual) => {
    const to = Array.from({ length: actual }, (_, index) => `user${index}@example.com`);
    const problem = only({ to });
    expect(problem).toMatchObject({
      rule: 'recipient-count',
      severity: 'error',
      grade: 'documented',
    });
    expect(problem).toMatchObject({ limit: 1, actual, excess: actual - 1 });
    expect(problem.message).toContain(
      actual === 0 ? 'give the one address' : 'only the first would be sent to',
    );
  });

  test.each([0, 2])('%i in the header To', (toCount) => {
    expect(only({ toCount })).toMatchObject({
      rule: 'to-count',
      severity: 'error',
      grade: 'documented',
      limit: 1,
      actual: toCount,
    });
  });

  test.each([
    '',
    'user',
    'user@',
    '@example.com',
    'a@b c',
    'User <a@b.com>',
    'a@b.com, c@d.com',
    'a@b\r\nRCPT',
  ])('%j is no mailbox', (address) => {
    expect(only({ to: [address] })).toMatchObject({
      rule: 'invalid-recipient',
      severity: 'error',
      grade: 'documented',
      address,
    });
  });
});

describe('check() judges the sender', () => {
  const confirmedSenders = ['shop@example.com', 'info@почта.рф'];

  test.each([
    'shop@example.com',
    'shop@EXAMPLE.com',
    'Shop@example.com',
    'info@xn--80a1acny.xn--p1ai',
  ])('%s is confirmed', (from) => {
    expect(problems({ from }, { confirmedSenders })).toEqual([]);
  });

  test.each(['news@example.com', 'shop@example.org', ''])('%j is not', (from) => {
    expect(only({ from }, { confirmedSenders })).toMatchObject({
      rule: 'sender-not-confirmed',
      severity: 'error',
      grade: 'documented',
      address: from,
    });
  });

  test('only the null path without a list', () => {
    expect(problems({ from: 'anyone@example.org' })).toEqual([]);
    expect(only({ from: '' }).rule).toBe('sender-not-confirmed');
    expect(only({}, { confirmedSenders: [] }).rule).toBe('sender-not-confirmed');
  });
});

describe('check() wants no files (DEV-27)', () => {
  test('and names the first of them', () => {
    const attachments = [{ filename: 'a.pdf' }, {}, { filename: 'b".exe' }];
    const problem = only({ attachments });
    expect(problem).toMatchObject({ rule: 'attachments', severity: 'error', grade: 'documented' });
    expect(problem).toMatchObject({ limit: 0, actual: 3, excess: 3 });
    expect(problem.message).toContain('("a.pdf", "b\\".exe")');
    expect(problem.message).toContain('link to them');
  });
});

describe('check() weighs the message (DEV-26)', () => {
  const rows: readonly [number, 'error' | 'warning', number, DevinoProblem['grade']][] = [
    [500_001, 'warning', 500_000, 'guess'],
    [512_000, 'warning', 500_000, 'guess'],
    [512_001, 'error', 512_000, 'documented'],
    [10_000_000, 'error', 512_000, 'documented'],
  ];
  test.each(rows)('%i octets: %s', (size, severity, limit, grade) => {
    const problem = only({ size });
    expect(problem).toEqual({
      rule: 'too-large',
      severity,
      grade,
      limit,
      actual: size,
      excess: size - limit,
      message: problem.message,
    });
    expect(problem.message).toContain(`${size - limit} more than`);
  });

  test('against other limits, if asked to', () => {
    expect(only({ size: 1_001 }, { maxSize: 1_000 })).toMatchObject({
      severity: 'error',
      excess: 1,
    });
    expect(only({ size: 11 }, { sizeWarning: 10 })).toMatchObject({
      severity: 'warning',
      excess: 1,
    });
    expect(problems({ size: 512_000 }, { sizeWarning: 512_000 })).toEqual([]);
  });

  test.each([undefined, Number.NaN, -1, Number.POSITIVE_INFINITY])(
    '%s octets: not known',
    (size) => {
      expect(only({ size, minimumSize: undefined })).toMatchObject({
        rule: 'size-unknown',
        severity: 'warning',
        limit: 512_000,
      });
    },
  );

  test('by its minimum, where that is all that is known', () => {
    expect(problems({ size: undefined, minimumSize: 400_000 }).map(({ rule }) => rule)).toEqual([
      'size-unknown',
    ]);
    const error = only({ size: undefined, minimumSize: 600_000 });
    expect(error).toMatchObject({
      rule: 'too-large',
      severity: 'error',
      actual: 600_000,
      excess: 88_000,
    });
    expect(error.message).toContain('at least 600000');
    expect(problems({ size: undefined, minimumSize: 500_001 })).toMatchObject([
      { rule: 'too-large', severity: 'warning' },
      { rule: 'size-unknown', severity: 'warning' },
    ]);
  });
});

describe('check() looks for the tags', () => {
  const PLAIN = 'Привет! [WebVersion] [Unsubscribe]';

  test.each(devino.tags)('%s missing', (tag) => {
    const problem = only({ textParts: [HTML.replace(tag, '#')] });
    expect(problem).toMatchObject({
      rule: 'tag-missing',
      severity: 'warning',
      grade: 'documented',
      tag,
      parts: [0],
    });
    expect(problem.message).toContain(`<a href="${tag}">`);
  });

  test('with the severity that is asked for', () => {
    const textParts = ['Привет! <a href="http://www.devinotele.com">Кликни меня</a>'];
    const severities = (tags?: DevinoCheckOptions['tags']): string[] =>
      problems({ textParts }, { tags }).map(({ severity }) => severity);
    expect(severities()).toEqual(['warning', 'warning']);
    expect(severities('warn')).toEqual(['warning', 'warning']);
    expect(severities('reject')).toEqual(['error', 'error']);
    expect(severities('off')).toEqual([]);
  });

  test('in each text part', () => {
    expect(problems({ hasText: true, textParts: [PLAIN, HTML] })).toEqual([]);
    expect(problems({ hasText: true, textParts: ['Привет!', HTML] })).toMatchObject([
      { tag: '[Unsubscribe]', parts: [0], grade: 'guess' },
      { tag: '[WebVersion]', parts: [0], grade: 'guess' },
    ]);
  });

  test('as they are spelled', () => {
    expect(problems({ textParts: ['[unsubscribe] [Webversion]'] })).toHaveLength(2);
  });

  test('and says so where it cannot see the text', () => {
    expect(only({ textParts: undefined })).toMatchObject({
      rule: 'tags-unknown',
      severity: 'warning',
    });
    expect(only({ textParts: undefined }, { tags: 'reject' })).toMatchObject({ severity: 'error' });
    expect(only({ textParts: undefined, hasText: undefined, hasHtml: undefined }).rule).toBe(
      'tags-unknown',
    );
    expect(only({ hasText: true, hasHtml: true, textParts: [HTML] }).rule).toBe('tags-unknown');
    expect(problems({ textParts: undefined }, { tags: 'off' })).toEqual([]);
  });

  test('and misses them in a message without a text', () => {
    for (const textParts of [undefined, []]) {
      const found = problems({ hasText: false, hasHtml: false, textParts });
      expect(found.map(({ rule, parts }) => [rule, parts])).toEqual([
        ['tag-missing', []],
        ['tag-missing', []],
      ]);
    }
  });
});

describe('check() warns of extensions that no page mentions', () => {
  test.each<[string, Partial<DevinoMessage>]>([
    ['SMTPUTF8', { smtpUtf8: true }],
    ['BINARYMIME', { body: 'BINARYMIME' }],
  ])('%s', (keyword, change) => {
    const problem = only(change);
    expect(problem).toMatchObject({ rule: 'extension', severity: 'warning', grade: 'guess' });
    expect(problem.message).toContain(keyword);
  });
});

describe('check() as a whole', () => {
  test('lists every problem, in a fixed order', () => {
    const found = check(
      { from: '', to: ['a', 'b@c'], toCount: 2, size: 600_000, attachments: [{}], textParts: [''] },
      { tags: 'reject' },
    );
    expect(found.map(({ rule }) => rule)).toEqual([
      'recipient-count',
      'to-count',
      'invalid-recipient',
      'sender-not-confirmed',
      'attachments',
      'too-large',
      'tag-missing',
      'tag-missing',
    ]);
    expect(found.every(({ severity }) => severity === 'error')).toBe(true);
  });

  test('never throws for a bad message', () => {
    const message = fc.record(
      {
        from: fc.anything(),
        to: fc.oneof(fc.anything(), fc.array(fc.anything())),
        toCount: fc.anything(),
        size: fc.anything(),
        minimumSize: fc.anything(),
        attachments: fc.oneof(fc.anything(), fc.array(fc.anything())),
        hasText: fc.anything(),
        hasHtml: fc.anything(),
        textParts: fc.oneof(fc.anything(), fc.array(fc.anything())),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(message, (bad) => {
        for (const problem of check(bad as DevinoMessage)) {
          expect(problem.message).not.toBe('');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
