/** Content as the caller gives it, and what can be known of it before MAIL. */
import { fault, isSmtpError, type SmtpError, type SmtpErrorDetails } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';

/**
 * A message's content: its header and body with CR LF line ends. A bare CR or LF becomes CR LF; a
 * string is encoded in UTF-8.
 */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** The server's refusal of content, or of a message; a reply that is none says nothing of it. */
export function refusedContent(
  phase: 'content' | 'final',
  reply: Reply,
  details?: Partial<SmtpErrorDetails>,
): SmtpError {
  return fault('ERR_SMTP_REPLY', 'send the message', phase, {
    ...details,
    reply,
    delivery: reply.code >= 400 ? 'rejected' : phase === 'final' ? 'unknown' : 'not-sent',
  });
}

/** What went wrong while content was read or made into mail data, as an SmtpError. */
export function contentFault(cause: unknown): SmtpError {
  return isSmtpError(cause)
    ? cause
    : fault('ERR_SMTP_CONTENT', `send the message: ${(cause as Error)?.message}`, 'content', {
        cause,
      });
}
