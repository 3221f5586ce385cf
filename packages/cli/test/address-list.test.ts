/** Address lists as programs write them: what is read, and that nothing is read in two ways. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../test/growth.ts';
import { AddressError, parseAddressList } from '../src/message/address-list.ts';

const read = (text: string): string[] =>
  parseAddressList(text).map(({ local, domain }) =>
    domain === undefined ? local : `${local}@${domain}`,
  );

test.each([
  ['a@example.com', ['a@example.com']],
  ['A <a@example.com>, b@example.com', ['a@example.com', 'b@example.com']],
  ['"Doe, Jane" <jane@example.com>', ['jane@example.com']],
  ['"a@evil.example" <b@example.com>', ['b@example.com']],
  ['"quoted, local"@example.com', ['"quoted, local"@example.com']],
  ['"a\\"b"@example.com', ['"a\\"b"@example.com']],
  ['a@[192.0.2.1], b@[IPv6:2001:db8::1]', ['a@[192.0.2.1]', 'b@[IPv6:2001:db8::1]']],
  ['root (Cron Daemon)', ['root']],
  ['(a (nested \\) comment), with) a@example.com (and, more)', ['a@example.com']],
  ['a (x) . b @ (y) example . com', ['a.b@example.com']],
  ['a..b@example.com, .c@example.com', ['a..b@example.com', '.c@example.com']],
  [
    'Team: a@example.com, B <b@example.com>;, c@example.com',
    ['a@example.com', 'b@example.com', 'c@example.com'],
  ],
  ['undisclosed-recipients:;', []],
  ['<@relay.example,@other.example:a@example.com>', ['a@example.com']],
  [',, a@example.com , , b@example.com,', ['a@example.com', 'b@example.com']],
  ['', []],
  ['Jürgen <jürgen@example.com>', ['jürgen@example.com']],
  ['J. R. Doe <j@example.com>', ['j@example.com']],
  ['"J" R. "Doe" <j@example.com>', ['j@example.com']],
  ['=?utf-8?q?J=2C_K?= <j@example.com>', ['j@example.com']],
  ['a@example.com,\r\n b@example.com', ['a@example.com', 'b@example.com']],
  ['root, admin', ['root', 'admin']],
])('%j', (text, addresses) => {
  expect(read(text)).toEqual(addresses);
});

test.each([
  ['a@example.com b@example.com', /two words/],
  ['two words', /two words/],
  ['a@b@example.com', /a second @/],
  ['<a@example.com', /a < without its >/],
  ['a@example.com>', /a > without its </],
  ['<a@example.com> b', /something behind the >/],
  ['<a@example.com> <b@example.com>', /a second </],
  ['<a@example.com, b@example.com>', /a , between/],
  ['<>', /nothing between/],
  ['A <>', /nothing between/],
  ['"a@example.com', /a " that is out of place/],
  ['(a a@example.com', /a comment without its end/],
  ['a) b@example.com', /a \) that is out of place/],
  ['a@[192.0.2.1', /a \[ that is out of place/],
  ['@example.com', /half of an address/],
  ['a@', /half of an address/],
  ['a@"example.com"', /no address/],
  ['[a]@example.com', /no address/],
  ['a;b@example.com', /a ; without a group/],
  ['Team: a@example.com', /a group without its ;/],
  ['A: B: c@example.com;;', /a : without a group/],
  [': a@example.com;', /a : without a group/],
  ['a\\@example.com', /a \\ that is out of place/],
])('%j is refused', (text, why) => {
  expect(() => read(text)).toThrow(AddressError);
  expect(() => read(text)).toThrow(why);
});

test('says where an address stands, and what is beside it', () => {
  const text = '"Doe, J" (x) <j (y) @example.com> (the boss), root (Cron Daemon)';
  const [one, two] = parseAddressList(text);
  expect(one).toMatchObject({
    phrase: '"Doe, J"',
    comment: 'the boss',
    local: 'j',
    domain: 'example.com',
  });
  expect(text.slice(one?.from, one?.to)).toBe('j (y) @example.com');
  expect(two).toEqual({ local: 'root', phrase: '', comment: 'Cron Daemon', from: 46, to: 50 });
});

describe('properties', () => {
  const word = fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,8}$/);
  const quoted = fc.string({ maxLength: 8 }).map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`);
  const local = fc.oneof(
    fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.')),
    quoted,
  );
  const domain = fc
    .array(fc.stringMatching(/^[a-z0-9]{1,6}$/), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('.'));
  const comment = fc.string({ maxLength: 6 }).map((text) => `(${text.replace(/[()\\]/g, '\\$&')})`);
  const gap = fc.oneof(fc.constantFrom('', ' ', '\t', '\r\n '), comment);

  test('as many addresses come out as went in, and the same, whatever is around them', () => {
    const one = fc.record({
      local,
      domain,
      phrase: fc.oneof(fc.constant(''), word, quoted),
      gaps: fc.array(gap, { minLength: 6, maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 5 }), (list) => {
        const text = list
          .map(({ local: left, domain: right, phrase, gaps: [a, b, c, d, e, f] }) => {
            const spec = `${b}${left}${c}@${d}${right}${e}`;
            return phrase ? `${a}${phrase}${a}<${spec}>${f}` : `${a}${spec}${f}`;
          })
          .join(',');
        expect(read(text)).toEqual(list.map((each) => `${each.local}@${each.domain}`));
      }),
      { numRuns: 500 },
    );
  });

  test('whatever is given, it is read or refused, and no address holds what parts addresses', () => {
    const sign = fc.constantFrom(
      '"',
      '(',
      ')',
      '<',
      '>',
      ',',
      ';',
      ':',
      '@',
      '.',
      '\\',
      '[',
      ']',
      ' ',
      'a',
      'b',
      'ü',
      '\n',
    );
    fc.assert(
      fc.property(fc.string({ unit: sign, maxLength: 20 }), (text) => {
        let found: string[] = [];
        try {
          found = read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(AddressError);
        }
        for (const address of found)
          expect(address.replace(/"(?:[^"\\]|\\[\s\S])*"|\[[^\]]*\]/g, 'q')).toMatch(
            /^[abqü.]+(@[abqü.]+)?$/,
          );
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(['a,', '(', '"', '\\', '<', 'a ', '[', '"a" ', '@', ':;', '(a)', '("'])(
    'takes linear time for many %j',
    (piece) => {
      const exponent = growthExponent(
        (count) => {
          const text = piece.repeat(count);
          return () => {
            try {
              parseAddressList(text);
            } catch {}
          };
        },
        [1_000, 4_000, 16_000],
        1.6,
      );
      expect(exponent).toBeLessThan(1.6);
    },
  );
});
