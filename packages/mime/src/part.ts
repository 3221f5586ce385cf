/**
 * A message as what it will be written as: runs of ASCII text, and pieces whose octets are made while
 * they are sent. Sizes are sums, and known wherever each piece knows its own.
 */

/** Octets that are not in memory as text: an encoded attachment. */
export interface StreamedPiece {
  /** Octets that it will give, where that is known. */
  readonly size: number | undefined;
  /** Gives the octets, each time anew. @throws MimeError `ERR_MIME_STREAM` where its source can be read only once, and was */
  open(): AsyncIterable<Uint8Array>;
}

/** Text of the message as it is, or octets that come later. */
export type Piece = string | StreamedPiece;

/** One body part: its header fields with their CRLF, an empty line, its body. */
export type Part = readonly Piece[];

/**
 * A multipart (RFC 2046 §5.1) of its parts, header included.
 *
 * @param type - with its parameters, but for the boundary: `mixed`, `related; type="text/html"`
 */
export function multipart(type: string, boundary: string, parts: readonly Part[]): Part {
  const pieces: Piece[] = [`Content-Type: multipart/${type};\r\n boundary="${boundary}"\r\n\r\n`];
  parts.forEach((part, at) => {
    pieces.push(`${at ? '\r\n' : ''}--${boundary}\r\n`, ...part);
  });
  pieces.push(`\r\n--${boundary}--\r\n`);
  return pieces;
}

/** Neighbouring texts as one. */
export function join(pieces: Part): Piece[] {
  const joined: Piece[] = [];
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else {
      joined.push(text, piece);
      text = '';
    }
  }
  joined.push(text);
  return joined;
}
