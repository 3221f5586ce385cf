/** Encoded-words (RFC 2047): how a header field carries what is not ASCII. */
import { hexDigit, OCTET_CLASS, WORD_ESCAPED } from '../encoding/octet-class.ts';
import { encodeUtf8, textBase64 } from '../encoding/utf-8.ts';

/** Octets of `=?utf-8?b?` and `?=`. */
const OVERHEAD = 12;

/**
 * Writes the whole text as encoded-words with a space between them, in Q or B, whichever is shorter.
 *
 * No word is longer than 75 (RFC 2047 §2), and none cuts a character: "Each 'encoded-word' MUST represent an integral number of
 * characters" (RFC 2047 §5). The Q alphabet is that of a phrase, which is right in every position.
 *
 * @param column - how far the line is when the first word starts; beyond 46 the first word is meant for a line of its own
 */
export function encodedWords(text: string, column: number): string {
  const source = encodeUtf8(text);
  const cost = (octet: number): number => ((OCTET_CLASS[octet] as number) & WORD_ESCAPED ? 3 : 1);
  let least = 0;
  for (const octet of source) least += cost(octet);
  const q = least <= 4 * Math.ceil(source.length / 3);
  let words = '';
  let room = (column > 46 ? 75 : 76 - column) - OVERHEAD;
  for (let start = 0, end = 0; start < source.length; start = end) {
    if (!q) room = (room >> 2) * 3;
    while (end < source.length) {
      room -= q ? cost(source[end] as number) : 1;
      if (room < 0) break;
      end++;
    }
    while (((source[end] as number) & 0xc0) === 0x80) end--;
    const word = source.subarray(start, end);
    words += `${start ? ' ' : ''}=?utf-8?${q ? `q?${qEncode(word)}` : `b?${textBase64(word)}`}?=`;
    room = 75 - OVERHEAD;
  }
  return words;
}

function qEncode(source: Uint8Array): string {
  let word = '';
  for (const octet of source) {
    word +=
      (OCTET_CLASS[octet] as number) & WORD_ESCAPED
        ? `=${String.fromCharCode(hexDigit(octet >> 4), hexDigit(octet & 15))}`
        : octet === 32
          ? '_'
          : String.fromCharCode(octet);
  }
  return word;
}

/** Whether a reader might take a piece of the text for an encoded-word, in whatever position it stands. */
export function looksEncoded(text: string): boolean {
  return text.includes('=?') && text.includes('?=', text.indexOf('=?'));
}
