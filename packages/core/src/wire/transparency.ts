/**
 * Mail data on its way into DATA or BDAT: line ends (RFC 5321 §2.3.8), line length (§4.5.3.1.6) and
 * the transparency procedure (§4.5.2), incrementally and the same for every cutting into chunks.
 *
 * A bare CR or a bare LF never reaches the wire: each becomes CR LF. NUL and lines over 998 octets
 * are refused. Knows nothing of commands or replies.
 */
import { CR, DOT, LF, MAX_TEXT_LINE } from './limits.ts';

/** The end of mail data, when the content before it ended with CR LF (RFC 5321 §4.1.1.4). */
export const END_OF_DATA: Uint8Array = /*#__PURE__*/ Uint8Array.of(DOT, CR, LF);

const CRLF: Uint8Array = /*#__PURE__*/ Uint8Array.of(CR, LF);

/** Turns content into mail data, chunk by chunk. */
export interface Transparency {
  /** Octets of mail data given out so far: with CR LF line ends, without what DATA adds to them. */
  readonly octets: number;
  /**
   * Gives out the mail data of one chunk. Its memory is the chunk's own, uncopied, where nothing had to change.
   *
   * @throws Error for NUL and for a line over 998 octets
   */
  push(chunk: Uint8Array): void;
  /** Gives out what is still owed at the end: the final CR LF where the content lacked one, and the dot of DATA. */
  end(): void;
}

/**
 * @param by - how it is sent: 'DATA' doubles dots and ends with one, 'BDAT' does not, 'BINARYMIME' changes nothing at all
 * @param give - is given the mail data, piece by piece; pieces can be empty
 */
export function createTransparency(
  by: 'DATA' | 'BDAT' | 'BINARYMIME',
  give: (piece: Uint8Array) => void,
): Transparency {
  let octets = 0;
  /** What `octets` was at the begin of the unfinished line. */
  let line = 0;
  /** The last octet of the chunks so far. After a CR, which was completed to CR LF, the LF that may follow is left out. */
  let last = LF;
  const push = (chunk: Uint8Array): void => {
    if (by === 'BINARYMIME') {
      line = octets += chunk.length;
      give(chunk);
      return;
    }
    const nul = chunk.includes(0);
    let at = Number(last === CR && chunk[0] === LF);
    let copied = at;
    let cr = -1;
    let lf = -1;
    while (at < chunk.length) {
      if (by === 'DATA' && octets === line && chunk[at] === DOT) {
        // RFC 5321 §4.5.2: it is doubled, by two pieces that overlap.
        give(chunk.subarray(copied, at + 1));
        copied = at;
      }
      // Where there is none, -1 becomes a place behind everything.
      if (cr < at) cr = chunk.indexOf(CR, at) >>> 0;
      if (lf < at) lf = chunk.indexOf(LF, at) >>> 0;
      const end = Math.min(cr, lf, chunk.length);
      octets += end - at;
      if (nul || octets - line > MAX_TEXT_LINE) throw new Error('NUL or a line over 998 octets');
      at = end + 1;
      if (end === chunk.length) break;
      line = octets += 2;
      if (lf === cr + 1) at += 1;
      else {
        give(chunk.subarray(copied, end));
        give(CRLF);
        copied = at;
      }
    }
    last = chunk.at(-1) ?? last;
    give(chunk.subarray(copied));
  };
  return {
    get octets() {
      return octets;
    },
    push,
    end() {
      // RFC 5321 §4.1.1.4: the CR LF that ends the last line is part of the content, and is not sent twice.
      if (octets !== line) push(CRLF);
      if (by === 'DATA') give(END_OF_DATA);
    },
  };
}
