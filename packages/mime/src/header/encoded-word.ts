/** Encoded-words (RFC 2047): how a header field carries what is not ASCII. */
import { writeBase64 } from '../encoding/base64.ts';
import { hexDigit, OCTET_CLASS, WORD_ESCAPED } from '../encoding/octet-class.ts';
import { decodeAscii, encodeUtf8 } from '../encoding/utf-8.ts';

const PREFIX: Uint8Array = /*#__PURE__*/ encodeUtf8('=?utf-8?b?');

/** Octets of `=?utf-8?b?` and `?=`. */
const OVERHEAD = 12;

/**
 * Writes the whole text as encoded-words with a space between them, in Q or B, whichever is shorter.
 *
 * No word is longer than 75 (RFC 2047 §2), and none cuts a character: "Each 'encoded-word' MUST represent an integral number of
 * characters" (RFC 2047 §5). The Q alphabet is that of a phrase, which is right in every position.
 *
 * @param column how far the line is when the first word starts; beyond 46 the first word is meant for a line of its own
 */
export function encodedWords(text: string, column: number): string {
  const source = encodeUtf8(text);
  const { length } = source;
  let least = 0;
  for (const octet of source) least += (OCTET_CLASS[octet] as number) & WORD_ESCAPED ? 3 : 1;
  const base64 = 4 * Math.ceil(length / 3);
  const q = least <= base64;
  const target = new Uint8Array(2 * Math.min(least, base64) + 99);
  let at = 0;
  let room = (column > 46 ? 75 : 76 - column) - OVERHEAD;
  for (let start = 0, end = 0; start < length; start = end) {
    if (start) target[at++] = 32;
    target.set(PREFIX, at);
    at += 10;
    if (!q) room = (room >> 2) * 3;
    while (end < length) {
      room -= q && (OCTET_CLASS[source[end] as number] as number) & WORD_ESCAPED ? 3 : 1;
      if (room < 0) break;
      end++;
    }
    while (((source[end] as number) & 0xc0) === 0x80) end--;
    if (q) {
      target[at - 2] = 113;
      for (let i = start; i < end; i++) {
        const octet = source[i] as number;
        if ((OCTET_CLASS[octet] as number) & WORD_ESCAPED) {
          target[at++] = 61;
          target[at++] = hexDigit(octet >> 4);
          target[at++] = hexDigit(octet & 15);
        } else target[at++] = octet === 32 ? 95 : octet;
      }
    } else at = writeBase64(source, start, end, target, at);
    target[at++] = 63;
    target[at++] = 61;
    room = 75 - OVERHEAD;
  }
  return decodeAscii(target.subarray(0, at));
}

/** Whether a reader might take a piece of the text for an encoded-word, in whatever position it stands. */
export function looksEncoded(text: string): boolean {
  const at = text.indexOf('=?');
  return at >= 0 && text.includes('?=', at);
}
