/** Content of body parts, and its way out: in windows of whole lines, encoded one by one. */
import { base64Lines } from './encoding/base64.ts';
import { utf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import { checkText } from './header/field.ts';
import type { Deliver, Streams } from './message.ts';
import type { Chunks, Context, EncodeContent, Source } from './part.ts';
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
 * read again, for a second attempt; any other only once. `size` is its exact octets before encoding, less than 4 GiB, and a
 * stream that has more or fewer fails before the message is complete. Default: not known, and then the message does not know
 * its own.
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
  | {
      /** The octets, or what opens them anew each time that it is called. */
      readonly stream: OctetStream | (() => OctetStream);
      /** Octets before encoding. */
      readonly size?: number;
    };

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
  const source =
    typeof content === 'string'
      ? utf8.encode(checkText(content, 'content', /^(?!)/, 'CONTENT'))
      : content;
  if (source instanceof Uint8Array)
    return { size: source.length, octets: source, open: () => [source] };
  const { stream, size } = Object(source) as { stream: OctetStream; size?: number };
  const once = typeof stream !== 'function';
  if ((once && !stream?.[Symbol.asyncIterator]) || (size as number) >>> 0 !== (size ?? 0))
    refuse('CONTENT', 'content');
  return {
    size,
    once,
    open() {
      if (!once) return (source as Blob).stream();
      if (OPENED.has(stream)) refuse('STREAM', 'attachments', 'read twice');
      OPENED.add(stream);
      return stream;
    },
  };
}

/** What makes encoded octets of a window of octets. */
export type Encode = (octets: Uint8Array, last?: boolean) => Uint8Array;

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
  context: Context,
  size: number | undefined,
  create: () => Encode,
): Source {
  context.deliver = deliver;
  return {
    size,
    once,
    async *open() {
      const encode = create();
      // Whole lines, and not more than 65,536 octets when they are encoded: what a connection takes as one write.
      const held = new Uint8Array(57 * 840);
      let filled = 0;
      let read = 0;
      const check = (right: boolean): unknown => right || refuse('STREAM', path, 'wrong octets');
      for await (const chunk of open()) {
        read += (chunk as Uint8Array | undefined)?.length as number;
        // No number is over or under what was not declared.
        check(chunk instanceof Uint8Array && !(read > (declared as number)));
        for (let at = 0; at < chunk.length; ) {
          // What is full is not the last, as there is more.
          if (filled === held.length) {
            yield encode(held);
            filled = 0;
          }
          const taken = chunk.subarray(at, at + held.length - filled);
          held.set(taken, filled);
          filled += taken.length;
          at += taken.length;
        }
      }
      check(!(read < (declared as number)));
      if (filled) yield encode(held.subarray(0, filled), true);
    },
  };
}

/** In base64, with no line break after the last line. */
export const base64: EncodeContent = (given, path, context) => [
  'base64',
  encodedSource(given, path, context, base64Size(given.size), () => base64Lines),
];

/** Makes a message give out its sources. */
export const deliver: Deliver = (message, pieces, { maxSize, onUnknownSize }) => {
  let sources = pieces.map(
    (piece): Pick<Source, 'size' | 'open'> =>
      (piece as Source).open ? (piece as Source) : given(piece as string),
  );
  const sum = (unknown: number): number =>
    sources.reduce((total, { size = unknown }) => total + size, 0);
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    let total = message.minimumSize;
    for (const { size, open } of sources)
      for await (const chunk of open()) {
        // What would pass the limit is not given out.
        if (size === undefined) {
          total += chunk.length;
          limitSize(total, maxSize);
        }
        yield chunk;
      }
  }
  const all = (chunks: AsyncIterable<Uint8Array>): Response =>
    new Response((ReadableStream as unknown as Streams).from(chunks));
  const octets = async (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> =>
    new Uint8Array(await all(chunks).arrayBuffer());
  Object.assign(message, {
    content: message,
    size: sum(0 / 0) || undefined,
    minimumSize: sum(0),
    async *[Symbol.asyncIterator]() {
      if (onUnknownSize ? onUnknownSize === 'prebuffer' : (maxSize as number) <= 2 ** 20)
        await message.ready();
      message.sent = 0;
      for await (const chunk of read()) {
        message.sent += chunk.length;
        yield chunk;
      }
    },
    async ready() {
      if (message.size === undefined) {
        sources = [given(await octets(read()))];
        message.size = message.minimumSize = sum(0);
      }
      return message;
    },
    bytes: () => octets(message),
    text: () => all(message).text(),
  });
};
