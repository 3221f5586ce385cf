/** SHA-256 (FIPS 180-4) of octets that come in pieces: WebCrypto's digest wants them all at once, and a body is a stream. */

/**
 * "The first thirty-two bits of the fractional parts" of the roots of the first 64 prime numbers (§4.2.2, §5.3.3). A double
 * keeps 18 bits more, and they stay 2^-10 away from where the 32nd would change: `**` has no need to be exact.
 */
function primeRoots(power: number): Int32Array {
  const primes: number[] = [];
  for (let candidate = 2; !primes[63]; candidate++)
    if (primes.every((prime) => candidate % prime)) primes.push(candidate);
  return Int32Array.from(primes, (prime) => prime ** power * 2 ** 32);
}

/** `ROTR` (§3.2). */
function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** A small sigma (§4.1.2). */
function sigma(word: number, first: number, second: number, shift: number): number {
  return rotate(word, first) ^ rotate(word, second) ^ (word >>> shift);
}

/**
 * Hashes a message in constant memory, less than 2^50 octets. Each part of it is written into `buffer`,
 * from its beginning, and is gone when it was hashed.
 *
 * @param buffer - has room for 72 octets more than any part
 * @returns what hashes the first `filled` octets: whole blocks of 64, but for the last. Then the digest is in the first 32.
 */
export function createSha256(
  buffer: Uint8Array<ArrayBuffer>,
): (filled: number, last?: boolean) => void {
  const view = new DataView(buffer.buffer);
  // Eight of them are used.
  const state = primeRoots(1 / 2);
  const constants = primeRoots(1 / 3);
  const words = new Int32Array(64);
  let length = 0;

  return (filled, last) => {
    let end = filled;
    length += filled;
    if (last) {
      // §5.1.1: a one bit, zeros, and in the last 8 octets of the last block the length in bits.
      end += 72 - ((filled + 8) % 64);
      buffer.fill(0, filled)[filled] = 128;
      view.setBigUint64(end - 8, BigInt(length * 8));
    }
    // §6.2.2.
    for (let at = 0; at < end; at += 64) {
      let [a, b, c, d, e, f, g, h] = state as unknown as Eight;
      for (let t = 0; t < 64; t++) {
        words[t] =
          t < 16
            ? view.getInt32(at + t * 4)
            : (words[t - 16] as number) +
              sigma(words[t - 15] as number, 7, 18, 3) +
              (words[t - 7] as number) +
              sigma(words[t - 2] as number, 17, 19, 10);
        const first =
          h +
          (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
          (g ^ (e & (f ^ g))) +
          (constants[t] as number) +
          (words[t] as number);
        const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
        h = g;
        g = f;
        f = e;
        e = (d + first) | 0;
        d = c;
        c = b;
        b = a;
        a = (first + second) | 0;
      }
      // The block has been read.
      [a, b, c, d, e, f, g, h].forEach((word, index) => {
        state[index] = (state[index] as number) + word;
        view.setInt32(index * 4, state[index] as number);
      });
    }
  };
}

type Eight = [number, number, number, number, number, number, number, number];
