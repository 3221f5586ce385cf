/** Line ends as they are on the wire (RFC 5321 §2.3.8): a bare CR or LF becomes CR LF, and the last line ends like all of them. */

const CR = 13;
const LF = 10;

export async function* canonical(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let last = LF;
  for await (const chunk of chunks) {
    const out = new Uint8Array(2 * chunk.length);
    let length = 0;
    for (const octet of chunk) {
      if (octet === CR || (octet === LF && last !== CR)) {
        out[length++] = CR;
        out[length++] = LF;
      } else if (octet !== LF) out[length++] = octet;
      last = octet;
    }
    if (length > 0) yield out.subarray(0, length);
  }
  if (last !== CR && last !== LF) yield Uint8Array.of(CR, LF);
}
