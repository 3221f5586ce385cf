/**
 * What content will be on the wire, without sending it: by the rules of the client, a bare CR or LF becomes CR LF, the last line
 * ends like all of them (RFC 5321 §2.3.8, §4.1.1.4), and a line has at most 998 octets (§4.5.3.1.6).
 */

export interface Measure {
  /** Octets with CR LF line ends. */
  octets: number;
  /** Octets as they came. */
  raw: number;
  /** Whether any of them is outside ASCII. */
  isEightBit: boolean;
  /** The first line that is too long, counted from 1, and its octets. */
  longLine?: { readonly line: number; readonly octets: number };
  /** The line of the first NUL. */
  nulLine?: number;
}

const LONGEST_LINE = 998;
const CR = 13;
const LF = 10;

/** Measures as it is given chunks; `end()` gives the result. */
export function createMeasure(): { push(chunk: Uint8Array): void; end(): Measure } {
  const measure: Measure = { octets: 0, raw: 0, isEightBit: false };
  let line = 1;
  /** Octets of the line so far. */
  let length = 0;
  let last = LF;
  let eightBit = 0;
  const endLine = (): void => {
    if (length > LONGEST_LINE) measure.longLine ??= { line, octets: length };
    measure.octets += length + 2;
    length = 0;
    line += 1;
  };
  return {
    push(chunk) {
      measure.raw += chunk.length;
      for (const octet of chunk) {
        if (octet === CR || (octet === LF && last !== CR)) endLine();
        else if (octet !== LF) {
          length += 1;
          eightBit |= octet;
          if (octet === 0) measure.nulLine ??= line;
        }
        last = octet;
      }
    },
    end() {
      if (length > 0) endLine();
      measure.isEightBit = eightBit > 127;
      return measure;
    },
  };
}

/** Reads all of it. */
export async function measureAll(chunks: AsyncIterable<Uint8Array>): Promise<Measure> {
  const measure = createMeasure();
  for await (const chunk of chunks) measure.push(chunk);
  return measure.end();
}
