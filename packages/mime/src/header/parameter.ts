/** File names in header parameters (RFC 2183 §2.3, RFC 2231 §3 and §4). */
import { encodeUtf8 } from '../encoding/utf-8.ts';
import { encodedWords } from './encoded-word.ts';
import { isPlain } from './field.ts';

/** Characters of one section's value. */
const SECTION = 54;

/**
 * `name` for Content-Type and `filename` for Content-Disposition, each with its `;`.
 *
 * A plain name is a quoted-string in both. Any other is `filename*` by RFC 2231, and an encoded-word in `name`, which RFC 2047 §5
 * forbids and old readers need; never `filename` beside `filename*`, of which some readers take the wrong one.
 */
export function nameParameters(filename: string): { readonly name: string; readonly file: string } {
  if (isPlain(filename) && filename.length <= SECTION) {
    const quoted = `"${filename.replace(/["\\]/g, '\\$&')}"`;
    return { name: `;\r\n name=${quoted}`, file: `;\r\n filename=${quoted}` };
  }
  const words = encodedWords(filename, 7).replaceAll(' ', '\r\n ');
  const sections: string[] = [];
  let section = "utf-8''";
  for (const character of filename) {
    const encoded = /^[\w!#$&+.^`{|}~-]$/.test(character)
      ? character
      : Array.from(
          encodeUtf8(character),
          (octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`,
        ).join('');
    if (section.length + encoded.length > SECTION) {
      sections.push(section);
      section = '';
    }
    section += encoded;
  }
  sections.push(section);
  const file = sections
    .map((value, at) => `;\r\n filename*${sections.length > 1 ? `${at}*` : ''}=${value}`)
    .join('');
  return { name: `;\r\n name="${words}"`, file };
}
