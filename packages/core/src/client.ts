/** SmtpClient: the promise API, as driver/driver.ts makes it for whatever runtime. */
import type { RejectedRecipient } from './errors.ts';
import type { OutgoingMessage, SendOptions } from './session/envelope.ts';
import type { Capabilities } from './wire/extension.ts';
import type { Reply } from './wire/reply.ts';

/** What became of a message that the server accepted, for all its recipients or for some. */
export interface Receipt {
  /** The recipients it was accepted for, as they were given. */
  readonly accepted: readonly string[];
  /** The recipients that the server refused, each with the reply. */
  readonly rejected: readonly RejectedRecipient[];
  /** The final reply; where each recipient got one of its own, the last of them. */
  readonly reply: Reply;
  /** The final reply for each of `accepted`, where the server gives one for each recipient: LMTP (RFC 2033), PRDR. */
  readonly replies?: readonly Reply[];
  /** Octets of content written, without the dots of transparency. */
  readonly octets: number;
  /** How often the client had to wait for the server during this send. */
  readonly roundTrips: number;
}

/** A connection that is ready to send. Made by `connect()`. */
export interface SmtpClient {
  /** What the server offers, as its last EHLO reply said. */
  readonly capabilities: Capabilities;
  /** Whether the connection is under TLS. */
  readonly secure: boolean;
  /** The server's greeting. */
  readonly greeting: Reply;
  /** How far commands are grouped on this connection now: less than was asked for where the server offers or bears no more. */
  readonly pipelining: 'flight' | 'overlap' | 'envelope' | 'off';
  /** Resolves when the connection is gone, whoever has ended it. Never rejects. */
  readonly closed: Promise<void>;
  /** How often the client had to wait for the server since it connected; a TLS handshake counts as one wait. */
  readonly roundTrips: number;

  /**
   * Sends one message (RFC 5321 §3.3). May be called again before the first settles: messages leave in
   * the order of the calls.
   *
   * @throws TypeError for addresses and options that no server could be asked, before an octet is written
   * @throws SmtpError with `delivery`, which says what is certain about the message
   *
   * @example
   * ```ts
   * import { connect } from '@posthorn/core';
   *
   * const client = await connect({ host, port, tlsOptions: { ca }, auth: { user, pass } });
   * const receipt = await client.send({
   *   from: 'noreplay@devinotele.com',
   *   to: 'test@devinotele.com',
   *   content: 'Subject: Test from smtp\r\n\r\nHello\r\n',
   * });
   * console.log(receipt.reply.code); // 250
   * await client.close();
   * ```
   */
  send(message: OutgoingMessage, options?: SendOptions): Promise<Receipt>;

  /** VRFY (RFC 5321 §3.5). The reply is given as it is, refusals included. @throws SmtpError, TypeError */
  verify(address: string): Promise<Reply>;

  /** NOOP (RFC 5321 §4.1.1.9): whether the server is still there. @throws SmtpError */
  noop(): Promise<Reply>;

  /** RSET (RFC 5321 §4.1.1.5). Not needed between messages. @throws SmtpError */
  reset(): Promise<Reply>;

  /**
   * Ends the session: waits for what is being sent, says QUIT, closes. Resolves when the connection is
   * gone; a server that does not answer QUIT is left after `timeouts.quit`. Never rejects.
   */
  close(): Promise<void>;

  /** Closes at once. What is being sent fails with ERR_SMTP_CLOSED, `error` as its cause. */
  destroy(error?: Error): void;

  /** As {@link SmtpClient.close}. */
  [Symbol.asyncDispose](): Promise<void>;
}
