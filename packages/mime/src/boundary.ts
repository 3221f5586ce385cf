/** A random name: in the boundaries of multiparts, and the left side of a Message-ID. */

/** Gives that many random octets. */
export type Random = (octets: number) => Uint8Array;

/** The platform's generator. */
export const systemRandom: Random = (octets) => crypto.getRandomValues(new Uint8Array(octets));

/** Digits and letters, one for each octet: the likeliest of them costs 5 bits, and so the name at least 130. */
export function randomName(random: Random): string {
  return Array.from(random(26), (octet) => (octet % 36).toString(36)).join('');
}
