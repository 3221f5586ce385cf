import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Rank, ranker } from '../src/encoding/rank.ts';
import { asIs, attachment, type Content, compose, part } from '../src/index.ts';
import { bodyText } from './arbitraries.ts';
import {
  leaves,
  octetsOf,
  octetText,
  rankOfText,
  readMessage,
  utf8,
  valuesOf,
  walk,
} from './reader.ts';
import {
  composed,
  cut,
  expectMimeError,
  expectRefused,
  FIXED,
  PLAIN,
  parse,
  read,
  rejectionOf,
} from './support.ts';

const EIGHT = new Set(['8BITMIME']);
const BINARY = new Set(['8BITMIME', 'BINARYMIME', 'CHUNKING']);

/** Octets where the limits of each rank are near. */
const lines: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r\n', '\r', '\n', '\r\r\n', '\0', '\x80', '\xff', '\t', 'x', '\x7f'),
      fc.integer({ min: 990, max: 1_000 }).map((length) => 'y'.repeat(length)),
      fc.constantFrom('\r\n', 'hello\r\n'),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => octetsOf(pieces.join('')));

const rankOf = (octets: Uint8Array, sizes: readonly number[] = [2_000]): Rank => {
  const rank = ranker();
  const windows = octets.length === 0 ? [octets] : cut(octets, sizes);
  return windows.map((one, at) => rank(one, at === windows.length - 1)).at(-1) ?? 0;
};

describe('rank', () => {
  test('is what RFC 2045 §2.7 to §2.9 say, however the octets are cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lines, sizes, (octets, some) => {
        const expected = rankOfText(octetText(octets));
        expect(rankOf(octets, some)).toBe(expected);
        expect(rankOf(octets, [1])).toBe(expected);
        expect(rankOf(octets, [100_000])).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[Rank, string, string]>([
    [0, 'nothing', ''],
    [0, '998 and a line break', `${'x'.repeat(998)}\r\n${'x'.repeat(998)}`],
    [2, '999', 'x'.repeat(999)],
    [2, '999 with a tab at the end', `${'x'.repeat(998)}\t`],
    [1, '998 octets', `${'\xff'.repeat(998)}\r\n`],
    [2, 'CR at the end', 'x\r'],
    [2, 'LF at the start', '\nx'],
    [2, 'CR CR LF', '\r\r\n'],
    [2, 'NUL', '\0'],
    [0, 'other controls', '\x01\t\x0b\x1b\x7f'],
  ])('%i for %s', (expected, _, text) => {
    expect(rankOf(octetsOf(text))).toBe(expected);
    expect(rankOf(octetsOf(text), [1])).toBe(expected);
  });
});

describe('asIs() for a message', () => {
  test('a text goes as 8bit where the server has 8BITMIME, and all around it says so', async () => {
    const message = composed(
      { text: 'Grüße', html: '<p>Hi</p>', attachments: [attachment('é', 'é')] },
      { transferEncoding: asIs(EIGHT) },
    );
    expect(message.body).toBe('8BITMIME');
    const octets = await message.bytes();
    expect(message.size).toBe(octets.length);
    const entity = readMessage(octets, { body: message.body });
    expect(walk(entity).map(({ encoding }) => encoding)).toEqual([
      '8bit',
      '8bit',
      '8bit',
      '7bit',
      'base64',
    ]);
    expect(valuesOf(entity, 'Content-Transfer-Encoding')).toEqual(['8bit']);
    expect((await parse(octets)).text?.trim()).toBe('Grüße');
  });

  test.each([
    ['no server', undefined],
    ['a server without extensions', new Set<string>()],
  ])('%s: what is not 7bit is encoded', async (_, capabilities) => {
    const transferEncoding = asIs(capabilities);
    const message = composed(
      { text: 'é', html: 'x', attachments: [attachment('a', 'x')] },
      { transferEncoding },
    );
    expect(message.body).toBeUndefined();
    const found = leaves(readMessage(await message.bytes()));
    expect(found.map(({ encoding }) => encoding)).toEqual(['base64', '7bit', 'base64']);
  });

  test.each([
    ['lines that are too long', 'é'.repeat(500)],
    ['NUL', 'é\0'],
  ])('8BITMIME does not carry %s', async (_, text) => {
    const message = composed({ text }, { transferEncoding: asIs(EIGHT) });
    expect(message.body).toBeUndefined();
    expect(readMessage(await message.bytes()).content.trim()).toBe(utf8(text));
  });

  test('BINARYMIME carries everything', async () => {
    const content = Uint8Array.from({ length: 3_000 }, (_, at) => at % 256);
    const stream = { stream: () => new Blob([content]).stream(), size: content.length };
    const message = composed(
      {
        text: 'x'.repeat(2_000),
        attachments: ['a', 'b', 'c'].map((name, at) =>
          attachment(name, [content, stream, new Blob([content])][at] as Content),
        ),
      },
      { transferEncoding: asIs(BINARY) },
    );
    expect(message.body).toBe('BINARYMIME');
    const octets = await message.bytes();
    expect(message.size).toBe(octets.length);
    const entity = readMessage(octets, { body: message.body });
    const [text, ...files] = leaves(entity);
    expect([entity, text, ...files].map((one) => one?.encoding)).toEqual(Array(5).fill('binary'));
    for (const file of files) expect(file.content).toBe(octetText(content));
  });

  test('binary wins over 8bit, in either order', async () => {
    for (const contents of [
      ['é\r\n', '\0'],
      ['\0', 'é\r\n'],
    ]) {
      const attachments = contents.map((content) => attachment('a', content));
      const message = composed({ attachments }, { transferEncoding: asIs(BINARY) });
      expect(message.body).toBe('BINARYMIME');
      const { encoding } = readMessage(await message.bytes(), { body: message.body });
      expect(encoding).toBe('binary');
    }
  });

  test('8bit goes as BINARYMIME to a server that has that alone', () => {
    const transferEncoding = asIs(new Set(['BINARYMIME']));
    expect(composed({ text: 'é' }, { transferEncoding }).body).toBe('BINARYMIME');
    expect(composed({ text: 'e' }, { transferEncoding }).body).toBeUndefined();
  });

  test('the text is what it was, and no boundary is in it', async () => {
    const { name } = { name: btoa(String.fromCharCode(...Array(18).keys())) };
    const hostile = fc.constantFrom(
      '',
      `--=_1-${name}`,
      `\r\n--=_1-${name}--\r\n`,
      `\r\n--=_1-x${name}\r\n`,
      `=_${name}`,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(bodyText, hostile, hostile, bodyText).map((parts) => parts.join('')),
        fc.constantFrom(undefined, EIGHT, BINARY),
        async (text, capabilities) => {
          const transferEncoding = asIs(capabilities);
          const file = attachment('a', text);
          const spec = { text, html: 'x', attachments: [file] };
          const message = composed(spec, { transferEncoding });
          const octets = await message.bytes();
          expect(message.size).toBe(octets.length);
          const [plain, , last] = leaves(readMessage(octets, { body: message.body }));
          expect(plain?.content).toBe(utf8(text.replace(/\r\n?|\n/g, '\r\n')));
          expect(last?.content).toBe(utf8(text));
        },
      ),
    );
  });
});

describe('asIs() for a part', () => {
  const own = (content: Content, capabilities?: Set<string>) =>
    part('image/x-test', content, { transferEncoding: asIs(capabilities) });

  test.each([
    ['7bit', 'Hello\r\n', undefined],
    ['8bit', 'é', EIGHT],
    ['7bit', 'e', BINARY],
    ['binary', 'e\n', BINARY],
  ])('is %s for %j', async (encoding, content, capabilities) => {
    const found = await read({ body: own(content, capabilities) });
    expect(found.encoding).toBe(encoding);
    // The last line of a message always ends.
    expect(found.content).toBe(utf8(`${content}\r\n`));
  });

  test.each([
    ['é', undefined],
    ['e\n', EIGHT],
    ['x'.repeat(999), EIGHT],
    ['\0', undefined],
  ])('%j is refused where the server does not take it', (content, capabilities) => {
    expectRefused({ body: own(content, capabilities) }, 'ERR_MIME_CONTENT', 'body');
    const attachments = [attachment('a', 'x'), own(content, capabilities)];
    expectRefused({ attachments }, 'ERR_MIME_CONTENT', 'attachments[1]');
  });

  test('a stream is looked at while it is sent', async () => {
    const good = octetsOf('hello\r\n'.repeat(20_000));
    const bad = octetsOf('é');
    const stream = (): AsyncIterable<Uint8Array> =>
      (async function* () {
        yield good;
        yield bad;
      })();
    const message = composed({ text: 'x', attachments: [own({ stream })] });
    expect(message.body).toBeUndefined();
    let out = '';
    const error = await rejectionOf(
      (async () => {
        for await (const chunk of message) out += octetText(chunk);
      })(),
    );
    expectMimeError(error, 'ERR_MIME_STREAM', 'attachments[0]');
    expect(out).toMatch(/^[\0-\x7f]*$/);
    expect(out.length).toBeGreaterThan(58_000);
    expect(out).not.toMatch(/--\r\n$/);
  });

  test('a stream has the most that is allowed', async () => {
    for (const [capabilities, encoding, body] of [
      [undefined, '7bit', undefined],
      [EIGHT, '8bit', '8BITMIME'],
      [BINARY, 'binary', 'BINARYMIME'],
    ] as const) {
      const stream = () => new Blob(['abc']).stream();
      const message = composed({ body: own({ stream, size: 3 }, capabilities) });
      expect(message.body).toBe(body);
      const octets = await message.bytes();
      expect(message.size).toBe(octets.length);
      expect(readMessage(octets, { body }).encoding).toBe(encoding);
    }
  });

  test('a CR at the very end of a stream is found', async () => {
    const error = await rejectionOf(composed({ body: own(new Blob(['abc\r'])) }).bytes());
    expectMimeError(error, 'ERR_MIME_STREAM', 'body');
  });

  test('chunks are not overwritten by later ones', async () => {
    const content = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251);
    const message = composed({ body: own({ stream: () => new Blob([content]).stream() }, BINARY) });
    await message.ready();
    expect(octetText(await message.bytes())).toContain(octetText(content));
  });

  test('octets that hold the name of the message get boundaries without it', async () => {
    const text = await compose(PLAIN, FIXED).text();
    const [, name = ''] = /<([^@>]*)@/.exec(text) ?? [];
    const content = octetsOf(`--=_1-${name}--\r\n--=_1-x${name}--\r\n`);
    const attachments = [part('message/rfc822', content)];
    const [, inner] = leaves(await read({ text: 'x', attachments }));
    expect(inner?.content).toBe(octetText(content));
  });

  test('nor is one in them where chance gives nothing', async () => {
    const content = octetsOf('--=_1---\r\n--=_1-x--\r\n');
    const attachments = [part('message/rfc822', content)];
    const [, inner] = leaves(
      await read(
        { text: 'x', messageId: '<a@b>', attachments },
        { random: () => new Uint8Array() },
      ),
    );
    expect(inner?.content).toBe(octetText(content));
  });
});
