/** quoted-printable (RFC 2045 §6.7) for octets that come in windows. In no bundle that does not import it. */
import type { TransferEncoder } from '../part.ts';
import { encodedSource } from '../source.ts';
import { binary } from './base64.ts';
import { quotedPrintable as encodeText } from './quoted-printable.ts';

/** `=` and two hex digits for each octet, in the upper three octets of 32 bits: one store. */
const ESCAPES: Int32Array = /*#__PURE__*/ Int32Array.from({ length: 256 }, (_, octet) => {
  const digits = (octet + 256).toString(16).toUpperCase();
  return (61 << 24) | (digits.charCodeAt(1) << 16) | (digits.charCodeAt(2) << 8);
});

/**
 * Makes an encoder that knows its column, so that windows may be cut anywhere. Lines have 76 characters at most, and none
 * starts with `.` or `F`. CR and LF are octets like all others.
 *
 * Behind a literal, four are looked at together: for HTML in ASCII three times as fast as octet by octet (Node 20).
 */
export function quotedPrintableEncoder(): (octets: Uint8Array, last?: boolean) => Uint8Array {
  let column = 0;
  return (octets, last) => {
    const { length } = octets;
    const from = new DataView(octets.buffer, octets.byteOffset);
    // A full line has 25 octets or more, and three more characters. Each store may go one octet too far.
    const target = new Uint8Array(3.12 * length + 16);
    const to = new DataView(target.buffer);
    let end = 0;
    const ones = 0x01010101;
    for (let at = 0; at < length; ) {
      const octet = octets[at] as number;
      const escaped =
        octet > 126 ||
        octet === 61 ||
        (octet < 32 && octet !== 9) ||
        // RFC 2045 §6.7 (3): white space "MUST NOT be so represented at the end of an encoded line".
        (octet < 33 && last && at === length - 1) ||
        (!column && (octet === 46 || octet === 70));
      if (column > (escaped ? 72 : 74)) {
        // The octet is looked at again, at the start of a line.
        target[end++] = 61;
        target[end++] = 13;
        target[end++] = 10;
        column = 0;
        continue;
      }
      if (escaped) {
        // What is escaped comes in runs.
        let next = octet;
        do {
          to.setInt32(end, ESCAPES[next] as number);
          end += 3;
          column += 3;
          at += 1;
          next = octets[at] as number;
        } while (next > 126 && column < 73);
        continue;
      }
      at += 1;
      target[end++] = octet;
      column += 1;
      while (column < 72 && at + 4 < length) {
        const four = from.getInt32(at);
        // The sign of one of the four is set by an octet below 32, by one above 126, or by `=`.
        const signs = (four - 32 * ones) | (four + ones) | ((four ^ (61 * ones)) - ones);
        if (signs & (128 * ones)) break;
        to.setInt32(end, four);
        end += 4;
        at += 4;
        column += 4;
      }
    }
    return target.subarray(0, end);
  };
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
 * console.log((await message.text()).includes('\r\n\r\nGET /caf=C3=A9\r\n')); // true
 * ```
 */
export const quotedPrintable: TransferEncoder = {
  text: (canonical) => ['quoted-printable', encodeText(binary(canonical))],
  content: (given, path, context) => [
    'quoted-printable',
    encodedSource(
      given,
      path,
      context,
      given.octets && quotedPrintableEncoder()(given.octets, true).length,
      quotedPrintableEncoder,
    ),
  ],
};
