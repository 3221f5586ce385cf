/** Which transfer encoding a text gets, and the encoded text. */
import { refuse } from '../errors.ts';
import { base64Size } from '../size.ts';
import { writeBase64Lines } from './base64.ts';
import { canonicalLines, fitsLines } from './line-ending.ts';
import { ESCAPED, OCTET_CLASS } from './octet-class.ts';
import { quotedPrintable } from './quoted-printable.ts';
import { decodeAscii, encodeUtf8 } from './utf-8.ts';

/** Content-Transfer-Encoding of a text (RFC 2045 §6.1). */
export type TransferEncoding = '7bit' | 'quoted-printable' | 'base64';

/**
 * Encodes text as UTF-8 in 7-bit lines: `7bit` where the text is already that, else the shorter of `quoted-printable`
 * and `base64`, both measured; `quoted-printable` when they are equal.
 *
 * @param forced what to use wherever the text is not to stay `7bit`, and also where it could
 * @throws MimeError `ERR_MIME_CONTENT` when the text is no string, or has half a surrogate pair
 */
export function encodeText(
  text: string,
  path: string,
  forced?: TransferEncoding,
): [encoding: TransferEncoding, body: string] {
  if (typeof text !== 'string') refuse('ERR_MIME_CONTENT', path, text, 'give a string');
  const canonical = canonicalLines(text);
  const source = encodeUtf8(canonical);
  if (source.length > canonical.length && /[\ud800-\udfff]/u.test(text)) {
    refuse('ERR_MIME_CONTENT', path, text, 'half a surrogate pair; was it cut?');
  }
  if (
    source.length === canonical.length &&
    (!forced || forced === '7bit') &&
    !canonical.includes('\0') &&
    fitsLines(canonical)
  ) {
    return ['7bit', canonical];
  }
  const size = base64Size(source.length);
  if (forced !== 'base64') {
    let least = source.length;
    if (!forced)
      for (const octet of source) if ((OCTET_CLASS[octet] as number) & ESCAPED) least += 2;
    if (forced || least <= size) {
      const printable = quotedPrintable(source);
      if (forced || printable.length <= size) return ['quoted-printable', decodeAscii(printable)];
    }
  }
  const target = new Uint8Array(size);
  writeBase64Lines(source, target);
  return ['base64', decodeAscii(target)];
}
