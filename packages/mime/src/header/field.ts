/** Header fields of free text (RFC 5322 §2.2.1), and what may stand in any of them. */
import { fitsLines } from '../encoding/line-ending.ts';
import { type MimeErrorCode, refuse } from '../errors.ts';
import { encodedWords, looksEncoded } from './encoded-word.ts';
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
): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  if (typeof text !== 'string' || /[\0-\x1f\x7f\p{Surrogate}]/u.test(text)) {
    refuse(code, path, text, 'no string, or a control character, or half a surrogate pair');
  }
  return text;
}

/** Whether text is printable ASCII and nothing in it could be read as an encoded-word. */
export function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text) && !looksEncoded(text);
}

/** One field with its CRLF: as it is and folded, or as encoded-words where it would not survive that. */
export function textField(name: string, text: string, path: string): string {
  const prefix = `${name}: `;
  const plain = fold(prefix + checkText(text, path));
  // RFC 5322 §2.1.1: "Each line of characters MUST be no more than 998 characters".
  return isPlain(text) && text.trim() === text && fitsLines(plain)
    ? `${plain.trimEnd()}\r\n`
    : `${fold(prefix + encodedWords(text, prefix.length))}\r\n`;
}

/** A field that the caller names. */
export function customField(name: string, text: string, path: string): string {
  if (
    !/^[!-9;-~]{1,76}$/.test(name) ||
    /^(?:from|sender|to|b?cc|reply-to|subject|date|message-id|in-reply-to|references|mime-version|content-.*)$/i.test(
      name,
    )
  ) {
    refuse('ERR_MIME_HEADER', `${path}[0]`, name, 'no field name, or it has a key of its own');
  }
  return textField(name, text, `${path}[1]`);
}
