/**
 * Mail data on its way into DATA or BDAT: line ends (RFC 5321 §2.3.8), line length (§4.5.3.1.6) and
 * the transparency procedure (§4.5.2), incrementally and the same for every cutting into chunks.
 *
 * A bare CR or a bare LF never reaches the wire: each becomes CR LF. NUL and lines over 998 octets
 * are refused. Knows nothing of commands or replies.
 */

/** RFC 5321 §4.5.3.1.6: 1,000 octets with CR LF, "not counting the leading dot duplicated for transparency". */
export const MAX_TEXT_LINE = 998;

/** The content cannot be sent as mail data. The session makes an SmtpError of it. */
export class ContentFault extends Error {}

const CR = 13;
const LF = 10;
const DOT = 46;
const CRLF: Uint8Array = /*#__PURE__*/ Uint8Array.of(CR, LF);
const STUFFED_DOT: Uint8Array = /*#__PURE__*/ Uint8Array.of(DOT);
const NOTHING: Uint8Array = /*#__PURE__*/ new Uint8Array(0);

/** The end of mail data, when the content before it ended with CR LF (RFC 5321 §4.1.1.4). */
export const END_OF_DATA: Uint8Array = /*#__PURE__*/ Uint8Array.of(DOT, CR, LF);

/** Turns content into mail data, chunk by chunk. */
export class Transparency {
  /** Octets of mail data given out so far: with CR LF line ends, without the duplicated dots. */
  octets = 0;
  readonly #stuffing: boolean;
  /** Octets of the unfinished line, its CR not counted. */
  #column = 0;
  /** The last chunk ended with a CR that has not been given out: it waits for its LF. */
  #heldCr = false;

  /** @param stuffing - whether a dot at the start of a line is duplicated: for DATA, not for BDAT */
  constructor(stuffing: boolean) {
    this.#stuffing = stuffing;
  }

  /**
   * The mail data of one chunk. Gives back the chunk itself, uncopied, where nothing had to change.
   *
   * @throws ContentFault for NUL and for a line over 998 octets
   */
  push(chunk: Uint8Array): Uint8Array {
    const length = chunk.length;
    if (length === 0) return NOTHING;
    if (chunk.indexOf(0) >= 0) throw new ContentFault('it holds NUL');
    const pieces: Uint8Array[] = [];
    let copied = 0;
    let start = 0;
    if (this.#heldCr) {
      this.#heldCr = false;
      if (chunk[0] === LF) start = copied = 1;
      this.#column = 0;
      this.#add(pieces, CRLF);
    }
    let cr = chunk.indexOf(CR, start);
    let lf = chunk.indexOf(LF, start);
    while (start < length) {
      if (this.#stuffing && this.#column === 0 && chunk[start] === DOT) {
        this.#add(pieces, chunk.subarray(copied, start));
        pieces.push(STUFFED_DOT);
        copied = start;
      }
      if (cr >= 0 && cr < start) cr = chunk.indexOf(CR, start);
      if (lf >= 0 && lf < start) lf = chunk.indexOf(LF, start);
      const end = Math.min(cr < 0 ? length : cr, lf < 0 ? length : lf);
      this.#column += end - start;
      if (this.#column > MAX_TEXT_LINE) throw new ContentFault(`it holds a line over ${MAX_TEXT_LINE} octets`);
      if (end === length) break;
      start = end + 1;
      if (end === cr && start === length) {
        this.#heldCr = true;
        break;
      }
      if (end === cr && lf === start) {
        start += 1;
      } else {
        this.#add(pieces, chunk.subarray(copied, end));
        this.#add(pieces, CRLF);
        copied = start;
      }
      this.#column = 0;
    }
    const end = this.#heldCr ? length - 1 : length;
    if (pieces.length === 0 && end === length) {
      this.octets += length;
      return chunk;
    }
    this.#add(pieces, chunk.subarray(copied, end));
    return concatenate(pieces);
  }

  /** What is still owed at the end: the final CR LF where the content lacked one. Give it out, then the end of data. */
  end(): Uint8Array {
    // RFC 5321 §4.1.1.4: the CR LF that ends the last line is part of the content, and is not sent twice.
    const owed = this.#heldCr || this.#column > 0 ? CRLF : NOTHING;
    this.#heldCr = false;
    this.#column = 0;
    this.octets += owed.length;
    return owed;
  }

  #add(pieces: Uint8Array[], piece: Uint8Array): void {
    pieces.push(piece);
    this.octets += piece.length;
  }
}

/** The pieces as one array. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
