/** Header fields (RFC 5322 §2.2), and what may stand in any of them. */
import { type Cause, refuse } from '../errors.ts';
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  forbidden: RegExp = /[\0-\x1f\x7f]/,
  code: Cause = 'HEADER',
): string {
  return !(text as string)?.isWellFormed?.() || forbidden.test(text as string)
    ? refuse(code, path)
    : (text as string);
}

/** Whether text is printable ASCII, keeps its ends, and has nothing in it that could be read as an encoded-word. */
export function isPlain(text: string): boolean {
  return !/^ | $|[^ -~]|=\?/.test(text);
}

/**
 * One field with its CRLF: as it is and folded, or as encoded-words where free text would not survive that.
 *
 * @param forbidden - finds what a structured field may not have, and with it all that is not ASCII, spaces at its ends, and words
 * that do not fit a line: such a field is never encoded
 */
export function field(name: string, value: unknown, path: string, forbidden?: RegExp): string {
  const text = checkText(value, path, forbidden);
  // RFC 5322 §2.1.1: "Each line of characters MUST be no more than 998 characters".
  return forbidden || (isPlain(text) && !/^.{999}/m.test(fold(name, text)))
    ? fold(name, text)
    : // Each word fills a line.
      `${name}: ${encodedWords(text, name.length + 2).join('\r\n ')}\r\n`;
}
