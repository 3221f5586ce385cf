/** The parameters of MAIL that a message may ask for. */

/** What a message may ask of the server beside its addresses. Each is refused where its extension is not offered. */
export interface MailParameters {
  /** The content's kind: 8BITMIME is RFC 6152. Default: found out where it is in memory, else '7BIT'. */
  readonly body?: '7BIT' | '8BITMIME' | undefined;
  /** Header fields or addresses hold UTF-8 (RFC 6531). Default: whether an address does. */
  readonly smtpUtf8?: boolean | undefined;
}
