/**
 * A message as what it will be written as: runs of ASCII text, and pieces whose octets are made while
 * they are sent. Sizes are sums, and known wherever each piece knows its own.
 */

/** Octets, in order. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Octets that come while they are sent. */
export interface Source {
  /** Octets that it will give, where that is known. */
  readonly size: number | undefined;
  /** Gives the octets, each time anew. @throws MimeError `ERR_MIME_STREAM` where its source can be read only once, and was */
  open(): Chunks;
}

/** Text of the message as it is, or octets that come later. */
export type Piece = string | Source;

/** One body part: its header fields with their CRLF, an empty line, its body. */
export type Part = readonly Piece[];

/**
 * Puts parts into one multipart (RFC 2046 §5.1), header included; none, or a single one, stays as it is.
 *
 * @param type - its subtype, each at most once in a message: its first letter is in the boundary
 * @param name - random, of letters and digits: with `=_` before it, it is in no encoded text
 */
export function multipart(type: string, parts: readonly Part[], name: string): readonly Part[] {
  const boundary = `=_${type[0]}${name}`;
  return parts[1]
    ? [
        [
          `Content-Type: multipart/${type};\r\n boundary="${boundary}"\r\n`,
          ...parts.flatMap((part) => [`\r\n--${boundary}\r\n`, ...part]),
          `\r\n--${boundary}--\r\n`,
        ],
      ]
    : parts;
}
