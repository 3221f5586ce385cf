/** Input up to a line of a lone dot, which ends it as it does at a terminal. */

const DOT = 46;
const CR = 13;
const LF = 10;

/** Gives chunks on; what is behind such a line is not read. */
export async function* untilDot(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  /** What may be such a line and is held back: the dot, and a CR behind it. */
  let held: number[] = [];
  let isLineStart = true;
  for await (const chunk of chunks) {
    const out = new Uint8Array(chunk.length + 2);
    let length = 0;
    for (const octet of chunk) {
      if (isLineStart && octet === DOT) {
        held = [DOT];
        isLineStart = false;
        continue;
      }
      if (held.length > 0) {
        if (octet === LF) {
          if (length > 0) yield out.subarray(0, length);
          return;
        }
        if (octet === CR && held.length === 1) {
          held.push(CR);
          continue;
        }
        for (const before of held) out[length++] = before;
        held = [];
      }
      out[length++] = octet;
      isLineStart = octet === LF;
    }
    if (length > 0) yield out.subarray(0, length);
  }
  // A dot that is all of the last line ends it as well, without a line end behind it.
}
