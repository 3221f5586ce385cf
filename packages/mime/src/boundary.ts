/** Random names: the boundary of a multipart and the left side of a Message-ID. */

/** Gives that many random octets. */
export type Random = (octets: number) => Uint8Array;

/** Characters of one name. */
export const NAME_LENGTH = 24;

/** Two names in one draw. */
export const DRAW = 48;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The platform's generator. */
export const systemRandom: Random = (octets) => crypto.getRandomValues(new Uint8Array(octets));

/** Letters and digits, one for each random octet: the rarest of them costs 5.7 bits, 24 of them 136. */
export function randomName(random: Random): string {
  const octets = random(DRAW);
  let name = '';
  for (let i = 0; i < DRAW; i++) name += ALPHABET[(octets[i] as number) % 62];
  return name;
}
