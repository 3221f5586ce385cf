/** Octets in base64, in lines of 76 characters (RFC 2045 §6.8), as they go by. */

/** Octets of one line. */
const LINE = 57;

export async function* base64Lines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let rest: Uint8Array = new Uint8Array();
  const lines = (octets: Uint8Array): Uint8Array =>
    Buffer.from(
      Buffer.from(octets)
        .toString('base64')
        .replace(/.{1,76}/g, '$&\r\n'),
      'latin1',
    );
  for await (const chunk of chunks) {
    const all = Buffer.concat([rest, chunk]);
    const whole = all.length - (all.length % LINE);
    if (whole > 0) yield lines(all.subarray(0, whole));
    rest = all.subarray(whole);
  }
  if (rest.length > 0) yield lines(rest);
}
