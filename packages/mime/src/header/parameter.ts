/** File names in header parameters (RFC 2183 §2.3, RFC 2231 §3 and §4). */
import { binary } from '../encoding/base64.ts';
import { encodedWords, escapeOctet } from './encoded-word.ts';
import { isPlain } from './field.ts';

/**
 * The value of `name` for Content-Type, without its quotes, and `filename` for Content-Disposition with its `;`.
 *
 * A plain name is a quoted-string in both. Any other is `filename*` by RFC 2231, and an encoded-word in `name`, which RFC 2047 §5
 * forbids and old readers need; never `filename` beside `filename*`, of which some readers take the wrong one.
 */
export function nameParameters(filename: string): [name: string, file: string] {
  if (isPlain(filename) && !filename[54]) {
    const quoted = filename.replace(/["\\]/g, '\\$&');
    return [quoted, `;\r\n filename="${quoted}"`];
  }
  // What stays as it is is attribute-char (RFC 2231 §7); the others of those may be escaped as well.
  const encoded = binary(filename)
    .replace(/[^\w.-]/g, escapeOctet)
    .replaceAll('=', '%');
  // Cut between characters.
  const sections = `utf-8''${encoded}`.match(/.{1,54}(?<!%.?)(?!%[89AB])/g) ?? [];
  return [
    encodedWords(filename, 7).join('\r\n '),
    sections.map((section, at) => `;\r\n filename*${at}*=${section}`).join(''),
  ];
}
