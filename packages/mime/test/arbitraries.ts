/** Strings that break mail builders: whole characters of every kind, and the pieces that a header field is made of. */
import fc from 'fast-check';

const ODD_CHARACTERS = [
  '\u0080',
  '\u0085',
  '\u00a0',
  '\u00ad',
  '\u010a',
  '\u010d',
  '\u2028',
  '\u2029',
  '\u200d',
  '\ufeff',
  '\ufffd',
  '\u3002',
  '\uff0e',
  '\u760a',
  '\u760d',
  '\u{1f600}',
  '\u{20000}',
  'e\u0301',
];

const TOKENS = [
  '=?',
  '?=',
  '=?utf-8?Q?x?=',
  '=?utf-8?b?eA==?=',
  "''",
  '%41',
  '\\',
  '"',
  ',',
  ';',
  ':',
  '@',
  '<>',
  '()',
  '.',
  'From ',
  '-- ',
  '_',
  '=',
  ' ',
  '  ',
  'word ',
];

const RUNS = [60, 61, 73, 74, 75, 76, 77, 78, 79, 80].map((length) => 'x'.repeat(length));

const LONG_RUNS = [900, 990, 998, 999].flatMap((length) => [
  'y'.repeat(length),
  ' '.repeat(length),
]);

/** Any text without control characters and without half a surrogate pair. */
export const headerText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...TOKENS) },
      { weight: 4, arbitrary: fc.constantFrom(...ODD_CHARACTERS) },
      { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
      { weight: 3, arbitrary: fc.string({ maxLength: 30 }) },
      { weight: 1, arbitrary: fc.constantFrom(...RUNS) },
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join('').replace(/\p{Cc}/gu, (one) => (one < '\x80' ? '' : one)));

/** The same with runs longer than a line may be. */
export const longHeaderText: fc.Arbitrary<string> = fc
  .tuple(headerText, fc.constantFrom('', ...LONG_RUNS), headerText)
  .map((parts) => parts.join(''));

/** Any text at all, without half a surrogate pair. */
export const bodyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          '\r',
          '\n',
          '\r\n',
          ' \r\n',
          '\t\n',
          '\0',
          '\x7f',
          '\t',
          '=\r\n',
        ),
      },
      {
        weight: 4,
        arbitrary: fc.constantFrom(...TOKENS, '\r\n.', '\nFrom ', '\nF', '=_', '--=_0'),
      },
      { weight: 2, arbitrary: fc.constantFrom(...ODD_CHARACTERS) },
      { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
      { weight: 2, arbitrary: fc.string({ maxLength: 100 }) },
      { weight: 1, arbitrary: fc.constantFrom(...RUNS, ...LONG_RUNS) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

/** What no header field may hold: control characters and halves of surrogate pairs. */
export const forbidden: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('\r\n', '\r', '\n', '\0', '\r\n ', '\r\nX-Evil: 1') },
  {
    weight: 2,
    arbitrary: fc
      .oneof(fc.integer({ min: 0, max: 0x1f }), fc.constant(0x7f))
      .map((code) => String.fromCharCode(code)),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 0xd800, max: 0xdbff })
      .map((code) => `${String.fromCharCode(code)}x`),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 0xdc00, max: 0xdfff })
      .map((code) => `x${String.fromCharCode(code)}`),
  },
);

/** Text with something forbidden somewhere in it. */
export const poisoned: fc.Arbitrary<string> = fc
  .tuple(headerText, forbidden, headerText)
  // What comes next must not complete half a pair.
  .map(([before, bad, after]) => `${before}${bad}${after.replace(/^[\udc00-\udfff]/, '')}`);

/** Good addresses. */
export const address: fc.Arbitrary<string> = fc
  .tuple(
    fc.stringMatching(/^[a-z][a-z\d]{0,8}([.+_-][a-z\d]{1,8}){0,2}$/),
    fc.stringMatching(/^[a-z][a-z\d]{0,8}(\.[a-z]{2,6}){1,2}$/),
  )
  .map((parts) => parts.join('@'));
