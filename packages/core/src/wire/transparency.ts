/**
 * Mail data on its way into DATA or BDAT: line ends (RFC 5321 §2.3.8), line length (§4.5.3.1.6) and
 * the transparency procedure (§4.5.2), incrementally and the same for every cutting into chunks.
 *
 * A bare CR or a bare LF never reaches the wire: each becomes CR LF. NUL and lines over 998 octets
 * are refused. Knows nothing of commands or replies.
 */
import { concatenate } from './octets.ts';

/** RFC 5321 §4.5.3.1.6: 1,000 octets with CR LF, "not counting the leading dot duplicated for transparency". */
export const MAX_TEXT_LINE = 998;

const CR = 13;
const LF = 10;
const DOT = 46;
const CRLF: Uint8Array = /*#__PURE__*/ Uint8Array.of(CR, LF);
const DOTS: Uint8Array = /*#__PURE__*/ Uint8Array.of(DOT);
const NOTHING: Uint8Array = /*#__PURE__*/ new Uint8Array(0);

/** The end of mail data, when the content before it ended with CR LF (RFC 5321 §4.1.1.4). */
export const END_OF_DATA: Uint8Array = /*#__PURE__*/ Uint8Array.of(DOT, CR, LF);

/** Turns content into mail data, chunk by chunk. */
export interface Transparency {
  /** Octets of mail data given out so far: with CR LF line ends, without the duplicated dots. */
  readonly octets: number;
  /**
   * The mail data of one chunk. Gives back the chunk itself, uncopied, where nothing had to change.
   *
   * @throws Error for NUL and for a line over 998 octets
   */
  push(chunk: Uint8Array): Uint8Array;
  /** What is still owed at the end: the final CR LF where the content lacked one. */
  end(): Uint8Array;
}

export function createTransparency(): Transparency {
  /** Octets of the unfinished line. */
  let column = 0;
  /** The last chunk ended with a CR that has not been given out: it waits for its LF. */
  let heldCr = false;
  let octets = 0;
  return {
    get octets() {
      return octets;
    },
    push(chunk) {
      if (chunk.includes(0)) throw new Error('it holds NUL');
      const pieces: Uint8Array[] = [];
      let copied = 0;
      /** Goes on copying at `from`, behind what is inserted there in place of what was left out. */
      const insert = (to: number, inserted: Uint8Array, from: number): void => {
        pieces.push(chunk.subarray(copied, to), inserted);
        copied = from;
      };
      let cr = -1;
      let lf = -1;
      let at = 0;
      if (heldCr && chunk[0]) {
        if (chunk[0] === LF) at = 1;
        insert(0, CRLF, at);
        heldCr = false;
        column = 0;
      }
      while (at < chunk.length) {
        if (!column && chunk[at] === DOT) {
          insert(at, DOTS, at);
          octets -= 1;
        }
        if (cr < at) cr = find(chunk, CR, at);
        if (lf < at) lf = find(chunk, LF, at);
        const end = Math.min(cr, lf, chunk.length);
        column += end - at;
        if (column > MAX_TEXT_LINE) throw new Error(`it holds a line over ${MAX_TEXT_LINE} octets`);
        at = end + 1;
        if (end === chunk.length) break;
        if (lf === cr + 1) at += 1;
        else if (at === chunk.length && end === cr) {
          heldCr = true;
          insert(end, NOTHING, at);
          break;
        } else insert(end, CRLF, at);
        column = 0;
      }
      if (pieces[0]) pieces.push(chunk.subarray(copied));
      const whole = pieces[0] ? concatenate(pieces) : chunk;
      octets += whole.length;
      return whole;
    },
    end() {
      // RFC 5321 §4.1.1.4: the CR LF that ends the last line is part of the content, and is not sent twice.
      const owed = heldCr || column ? CRLF : NOTHING;
      octets += owed.length;
      return owed;
    },
  };
}

/** Where an octet is found from a place on; nowhere is far away. */
function find(chunk: Uint8Array, octet: number, from: number): number {
  const at = chunk.indexOf(octet, from);
  return at < 0 ? 2 ** 53 : at;
}
