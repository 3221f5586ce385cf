/** What a SASL mechanism is to the session (RFC 4422 §3, RFC 4954 §4): challenge in, response out. Pure. */

type Eventually<T> = T | Promise<T>;

/**
 * A SASL mechanism with its credentials. Make one with `plain()`, `login()` …, or write your own.
 *
 * @example
 * ```ts
 * import type { SaslMechanism } from '@posthorn/core/sasl';
 *
 * const anonymous: SaslMechanism = {
 *   name: 'ANONYMOUS',
 *   strength: 0,
 *   exposesSecret: false,
 *   start: () => ({ initial: () => new TextEncoder().encode('guest'), respond: () => new Uint8Array() }),
 * };
 * console.log(anonymous.name); // ANONYMOUS
 * ```
 */
export interface SaslMechanism {
  /** As registered: 'PLAIN', 'SCRAM-SHA-256'. */
  readonly name: string;
  /** Of several that the server offers, the one with the highest number is tried first. */
  readonly strength: number;
  /** Whether who reads the wire learns the secret: such a mechanism is refused without TLS. */
  readonly exposesSecret: boolean;
  /** Begins one exchange. Called once for each attempt. */
  start(): SaslExchange;
}

/** One running exchange. An error thrown by it cancels the exchange (RFC 4954 §4, `*`). */
export interface SaslExchange {
  /** The initial response, for mechanisms in which the client speaks first. An empty one is sent as `=`. */
  initial?(): Eventually<Uint8Array>;
  /** The response to one challenge. */
  respond(challenge: Uint8Array): Eventually<Uint8Array>;
}

/**
 * Refuses what cannot be a user name or password.
 *
 * @throws TypeError for NUL, which separates the parts of PLAIN, and for half a surrogate pair
 */
export function refuseCredential(...texts: readonly string[]): void {
  for (const text of texts) {
    if (typeof text !== 'string' || /[\0\p{Surrogate}]/u.test(text)) {
      throw new TypeError('Cannot use the credentials: not text');
    }
  }
}

/** Octets to base64 (RFC 4648 §4). */
export function toBase64(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets));
}

/** Base64 to octets. Throws where it is none. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
