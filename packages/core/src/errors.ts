/** SmtpError: the one error for everything that is neither the caller's fault nor one refused recipient. */
import { describeReply, type Reply } from './wire/reply.ts';

/**
 * What went wrong.
 *
 * - `ERR_SMTP_REPLY`: the server refused, with the reply in `reply`
 * - `ERR_SMTP_PROTOCOL`: the server broke the protocol
 * - `ERR_SMTP_TIMEOUT`: a deadline passed
 * - `ERR_SMTP_TLS`: TLS was not offered, or failed, or its certificate is not to be trusted
 * - `ERR_SMTP_AUTH`: authentication was refused, or is not possible as configured
 * - `ERR_SMTP_UNSUPPORTED`: the message needs an extension that the server does not offer
 * - `ERR_SMTP_TOO_LARGE`: the message is larger than the server accepts
 * - `ERR_SMTP_CONTENT`: the content failed while it was read, or cannot be sent as mail data
 * - `ERR_SMTP_CLOSED`: the connection is closed, or was lost
 * - `ERR_SMTP_CONNECT`: the connection could not be made
 * - `ERR_SMTP_ABORTED`: the caller's AbortSignal
 * - `ERR_SMTP_QUEUE_FULL`: the pool has as many messages waiting as it may
 */
export type SmtpErrorCode =
  | 'ERR_SMTP_REPLY'
  | 'ERR_SMTP_PROTOCOL'
  | 'ERR_SMTP_TIMEOUT'
  | 'ERR_SMTP_TLS'
  | 'ERR_SMTP_AUTH'
  | 'ERR_SMTP_UNSUPPORTED'
  | 'ERR_SMTP_TOO_LARGE'
  | 'ERR_SMTP_CONTENT'
  | 'ERR_SMTP_CLOSED'
  | 'ERR_SMTP_CONNECT'
  | 'ERR_SMTP_ABORTED'
  | 'ERR_SMTP_QUEUE_FULL';

/** Where in the session it happened. */
export type Phase =
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'tls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'final'
  | 'quit'
  | 'idle';

/**
 * What is certain about the message.
 *
 * - `not-sent`: the server cannot have accepted it: its last octet never left this process
 * - `rejected`: the server refused it
 * - `unknown`: the last octet left, and no valid reply was read: sending again may duplicate it
 */
export type Delivery = 'not-sent' | 'rejected' | 'unknown';

/**
 * What to do about it.
 *
 * - `never`: this message will be refused again
 * - `later`: the same may succeed after a while (4yz)
 * - `reconnect`: nothing of it was accepted; a new connection may do
 * - `fix-first`: something must be changed before: credentials, certificate, size, options
 * - `unknown`: sending again may duplicate the message
 */
export type Retry = 'never' | 'later' | 'reconnect' | 'fix-first' | 'unknown';

/** One recipient that the server refused, and how. */
export interface RejectedRecipient {
  readonly address: string;
  readonly reply: Reply;
}

/** What an SmtpError is made of, beside its code and message. */
export interface SmtpErrorDetails {
  readonly phase: Phase;
  readonly reply?: Reply | undefined;
  readonly accepted?: readonly string[];
  readonly rejected?: readonly RejectedRecipient[];
  readonly delivery?: Delivery | undefined;
  readonly retry?: Retry | undefined;
  readonly cause?: unknown;
}

/**
 * Every failure of a connection or a message. There are no subclasses: switch on `code`.
 *
 * @example
 * ```ts
 * import { connect, isSmtpError } from '@posthorn/core';
 *
 * try {
 *   await connect({ host: '127.0.0.1', port: 1, timeouts: { connect: 2_000 } });
 * } catch (error) {
 *   if (!isSmtpError(error)) throw error;
 *   console.log(error.code, error.delivery, error.retry); // ERR_SMTP_CONNECT not-sent reconnect
 * }
 * ```
 */
export class SmtpError extends Error {
  /** What went wrong. */
  declare readonly code: SmtpErrorCode;
  /** Where in the session. */
  declare readonly phase: Phase;
  /** What is certain about the message. Before there is one: 'not-sent'. */
  declare readonly delivery: Delivery;
  /** What to do about it. */
  declare readonly retry: Retry;
  /** The server's reply, where one is the reason. */
  declare readonly reply?: Reply;
  /** Each refused recipient, where any was refused. */
  declare readonly rejected?: readonly RejectedRecipient[];
  /** The recipients that the server has accepted the message for before it failed for the others (LMTP, RCPTMAX): do not send to them again. */
  declare readonly accepted?: readonly string[];

  constructor(code: SmtpErrorCode, message: string, details: SmtpErrorDetails) {
    super(message, details);
    Object.assign(this, { name: 'SmtpError', code, delivery: 'not-sent' }, details);
    this.retry ??=
      details.delivery === 'unknown'
        ? 'unknown'
        : // RFC 5321 §4.2.1: 4yz invites to try again, 5yz does not. One recipient that is refused for now is worth it.
          [details, ...(details.rejected ?? [])].some(({ reply }) => /^4/.test(`${reply?.code}`))
          ? 'later'
          : /REPLY/.test(code)
            ? 'never'
            : /PROTO|TIME|CLO|CONN|ABO/.test(code)
              ? 'reconnect'
              : 'fix-first';
  }
}

/**
 * Whether something caught is an SmtpError, also one of another copy of this package.
 *
 * @example
 * ```ts
 * import { isSmtpError } from '@posthorn/core';
 *
 * console.log(isSmtpError(new Error('no'))); // false
 * ```
 */
export function isSmtpError(error: unknown): error is SmtpError {
  return (error as Error | undefined)?.name === 'SmtpError';
}

/** A code without its beginning. */
export type Fault = SmtpErrorCode extends `ERR_SMTP_${infer Code}` ? Code : never;

/**
 * An error in words: "Cannot send RCPT TO:<a@b>: server replied 550 5.1.1 …". A reply of 2yz or 3yz is out of
 * place where it is the reason: it breaks the protocol.
 *
 * @param what - what cannot be done, and why if it is not the reply
 * @param phase - may be left out for what ends a session: each procedure then fails in a phase of its own
 */
export function fault(
  code: Fault,
  what: string,
  phase?: Phase,
  details: Partial<SmtpErrorDetails> = {},
): SmtpError {
  return new SmtpError(
    `ERR_SMTP_${(details.reply?.code as number) < 400 ? 'PROTOCOL' : code}`,
    `Cannot ${what}${details.reply ? `: server replied ${describeReply(details.reply)}` : ''}`,
    { ...details, phase: phase as Phase },
  );
}
