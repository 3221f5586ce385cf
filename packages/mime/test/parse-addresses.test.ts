import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../test/growth.ts';
import { parseAddresses } from '../src/header/parse-addresses.ts';
import type { Address, Group, Mailbox } from '../src/index.ts';
import { address, headerText } from './arbitraries.ts';
import { fromUtf8, octetText, readAddresses, readEntity, valuesOf } from './reader.ts';
import { composed, expectMimeError, thrownBy } from './support.ts';

function expectNotRead(text: string, options: { smtpUtf8?: boolean } = {}): void {
  expectMimeError(
    thrownBy(() => parseAddresses(text, options)),
    'ERR_MIME_ADDRESS',
    'addresses',
  );
}

/** The To field that compose() writes, unfolded. */
async function written(to: readonly Address[], smtpUtf8 = false): Promise<string> {
  const entity = readEntity(octetText(await composed({ to }, { smtpUtf8 }).bytes()));
  return fromUtf8(valuesOf(entity, 'To')[0] ?? '');
}

/** Name and address of each mailbox. */
function flat(list: readonly (Mailbox | Group)[]): [string, string][] {
  return list.flatMap((one): [string, string][] =>
    'group' in one ? flat(one.members as Mailbox[]) : [[one.name ?? '', one.address]],
  );
}

describe('parseAddresses() reads', () => {
  test.each<[string, (Mailbox | Group)[]]>([
    ['a@b', [{ address: 'a@b' }]],
    ['<a@b>', [{ address: 'a@b' }]],
    [' \t< a@b\t> ', [{ address: 'a@b' }]],
    ['a@x,b@y , c@z', [{ address: 'a@x' }, { address: 'b@y' }, { address: 'c@z' }]],
    ['Bob <b@x>', [{ name: 'Bob', address: 'b@x' }]],
    ['Bob<b@x>', [{ name: 'Bob', address: 'b@x' }]],
    ['Bob \t van  Doe <b@x>', [{ name: 'Bob van Doe', address: 'b@x' }]],
    // White space that folds is as good as a space (RFC 5322 §3.2.4).
    ['"a\tb\\\tc" <d@e>', [{ name: 'a b c', address: 'd@e' }]],
    ['"Doe, Jane" <b@x>', [{ name: 'Doe, Jane', address: 'b@x' }]],
    ['"B \\"the\\\\\\B\\"  " <b@x>', [{ name: 'B "the\\B"  ', address: 'b@x' }]],
    ['Mr "J. Doe" jr <b@x>', [{ name: 'Mr J. Doe jr', address: 'b@x' }]],
    ['"\\😀" <b@x>', [{ name: '😀', address: 'b@x' }]],
    ['"" <b@x>', [{ address: 'b@x' }]],
    ['J. "R." R.Doe <b@x>', [{ name: 'J. R. R.Doe', address: 'b@x' }]],
    ['T.: b@x;', [{ group: 'T.', members: [{ address: 'b@x' }] }]],
    [
      '"a@b.com>, <evil@example.org" <c@x>',
      [{ name: 'a@b.com>, <evil@example.org', address: 'c@x' }],
    ],
    ['"john doe"@x, "a@b"@y', [{ address: '"john doe"@x' }, { address: '"a@b"@y' }]],
    ['""@x', [{ address: '""@x' }]],
    ['"a,b<c>:;"@x', [{ address: '"a,b<c>:;"@x' }]],
    [
      'a@[192.0.2.1], <b@[IPv6:2001:db8::1]>',
      [{ address: 'a@[192.0.2.1]' }, { address: 'b@[IPv6:2001:db8::1]' }],
    ],
    [
      "O'Neill + !#$%&*-/=?^_`{|}~ <!#$%&'*+-/=?^_`{|}~@x>",
      [{ name: "O'Neill + !#$%&*-/=?^_`{|}~", address: "!#$%&'*+-/=?^_`{|}~@x" }],
    ],
    ['Жёлудь 李 <z@bücher.example>', [{ name: 'Жёлудь 李', address: 'z@bücher.example' }]],
    ['=?utf-8?q?x?= <a@b>', [{ name: '=?utf-8?q?x?=', address: 'a@b' }]],
    [
      'Team: a@x, "B, C" <c@z>;',
      [{ group: 'Team', members: [{ address: 'a@x' }, { name: 'B, C', address: 'c@z' }] }],
    ],
    ['Undisclosed recipients:;', [{ group: 'Undisclosed recipients', members: [] }]],
    ['"A: B" \t:\t; , c@x', [{ group: 'A: B', members: [] }, { address: 'c@x' }]],
    ['"":a@b;', [{ group: '', members: [{ address: 'a@b' }] }]],
    [
      'a@x, G: b@x;, H: c@x; , d@x',
      [
        { address: 'a@x' },
        { group: 'G', members: [{ address: 'b@x' }] },
        { group: 'H', members: [{ address: 'c@x' }] },
        { address: 'd@x' },
      ],
    ],
  ])('%j', async (text, list) => {
    expect(parseAddresses(text)).toEqual(list);
    // compose() takes them, and writes the same.
    const ascii = (one: string): string => one.replace('bücher.example', 'xn--bcher-kva.example');
    if (flat(list).length > 0)
      expect(readAddresses(await written(list))).toEqual(
        flat(list).map(([name, one]) => [name, ascii(one)]),
      );
  });

  test('a local part outside ASCII with smtpUtf8 only', () => {
    expect(parseAddresses('José <josé@example.com>', { smtpUtf8: true })).toEqual([
      { name: 'José', address: 'josé@example.com' },
    ]);
    expectNotRead('José <josé@example.com>');
    expectNotRead('josé@example.com', { smtpUtf8: false });
  });
});

describe('parseAddresses() refuses', () => {
  test.each([
    '',
    ' ',
    ',',
    ';',
    ':',
    ':;',
    '@',
    '<>',
    'a',
    'a@',
    '@b',
    'a@b,',
    ',a@b',
    'a@b,,c@d',
    'a@b, ,c@d',
    'a@b;',
    'a@b; c@d',
    'a@b c@d',
    'a @b',
    'a@ b',
    'a b@c',
    'a@b <c@d>',
    'a@b(comment)',
    '(comment) a@b',
    'Bob (the) <a@b>',
    'Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>',
    'Joe Foo, PhD <joe@example.com>',
    'Foo, PhD <joe@example.com>',
    'Bob',
    'Bob,a@b',
    'Bob <a@b',
    'Bob a@b>',
    'Bob <a@b>>',
    'Bob <<a@b>>',
    '<a@b><a@b>',
    '<a@b> <c@d>',
    '<a@b> Bob',
    '<a@b> "Bob"',
    '<a@b>,',
    '<a@b, c@d>',
    '<a b@c>',
    '<a@b c>',
    '<"Bob" a@b>',
    '<@a,@b:c@d>',
    '<@a:c@d>',
    '@a:c@d',
    '"a"b <c@d>',
    'a"b" <c@d>',
    '"a""b" <c@d>',
    '"a <c@d>',
    '"a\\" <c@d>',
    'a\\b <c@d>',
    '"a"."b"@c',
    'a"b"@c',
    'a..b@c',
    '.a@c',
    'a@c.',
    'a@b@c',
    'a@[b',
    'a@b]',
    'a@[a b]',
    'a@[[b]]',
    '[a] <b@c>',
    'a@[b]c',
    'Team: a@b',
    'Team: a@b, ;',
    'Team: ,a@b;',
    'Team: , ;',
    'Team:',
    'Team: ; ;',
    'Team: a@b;;',
    'Team: a@b; x',
    'Team: a@b; c@d',
    'Team: Inner: a@b;;',
    'Team: Inner: a@b;, c@d;',
    'Team: ;:',
    'a@b: c@d;',
    'T: ; <a@b>',
    'a@exa%6dple.com',
    'a@b\u3002c',
    'user@victim.example .allowed.example',
    'a@bü/x.example',
    'a@b\r\n',
    'a@b,\r\n c@d',
    'a@b,\n c@d',
    'a\0@b',
    'a\x7f@b',
    '"a\r\nBcc: c@d" <a@b>',
    '\ud800 <a@b>',
    `${'a'.repeat(320)}@b`,
  ])('%j', (text) => {
    expectNotRead(text);
    expectNotRead(text, { smtpUtf8: true });
    expectNotRead(`x@example.com, ${text}`);
  });

  test.each([5, null, undefined, {}, ['a@b']])('%j, which is no text', (text) =>
    expectNotRead(text as unknown as string),
  );

  test('with the place in the message', () => {
    const error = thrownBy(() => parseAddresses('a@b, c d@e')) as Error;
    expect(error.message).toBe('addresses: invalid at 4');
  });
});

const plainName = fc
  .array(fc.oneof(fc.stringMatching(/^[ -~]{1,8}$/), fc.constantFrom('"', '\\', ', ', '<', ':;')), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join(''))
  // What else becomes encoded-words, which stay as they are.
  .filter((name) => name.length <= 60 && !/^ | $|=\?/.test(name));

const anyAddress = fc.oneof(
  { weight: 4, arbitrary: address },
  fc.constantFrom('"john doe"@example.com', '"a,b\\"<"@x', 'a@[192.0.2.1]', 'a@[IPv6:2001:db8::1]'),
);

const mailbox: fc.Arbitrary<Mailbox> = fc.oneof(
  fc.record({ address: anyAddress }),
  fc.record({ name: plainName, address: anyAddress }),
);

const group: fc.Arbitrary<Group> = fc.record({
  group: plainName,
  members: fc.array(mailbox, { maxLength: 4 }),
});

/** Pieces that the grammar is made of, so that some of them fit together. */
const hostile = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          'a@b',
          'c@d.example',
          '<',
          '>',
          ',',
          ';',
          ':',
          '"',
          ' ',
          '\t',
          '\\',
          'Bob',
          '"x, y"',
          '<a@b>',
          'T: ',
          ', ',
          '"q"@x',
          'é',
          '@',
          '(',
          ')',
          '[',
          ']',
          '.',
        ),
      },
      { weight: 1, arbitrary: headerText },
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''));

describe('parseAddresses() and compose()', () => {
  test('read and write the same list', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 3, arbitrary: mailbox }, group), {
          minLength: 1,
          maxLength: 8,
        }),
        async (list) => {
          expect(parseAddresses(await written(list))).toEqual(list);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('agree on hostile texts with a reader that nobody of them knows, or refuse', async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(hostile, fc.boolean(), async (text, smtpUtf8) => {
        let list: (Mailbox | Group)[];
        try {
          list = parseAddresses(text, { smtpUtf8 });
        } catch (error) {
          return expectMimeError(error, 'ERR_MIME_ADDRESS', 'addresses');
        }
        read += 1;
        const mailboxes = flat(list);
        if (mailboxes.length > 0) {
          const message = composed({ to: list }, { smtpUtf8 });
          expect(new Set(message.to).size).toBe(message.to.length);
          expect(message.to.length).toBeLessThanOrEqual(mailboxes.length);
          const again = readAddresses(await written(list, smtpUtf8));
          expect(again.map(([name]) => name)).toEqual(mailboxes.map(([name]) => name));
          // Only a domain outside ASCII is written otherwise.
          again.forEach(([, one], at) => {
            const given = mailboxes[at]?.[1] ?? '';
            if (/^[ -~]*$/.test(given)) expect(one).toBe(given);
          });
          // The same reader reads the text itself alike, but that it decodes encoded-words, and takes neither a dot in a
          // name nor a space within angle brackets.
          const names = list.map((one) => ('group' in one ? one.group : ''));
          for (const [name] of mailboxes) names.push(name);
          if (!/=\?|<[ \t]|[ \t]>/.test(text) && !names.join().includes('.'))
            expect(readAddresses(text.replaceAll('\t', ' '))).toEqual(mailboxes);
        }
      }),
      { numRuns: 4_000 },
    );
    expect(read).toBeGreaterThan(25);
  });
});

describe('parseAddresses() takes linear time', () => {
  test.each([
    '<',
    '"',
    '\\',
    '(',
    ',',
    ':',
    ';',
    '@',
    '[',
    ']',
    ' ',
    'x',
    '"" ',
    '""',
    '[]',
    'x""',
    '"\\"',
    'a ',
    'a@b,',
    'G:a@b;,',
    'é@b,',
    '<a@b>,',
    'a:',
    '"x" ',
    '.',
    'x.',
    '=?',
  ])('for %j, many times', (piece) => {
    const prepare = (size: number) => {
      const text = piece.repeat(size);
      const texts = [
        text,
        `${text}a@b`,
        `"${text}`,
        `G:${text};`,
        `a@${text}`,
        `<${text}`,
        `x ${text}`,
      ];
      return () => {
        for (const one of texts)
          try {
            parseAddresses(one);
          } catch (error) {
            expectMimeError(error, 'ERR_MIME_ADDRESS');
          }
      };
    };
    expect(growthExponent(prepare, [4_000, 8_000, 16_000], 1.6)).toBeLessThan(1.6);
  });

  test.each(['"', '""', 'x', '"\\x', '[]', 'x""', 'x '])(
    'and no stack, for ten million %j',
    (piece) => {
      for (const text of [piece.repeat(10_000_000 / piece.length), `"${piece.repeat(5_000_000)}"`])
        expectNotRead(text);
    },
  );
});
