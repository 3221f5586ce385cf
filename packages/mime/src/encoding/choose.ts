/** Which transfer encoding a text gets, and the encoded text. */
import { refuse } from '../errors.ts';
import { base64Size } from '../size.ts';
import { canonicalLines, fitsLines } from './line-ending.ts';
import { quotedPrintable } from './quoted-printable.ts';
import { decodeUtf8, encodeUtf8, textBase64 } from './utf-8.ts';

/** Content-Transfer-Encoding of a text (RFC 2045 §6.1). */
export type TransferEncoding = '7bit' | 'quoted-printable' | 'base64';

/**
 * Encodes text as UTF-8 in 7-bit lines: `7bit` where the text is already that, else the shorter of `quoted-printable`
 * and `base64`, both measured; `quoted-printable` when they are equal.
 *
 * @param forced - what to use wherever the text is not to stay `7bit`, and also where it could
 * @throws MimeError `ERR_MIME_CONTENT` when the text is no string, or has half a surrogate pair
 */
export function encodeText(
  text: string,
  path: string,
  forced?: TransferEncoding,
): [encoding: TransferEncoding, body: string] {
  if (typeof text !== 'string' || /\p{Surrogate}/u.test(text))
    refuse('ERR_MIME_CONTENT', path, text, 'no string, or half a surrogate pair');
  const canonical = canonicalLines(text);
  const source = encodeUtf8(canonical);
  // `=_` begins every boundary, and stands in no encoded text.
  if (
    source.length === canonical.length &&
    (!forced || forced === '7bit') &&
    !/\0|=_/.test(canonical) &&
    fitsLines(canonical)
  ) {
    return ['7bit', canonical];
  }
  const printable = forced === 'base64' ? '' : decodeUtf8(quotedPrintable(source));
  if (forced ? printable : printable.length <= base64Size(source.length))
    return ['quoted-printable', printable];
  return ['base64', textBase64(source).replace(/.{76}(?=.)/g, '$&\r\n')];
}
