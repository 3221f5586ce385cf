/** Encoded-words (RFC 2047): how a header field carries what is not ASCII. */
import { binary } from '../encoding/base64.ts';

/** `=` and the two hex digits of an octet, which is given as a character. */
export function escapeOctet(octet: string): string {
  return `=${(octet.charCodeAt(0) + 256).toString(16).slice(1).toUpperCase()}`;
}

/**
 * Writes the whole text as encoded-words, in Q or B, whichever is shorter. Between two there is to be white space.
 *
 * No word is longer than 75 (RFC 2047 §2), nor than what the first line has room for, and none cuts a character: "Each
 * 'encoded-word' MUST represent an integral number of characters" (RFC 2047 §5). The Q alphabet is within that of a phrase,
 * which is right in every position.
 *
 * @param column - how far the line is when the first word starts, 51 at most: a character takes 12 in Q
 */
export function encodedWords(text: string, column: number): string[] {
  const octets = binary(text);
  // What is escaped has two characters more in Q, and B is a third longer in all.
  const q = 6 * octets.replace(/[A-Za-z\d!*+/ -]+/g, '').length <= octets.length;
  const words = (
    q
      ? octets
          .replace(/[^A-Za-z\d!*+/ -]/g, escapeOctet)
          .replaceAll(' ', '_')
          .match(RegExp(`.{1,${63 - column}}(?<!=.?)(?!=[89AB])`, 'g'))
      : octets.match(RegExp(`.{1,${3 * ((64 - column) >> 2)}}(?![\x80-\xbf])`, 'g'))?.map(btoa)
  ) as string[];
  return words.map((word) => `=?utf-8?${q ? 'q' : 'b'}?${word}?=`);
}
