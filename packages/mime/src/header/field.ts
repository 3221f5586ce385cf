/** Header fields (RFC 5322 §2.2), and what may stand in any of them. */
import { type MimeErrorCode, refuse } from '../errors.ts';
import { encodedWords } from './encoded-word.ts';
import { fold } from './fold.ts';

/**
 * Lets text pass that may stand in a header field: no control character, no half of a surrogate pair.
 *
 * Nothing is cleaned in silence: a line break in a subject is an attack or a mistake, and both should be seen.
 */
export function checkText(
  text: unknown,
  path: string,
  code: MimeErrorCode = 'ERR_MIME_HEADER',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  forbidden: RegExp = /[\0-\x1f\x7f]/,
): string {
  return typeof text !== 'string' || !text.isWellFormed() || text.search(forbidden) >= 0
    ? refuse(code, path, text, 'not allowed there')
    : text;
}

/** Whether text is printable ASCII, keeps its ends, and has nothing in it that could be read as an encoded-word. */
export function isPlain(text: string): boolean {
  return !/^ | $|[^ -~]|=\?/.test(text);
}

/**
 * One field with its CRLF: as it is and folded, or as encoded-words where free text would not survive that.
 *
 * @param forbidden - finds what a structured field may not have, beside control characters, what is not ASCII, and spaces at
 * its ends; such a field is never encoded
 */
export function field(name: string, value: unknown, path: string, forbidden?: RegExp): string {
  const text = checkText(value, path, undefined, forbidden);
  if (forbidden || isPlain(text)) {
    const plain = fold(name, forbidden ? checkText(text, path, undefined, /[^ -~]|^ | $/) : text);
    // RFC 5322 §2.1.1: "Each line of characters MUST be no more than 998 characters". What is short is not searched: 3 µs.
    if (!plain[999] || !/.{999}/.test(plain)) return plain;
  }
  // No room for a word on the line of a longer name; and a structured field is never encoded.
  checkText(forbidden ? '' : name, path, undefined, /^$|.{55}/);
  // Each word fills a line.
  return `${name}: ${encodedWords(text, name.length + 2, '\r\n ')}\r\n`;
}
