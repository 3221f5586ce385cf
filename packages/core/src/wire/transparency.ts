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
const CRLF: readonly number[] = [CR, LF];

/** The end of mail data, when the content before it ended with CR LF (RFC 5321 §4.1.1.4). */
export const END_OF_DATA: Uint8Array = /*#__PURE__*/ Uint8Array.of(DOT, CR, LF);

/** Turns content into mail data, chunk by chunk. */
export interface Transparency {
  /** Octets of mail data given out so far: with CR LF line ends, without the duplicated dots. */
  readonly octets: number;
  /**
   * The mail data of one chunk. Its memory is the chunk's own, uncopied, where nothing had to change.
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
  /** The last chunk ended with a CR, which was completed to CR LF: the LF that may follow is left out. */
  let completed = false;
  let octets = 0;
  return {
    get octets() {
      return octets;
    },
    push(chunk) {
      if (chunk.includes(0)) throw unfit();
      const { length } = chunk;
      const pieces: Uint8Array[] = [];
      let at = completed && chunk[0] === LF ? 1 : 0;
      let copied = at;
      /** Goes on copying at `from`, behind what is inserted in place of what was left out. */
      const insert = (to: number, inserted: readonly number[], from: number): void => {
        pieces.push(chunk.subarray(copied, to), Uint8Array.from(inserted));
        copied = from;
      };
      let cr = -1;
      let lf = -1;
      completed &&= !length;
      while (at < length) {
        if (!column && chunk[at] === DOT) {
          insert(at, [DOT], at);
          octets -= 1;
        }
        if (cr < at) cr = find(chunk, CR, at);
        if (lf < at) lf = find(chunk, LF, at);
        const end = Math.min(cr, lf);
        column += end - at;
        if (column > MAX_TEXT_LINE) throw unfit();
        at = end + 1;
        if (end === length) break;
        if (end === cr && chunk[at] === LF) at += 1;
        else insert(end, CRLF, at);
        completed = cr === length - 1;
        column = 0;
      }
      const whole = concatenate([...pieces, chunk.subarray(copied)]);
      octets += whole.length;
      return whole;
    },
    end() {
      // RFC 5321 §4.1.1.4: the CR LF that ends the last line is part of the content, and is not sent twice.
      const owed = Uint8Array.from(column ? CRLF : []);
      octets += owed.length;
      return owed;
    },
  };
}

const unfit = (): Error => new Error(`it holds NUL, or a line over ${MAX_TEXT_LINE} octets`);

/** Where an octet is found from a place on; nowhere is at the end. */
function find(chunk: Uint8Array, octet: number, from: number): number {
  const at = chunk.indexOf(octet, from);
  return at < 0 ? chunk.length : at;
}
