/** What a failure of a message says of its connection, and the failures that the pool has of its own. */
import { type Fault, fault, type SmtpError } from '../errors.ts';

/** Whether it is the connection that failed: nothing else is sent on it. */
export function isLoss(error: unknown): boolean {
  const { code, phase, reply }: Partial<SmtpError> = Object(error);
  return (
    /SMTP_(PROTO|TIME|CLO|CONN)/.test(`${code}`) ||
    // RFC 5321 §3.8: the server shuts down. In phase idle it has refused the RSET before the message.
    reply?.code === 421 ||
    (phase === 'idle' && /REPLY/.test(`${code}`))
  );
}

/** Why a message is not begun at all. */
export const refusal = (code: Fault, why: string, cause?: unknown): SmtpError =>
  fault(code, `send the message: ${why}`, 'idle', {
    cause,
    retry: /TIMEOUT|FULL/.test(code) ? 'later' : undefined,
  });
