/** classify(): the one question of a queue. It knows errors and replies, and nothing of queues. */
import type { Retry, SmtpError } from './errors.ts';
import { describeReply, type Reply } from './wire/reply.ts';

/** What a queue does with a message that failed. */
export interface Classification {
  /**
   * - `permanent`: do not try again: it was refused for good, or something must be changed before
   * - `transient`: it was not accepted; try again, no sooner than `retryAfter`
   * - `slow-down`: the same, and the server has too much: let the whole queue wait for `retryAfter`
   * - `unknown`: it may have been accepted: sending again may duplicate it. Hold it
   */
  readonly kind: 'permanent' | 'transient' | 'slow-down' | 'unknown';
  /**
   * The least to wait, in ms, for `transient` and `slow-down`: what the reply names, in seconds or minutes, else a minute;
   * a second where no reply is the reason: the connection, a deadline, a full pool.
   */
  readonly retryAfter?: number;
}

/**
 * 421 (RFC 5321 §3.8); X.3.2 and X.4.5 (RFC 3463 §3.4, §3.5); 4.7.28 of large providers, and what servers say in words. A 5yz
 * is none of it, whatever it says: RFC 5321 §4.2.1. Or the pool's ERR_SMTP_QUEUE_FULL.
 */
const SLOW = /E_F|^4(21|.* (rate|slow|too many m|4.(3.2|4.5|7.28) ))/i;

/** The time that a server names: "in 300 seconds", "for 5 minutes", "wait 10 s". */
const TIME = /(?:for|in|wait) (\d{1,4}) ?(?:s|(m))/i;

/**
 * Says whether a message that failed may be tried again, and when. Give it whatever `send()` or `connect()` rejected
 * with, or `sendMail()` of `/nodemailer`. Messages of which some recipients were accepted are tried again for the others alone: `error.accepted`.
 *
 * An error that has no `delivery` and is not about bad input (a TypeError, as each MimeError is) is `unknown`: nobody
 * knows from where it came.
 *
 * @param error - what was caught
 * @param explain - the words of a provider: `explain` of `@posthorn/core/devino` knows which 554 passes
 * @returns the kind, and for two of them the time in ms
 *
 * @example
 * ```ts
 * import { classify, SmtpError } from '@posthorn/core';
 *
 * const text = '4.7.1 Greylisted, try again in 5 minutes';
 * const reply = { code: 451, lines: [text], text };
 * const error = new SmtpError('ERR_SMTP_REPLY', 'Cannot send RCPT TO', { phase: 'rcpt', reply });
 * console.log(classify(error)); // { kind: 'transient', retryAfter: 300000 }
 * console.log(classify(new TypeError('bad address'))); // { kind: 'permanent' }
 * ```
 */
export function classify(
  error: unknown,
  explain?: (reply: Reply) => { readonly retry: Retry } | undefined,
): Classification {
  const { delivery: kind, reply, retry, code }: Partial<SmtpError> = Object(error);
  if (!kind) return { kind: error instanceof TypeError ? 'permanent' : 'unknown' };
  if (kind === 'unknown') return { kind };
  if (!/^[lr]/.test(((reply && explain?.(reply)?.retry) ?? retry) as string))
    return { kind: 'permanent' };
  const words = reply ? describeReply(reply) : (code as string);
  const [, count = reply ? 60 : 1, minutes] = TIME.exec(words) ?? [];
  return {
    kind: SLOW.test(words) ? 'slow-down' : 'transient',
    retryAfter: +count * (minutes ? 60_000 : 1_000),
  };
}
