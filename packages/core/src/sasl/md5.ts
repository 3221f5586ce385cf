/** MD5 (RFC 1321) and HMAC-MD5 (RFC 2104), which WebCrypto does not have. For CRAM-MD5 alone. */

type Words = [a: number, b: number, c: number, d: number];

/** How far each step rotates to the left; each round goes four times through its four (RFC 1321 §3.4). Base 36. */
const ROTATIONS = '7chm59ek4bgn6afl';

/** The digest of a message of less than 512 MiB, 16 octets. */
export function md5(message: Uint8Array): Uint8Array {
  const { length } = message;
  // §3.1, §3.2: a one bit, zeros, and in the last 8 octets of the last block the length in bits.
  const padded = new Uint8Array((length + 72) & ~63);
  padded.set(message);
  padded[length] = 128;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, length * 8, true);
  let state: Words = [0x67452301, -0x10325477, -0x67452302, 0x10325476];
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d] = state;
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      const mixed = [(b & c) | (~b & d), (b & d) | (c & ~d), b ^ c ^ d, c ^ (b | ~d)][round];
      const word = [step, 5 * step + 1, 3 * step + 5, 7 * step][round] as number;
      // Sums stay below 2^53: only the operators on 32 bits wrap them.
      const sum =
        a +
        (mixed as number) +
        view.getUint32(block + (word % 16) * 4, true) +
        ((2 ** 32 * Math.abs(Math.sin(step + 1))) >>> 0);
      const by = parseInt(ROTATIONS[round * 4 + (step % 4)] as string, 36);
      [a, b, c, d] = [d, b + ((sum << by) | (sum >>> (32 - by))), b, c];
    }
    state = [a, b, c, d].map((sum, at) => (sum + (state[at] as number)) | 0) as Words;
  }
  state.forEach((word, at) => {
    view.setInt32(at * 4, word, true);
  });
  return padded.slice(0, 16);
}

/** `MD5(key XOR opad, MD5(key XOR ipad, message))` (RFC 2104 §2). */
export function hmacMd5(key: Uint8Array, message: Uint8Array): Uint8Array {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? md5(key) : key);
  const keyed = (pad: number, text: Uint8Array): Uint8Array =>
    md5(new Uint8Array([...block.map((octet) => octet ^ pad), ...text]));
  return keyed(0x5c, keyed(0x36, message));
}
