/** attachment(): a file in a message (RFC 2183). In no bundle that does not import it. */
import { arrange } from './arrange.ts';
import { checkText } from './header/field.ts';
import { fold } from './header/fold.ts';
import { nameParameters } from './header/parameter.ts';
import type { BodyPart, TransferEncoder } from './part.ts';
import { base64, type Content, given } from './source.ts';

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
  /** Default: 'inline' with a `cid`, else 'attachment', and so is any other value (RFC 2183 §2.8). */
  readonly disposition?: 'attachment' | 'inline';
  /** Default: `base64`, or what `compose()` is given. Others are imported: `quotedPrintable`, `asIs()`. */
  readonly transferEncoding?: 'base64' | TransferEncoder;
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
export interface Attachment extends BodyPart {
  readonly filename: string;
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
  content: Content,
  options: AttachmentOptions = {},
): Attachment {
  const { contentType = 'application/octet-stream', cid, disposition, transferEncoding } = options;
  const inline = disposition ? disposition === 'inline' : cid;
  const read = given(content);
  return {
    filename,
    contentType,
    cid,
    size: read.size,
    depth: 0,
    arrange,
    render(context, path) {
      checkText(
        contentType,
        `${path}.contentType`,
        /.{900}|^(?!(?!multipart|message)[\w.+-]+\/[\w.+-]+(; *(?!name=)[\w-]+=([\w.+-]+|"[ !#-[\]-~]*"))*$)/i,
      );
      if (cid) checkText(cid, `${path}.cid`, /.{900}|[^!-;=?-~]/);
      const [name, file] = nameParameters(checkText(filename, `${path}.filename`));
      const wanted = (transferEncoding ?? context.transferEncoding) as TransferEncoder | undefined;
      const encode = wanted?.content ?? base64;
      const [encoding, body] = encode(read, path, context);
      return [
        `${fold('Content-Type', `${contentType};`)} name="${name}"\r\n` +
          `Content-Transfer-Encoding: ${encoding}\r\n` +
          `Content-Disposition: ${inline ? 'inline' : 'attachment'}${file}\r\n${cid ? `Content-ID: <${cid}>\r\n` : ''}`,
        body,
      ];
    },
  };
}
