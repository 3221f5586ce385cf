import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  check,
  type DevinoCheckOptions,
  type DevinoMessage,
  type DevinoProblem,
  devino,
} from '../src/devino/index.ts';
import { createTransparency } from '../src/wire/transparency.ts';

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
  textParts: [HTML],
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
    expect(only({ to })).toEqual({
      rule: 'recipient-count',
      severity: 'error',
      grade: 'documented',
      limit: 1,
      actual,
      excess: actual - 1,
      message: `The message has ${actual} recipients and may have 1`,
    });
  });

  test.each([0, 2])('%i in the header To', (toCount) => {
    expect(only({ toCount })).toMatchObject({ rule: 'recipient-count', actual: toCount });
  });

  test('and says so once where both have several', () => {
    const to = ['a@example.com', 'b@example.com', 'c@example.com'];
    expect(only({ to, toCount: 2 })).toMatchObject({ rule: 'recipient-count', actual: 3 });
  });

  test('and names the place of one that is no mailbox', () => {
    const found = problems({ to: ['a@example.com', { address: 'b' }] });
    expect(found.map(({ rule }) => rule)).toEqual(['recipient-count', 'invalid-recipient']);
    expect(found[1]?.message).toContain('"b" as to[1]');
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

  test.each(['news@example.com', 'shop@example.org', '', 'shop'])('%j is not', (from) => {
    expect(only({ from }, { confirmedSenders })).toMatchObject({
      rule: 'sender-not-confirmed',
      severity: 'error',
      grade: 'documented',
      address: from,
    });
  });

  test('by its grammar alone without a list', () => {
    expect(problems({ from: 'anyone@example.org' })).toEqual([]);
    for (const from of ['', 'Shop <shop@example.com>', 'a@b\r\nDATA']) {
      expect(only({ from })).toMatchObject({ rule: 'sender-not-confirmed', address: from });
    }
    expect(only({}, { confirmedSenders: [] }).message).toContain('as from: not confirmed');
  });
});

describe('check() wants no files (DEV-27)', () => {
  test.each([1, 3])('%i of them', (actual) => {
    const attachments = Array.from({ length: actual }, () => ({ filename: 'a.pdf' }));
    expect(only({ attachments })).toEqual({
      rule: 'attachments',
      severity: 'error',
      grade: 'documented',
      limit: 0,
      actual,
      excess: actual,
      message: `The message has ${actual} files and may have 0`,
    });
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
    expect(only({ size })).toEqual({
      rule: 'too-large',
      severity,
      grade,
      limit,
      actual: size,
      excess: size - limit,
      message: `The message has ${size} octets and may have ${limit}`,
    });
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
    expect(error.message).toContain('600000 octets or more');
    expect(problems({ size: undefined, minimumSize: 500_001 })).toMatchObject([
      { rule: 'too-large', severity: 'warning' },
      { rule: 'size-unknown', severity: 'warning' },
    ]);
  });

  test('in memory as it goes on the wire, whatever size is claimed', () => {
    const piece = fc.constantFrom('a', 'я', '.', '\n', '\r\n');
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1 }), (pieces) => {
        const content = pieces.join('');
        const octets = new TextEncoder().encode(content);
        const data = createTransparency('DATA', () => {});
        data.push(octets);
        data.end();
        for (const given of [content, octets]) {
          const found = problems({ content: given, size: 1 }, { maxSize: 0 });
          expect(found).toMatchObject([{ rule: 'too-large', actual: data.octets }]);
        }
      }),
    );
  });

  test('and cannot measure what is made later', () => {
    const content = (): string => 'x';
    expect(only({ content, size: undefined, minimumSize: undefined }).rule).toBe('size-unknown');
    expect(problems({ content, size: 2_000 })).toEqual([]);
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
    expect(problem.message).toBe(`A text has no ${tag}: add <a href="${tag}">`);
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
    expect(problems({ textParts: [PLAIN, HTML] })).toEqual([]);
    expect(problems({ textParts: ['Привет!', HTML] })).toMatchObject([
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
    expect(problems({ textParts: undefined }, { tags: 'off' })).toEqual([]);
  });

  test('and misses them in a message without a text', () => {
    expect(problems({ textParts: [] }).map(({ rule, parts }) => [rule, parts])).toEqual([
      ['tag-missing', []],
      ['tag-missing', []],
    ]);
  });
});
