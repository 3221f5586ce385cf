/** Content of body parts, and its way out: in windows of whole lines, encoded one by one. */
import { base64Lines } from './encoding/base64.ts';
import { utf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import { checkText } from './header/field.ts';
import type { Deliver } from './message.ts';
import type { Chunks, EncodeContent, Source } from './part.ts';
import { base64Size, limitSize } from './size.ts';

/**
 * Octets of a body (RFC 2045 §2.10) that come later, in chunks of any size.
 *
 * @example
 * ```ts
 * import { attachment, compose, type OctetStream } from '@posthorn/mime';
 *
 * const stream: OctetStream = new Blob(['Hello']).stream();
 * const message = compose({ from: 'a@example.com', attachments: [attachment('a.txt', { stream })] });
 * console.log(message.size, (await message.text()).includes('\r\n\r\nSGVsbG8=\r\n')); // undefined true
 * ```
 */
export type OctetStream = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/**
 * Content of an attachment, the body of its part (RFC 2045 §2.6). A string is UTF-8. A stream given by a function can be
 * read again, for a second attempt; any other only once. `size` is its exact octets before encoding, and a stream that
 * has more or fewer fails before the message is complete. Default: not known, and then the message does not know its own.
 *
 * @example
 * ```ts
 * import { type Content, attachment } from '@posthorn/mime';
 *
 * const blob = new Blob(['Hello']); // on Node: await fs.openAsBlob(path)
 * const content: Content = { stream: () => blob.stream(), size: blob.size };
 * console.log(attachment('a.txt', content).size, attachment('b.txt', blob).size); // 5 5
 * ```
 */
export type Content =
  | string
  | Uint8Array
  | Blob
  | { readonly stream: OctetStream | (() => OctetStream); readonly size?: number };

/** Content as it can be read. */
export interface Given {
  readonly size: number | undefined;
  /** All octets, where they are in memory. */
  readonly octets?: Uint8Array;
  readonly once?: boolean;
  open(): Chunks;
}

/** Streams that can be read only once, and were. */
const OPENED: WeakSet<OctetStream> = /*#__PURE__*/ new WeakSet();

/** The size of content where it is known, and how to read it. A Blob is of the last kind: it has a stream and a size. */
export function given(content: Content): Given {
  const octets =
    typeof content === 'string'
      ? utf8.encode(checkText(content, 'content', 'ERR_MIME_CONTENT', /^(?!)/))
      : content;
  if (octets instanceof Uint8Array) return { size: octets.length, octets, open: () => [octets] };
  const { stream, size } = Object(octets) as Exclude<Content, string | Uint8Array>;
  if (typeof stream !== 'function' && !stream?.[Symbol.asyncIterator])
    refuse('ERR_MIME_CONTENT', 'content', content, 'give text, octets, a Blob or { stream }');
  if (!(Number.isSafeInteger(size ?? 0) && (size ?? 0) >= 0))
    refuse('ERR_MIME_CONTENT', 'size', size, 'no number of octets');
  const once = typeof stream !== 'function';
  return {
    size,
    once,
    open() {
      if (!once) return stream.call(octets);
      if (OPENED.has(stream))
        refuse('ERR_MIME_STREAM', 'attachments', 'a stream again', 'give a function that opens it');
      OPENED.add(stream);
      return stream;
    },
  };
}

/** What makes encoded octets of a window of octets. */
export type Encode = (octets: Uint8Array, last: boolean) => Uint8Array;

/**
 * Content as it is sent: encoded in windows, each of whole lines, and so the same for every cutting into chunks. More octets
 * than were declared are refused at once, fewer at their end.
 *
 * @param size - of what is encoded, where it is known
 * @param create - makes the encoder, each time anew
 */
export function encodedSource(
  { size: declared, once, open }: Given,
  path: string,
  size: number | undefined,
  create: () => Encode,
): Source {
  return {
    size,
    once,
    deliver,
    async *open() {
      const encode = create();
      const held = new Uint8Array(57 * 1_024);
      let filled = 0;
      let read = 0;
      const lie = (): never =>
        refuse('ERR_MIME_STREAM', path, `${read} octets`, `${declared} were declared`);
      for await (const chunk of open()) {
        if (!(chunk instanceof Uint8Array))
          refuse('ERR_MIME_STREAM', path, chunk, 'not a Uint8Array');
        read += chunk.length;
        // No number is over or under what was not declared.
        if (read > (declared as number)) lie();
        for (let at = 0; at < chunk.length; ) {
          // What is full is not the last, as there is more.
          if (filled === held.length) {
            yield encode(held, false);
            filled = 0;
          }
          const taken = chunk.subarray(at, at + held.length - filled);
          held.set(taken, filled);
          filled += taken.length;
          at += taken.length;
        }
      }
      if (read < (declared as number)) lie();
      if (filled) yield encode(held.subarray(0, filled), true);
    },
  };
}

/** In base64, with no line break after the last line. */
export const base64: EncodeContent = (given, path) => [
  'base64',
  encodedSource(given, path, given.size && base64Size(given.size), () => {
    // The first line has its CRLF from the header.
    let skip = 2;
    return (octets) => {
      const lines = base64Lines(octets).subarray(skip);
      skip = 0;
      return lines;
    };
  }),
];

/** Makes a message give out its sources. */
export const deliver: Deliver = (
  message,
  pieces,
  { maxSize, onUnknownSize = (maxSize as number) <= 2 ** 20 ? 'prebuffer' : 'guard' },
) => {
  let sources = pieces.map(
    (piece): Pick<Source, 'size' | 'open'> => (typeof piece === 'string' ? given(piece) : piece),
  );
  const sum = (unknown: number): number =>
    sources.reduce((total, { size = unknown }) => total + size, 0);
  const collect = async (chunks: Chunks): Promise<Uint8Array<ArrayBuffer>[]> => {
    const list: Uint8Array[] = [];
    for await (const chunk of chunks) list.push(chunk);
    return list as Uint8Array<ArrayBuffer>[];
  };
  async function* read(counted: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    if (counted) {
      if (onUnknownSize === 'prebuffer') await message.ready();
      message.sent = 0;
    }
    let total = message.minimumSize;
    for (const { size, open } of sources)
      for await (const chunk of open()) {
        // What would pass the limit is not given out.
        if (size === undefined) {
          total += chunk.length;
          limitSize(total, maxSize);
        }
        if (counted) message.sent += chunk.length;
        yield chunk;
      }
  }
  const measure = async (): Promise<void> => {
    if (message.size !== undefined) return;
    const chunks = await collect(read(false));
    const size = chunks.reduce((total, { length }) => total + length, 0);
    sources = [{ size, open: () => chunks }];
    message.size = message.minimumSize = size;
  };
  /** The reading under way: one for all who ask. */
  let measuring: Promise<void> | undefined;
  Object.assign(message, {
    content: message,
    size: sum(Number.NaN) || undefined,
    minimumSize: sum(0),
    [Symbol.asyncIterator]: () => read(true),
    async ready() {
      measuring ??= measure().finally(() => {
        measuring = undefined;
      });
      await measuring;
      return message;
    },
    async bytes() {
      return new Uint8Array(await new Blob(await collect(message)).arrayBuffer());
    },
  });
};
