/** Header fields of free text (RFC 5322 §2.2.1), and what may stand in any of them. */
import { type MimeErrorCode, refuse } from '../errors.ts';
import { encodedWords } from './encoded-word.ts';
import { fold } from './fold.ts';

/**
 * Lets text pass that may stand in a header field: no control character, no half of a surrogate pair.
 *
 * Nothing is cleaned in silence: a line break in a subject is an attack or a mistake, and both should be seen.
 */
export function checkText(
  text: string,
  path: string,
  code: MimeErrorCode = 'ERR_MIME_HEADER',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  forbidden: RegExp = /[\0-\x1f\x7f\p{Surrogate}]/u,
): string {
  return typeof text !== 'string' || forbidden.test(text)
    ? refuse(code, path, text, 'malformed, or has control characters')
    : text;
}

/** Whether text is printable ASCII, keeps its ends, and has nothing in it that could be read as an encoded-word. */
export function isPlain(text: string): boolean {
  return !/^ | $|[^ -~]|=\?/.test(text);
}

/** One field with its CRLF: as it is and folded, or as encoded-words where it would not survive that. */
export function textField(name: string, text: string, path: string): string {
  const plain = fold(name, checkText(text, path));
  // RFC 5322 §2.1.1: "Each line of characters MUST be no more than 998 characters".
  return isPlain(text) && !/.{999}/.test(plain)
    ? plain
    : fold(name, encodedWords(text, name.length + 2));
}
