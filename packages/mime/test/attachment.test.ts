import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { base64Lines, binary } from '../src/encoding/base64.ts';
import {
  type AttachmentOptions,
  asIs,
  attachment,
  type Content,
  type Message,
  type OctetStream,
  quotedPrintable,
} from '../src/index.ts';
import { type Entity, leaves, octetText, readMessage } from './reader.ts';
import { composed, expectMimeError, expectRefused, parse, thrownBy, watched } from './support.ts';

const one = (filename: string, content: Content, options?: AttachmentOptions) => ({
  attachments: [attachment(filename, content, options)],
});

/** Runs with what a runtime without these has. */
async function without<T>(
  { buffer, toBase64 }: { buffer?: unknown; toBase64?: unknown },
  work: () => T | Promise<T>,
): Promise<T> {
  const runtime = globalThis as { Buffer?: unknown };
  const { Buffer } = runtime;
  const had = Object.getOwnPropertyDescriptor(Uint8Array.prototype, 'toBase64');
  Object.defineProperty(Uint8Array.prototype, 'toBase64', { configurable: true, value: toBase64 });
  try {
    runtime.Buffer = buffer;
    return await work();
  } finally {
    runtime.Buffer = Buffer;
    if (had) Object.defineProperty(Uint8Array.prototype, 'toBase64', had);
    else delete (Uint8Array.prototype as { toBase64?: unknown }).toBase64;
  }
}

describe('base64', () => {
  const { Buffer } = globalThis;
  let used: string[] = [];
  const RUNTIMES = {
    Buffer: {
      buffer: {
        from(...given: [ArrayBuffer]) {
          used.push('Buffer');
          return Buffer.from(...given);
        },
      },
    },
    toBase64: {
      buffer: Buffer,
      toBase64(this: Uint8Array): string {
        used.push('toBase64');
        return Buffer.from(this).toString('base64');
      },
    },
    'toBase64 alone': {
      toBase64(this: Uint8Array): string {
        used.push('toBase64 alone');
        return Buffer.from(this).toString('base64');
      },
    },
    neither: {},
  };

  test.each(Object.entries(RUNTIMES))('of a runtime with %s is the same', async (name, runtime) => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 400 }),
          fc.integer({ min: 8_180, max: 8_200 }).map((length) => new Uint8Array(length).fill(7)),
        ),
        fc.string({ unit: 'grapheme', maxLength: 100 }),
        async (octets, text) => {
          const expected = Buffer.from(octets)
            .toString('base64')
            .replace(/.{76}(?!$)/g, '$&\r\n');
          used = [];
          // What is collected here is compared outside: the comparison may itself need what is taken away.
          const [lines, encoded] = await without(runtime, () => [
            base64Lines(octets, true),
            binary(text),
          ]);
          expect(octetText(lines as Uint8Array)).toBe(expected);
          expect(encoded).toBe(Buffer.from(text).toString('latin1'));
          if (name === 'neither') expect(used).toEqual([]);
          else expect(used).toContain(name);
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each(Object.entries(RUNTIMES))('gives the same message with %s', async (_, runtime) => {
    const content = Uint8Array.from({ length: 60_000 }, (_, at) => at % 251);
    const read = async (): Promise<string> => {
      let text = '';
      for await (const chunk of composed({ text: 'Привет', ...one('a', content) }))
        for (const octet of chunk) text += String.fromCharCode(octet);
      return text;
    };
    expect(await without(runtime, read)).toBe(await read());
  });
});

describe('content', () => {
  test.each([
    ['a number', 5],
    ['a list', [1, 2]],
    ['an empty object', {}],
    ['an ArrayBuffer', new ArrayBuffer(3)],
    ['a stream that is text', { stream: 'abc' }],
  ])('that is %s is refused at once', (_, content) => {
    const error = thrownBy(() => attachment('a', content as unknown as Content));
    expectMimeError(error, 'ERR_MIME_CONTENT', 'content');
  });

  test('with half a surrogate pair is refused', () => {
    expectMimeError(
      thrownBy(() => attachment('a', 'a\ud800b')),
      'ERR_MIME_CONTENT',
      'content',
    );
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 64])(
    'of %s octets is refused',
    (size) => {
      const { open } = watched([]);
      expectMimeError(
        thrownBy(() => attachment('a', { stream: open, size })),
        'ERR_MIME_CONTENT',
        'content',
      );
    },
  );

  test.each([
    ['text', ['abc']],
    ['empty text', ['']],
    ['octets of another kind', [new Uint16Array(2)]],
    ['an ArrayBuffer', [new ArrayBuffer(3)]],
  ])('whose chunks are %s fails when it is read', async (_, chunks) => {
    const stream = (): AsyncIterable<Uint8Array> =>
      (async function* () {
        yield* chunks as unknown as Uint8Array[];
      })();
    const message = composed({ text: 'x', ...one('a', { stream }) });
    const error = await message.bytes().catch((reason: unknown) => reason);
    expectMimeError(error, 'ERR_MIME_STREAM', 'attachments[0]');
  });

  test.each([
    ['fewer', 9],
    ['more', 11],
  ])('of %s octets than declared never gives the closing boundary', async (_, length) => {
    const source = watched([new Uint8Array(length)]);
    const message = composed({ text: 'x', ...one('a', { stream: source.open, size: 10 }) });
    let out = '';
    const error = await (async () => {
      for await (const chunk of message) out += octetText(chunk);
    })().catch((reason: unknown) => reason);
    expectMimeError(error, 'ERR_MIME_STREAM', 'attachments[0]');
    expect(out).toMatch(/^Content-Disposition/m);
    expect(out).not.toMatch(/^--.*--\r$/m);
    expect([source.opened(), source.released()]).toEqual([1, 1]);
  });

  test('that is being read is released once when the message is given up, and no later one is opened', async () => {
    const chunks = Array.from({ length: 100 }, () => new Uint8Array(60_000));
    const [first, second] = [watched(chunks), watched(chunks)];
    const attachments = [first, second].map(({ open }) => attachment('a', { stream: open }));
    const reader = composed({ text: 'x', attachments }).stream().getReader();
    while (first.pulled() < 3) await reader.read();
    await reader.cancel();
    expect([first.opened(), first.released(), second.opened()]).toEqual([1, 1, 0]);
  });
});

describe('what is said of a file', () => {
  test.each([
    'text',
    'text/',
    '/plain',
    'text/plain;',
    'text/plain; charset',
    'text/plain; a="\\"',
    'text/plain; a="é"',
    'text/plain, text/html',
    `text/plain; a=${'x'.repeat(900)}`,
    // A second `name` beside the one that is written.
    'text/plain; name=other',
    'text/plain; Name="other"',
  ])('contentType %j is refused', (contentType) => {
    expectRefused(one('a', 'x', { contentType }), 'ERR_MIME_HEADER', 'attachments[0].contentType');
  });

  test.each(['a b', '<a@b>', 'a>b', 'é', 'x'.repeat(900)])('cid %j is refused', (cid) => {
    expectRefused(one('a', 'x', { cid }), 'ERR_MIME_HEADER', 'attachments[0].cid');
  });

  test('a disposition other than inline is attachment', async () => {
    const disposition = 'inline\r\nX: y' as 'inline';
    const text = await composed({
      attachments: [attachment('a', 'x', { disposition, cid: 'a' })],
    }).text();
    expect(text).toContain('\r\nContent-Disposition: attachment;');
    expect(text).not.toContain('X: y');
  });

  test('the longest that is accepted keeps every line at 998 or less', async () => {
    const contentType = `text/plain; a=${'x'.repeat(885)}`;
    const message = composed({
      html: 'x',
      ...one('a', 'x', { contentType, cid: 'c'.repeat(899) }),
    });
    // The strict reader refuses longer ones.
    const [, file] = leaves(readMessage(await message.bytes()));
    expect(file?.parameters.get('a')).toBe('x'.repeat(885));
  });

  test.each([
    ['plain.txt', 'name="plain.txt"', 'filename="plain.txt"'],
    ['a "b" \\c', 'name="a \\"b\\" \\\\c"', 'filename="a \\"b\\" \\\\c"'],
    ['é.txt', 'name="=?utf-8?b?w6kudHh0?="', "filename*0*=utf-8''%C3%A9.txt"],
    ["(*'%)é", 'name="=?utf-8?b?KConJSnDqQ==?="', "filename*0*=utf-8''%28%2A%27%25%29%C3%A9"],
  ])('%s is written as %s and %s', async (filename, name, file) => {
    const text = await composed(one(filename, 'x')).text();
    expect(text).toContain(`Content-Type: application/octet-stream;\r\n ${name}\r\n`);
    expect(text).toContain(`Content-Disposition: attachment;\r\n ${file}\r\n`);
  });

  test('a long name is cut into sections between its characters, in lines of 78 at most', async () => {
    for (const character of ['x', 'é', '漢', '😀', '%', "'"]) {
      for (let before = 0; before < 12; before += 1) {
        const filename = `${'a'.repeat(before)}${character.repeat(60)}`;
        const octets = await composed(one(filename, 'x')).bytes();
        const [entity] = leaves(readMessage(octets)) as [Entity];
        for (const line of entity.head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
        const values = [...entity.head.matchAll(/filename\*\d+\*=(?:utf-8'')?(.*?);?\r\n/g)];
        expect(values.length).toBeGreaterThan(1);
        // Each section by itself is whole characters.
        expect(values.map(([, value = '']) => decodeURIComponent(value)).join('')).toBe(filename);
        expect((await parse(octets)).attachments[0]?.filename).toBe(filename);
      }
    }
  });
});

describe('one stream', () => {
  async function* given(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(3);
  }

  test.each([
    ['a generator', given],
    ['a ReadableStream', () => new Blob(['abc']).stream()],
  ])('that is %s in two attachments is an error, and no empty file', async (_, open) => {
    const stream = open();
    const attachments = [attachment('a', { stream }), attachment('b', { stream })];
    const error = await composed({ attachments })
      .bytes()
      .catch((reason: unknown) => reason);
    expectMimeError(error, 'ERR_MIME_STREAM', 'attachments');
  });

  test('that is only promised is refused', () => {
    const stream = Promise.resolve(given()) as unknown as AsyncGenerator<Uint8Array>;
    expectMimeError(
      thrownBy(() => attachment('a', { stream })),
      'ERR_MIME_CONTENT',
      'content',
    );
  });

  test.each(['3', 2 ** 32, -1, 0.5, Number.NaN])('of %s octets is refused', (size) => {
    expectMimeError(
      thrownBy(() => attachment('a', { stream: given, size: size as number })),
      'ERR_MIME_CONTENT',
      'content',
    );
  });
});

describe('a message that is read by several at once', () => {
  const slow = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < 5; at += 1) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      yield new Uint8Array(60_000);
    }
  };
  const message = (stream: OctetStream | (() => OctetStream)): Message =>
    composed({ attachments: [attachment('a', { stream })] }, { maxSize: 1_000_000 });

  test('knows its size, whoever reads', async () => {
    const one = message(slow);
    const [, first, second] = await Promise.all([
      one.ready(),
      one.bytes(),
      one.bytes(),
      one.ready(),
    ]);
    expect(first.length).toBe(second.length);
    expect(one.size).toBe(first.length);
    expect(one.minimumSize).toBe(first.length);
  });

  test('of what is no octets is refused', async () => {
    for (const chunk of [null, undefined, 'text', 5, [1, 2]]) {
      const one = message(async function* () {
        yield chunk as unknown as Uint8Array;
      });
      const error = await one.bytes().catch((reason: unknown) => reason);
      expectMimeError(error, 'ERR_MIME_STREAM', 'attachments[0]');
    }
  });

  test('of a stream that can be read once has one reader, until it is in memory', async () => {
    const one = message(slow());
    const [first, second] = await Promise.allSettled([one.bytes(), one.bytes()]);
    expect(first.status).toBe('fulfilled');
    expectMimeError((second as PromiseRejectedResult).reason, 'ERR_MIME_STREAM', 'attachments');
    expect((await one.bytes()).length).toBe(one.size);
  });

  test('is asked again when the first reading failed', async () => {
    let times = 0;
    const one = message(async function* () {
      times += 1;
      if (times === 1) throw new Error('not yet');
      yield new Uint8Array(3);
    });
    await expect(one.ready()).rejects.toThrow('not yet');
    expect(one.size).toBeUndefined();
    await one.ready();
    expect(one.size).toBe((await one.bytes()).length);
  });
});

test('a file alone comes back as it was, whatever its encoding: it is never the whole message', async () => {
  const capabilities = new Set(['8BITMIME', 'BINARYMIME']);
  for (const transferEncoding of [quotedPrintable, asIs(capabilities), 'base64'] as const) {
    const message = composed(one('a.bin', 'abc'), { transferEncoding });
    const octets = await message.bytes();
    const [file] = leaves(readMessage(octets, { body: message.body }));
    expect(file?.content).toBe('abc');
  }
});
