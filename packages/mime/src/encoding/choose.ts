/** Which transfer encoding a text gets, and the encoded text. */
import { checkText } from '../header/field.ts';
import { quotedPrintable } from './quoted-printable.ts';
import { binaryUtf8 } from './utf-8.ts';

/**
 * Content-Transfer-Encoding of a text (RFC 2045 §6.1). With `7bit`, as without any, a text that 7-bit lines of 998 cannot
 * carry gets the shorter of the other two.
 *
 * @example
 * ```ts
 * import { compose, type TransferEncoding } from '@posthorn/mime';
 *
 * const transferEncoding: TransferEncoding = 'base64';
 * const message = compose({ from: 'a@example.com', text: 'Hi' }, { transferEncoding });
 * console.log((await message.text()).trimEnd().slice(-4)); // SGk=
 * ```
 */
export type TransferEncoding = '7bit' | 'quoted-printable' | 'base64';

// What 7bit cannot carry (RFC 2045 §2.7), and `=_`, which begins every boundary and stands in no encoded text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what it refuses
const NOT_7BIT = /[^\x01-\x7f]|=_|.{999}/;

/**
 * Encodes text as UTF-8 in 7-bit lines: `7bit` where the text is already that, else the shorter of `quoted-printable`
 * and `base64`, both measured; `quoted-printable` when they are equal.
 *
 * A line break, CRLF or a lone CR or LF, becomes CRLF (RFC 2046 §4.1.1).
 *
 * @param forced - what to use wherever the text is not to stay `7bit`, and also where it could
 * @throws MimeError `ERR_MIME_CONTENT` when the text is no string, or has half a surrogate pair
 */
export function encodeText(
  text: string,
  path: string,
  forced: TransferEncoding = '7bit',
): [encoding: TransferEncoding, body: string] {
  const canonical = checkText(text, path, 'ERR_MIME_CONTENT', /\p{Surrogate}/u).replace(
    /\r\n?|\n/g,
    '\r\n',
  );
  if (forced === '7bit' && !NOT_7BIT.test(canonical)) return [forced, canonical];
  const printable = quotedPrintable(canonical);
  const base64 = btoa(binaryUtf8(canonical)).replace(/.{76}(?=.)/g, '$&\r\n');
  return forced !== 'base64' && (forced !== '7bit' || printable.length <= base64.length)
    ? ['quoted-printable', printable]
    : ['base64', base64];
}
