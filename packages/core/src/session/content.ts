/** Content as the caller gives it, and what can be known of it before MAIL. */
import { fault, type Phase, type SmtpError, type SmtpErrorDetails } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';

/**
 * A message's content: its header and body with CR LF line ends. A bare CR or LF becomes CR LF; a
 * string is encoded in UTF-8. Octets must not be changed before `send()` has settled: they are looked at once, and not
 * copied.
 */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/**
 * The server's refusal of a message; a reply that is none says nothing of it.
 *
 * @param sent - whether all of the message was written
 */
export function refusedContent(
  phase: Phase,
  reply: Reply,
  details?: Partial<SmtpErrorDetails>,
  what = 'the message',
  sent: boolean = phase === 'final',
  refused: boolean = reply.code >= 400,
): SmtpError {
  // RFC 4954 §6: 530 asks for authentication.
  return fault(reply.code === 530 ? 'AUTH' : 'REPLY', `send ${what}`, phase, {
    ...details,
    reply,
    delivery: refused ? 'rejected' : sent ? 'unknown' : 'not-sent',
  });
}

/** What went wrong while content was read or made into mail data. */
export const contentFault = (cause: unknown): SmtpError =>
  fault('CONTENT', `send the message: ${(cause as Error)?.message}`, 'content', { cause });
