/** What a SASL mechanism is to the session (RFC 4422 §3, RFC 4954 §4): challenge in, response out. Pure. */
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
 *   *start() {
 *     yield new TextEncoder().encode('guest');
 *   },
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
  /**
   * What to try once more where the server has refused this one: the same with what is brought afresh, because a
   * token can have expired.
   */
  readonly refreshed?: SaslMechanism;
  /**
   * The mechanism in the variant that fits the connection, `NAME-PLUS` where the server offers it and the channel can
   * be bound. Where there is no `bind`, the mechanism is used as it is.
   */
  bind?(context: SaslContext): SaslMechanism;
  /** Begins one exchange. Called once for each attempt. */
  start(): SaslExchange;
}

/** What a mechanism can bind itself to (RFC 9266): a TLS connection, as node:tls has it. */
export interface TlsChannel {
  /** 'TLSv1.3'. */
  getProtocol?(): string | null;
  /** Keying material of this connection (RFC 8446 §7.5). */
  exportKeyingMaterial?(length: number, label: string, context?: Uint8Array): Uint8Array;
}

/** What a mechanism may need to know of the connection beside its credentials. */
export interface SaslContext {
  /** What the server offers. */
  readonly capabilities: { readonly auth: ReadonlySet<string> };
  /** The TLS connection; undefined where there is none, or the runtime shows nothing of it. */
  readonly channel?: TlsChannel | undefined;
}

/**
 * One running exchange, written as a generator: it yields responses and is resumed with challenges. What it
 * yields first is the initial response, or undefined where the server speaks first. An error thrown by it, and
 * a challenge after its end, cancel the exchange (RFC 4954 §4, `*`). When the server says that it is satisfied,
 * it is resumed once more, with undefined: one that is not satisfied itself, because the server has not proved who
 * it is, throws then, and authentication fails.
 */
export type SaslExchange =
  | Iterator<Uint8Array | undefined, void, Uint8Array | undefined>
  | AsyncIterator<Uint8Array | undefined, void, Uint8Array | undefined>;

/**
 * A user name or password, looked at.
 *
 * @throws TypeError for NUL, which separates the parts of PLAIN, and for half a surrogate pair
 */
export function credential(text: string): string {
  if (typeof text !== 'string' || /[\0\p{Cs}]/u.test(text))
    throw new TypeError('Cannot use credentials');
  return text;
}

/** Octets to base64 (RFC 4648 §4). */
export function toBase64(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets));
}

/** Base64 to octets. Throws where it is none. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
