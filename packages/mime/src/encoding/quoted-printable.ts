/** quoted-printable (RFC 2045 §6.7), written so that no encoded line starts with `.` or `From `. */
import { EDGE, ESCAPED, hexDigit, OCTET_CLASS } from './octet-class.ts';

const CR = 13;
const LF = 10;

/**
 * Encodes canonical text: every CR in `source` stands before an LF.
 *
 * A line is 76 characters at most, with the `=` of a soft line break. White space is escaped at the end of a line:
 * it MUST NOT be literal there (RFC 2045 §6.7 (3)). `.` and the F of `Fr` are escaped at the start, because relays double the
 * one and mailbox files quote the other.
 *
 * @returns a view that ends where the encoding ends
 */
export function quotedPrintable(source: Uint8Array): Uint8Array {
  const { length } = source;
  // Three octets for one, and a soft line break for each line of at least 73.
  const target = new Uint8Array(Math.ceil(length * 3.13) + 9);
  let at = 0;
  let column = 0;
  for (let i = 0; i < length; i++) {
    const octet = source[i] as number;
    const kind = (OCTET_CLASS[octet] as number) & (ESCAPED | EDGE);
    if (!kind && column < 75) {
      target[at++] = octet;
      column++;
      continue;
    }
    if (octet === CR) {
      target[at++] = CR;
      target[at++] = LF;
      i++;
      column = 0;
      continue;
    }
    const next = source[i + 1];
    const last = next === undefined || next === CR;
    let escaped = kind === ESCAPED || (last && octet <= 32);
    if (column + (escaped ? 3 : 1) > (last ? 76 : 75)) {
      target[at++] = 61;
      target[at++] = CR;
      target[at++] = LF;
      column = 0;
    }
    escaped ||= !column && (octet === 46 || (octet === 70 && next === 114));
    if (escaped) {
      target[at++] = 61;
      target[at++] = hexDigit(octet >> 4);
      target[at++] = hexDigit(octet & 15);
      column += 3;
    } else {
      target[at++] = octet;
      column++;
    }
  }
  return target.subarray(0, at);
}
