/**
 * Canonicalization (RFC 6376 §3.4): the form in which header and body are signed. Lines end with CRLF; CR or LF alone is an
 * octet like any other.
 */
import { utf8 } from '../encoding/utf-8.ts';
import type { Piece, Source } from '../part.ts';
import { limitSize } from '../size.ts';
import { createSha256 } from './sha-256.ts';

/** 'simple' signs what is sent; 'relaxed' what is left of it when white space was changed on the way. */
export type Canonicalization = 'relaxed' | 'simple';

/** One header field (§3.4.1, §3.4.2): `Name: value`, perhaps folded, with its CRLF. */
export function canonicalField(field: string, simple: boolean): string {
  return simple
    ? field
    : field
        // WSP is SP and HTAB (RFC 5234 §B.1), what \s is beside them is text. CRLF stands in folds and at the end.
        .replace(/[ \t\r\n]+/g, ' ')
        .replace(/ $/, '\r\n')
        .replace(/^(.*?) ?: ?/, (_, name: string) => `${name.toLowerCase()}:`);
}

/** Octets that are hashed at once. */
const ROOM = 16_384;

/**
 * The SHA-256 of a body (§3.4.3, §3.4.4) in pieces, cut anywhere. White space and line ends are held back, as flags and a
 * count, until something follows.
 */
export async function bodyHash(
  body: readonly Piece[],
  simple: boolean,
  maxSize?: number,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(ROOM + 72);
  const hash = createSha256(buffer);
  let filled = 0;
  let total = 0;
  const put = (octet: number): void => {
    buffer[filled++] = octet;
    if (filled === ROOM) {
      hash(ROOM);
      filled = 0;
    }
  };
  /** "If there is no body or no trailing CRLF on the message body, a CRLF is added" (§3.4.3); relaxed, not to nothing. */
  let ends = simple;
  // Held back, in this order.
  let lineEnds = 0;
  let space = false;
  let cr = false;
  // The last line gets a line end. If it has one, this is an empty line at the end, and is ignored.
  for (const piece of [...body, '\r\n'])
    for await (const chunk of (piece as Source).open?.() ?? [utf8.encode(piece as string)]) {
      total += chunk.length;
      limitSize(total, maxSize);
      for (let at = 0; at < chunk.length; at++) {
        const octet = chunk[at] as number;
        if (cr && octet === 10) {
          // "Ignore all whitespace at the end of lines."
          space = cr = false;
          lineEnds++;
        } else if (!cr && octet === 13) cr = true;
        else if (!(cr || simple) && (octet === 32 || octet === 9)) space = true;
        else {
          // Something follows.
          for (; lineEnds; lineEnds--) {
            put(13);
            put(10);
          }
          if (space) put(32);
          // After a CR this octet is looked at again.
          if (cr) at--;
          put(cr ? 13 : octet);
          ends = true;
          space = cr = false;
        }
      }
    }
  if (ends) {
    put(13);
    put(10);
  }
  hash(filled, true);
  return buffer.subarray(0, 32);
}
