/**
 * The reply as a value (RFC 5321 §4.2) and its enhanced status code (RFC 2034 §4, RFC 3463 §2).
 * Knows nothing of octets, sessions or time.
 */

/**
 * An enhanced status code, `class.subject.detail`, as RFC 3463 §2 writes it: `5.1.1`.
 * The class is 2, 4 or 5 and equals the first digit of the reply code it came with.
 */
export type EnhancedStatusCode = `${2 | 4 | 5}.${number}.${number}`;

/**
 * One whole reply of the server (RFC 5321 §4.2.1), however many lines it had.
 *
 * Control characters in the text are replaced by U+FFFD, and octets that are no UTF-8 likewise, so
 * that a reply can be printed, logged and thrown as it is.
 */
export interface Reply {
  /** The three digits, 200–599. */
  readonly code: number;
  /** The enhanced status code, where each line of the reply agrees on one. */
  readonly enhanced?: EnhancedStatusCode;
  /** The text of each line, without the code and its separator, otherwise as received. */
  readonly lines: readonly string[];
  /**
   * The lines joined by a blank. Without the enhanced status codes where the server has announced
   * ENHANCEDSTATUSCODES (RFC 2034 §4), else as received.
   */
  readonly text: string;
}
