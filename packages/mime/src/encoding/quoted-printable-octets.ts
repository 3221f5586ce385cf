/** quoted-printable (RFC 2045 §6.7) for octets that come in windows. In no bundle that does not import it. */
import type { TransferEncoder } from '../part.ts';
import { encodedSource } from '../source.ts';
import { utf8 } from './utf-8.ts';

/** For each octet: `=XX` in the three upper octets, and in the lowest 0 for a literal, 2 for CR and LF, 1 for others. */
const TABLE: Int32Array = /*#__PURE__*/ Int32Array.from({ length: 256 }, (_, octet) => {
  const hex = octet.toString(16).toUpperCase().padStart(2, '0');
  const kind = /[\t -<>-~]/.test(String.fromCharCode(octet))
    ? 0
    : octet === 13 || octet === 10
      ? 2
      : 1;
  return (61 << 24) | (hex.charCodeAt(0) << 16) | (hex.charCodeAt(1) << 8) | kind;
});

const WINDOW = 2 ** 16;

/**
 * Makes an encoder that knows its column, so that windows may be cut anywhere. Lines have 76 characters at most, and none
 * starts with `.` or `F`. White space is escaped where nothing follows it in its line.
 *
 * Runs of octets of one kind have a loop of their own, and four literals are looked at together: 600 MB/s for HTML in ASCII
 * and 270 in Russian, where octet by octet it is 250 and 190 (Node 20).
 *
 * @param binary - CR and LF are octets like all others. Else they are CRLF, no line end is cut, and there is one window
 */
export function quotedPrintableEncoder(
  binary: boolean,
): (octets: Uint8Array, last: boolean) => Uint8Array {
  let column = 0;
  return (octets, last) => {
    const { length } = octets;
    const from = new DataView(octets.buffer, octets.byteOffset, length);
    // A full line has 25 octets or more, and three more characters. Each store may go one octet too far.
    const target = new Uint8Array(3.12 * length + 16);
    const to = new DataView(target.buffer);
    let end = 0;
    /** 1 for white space that nothing follows in its line. */
    let isLast = 0;
    for (let at = 0; at < length; ) {
      let octet = octets[at] as number;
      const kind = ((TABLE[octet] as number) & 3) | isLast;
      isLast = 0;
      if (kind > 1 && !binary) {
        to.setInt16(end, 0x0d0a);
        end += 2;
        at += 2;
        column = 0;
        continue;
      }
      if (column > (kind ? 72 : 74)) {
        to.setInt32(end, 0x3d0d0a00);
        end += 3;
        column = 0;
      }
      if (kind || (!column && (octet === 46 || octet === 70))) {
        do {
          to.setInt32(end, TABLE[octet] as number);
          end += 3;
          column += 3;
          at += 1;
          octet = octets[at] as number;
        } while (column < 73 && at < length && ((TABLE[octet] as number) & 3) === 1);
        continue;
      }
      const limit = Math.min(length, at + 75 - column);
      column -= at;
      while (at + 4 <= limit) {
        const four = from.getInt32(at);
        // The sign of one of the four is set by an octet below 32, by 127, above it, or by `=`.
        const signs =
          (four - 0x20202020) | (four + 0x01010101) | four | ((four ^ 0x3d3d3d3d) - 0x01010101);
        if (signs & 0x80808080) break;
        to.setInt32(end, four);
        end += 4;
        at += 4;
      }
      octet = octets[at] as number;
      while (at < limit && !((TABLE[octet] as number) & 3)) {
        target[end++] = octet;
        at += 1;
        octet = octets[at] as number;
      }
      // RFC 2045 §6.7 (3): white space "MUST NOT be so represented at the end of an encoded line". It is taken back.
      if ((target[end - 1] as number) <= 32 && (at < length ? octet === 13 && !binary : last)) {
        isLast = 1;
        at -= 1;
        end -= 1;
      }
      column += at;
    }
    return target.subarray(0, end);
  };
}

/** Encodes octets in windows, to know how many they become without having them all. */
function encodedSize(octets: Uint8Array): number {
  const encode = quotedPrintableEncoder(true);
  let size = 0;
  for (let at = 0; at < octets.length; at += WINDOW)
    size += encode(octets.subarray(at, at + WINDOW), at + WINDOW >= octets.length).length;
  return size;
}

/**
 * The transfer encoding quoted-printable (RFC 2045 §6.7) for content that is mostly ASCII: an option of `attachment()` and
 * `part()`, or of `compose()` for all. Content is binary: its octets come back as they are, line ends too. In texts a line
 * break is one. Lines have 76 characters at most.
 *
 * @example
 * ```ts
 * import { attachment, compose, quotedPrintable } from '@posthorn/mime';
 *
 * const log = attachment('a.log', 'GET /café', { transferEncoding: quotedPrintable });
 * const message = compose({ from: 'a@example.com', attachments: [log] });
 * console.log((await message.text()).split('\r\n').at(-2)); // GET /caf=C3=A9
 * ```
 */
export const quotedPrintable: TransferEncoder = {
  text: (canonical) => [
    'quoted-printable',
    new TextDecoder().decode(quotedPrintableEncoder(false)(utf8.encode(canonical), true)),
  ],
  content: (given, path) => [
    'quoted-printable',
    encodedSource(given, path, given.octets && encodedSize(given.octets), () =>
      quotedPrintableEncoder(true),
    ),
  ],
};
