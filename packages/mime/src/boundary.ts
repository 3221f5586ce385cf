/** Chance, as an input: the name in the boundaries of multiparts, and the left side of a Message-ID. */

/**
 * Gives that many random octets, hard to guess: they are in a Message-ID (RFC 5322 §3.6.4) and in boundaries (RFC 2046
 * §5.1.1). compose() asks for 12 of them, once for each message.
 * Where it can be guessed, content written as it is by `asIs()` could be made to end a multipart.
 *
 * @example
 * ```ts
 * import { compose, type Random } from '@posthorn/mime';
 *
 * const random: Random = (octets) => new Uint8Array(octets); // the same each time: for tests
 * const { messageId } = compose({ from: 'a@example.com' }, { random });
 * console.log(messageId.length, messageId === compose({ from: 'a@example.com' }, { random }).messageId); // 50 true
 * ```
 */
export type Random = (octets: number) => Uint8Array;
