/** The parameters of MAIL and RCPT that a message may ask for, and how each is written. */

/** What a message may ask of the server beside its addresses. Each is refused before MAIL where its extension is not offered. */
export interface MailParameters {
  /**
   * The content's kind: 8BITMIME is RFC 6152, BINARYMIME is RFC 3030 §3. Default: found out where it is in memory,
   * else '7BIT'. BINARYMIME content goes out as it is; all other content in lines.
   */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME' | undefined;
  /** Header fields or addresses hold UTF-8 (RFC 6531). Default: whether an address does. */
  readonly smtpUtf8?: boolean | undefined;
  /** The message must go under TLS all its way (RFC 8689). Only servers that offer it inside TLS can be asked. */
  readonly requireTls?: boolean | undefined;
  /** DSN (RFC 3461 §4.3): how much of the message a failure report gives back. */
  readonly ret?: 'FULL' | 'HDRS' | undefined;
  /** DSN (RFC 3461 §4.4): what reports name the message by; printable ASCII, at most 100 octets when encoded. */
  readonly envid?: string | undefined;
  /** DELIVERBY (RFC 2852 §4): what becomes of the message when it is not delivered within `seconds`. */
  readonly deliverBy?: DeliverBy | undefined;
  /** MT-PRIORITY (RFC 6710): -9 to 9. */
  readonly priority?: number | undefined;
  /** FUTURERELEASE (RFC 4865): the seconds to hold the message for, at most nine digits. */
  readonly holdFor?: number | undefined;
  /** FUTURERELEASE (RFC 4865): when to let the message go. Not together with `holdFor`. */
  readonly holdUntil?: Date | undefined;
}

/** When a message is late, and what then (RFC 2852 §4). */
export interface DeliverBy {
  /** At most nine digits; 0 and less only with 'N'. */
  readonly seconds: number;
  /** 'R' returns it to the sender; 'N' notifies the sender and goes on. */
  readonly mode: 'R' | 'N';
  /** Whether relays report what they did. Default false. */
  readonly trace?: boolean;
}

/** What may be asked for one recipient (RFC 3461). */
export interface RcptParameters {
  /** When to report on it: 'NEVER' alone, or any of the others. */
  readonly notify?: 'NEVER' | readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[] | undefined;
  /** The recipient as its sender first wrote it: an address, or `type;address` for other address types than `rfc822`. */
  readonly orcpt?: string | undefined;
}

/**
 * xtext (RFC 3461 §4): printable ASCII but `+`, `=` and the blank as it is, and these as `+` with two digits.
 *
 * @returns the text; where it holds something else than printable ASCII, something no parameter may be
 */
export const xtext = (text: string): string =>
  text.replace(/[+= ]/g, (character) => `+${character.charCodeAt(0).toString(16).toUpperCase()}`);
