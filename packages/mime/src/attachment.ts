/** attachment(): a file in a message, in base64 (RFC 2045 §6.8, RFC 2183). In no bundle that does not import it. */
import { base64Lines } from './encoding/base64.ts';
import { utf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import { checkText } from './header/field.ts';
import { nameParameters } from './header/parameter.ts';
import type { MessageContent } from './message.ts';
import { type Chunks, multipart, type Part, type Source } from './part.ts';
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
 * console.log(message.size, (await message.text()).trimEnd().slice(-8)); // undefined SGVsbG8=
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
 * import { type AttachmentContent, attachment } from '@posthorn/mime';
 *
 * const blob = new Blob(['Hello']); // on Node: await fs.openAsBlob(path)
 * const content: AttachmentContent = { stream: () => blob.stream(), size: blob.size };
 * console.log(attachment('a.txt', content).size, attachment('b.txt', blob).size); // 5 5
 * ```
 */
export type AttachmentContent =
  | string
  | Uint8Array
  | Blob
  | { readonly stream: OctetStream | (() => OctetStream); readonly size?: number };

/**
 * What is said of an attachment beside its name, in Content-Type (RFC 2045 §5), Content-Disposition (RFC 2183) and
 * Content-ID (RFC 2392).
 *
 * @example
 * ```ts
 * import { type AttachmentOptions, attachment, compose } from '@posthorn/mime';
 *
 * const options: AttachmentOptions = { contentType: 'image/png', cid: 'logo@example.com' };
 * const message = compose({
 *   from: 'a@example.com',
 *   html: '<img src="cid:logo@example.com">',
 *   attachments: [attachment('logo.png', new Uint8Array(100), options)],
 * });
 * console.log((await message.text()).includes('multipart/related')); // true
 * ```
 */
export interface AttachmentOptions {
  /** Media type: `application/pdf`. Default `application/octet-stream`. */
  readonly contentType?: string;
  /** Content-ID without angle brackets, for `cid:` in the HTML. Default: none. */
  readonly cid?: string;
  /** Default: 'inline' with a `cid`, else 'attachment'. */
  readonly disposition?: 'attachment' | 'inline';
}

/**
 * A file for `attachments` of a message (RFC 2183 §2.10), made by `attachment()`. One may stand in several messages, if its
 * content can be read again.
 *
 * @example
 * ```ts
 * import { type Attachment, attachment } from '@posthorn/mime';
 *
 * const { filename, contentType, size }: Attachment = attachment('a.bin', new Uint8Array(3));
 * console.log(filename, contentType, size); // a.bin application/octet-stream 3
 * ```
 */
export interface Attachment {
  readonly filename: string;
  readonly contentType: string;
  /** Octets before encoding, where they are known. */
  readonly size: number | undefined;
  readonly cid: string | undefined;
  /** Puts all attachments of a message around or beside its texts. @internal */
  readonly assemble: typeof assemble;
  /** @internal */
  render(path: string): Part;
}

/**
 * A file for `attachments` of a message, in base64 (RFC 2045 §6.8, RFC 2183). Nothing is opened by name: give octets, a Blob,
 * or a stream. What is said of it is checked by `compose()`, which knows its place.
 *
 * @param filename - any text without control characters; outside ASCII by RFC 2231, with an encoded-word for old readers
 * @throws MimeError `ERR_MIME_CONTENT` where the content is nothing of the kind, has half a surrogate pair, or its size is no
 * number of octets
 *
 * @example
 * ```ts
 * import { attachment, compose } from '@posthorn/mime';
 *
 * const message = compose({
 *   from: 'a@example.com',
 *   to: 'b@example.net',
 *   text: 'See the file.',
 *   attachments: [attachment('отчёт.txt', 'Привет!', { contentType: 'text/plain; charset=utf-8' })],
 * });
 * console.log(message.attachments[0]?.filename, message.size === (await message.bytes()).length); // отчёт.txt true
 * ```
 */
export function attachment(
  filename: string,
  content: AttachmentContent,
  options: AttachmentOptions = {},
): Attachment {
  const {
    contentType = 'application/octet-stream',
    cid,
    disposition = cid ? 'inline' : 'attachment',
  } = options;
  const { size, open } = source(content);
  return {
    filename,
    contentType,
    size,
    cid,
    assemble,
    render(path) {
      checkText(
        contentType,
        `${path}.contentType`,
        'ERR_MIME_HEADER',
        /.{900}|^(?![\w!#$&^.+-]+\/[\w!#$&^.+-]+(; *(?!name=)[\w-]+=([\w.+-]+|"[ !#-[\]-~]*"))*$)/i,
      );
      checkText(disposition, `${path}.disposition`, 'ERR_MIME_HEADER', /^(?!(attachment|inline)$)/);
      if (cid) checkText(cid, `${path}.cid`, 'ERR_MIME_HEADER', /.{900}|[^!-;=?-~]/);
      const [name, file] = nameParameters(checkText(filename, `${path}.filename`));
      return [
        `Content-Type: ${contentType};\r\n name="${name}"\r\nContent-Transfer-Encoding: base64\r\n` +
          `Content-Disposition: ${disposition}${file}\r\n${cid ? `Content-ID: <${cid}>\r\n` : ''}\r\n`,
        { size: size && base64Size(size), open: () => encode(open(), size, path) },
      ];
    },
  };
}

/** mixed(alternative(text, related(html, cid …)), files …), each only where it has several parts. */
function assemble(
  head: string,
  attachments: readonly Attachment[],
  texts: Part[],
  hasHtml: boolean,
  name: string,
  maxSize: number | undefined,
): MessageContent {
  const inline: Part[] = [];
  const files: Part[] = [];
  attachments.forEach((one, at) => {
    (hasHtml && one.cid ? inline : files).push(one.render(`attachments[${at}]`));
  });
  const html = multipart('related; type="text/html"', [...texts.splice(-1), ...inline], name);
  const text = multipart('alternative', [...texts, ...html], name);
  const sources = [
    head,
    ...multipart('mixed', [...text, ...files], name).flat(),
    // Base64 has no line end of its own.
    '\r\n',
  ].map((piece) => (typeof piece === 'string' ? source(piece) : piece));
  const minimumSize = sources.reduce((sum, { size = 0 }) => sum + size, 0);
  return {
    get content() {
      return this;
    },
    size: sources.reduce((sum, { size }) => sum + (size as number), 0) || undefined,
    minimumSize,
    sent: 0,
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
      this.sent = 0;
      let total = minimumSize;
      for (const { size, open } of sources)
        for await (const chunk of open()) {
          // What would pass the limit is not given out.
          if (size === undefined) {
            total += chunk.length;
            limitSize(total, maxSize);
          }
          this.sent += chunk.length;
          yield chunk;
        }
    },
    stream() {
      const chunks = this[Symbol.asyncIterator]();
      return new ReadableStream({
        async pull(controller) {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await chunks.return?.();
        },
      });
    },
    async bytes() {
      const chunks: Uint8Array[] = [];
      for await (const chunk of this) chunks.push(chunk);
      return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    },
    async text() {
      return new TextDecoder().decode(await this.bytes());
    },
  };
}

/** The size of content where it is known, and how to read it. A Blob is of the last kind: it has a stream and a size. */
function source(content: AttachmentContent): Source {
  const given =
    typeof content === 'string'
      ? utf8.encode(checkText(content, 'content', 'ERR_MIME_CONTENT', /\p{Surrogate}/u))
      : content;
  if (given instanceof Uint8Array) return { size: given.length, open: () => [given] };
  const { stream, size } = given;
  if (Object(stream) !== stream)
    refuse('ERR_MIME_CONTENT', 'content', content, 'give text, octets, a Blob or a stream');
  checkText(`${size ?? 0}`, 'size', 'ERR_MIME_CONTENT', /\D|.{16}/);
  let read = false;
  return {
    size,
    open() {
      if (typeof stream === 'function') return stream.call(given);
      if (read)
        refuse('ERR_MIME_STREAM', 'attachments', 'a stream again', 'give a function that opens it');
      read = true;
      return stream;
    },
  };
}

/**
 * Octets as base64, in lines with CRLF between them and none after the last: the same for every cutting into chunks.
 *
 * @param declared - how many they have to be; more is refused at once, fewer at their end
 */
async function* encode(
  octets: Chunks,
  declared: number | undefined,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Whole lines.
  const held = new Uint8Array(57 * 1_024);
  let filled = 0;
  let read = 0;
  // The first line has its CRLF from the header.
  let skip = 2;
  const lie = (): never =>
    refuse('ERR_MIME_STREAM', path, `${read} octets`, `${declared} were declared`);
  for await (const chunk of octets) {
    if (!(chunk instanceof Uint8Array)) refuse('ERR_MIME_STREAM', path, chunk, 'not a Uint8Array');
    read += chunk.length;
    // No number is over or under what was not declared.
    if (read > (declared as number)) lie();
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.subarray(at, at + held.length - filled);
      held.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled === held.length) {
        yield base64Lines(held).subarray(skip);
        skip = filled = 0;
      }
    }
  }
  if (read < (declared as number)) lie();
  if (filled) yield base64Lines(held.subarray(0, filled)).subarray(skip);
}
