/** A random name: in the boundaries of multiparts, and the left side of a Message-ID. */

/**
 * Gives that many random octets, hard to guess: in a Message-ID (RFC 5322 §3.6.4) and in boundaries (RFC 2046 §5.1.1) they
 * make up 130 bits. It is asked once for each message, for 26 octets.
 *
 * @example
 * ```ts
 * import { compose, type Random } from '@posthorn/mime';
 *
 * const random: Random = (octets) => new Uint8Array(octets).fill(10); // the same each time: for tests
 * const { messageId } = compose({ from: 'a@example.com' }, { random });
 * console.log(messageId); // <aaaaaaaaaaaaaaaaaaaaaaaaaa@example.com>
 * ```
 */
export type Random = (octets: number) => Uint8Array;

/** Digits and letters, one for each octet: the likeliest of them costs 5 bits, and so the name at least 130. */
export function randomName(
  random: Random = (octets) => crypto.getRandomValues(new Uint8Array(octets)),
): string {
  return Array.from(random(26), (octet) => (octet % 36).toString(36)).join('');
}
