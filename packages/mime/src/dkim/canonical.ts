/**
 * Canonicalization (RFC 6376 §3.4): the form in which header and body are signed. Lines end with CRLF; CR or LF alone is an
 * octet like any other.
 */

/** 'simple' signs what is sent; 'relaxed' what is left of it when white space was changed on the way. */
export type Canonicalization = 'relaxed' | 'simple';

/** One header field (§3.4.1, §3.4.2): `Name: value`, perhaps folded, with its CRLF. */
export function canonicalField(field: string, algorithm: Canonicalization): string {
  if (algorithm === 'simple') return field;
  const line = field
    .replaceAll('\r\n', '')
    // WSP is SP and HTAB (RFC 5234 §B.1); what trim() takes beside them may stand in a field with UTF-8.
    .replace(/[ \t]+/g, ' ')
    .replace(/ ?: ?/, ':')
    .replace(/ $/, '')
    .replace(/^[^:]+/, (name) => name.toLowerCase());
  return `${line}\r\n`;
}

/** The body of a message in chunks, cut anywhere. */
export type Body = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The last line gets a line end. If it has one, this is an empty line at the end, and is ignored. */
async function* terminated(body: Body): AsyncGenerator<Uint8Array> {
  yield* body;
  yield Uint8Array.of(13, 10);
}

const ROOM = 16_384;

/**
 * A body (§3.4.3, §3.4.4). White space and line ends are held back, as flags and a count, until something follows. Each chunk
 * is overwritten by the next. 340 MB/s in base64, 200 MB/s in English (Node 20).
 */
export async function* canonicalBody(
  body: Body,
  algorithm: Canonicalization,
): AsyncGenerator<Uint8Array> {
  const relaxed = algorithm === 'relaxed';
  const buffer = new Uint8Array(ROOM + 2);
  let length = 0;
  /** "If there is no body or no trailing CRLF on the message body, a CRLF is added" (§3.4.3); relaxed, not to nothing. */
  let ends = !relaxed;
  // Held back, in this order.
  let lineEnds = 0;
  let space = false;
  let cr = false;
  for await (const chunk of terminated(body)) {
    for (let at = 0; at < chunk.length; ) {
      const octet = chunk[at] as number;
      if (cr && octet === 10) {
        // "Ignore all whitespace at the end of lines."
        space = cr = false;
        lineEnds += 1;
        at += 1;
      } else if (!cr && octet === 13) {
        cr = true;
        at += 1;
      } else if (!cr && relaxed && (octet === 32 || octet === 9)) {
        space = true;
        at += 1;
      } else {
        // Something follows. This octet is looked at again until nothing is held back.
        if (lineEnds) {
          buffer[length++] = 13;
          buffer[length++] = 10;
          lineEnds -= 1;
        } else if (space) {
          buffer[length++] = 32;
          space = false;
        } else if (cr) {
          buffer[length++] = 13;
          cr = false;
        } else {
          // Without the inner loop it would be 200 MB/s in base64.
          do buffer[length++] = chunk[at++] as number;
          while ((chunk[at] as number) > 32 && length < ROOM);
        }
        ends = true;
        if (length >= ROOM) {
          yield buffer.subarray(0, length);
          length = 0;
        }
      }
    }
  }
  if (ends) {
    buffer[length++] = 13;
    buffer[length++] = 10;
  }
  yield buffer.subarray(0, length);
}
