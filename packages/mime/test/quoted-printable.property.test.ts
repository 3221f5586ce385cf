import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../test/growth.ts';
import { binary } from '../src/encoding/base64.ts';
import { quotedPrintable as encodeText } from '../src/encoding/quoted-printable.ts';
import { quotedPrintableEncoder } from '../src/encoding/quoted-printable-octets.ts';
import { attachment, part, quotedPrintable } from '../src/index.ts';
import { bodyText } from './arbitraries.ts';
import { leaves, octetsOf, octetText, readMessage, readQuotedPrintable, utf8 } from './reader.ts';
import { composed, cut, parse } from './support.ts';

/** Octets of every kind, in runs, and often near the end of a line. */
const octets: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      { weight: 2, arbitrary: fc.uint8Array({ maxLength: 30 }) },
      {
        weight: 3,
        arbitrary: fc
          .tuple(
            fc.constantFrom(9, 10, 13, 32, 33, 46, 60, 61, 62, 70, 126, 127, 128, 255),
            fc.nat(80),
          )
          .map(([octet, length]) => new Uint8Array(length).fill(octet)),
      },
      {
        weight: 3,
        arbitrary: fc
          .constantFrom('\r\n', ' \r\n', '\t', ' ', '.', 'F', '=', 'Привет', '\r', '\n', '\0')
          .map((text) => octetsOf(utf8(text))),
      },
    ),
    { maxLength: 20 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)));

function encoded(content: Uint8Array, sizes: readonly number[] = []): string {
  const encode = quotedPrintableEncoder();
  const windows = sizes[0] ? cut(content, sizes) : [content];
  return windows.map((one, at) => octetText(encode(one, at === windows.length - 1))).join('');
}

function expectShape(text: string): void {
  for (const line of text.split('\r\n')) {
    expect(line.length).toBeLessThanOrEqual(76);
    expect(line).not.toMatch(/^[.F]/);
    expect(line).toMatch(/^[\t -~]*$/);
  }
}

describe('quoted-printable of octets', () => {
  test('is read back as the same octets, by readers that are strict', () => {
    fc.assert(
      fc.property(octets, (content) => {
        const text = encoded(content);
        expectShape(text);
        // The only line breaks are soft ones.
        expect(text.replaceAll('=\r\n', '')).not.toMatch(/[\r\n]/);
        expect(readQuotedPrintable(text)).toBe(octetText(content));
      }),
    );
  });

  test('is the same however it is cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(octets, sizes, (content, some) => {
        expect(encoded(content, some)).toBe(encoded(content));
      }),
    );
  });

  test('reads a window that does not start at the start of its buffer', () => {
    const whole = octetsOf('..Hello, Hello, Hello =');
    expect(encoded(whole.subarray(2))).toBe('Hello, Hello, Hello =3D');
  });

  test.each([
    ['nothing', '', ''],
    ['white space at the end', 'a \t', 'a =09'],
    ['white space alone', ' ', '=20'],
    ['line breaks', ' \r\n\n', ' =0D=0A=0A'],
    ['a dot and From at the start', '.F', '=2EF'],
    ['the same after a soft break', `${'x'.repeat(75)}.F`, `${'x'.repeat(75)}=\r\n=2EF`],
    ['an escape that does not fit', `${'x'.repeat(73)}=`, `${'x'.repeat(73)}=\r\n=3D`],
    ['white space at column 75', `${'x'.repeat(74)} `, `${'x'.repeat(74)}=\r\n=20`],
    ['high octets', '\xff\x80', '=FF=80'],
  ])('%s', (_, content, expected) => {
    expect(encoded(octetsOf(content))).toBe(expected);
  });

  test('of texts is read back as well', () => {
    fc.assert(
      fc.property(bodyText, (text) => {
        const canonical = text.replace(/\r\n?|\n/g, '\r\n');
        expectShape(encodeText(binary(canonical)));
        expect(readQuotedPrintable(encodeText(binary(canonical)))).toBe(utf8(canonical));
      }),
    );
  });

  test('of ASCII is read four at a time, whatever stands among the four', () => {
    const content = Uint8Array.from({ length: 4 * 256 * 5 }, (_, at) =>
      at % 5 === Math.floor(at / 1_280) ? Math.floor(at / 5) % 256 : 97,
    );
    expectShape(encoded(content));
    expect(readQuotedPrintable(encoded(content))).toBe(octetText(content));
  });
});

describe('quotedPrintable', () => {
  test('attachments and texts come back, in parsers from elsewhere too, and sizes are exact', async () => {
    await fc.assert(
      fc.asyncProperty(octets, bodyText, async (content, text) => {
        const transferEncoding = quotedPrintable;
        const message = composed(
          { text, attachments: [attachment('a.bin', content)] },
          { transferEncoding },
        );
        const raw = await message.bytes();
        expect(message.size).toBe(raw.length);
        const [body, file] = leaves(readMessage(raw));
        expect([body?.encoding, file?.encoding]).toEqual(['quoted-printable', 'quoted-printable']);
        expect(body?.content).toBe(utf8(text.replace(/\r\n?|\n/g, '\r\n')));
        expect(file?.content).toBe(octetText(content));
        const [byPostal] = (await parse(raw)).attachments;
        // It takes the line break of the delimiter for one of the last line.
        expect(octetText(new Uint8Array(byPostal?.content as ArrayBuffer))).toBe(
          `${octetText(content)}\n`,
        );
        const [byMailparser] = (await simpleParser(Buffer.from(raw))).attachments;
        expect(octetText(byMailparser?.content ?? new Uint8Array())).toBe(octetText(content));
      }),
      { numRuns: 50 },
    );
  });

  test('a stream has no size, and content of several windows is as if it were one', async () => {
    const content = Uint8Array.from({ length: 200_003 }, (_, at) => (at * at) % 251);
    const transferEncoding = quotedPrintable;
    const body = (one: ReturnType<typeof part>): Promise<Uint8Array> =>
      composed({ body: one }).bytes();
    const whole = part('image/x-test', content, { transferEncoding });
    const stream = part(
      'image/x-test',
      { stream: () => new Blob([content]).stream() },
      { transferEncoding },
    );
    expect(composed({ body: stream }).size).toBeUndefined();
    const raw = await body(whole);
    expect(composed({ body: whole }).size).toBe(raw.length);
    expect(octetText(raw)).toContain(encoded(content));
    expect(octetText(await body(stream))).toBe(octetText(raw));
  });

  test('time grows with the size and not faster', () => {
    const exponent = growthExponent(
      (size) => {
        const content = new Uint8Array(size).fill(61);
        return () => void encoded(content);
      },
      [200_000, 400_000, 800_000],
      1.6,
    );
    expect(exponent).toBeLessThan(1.6);
  });
});
