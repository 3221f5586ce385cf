import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attachment, attachment, type MimeError } from '../src/index.ts';
import { bodyText, headerText } from './arbitraries.ts';
import { octetText, readMessage } from './reader.ts';
import { composed, cut, expectMimeError, rejectionOf, thrownBy } from './support.ts';

const RUNS = { numRuns: 150 };

interface Described {
  readonly filename: string;
  readonly octets: Uint8Array;
  readonly chunks: readonly number[];
  readonly kind: 'string' | 'octets' | 'blob' | 'stream' | 'function' | 'readable';
  readonly cid: boolean;
}

const sizes = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 400 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 171) },
  { weight: 1, arbitrary: fc.constantFrom(58_367, 58_368, 58_369, 116_736, 120_000) },
);

const described: fc.Arbitrary<Described> = fc.record({
  filename: headerText,
  octets: sizes.map((size) => Uint8Array.from({ length: size }, (_, at) => (at * 7 + size) % 251)),
  chunks: fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom('string', 'octets', 'blob', 'stream', 'function', 'readable'),
  cid: fc.boolean(),
});

async function* given(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** `declared`: whether streams say their size. One-shot kinds are made anew by each call. */
function attachmentOf(one: Described, at: number, declared: boolean): Attachment {
  const { filename, octets, kind } = one;
  // No more than some hundred chunks.
  const chunks = cut(
    octets,
    one.chunks.map((size) => Math.max(size, Math.ceil(octets.length / 300))),
  );
  const options = one.cid ? { cid: `part${at}@example.com` } : {};
  const size = declared ? { size: octets.length } : {};
  switch (kind) {
    case 'string':
      return attachment(filename, octetText(octets), options);
    case 'octets':
      return attachment(filename, octets, options);
    case 'blob':
      return attachment(filename, new Blob([new Uint8Array(octets)]), options);
    case 'stream':
      return attachment(filename, { stream: given(chunks), ...size }, options);
    case 'function':
      return attachment(filename, { stream: () => given(chunks), ...size }, options);
    case 'readable': {
      const stream = (): ReadableStream<Uint8Array> =>
        new ReadableStream({
          start(controller) {
            for (const chunk of chunks) controller.enqueue(chunk);
            controller.close();
          },
        });
      return attachment(filename, { stream, ...size }, options);
    }
  }
}

const isStream = ({ kind }: Described): boolean =>
  kind === 'stream' || kind === 'function' || kind === 'readable';

const whole = fc.record({
  subject: headerText,
  text: fc.option(bodyText, { nil: undefined }),
  html: fc.option(bodyText, { nil: undefined }),
  files: fc.array(described, { maxLength: 4 }),
  transferEncoding: fc.constantFrom(undefined, '7bit', 'quoted-printable', 'base64'),
});

type Whole = typeof whole extends fc.Arbitrary<infer T> ? T : never;

function build(one: Whole, declared: boolean, maxSize?: number): ReturnType<typeof composed> {
  const { subject, text, html, files, transferEncoding } = one;
  return composed(
    {
      subject,
      ...(text === undefined ? {} : { text }),
      ...(html === undefined ? {} : { html }),
      attachments: files.map((file, at) => attachmentOf(file, at, declared)),
    },
    {
      ...(transferEncoding === undefined ? {} : { transferEncoding }),
      ...(maxSize === undefined ? {} : { maxSize }),
    },
  );
}

describe('size', () => {
  test('is the octets that come, however they are asked for', async () => {
    await fc.assert(
      fc.asyncProperty(whole, async (one) => {
        const message = build(one, true);
        const octets = await message.bytes();
        expect(message.size).toBe(octets.length);
        expect(message.minimumSize).toBe(octets.length);
        readMessage(octets);

        const iterated = build(one, true);
        let sum = 0;
        for await (const chunk of iterated) {
          sum += chunk.length;
          expect(iterated.sent).toBe(sum);
        }
        expect(sum).toBe(octets.length);

        const streamed = build(one, true);
        const reader = streamed.stream().getReader();
        let text = '';
        for (let next = await reader.read(); !next.done; next = await reader.read())
          text += octetText(next.value);
        expect(text).toBe(octetText(octets));
        expect(streamed.sent).toBe(octets.length);

        expect(await build(one, true).text()).toBe(text);
        const { content } = build(one, true);
        if (content instanceof Uint8Array) expect(octetText(content)).toBe(text);
        else expect(one.files.length).toBeGreaterThan(0);
      }),
      RUNS,
    );
  });

  test('is not told where a stream does not tell, and its minimum is never too high', async () => {
    await fc.assert(
      fc.asyncProperty(whole, async (one) => {
        const message = build(one, false);
        const octets = await message.bytes();
        expect(message.minimumSize).toBeLessThanOrEqual(octets.length);
        if (one.files.some(isStream)) {
          expect(message.size).toBeUndefined();
          const empty = one.files.filter(isStream).every((file) => file.octets.length === 0);
          expect(message.minimumSize === octets.length).toBe(empty);
        } else expect(message.size).toBe(octets.length);
        // The same octets whether the size was told or not.
        expect(octetText(octets)).toBe(octetText(await build(one, true).bytes()));
      }),
      RUNS,
    );
  });

  test.each([
    ['with attachments', { attachments: [attachment('a', 'x')] }],
    ['without', { text: 'x' }],
  ])('is counted by bytes() and stream() too, %s', async (_, spec) => {
    const { length } = await composed(spec).bytes();
    const [bytes, stream] = [composed(spec), composed(spec)];
    await bytes.bytes();
    await new Response(stream.stream()).arrayBuffer();
    expect([bytes.sent, stream.sent]).toEqual([length, length]);
  });

  test('of an attachment is its octets before encoding', () => {
    expect(attachment('a', 'é').size).toBe(2);
    expect(attachment('a', new Uint8Array(5)).size).toBe(5);
    expect(attachment('a', new Blob(['abc'])).size).toBe(3);
    expect(attachment('a', { stream: given([]) }).size).toBeUndefined();
    expect(attachment('a', { stream: given([]), size: 7 }).size).toBe(7);
  });
});

describe('maxSize', () => {
  test('of a known size passes at the size and is refused below it, with the exact excess', async () => {
    await fc.assert(
      fc.asyncProperty(whole, fc.integer({ min: 1, max: 300 }), async (one, less) => {
        const { size = 0 } = build(one, true);
        expect((await build(one, true, size).bytes()).length).toBe(size);
        const error = thrownBy(() => build(one, true, size - less)) as MimeError;
        expectMimeError(error, 'ERR_MIME_TOO_LARGE', 'maxSize');
        expect([error.limit, error.actual, error.excess]).toEqual([size - less, size, less]);
      }),
      { numRuns: 60 },
    );
  });

  test('of unknown size is not passed by one octet, and nothing is left out below it', async () => {
    const streams = whole.filter(({ files }) =>
      files.some((file) => isStream(file) && file.octets.length > 0),
    );
    await fc.assert(
      fc.asyncProperty(streams, fc.nat({ max: 1_000 }), async (one, part) => {
        const full = await build(one, false).bytes();
        const { minimumSize } = build(one, false);
        expect((await build(one, false, full.length).bytes()).length).toBe(full.length);
        const maxSize = minimumSize + Math.floor(((full.length - 1 - minimumSize) * part) / 1_000);
        const message = build(one, false, maxSize);
        let out = '';
        const error = await rejectionOf(
          (async () => {
            for await (const chunk of message) out += octetText(chunk);
          })(),
        );
        expectMimeError(error, 'ERR_MIME_TOO_LARGE', 'maxSize');
        const { limit, actual = 0, excess = 0 } = error as MimeError;
        expect(limit).toBe(maxSize);
        expect(actual).toBeGreaterThan(maxSize);
        expect(actual).toBeLessThanOrEqual(full.length);
        expect(excess).toBe(actual - maxSize);
        expect(out.length).toBeLessThanOrEqual(maxSize);
        expect(message.sent).toBe(out.length);
        expect(octetText(full).startsWith(out)).toBe(true);
        // Not complete: nobody can take it for the message.
        expect(octetText(full)).not.toBe(out);
      }),
      { numRuns: 100 },
    );
  });

  test('below what is certain is refused before a stream is opened', () => {
    let opened = 0;
    const stream = (): AsyncIterable<Uint8Array> => {
      opened += 1;
      return given([]);
    };
    const attachments = [attachment('a.bin', { stream })];
    const { minimumSize } = composed({ attachments });
    expectMimeError(
      thrownBy(() => composed({ attachments }, { maxSize: minimumSize - 1 })),
      'ERR_MIME_TOO_LARGE',
      'maxSize',
    );
    expect(opened).toBe(0);
  });
});
