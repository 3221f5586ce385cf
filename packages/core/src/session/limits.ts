/** Content goes to the transport in writes of about this many octets; where its size is unknown, in chunks (RFC 3030), each of which costs a wait. */
export const WRITE_OCTETS = 65_536;
/**
 * How long to wait, in ms; what is over 2,000,000,000 (23 days) counts as that. The defaults are the minima
 * that RFC 5321 §4.5.3.2 asks of a client, where it names one.
 */
export interface Timeouts {
  /** Name lookup and TCP connection: 30,000. */
  readonly connect: number;
  /** TLS handshake: 30,000. */
  readonly tls: number;
  /** The greeting: 300,000 (RFC 5321 §4.5.3.2.1). */
  readonly greeting: number;
  /** The reply to EHLO or HELO: 300,000. */
  readonly ehlo: number;
  /** The reply to STARTTLS: 120,000. */
  readonly starttls: number;
  /** Each step of an AUTH exchange: 120,000. */
  readonly auth: number;
  /** The reply to RSET, NOOP and VRFY: 300,000. */
  readonly idle: number;
  /** The reply to MAIL: 300,000 (RFC 5321 §4.5.3.2.2). */
  readonly mail: number;
  /** The reply to each RCPT: 300,000 (RFC 5321 §4.5.3.2.3). */
  readonly rcpt: number;
  /** The reply to DATA: 120,000 (RFC 5321 §4.5.3.2.4). */
  readonly data: number;
  /** Each block of content, read from its source and taken by the network: 180,000 (RFC 5321 §4.5.3.2.5). */
  readonly content: number;
  /** The final reply, behind the content: 600,000 (RFC 5321 §4.5.3.2.6). */
  readonly final: number;
  /** The reply to QUIT: 5,000. */
  readonly quit: number;
  /** A whole `connect()`, `send()` or other call: unlimited. */
  readonly total: number;
  /**
   * Not a time, but octets in a second: content that is slower than this, because its source or because the network
   * is, has passed its deadline when it is behind by more than `content`. Default 500.
   */
  readonly minimumRate: number;
}

/** The default of `minimumRate`. */
export const MINIMUM_RATE = 500;
/** The default of what is not in {@link TIMEOUTS}. */
export const FIVE_MINUTES = 300_000;

/** The defaults of {@link Timeouts} that are other than five minutes; `total` has none. */
export const TIMEOUTS: Partial<Timeouts> = {
  connect: 30_000,
  tls: 30_000,
  starttls: 120_000,
  auth: 120_000,
  data: 120_000,
  content: 180_000,
  final: 600_000,
  quit: 5_000,
};
