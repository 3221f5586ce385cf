/**
 * The parameters of MAIL, as a table: which option of the caller makes which parameter, and which
 * extension the server must offer for it. Pure values to strings.
 */

/** What a message may ask of the server beside its addresses. Each is refused where its extension is not offered. */
export interface MailParameters {
  /** The content's kind: 8BITMIME is RFC 6152. Default: found out where it is in memory, else '7BIT'. */
  readonly body?: '7BIT' | '8BITMIME' | undefined;
  /** Header fields or addresses hold UTF-8 (RFC 6531). Default: whether an address does. */
  readonly smtpUtf8?: boolean | undefined;
}

/** Extension keyword; the parameter; whether a message asks for it. SIZE is not here: it depends on the content. */
export const MAIL_RULES: readonly (readonly [
  keyword: string,
  parameter: string,
  asks: (message: MailParameters) => boolean | undefined,
])[] = [
  ['SMTPUTF8', 'SMTPUTF8', (message) => message.smtpUtf8],
  ['8BITMIME', 'BODY=8BITMIME', (message) => message.body === '8BITMIME'],
];
