/** The parts of messages: of those that are composed here, of those that others wrote, and of damaged ones. */
import { asIs, attachment, compose, part, quotedPrintable, report } from '@posthorn/mime';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parameterOf, wordsDecoded } from '../src/message/parameter.ts';
import { type Part, structureOf } from '../src/message/structure.ts';

async function* cut(octets: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}
const structure = async (message: string | Uint8Array, size = 7): Promise<Part[]> =>
  structureOf(cut(Buffer.from(message as string), size));
const from = 'a@example.com';

test('a composed message comes back', async () => {
  const message = compose({
    from,
    text: 'Привет, мир!\nline two',
    html: `<p>${'long '.repeat(300)}</p>`,
    attachments: [
      attachment('отчёт за май.csv', 'a;b\r\n', { contentType: 'text/csv' }),
      attachment('logo.png', new Uint8Array(1_000), { contentType: 'image/png', cid: 'logo' }),
      attachment('qp.txt', 'x=y\n\r\n  \n', { transferEncoding: quotedPrintable }),
      part('message/rfc822', 'Subject: inner\r\n\r\n--no boundary\r\n'),
    ],
  });
  for (const size of [1, 7, 100_000]) {
    const parts = await structure(await message.bytes(), size);
    expect(
      parts.map(({ depth, contentType, filename, size: octets, isAttachment }) => [
        depth,
        contentType,
        filename,
        octets,
        isAttachment,
      ]),
    ).toEqual([
      [0, 'multipart/mixed', undefined, 0, false],
      [1, 'multipart/alternative', undefined, 0, false],
      [2, 'text/plain', undefined, 'Привет, мир!\r\nline two'.length + 9, false],
      [2, 'multipart/related', undefined, 0, false],
      [3, 'text/html', undefined, 1_507, false],
      [3, 'image/png', 'logo.png', 1_000, true],
      [1, 'text/csv', 'отчёт за май.csv', 5, true],
      [1, 'application/octet-stream', 'qp.txt', 9, true],
      [1, 'message/rfc822', undefined, 'Subject: inner\r\n\r\n--no boundary\r\n'.length, true],
    ]);
    expect(parts[2]?.text).toBe('Привет, мир!\r\nline two');
  }
});

test('any text comes back, in each encoding', async () => {
  const encodings = [
    undefined,
    'base64',
    'quoted-printable',
    asIs(new Set(['8BITMIME', 'BINARYMIME'])),
  ] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.string({
        unit: fc.constantFrom('a', 'ü', '=', ' ', '\n', '--', '\t', '.', 'Я'),
        maxLength: 120,
      }),
      fc.constantFrom(...encodings),
      fc.integer({ min: 1, max: 90 }),
      async (text, transferEncoding, size) => {
        const message = compose(
          { from, text, html: 'x' },
          transferEncoding ? { transferEncoding } : {},
        );
        const [, plain] = await structure(await message.bytes(), size);
        expect(plain?.text).toBe(text.replace(/\n/g, '\r\n'));
        expect(plain?.size).toBe(Buffer.byteLength(text.replace(/\n/g, '\r\n')));
      },
    ),
    { numRuns: 200 },
  );
});

test('a report has its parts', async () => {
  const status =
    'Reporting-MTA: dns; example.com\r\n\r\nFinal-Recipient: rfc822; a@example.net\r\n';
  const body = report({ text: 'It failed.', status });
  const parts = await structure(await compose({ from, body }).bytes());
  expect(parts.map(({ contentType }) => contentType)).toEqual([
    'multipart/report',
    'text/plain',
    'message/delivery-status',
  ]);
});

describe('what others wrote', () => {
  const types = async (text: string): Promise<unknown[]> =>
    (await structure(text)).map(({ depth, contentType, filename, size, text: found }) => [
      depth,
      contentType,
      filename,
      size,
      found,
    ]);

  test.each([
    ['nothing', '', [[0, 'text/plain', undefined, 0, '']]],
    ['a header alone', 'From: a\r\n', [[0, 'text/plain', undefined, 0, '']]],
    ['a body alone, by LF', '\nHi\n', [[0, 'text/plain', undefined, 2, 'Hi']]],
    [
      'a multipart without a boundary',
      'Content-Type: multipart/mixed\n\nHi',
      [[0, 'multipart/mixed', undefined, 2, 'Hi']],
    ],
    [
      'a multipart that is cut, with an outer boundary that ends an inner part',
      'Content-Type: multipart/mixed; boundary=A\n\npreamble\n--A\nContent-Type: multipart/alternative;\n boundary="B C"\n\n--B C\n\none\n--A\nContent-Type: TEXT/HTML\n\n<b>',
      [
        [0, 'multipart/mixed', undefined, 0, undefined],
        [1, 'multipart/alternative', undefined, 0, undefined],
        [2, 'text/plain', undefined, 3, 'one'],
        [1, 'text/html', undefined, 3, '<b>'],
      ],
    ],
    [
      'an epilogue, and a line that looks like a boundary',
      'Content-Type: multipart/mixed; boundary=A\n\n--A\n\none\n--AB\n--A--\n--A\nepilogue',
      [
        [0, 'multipart/mixed', undefined, 0, undefined],
        [1, 'text/plain', undefined, 9, 'one\r\n--AB'],
      ],
    ],
    [
      'a name in encoded-words',
      'Content-Type: application/pdf; name="=?utf-8?B?0L7RgtGH?= =?utf-8?Q?=D1=91=D1=82.pdf?="\nContent-Transfer-Encoding: base64\n\nSGk=\n',
      [[0, 'application/pdf', 'отчёт.pdf', 2, undefined]],
    ],
    [
      'a text that is an attachment',
      'Content-Disposition: attachment\n\nHi',
      [[0, 'text/plain', undefined, 2, undefined]],
    ],
  ])('%s', async (_, text, expected) => {
    expect(await types(text)).toEqual(expected);
  });

  test('a line without an end is not held in memory, and a text that is too long is not kept', async () => {
    const [only] = await structureOf(cut(Buffer.from(`\n${'x'.repeat(3_000_000)}`), 65_536));
    expect([only?.size, only?.text]).toEqual([3_000_000, undefined]);
  });
});

test.each([
  ['attachment; filename=a.txt', 'a.txt'],
  ['attachment; filename="a;b \\" c.txt"; size=1', 'a;b " c.txt'],
  ["attachment; filename*=utf-8'ru'%D0%B0.txt; filename=x", 'а.txt'],
  ['attachment; filename*0*=utf-8\'\'%D0; filename*1*=%B0; filename*2=".txt"', 'а.txt'],
  ['attachment; filename*0="one "; filename*1=two', 'one two'],
  ["attachment; filename*=unknown''a%FF", 'a\xff'],
  ['attachment', undefined],
  ['attachment; xfilename=a', undefined],
])('parameterOf(%j)', (value, name) => {
  expect(parameterOf(value, 'filename')).toBe(name);
});

test('wordsDecoded() leaves what is no encoded-word', () => {
  expect(wordsDecoded('=?utf-8?q?a_b?= c =?nonsense?q?=FF?= =?utf-8?x?y?=')).toBe(
    'a b c \xff =?utf-8?x?y?=',
  );
  expect(wordsDecoded(undefined)).toBeUndefined();
});
