/** part(): a body part of any type, with content or with parts (RFC 2045, RFC 2046). In no bundle that does not import it. */

import { arrange } from './arrange.ts';
import { asIs } from './as-is.ts';
import { encodeText, type TransferEncoding } from './encoding/text.ts';
import { refuse } from './errors.ts';
import { checkText } from './header/field.ts';
import { fold } from './header/fold.ts';
import { nameParameters } from './header/parameter.ts';
import { type BodyPart, type Entity, multipart, type TransferEncoder } from './part.ts';
import { base64, type Content, type Given, given } from './source.ts';

/**
 * What is said of a part beside its type (RFC 2183, RFC 2392), and how its content is encoded.
 *
 * @example
 * ```ts
 * import { compose, type PartOptions, part } from '@posthorn/mime';
 *
 * const options: PartOptions = { disposition: 'inline' };
 * const message = compose({ from: 'a@example.com', body: part('text/plain', 'Hallo', options) });
 * console.log((await message.text()).includes('Content-Disposition: inline')); // true
 * ```
 */
export interface PartOptions {
  /** Any text without control characters. Default: none, and so is an empty one. */
  readonly filename?: string | undefined;
  /** Content-ID without angle brackets. Default: none. */
  readonly cid?: string;
  /** Default: 'inline' with a `cid`, 'attachment' with a `filename` alone, else none. */
  readonly disposition?: 'attachment' | 'inline' | undefined;
  /**
   * Default: what `compose()` is given; else for text given as a string `7bit`, `quoted-printable` or `base64`, by its content,
   * and `base64` for other content. `7bit` and `quoted-printable` are for text given as a string, and change nothing
   * for other content; for that, `quotedPrintable` is imported. `message/*` is never encoded: for it, only `asIs()`.
   */
  readonly transferEncoding?: TransferEncoding;
}

/**
 * A body part of your own: content of any type, or a multipart of other parts (RFC 2046 §5.1). For `body` or `attachments` of a
 * message, an alternative such as `calendar`, or inside another part.
 *
 * A string as content of `text/*` is text: its line breaks become CRLF, and `charset=utf-8` is added. Any other string is its
 * octets in UTF-8. `message/*`, but for `message/global*`, is never encoded (RFC 2046 §5.2.1): without `asIs(capabilities)` it
 * has to be 7bit. What is said of the part is checked by `compose()`, which knows its place.
 *
 * @param contentType - `text/csv; header=present`, without `name` and `boundary`
 * @param content - text, octets, a Blob, a stream; for `multipart/*` its parts, at least one, nested 100 deep at most
 * @throws MimeError `ERR_MIME_CONTENT` where content and type do not go together, or the content is nothing of the kind
 *
 * @example
 * ```ts
 * import { attachment, compose, part } from '@posthorn/mime';
 *
 * const body = part('multipart/mixed', [
 *   part('text/plain', 'Before the picture'),
 *   attachment('a.png', new Uint8Array(100), { contentType: 'image/png', disposition: 'inline' }),
 *   part('text/plain', 'After it'),
 * ]);
 * const message = compose({ from: 'a@example.com', body });
 * console.log((await message.text()).split('Content-Type: text/plain').length); // 3
 * ```
 */
export function part(
  contentType: string,
  content: Content | readonly BodyPart[],
  options: PartOptions = {},
): BodyPart {
  const { filename, cid, transferEncoding } = options;
  const { disposition = cid ? 'inline' : filename ? 'attachment' : undefined } = options;
  const isText = typeof content === 'string' && /^text\//i.test(contentType);
  const isMessage = /^message\/(?!global)/i.test(contentType);
  const parts = /^multipart\//i.test(contentType) && [content as BodyPart[]].flat();
  const depth = parts ? parts.reduce((most, one) => Math.max(most, one?.depth + 1), 0) : 0;
  if (parts && !(depth > 0 && depth <= 100)) refuse('CONTENT', 'parts');
  const read = parts ? undefined : given(content as Content);
  const type =
    isText && !/charset=/i.test(contentType) ? `${contentType}; charset=utf-8` : contentType;
  if (isText) checkText(type, 'content', /charset=(?!"?utf-8"?(;|$))/i, 'CONTENT');

  return {
    contentType,
    filename,
    cid,
    size: read?.size,
    depth,
    arrange,
    render(context, path) {
      checkText(
        type,
        `${path}.contentType`,
        /.{900}|^(?![\w.+-]+\/[\w.+-]+(; *(?!name=|boundary=)[\w-]+=([\w.+-]+|"[ !#-[\]-~]*"))*$)/i,
      );
      const [name, file] = filename ? nameParameters(checkText(filename, `${path}.filename`)) : [];
      const typeField = name
        ? `${fold('Content-Type', `${type};`)} name="${name}"\r\n`
        : fold('Content-Type', type);
      let about = disposition
        ? `Content-Disposition: ${disposition === 'inline' ? disposition : 'attachment'}${file ?? ''}\r\n`
        : '';
      if (cid) {
        checkText(cid, `${path}.cid`, /.{900}|[^!-;=?-~]/);
        about += `Content-ID: <${cid}>\r\n`;
      }
      if (parts) {
        const entities = parts.map((one, at) => one.render(context, `${path}.parts[${at}]`));
        const [[head, ...body]] = multipart(type.slice(10), entities, context, true) as [Entity];
        return [head + about, ...body];
      }
      const wanted = transferEncoding ?? context.transferEncoding;
      const { own, content: general } = Object(wanted) as TransferEncoder;
      const encode = isMessage
        ? (own ?? asIs().own)
        : transferEncoding
          ? (own ?? general)
          : general;
      const [encoding, body] = isText
        ? encodeText(content, path, context, wanted)
        : (encode ?? base64)(read as Given, path, context);
      return [`${typeField}Content-Transfer-Encoding: ${encoding}\r\n${about}`, body];
    },
  };
}
