/** attachment(): a file in a message, in base64 (RFC 2045 §6.8, RFC 2183). In no bundle that does not import it. */
import { base64Lines, LINE_SOURCE, writeBase64Lines } from './encoding/base64.ts';
import { encodeUtf8 } from './encoding/utf-8.ts';
import { MimeError, refuse } from './errors.ts';
import { checkText } from './header/field.ts';
import { nameParameters } from './header/parameter.ts';
import type { MessageContent } from './message.ts';
import { multipart, type Part } from './part.ts';
import { base64Size, limitSize } from './size.ts';

/** Octets that come later. */
export type OctetStream = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/**
 * Content of an attachment. A string is UTF-8. A stream given by a function can be read again, for a second
 * attempt; `size` is its exact octets, and a stream that has more or fewer fails before the message is complete.
 */
export type AttachmentContent =
  | string
  | Uint8Array
  | Blob
  | { readonly stream: OctetStream | (() => OctetStream); readonly size?: number };

/** What is said of an attachment beside its name. */
export interface AttachmentOptions {
  /** Media type: `application/pdf`. Default `application/octet-stream`. */
  readonly contentType?: string;
  /** Content-ID without angle brackets, for `cid:` in the HTML. */
  readonly cid?: string;
  /** Default: 'inline' with a `cid`, else 'attachment'. */
  readonly disposition?: 'attachment' | 'inline';
}

/** A file for `attachments` of a message. */
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

/** Octets taken at a time: whole lines. */
const WINDOW = LINE_SOURCE * 1_024;

/**
 * A file for `attachments` of a message. Nothing is opened by name: give octets, a Blob, or a stream.
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
    disposition = cid === undefined ? 'attachment' : 'inline',
  } = options;
  const { size, open } = source(content);
  return {
    filename,
    contentType,
    size,
    cid,
    assemble,
    render(path) {
      checkText(filename, `${path}.filename`);
      if (
        !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; *[\w-]+=(?:[\w.+-]+|"[ !#-[\]-~]*"))*$/.test(
          contentType,
        )
      ) {
        refuse('ERR_MIME_HEADER', `${path}.contentType`, contentType, 'give type/subtype');
      }
      if (cid !== undefined && !/^[\w!#$%&'*+/=?^`{|}~.-]+(?:@[\w.-]+)?$/.test(cid)) {
        refuse('ERR_MIME_HEADER', `${path}.cid`, cid, 'give left@right without angle brackets');
      }
      if (!/^(attachment|inline)$/.test(disposition))
        refuse(
          'ERR_MIME_HEADER',
          `${path}.disposition`,
          disposition,
          "give 'attachment' or 'inline'",
        );
      const { name, file } = nameParameters(filename);
      const head =
        `Content-Type: ${contentType}${name}\r\nContent-Transfer-Encoding: base64\r\n` +
        `Content-Disposition: ${disposition}${file}\r\n${cid === undefined ? '' : `Content-ID: <${cid}>\r\n`}\r\n`;
      return [
        head,
        {
          size: size === undefined ? undefined : base64Size(size),
          open: () => encode(open(), size, path),
        },
      ];
    },
  };
}

/** mixed(alternative(text, related(html, cid …)), files …), each only where it has several parts. */
function assemble(
  head: string,
  attachments: readonly Attachment[],
  texts: readonly Part[],
  hasHtml: boolean,
  name: string,
  maxSize: number | undefined,
): MessageContent {
  const inline: Part[] = [];
  const files: Part[] = [];
  attachments.forEach((one, at) => {
    (hasHtml && one.cid !== undefined ? inline : files).push(one.render(`attachments[${at}]`));
  });
  const html = texts.at(-1);
  const related =
    html && inline[0]
      ? [...texts.slice(0, -1), multipart('related; type="text/html"', [html, ...inline], name)]
      : texts;
  const text = related[0] ? [multipart('alternative', related, name)] : [];
  // Base64 has no line end of its own.
  const pieces = [head, ...multipart('mixed', [...text, ...files], name), '\r\n'];
  const sizes = pieces.map((piece) =>
    typeof piece === 'string' ? encodeUtf8(piece).length : piece.size,
  );
  const minimumSize = sizes.reduce<number>((sum, size = 0) => sum + size, 0);
  const collect = async (message: AsyncIterable<Uint8Array>): Promise<Blob> => {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of message) chunks.push(chunk as Uint8Array<ArrayBuffer>);
    return new Blob(chunks);
  };
  return {
    get content() {
      return this;
    },
    size: sizes.includes(undefined) ? undefined : minimumSize,
    minimumSize,
    sent: 0,
    async *[Symbol.asyncIterator]() {
      this.sent = 0;
      let total = minimumSize;
      for (const piece of pieces) {
        const chunks = typeof piece === 'string' ? [encodeUtf8(piece)] : piece.open();
        for await (const chunk of chunks) {
          // What would pass the limit is not given out.
          if (typeof piece === 'object' && piece.size === undefined) {
            total += chunk.length;
            limitSize(total, maxSize);
          }
          this.sent += chunk.length;
          yield chunk;
        }
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
      return new Uint8Array(await (await collect(this)).arrayBuffer());
    },
    async text() {
      return (await collect(this)).text();
    },
  };
}

/** The size of content where it is known, and how to read it. */
function source(content: AttachmentContent): { size: number | undefined; open: () => OctetStream } {
  const octets = typeof content === 'string' ? encodeUtf8(content) : content;
  if (octets instanceof Uint8Array) {
    return {
      size: octets.length,
      async *open() {
        yield octets;
      },
    };
  }
  if (octets instanceof Blob) return { size: octets.size, open: () => octets.stream() };
  const { stream, size } = octets;
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0))
    throw new RangeError(`Cannot use ${size} as size: give whole octets`);
  if (typeof stream === 'function') return { size, open: stream };
  let read = false;
  return {
    size,
    open() {
      if (read)
        throw new MimeError(
          'ERR_MIME_STREAM',
          'attachments',
          'Cannot read a stream again: give a function that opens it',
        );
      read = true;
      return stream;
    },
  };
}

/** A stream as base64: lines of 76 with CRLF between them, none after the last. The same for every cutting into chunks. */
async function* encode(
  stream: OctetStream,
  declared: number | undefined,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held = new Uint8Array(0);
  let read = 0;
  const lie = (): never => {
    throw new MimeError(
      'ERR_MIME_STREAM',
      path,
      `Cannot finish ${path}: ${declared} octets were declared, and there are ${read > (declared as number) ? 'more' : read}`,
    );
  };
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    if (!(chunk instanceof Uint8Array))
      throw new MimeError('ERR_MIME_STREAM', path, `Cannot read ${path}: a chunk is no Uint8Array`);
    read += chunk.length;
    if (declared !== undefined && read > declared) lie();
    for (let at = 0; at < chunk.length; at += WINDOW) {
      const taken = chunk.subarray(at, at + WINDOW);
      const octets = held.length > 0 ? new Uint8Array(held.length + taken.length) : taken;
      if (octets !== taken) {
        octets.set(held);
        octets.set(taken, held.length);
      }
      // The last line waits, even if it is whole: the end has no CRLF.
      const whole = Math.max(0, Math.ceil(octets.length / LINE_SOURCE) - 1) * LINE_SOURCE;
      held = octets.slice(whole);
      if (whole > 0) yield base64Lines(octets.subarray(0, whole));
    }
  }
  if (declared !== undefined && read !== declared) lie();
  const end = new Uint8Array(base64Size(held.length));
  writeBase64Lines(held, end);
  if (end.length > 0) yield end;
}
