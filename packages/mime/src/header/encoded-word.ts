/** Encoded-words (RFC 2047): how a header field carries what is not ASCII. */
import { binaryUtf8 } from '../encoding/utf-8.ts';

// What is not literal in a phrase (RFC 2047 §5 (3)).
const SPECIAL = /[^\w!*+/ -]|_/g;

/**
 * Writes the whole text as encoded-words with a space between them, in Q or B, whichever is shorter.
 *
 * No word is longer than 75 (RFC 2047 §2), and none cuts a character: "Each 'encoded-word' MUST represent an integral number of
 * characters" (RFC 2047 §5). The Q alphabet is that of a phrase, which is right in every position.
 *
 * @param column - how far the line is when the first word starts
 */
export function encodedWords(text: string, column: number): string {
  const binary = binaryUtf8(text);
  // An escape takes three characters for one octet, base64 four for three.
  const q = 5 * binary.length <= 6 * binary.replace(SPECIAL, '').length;
  const source = q
    ? binary
        .replace(SPECIAL, (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase()}`)
        .replaceAll(' ', '_')
    : binary;
  // The first word is cut as if it began with what is before it on its line.
  const before = '-'.repeat(Math.min(column, 46) * (q ? 1 : 0.75));
  return (before + source).replace(
    q ? /.{1,63}(?<!=.?)(?!=[89AB])/g : /.{1,45}(?![\x80-\xbf])/g,
    (word, at) => {
      const part = at ? word : word.slice(before.length);
      return `${at ? ' ' : ''}=?utf-8?${q ? `q?${part}` : `b?${btoa(part)}`}?=`;
    },
  );
}
