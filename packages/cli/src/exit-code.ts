/**
 * What the program ends with, by the names of sysexits.h, and which failure has which. Callers read nothing else: a mail
 * program, cron or a queue that gets 75 sends the same again, and one that gets anything else does not.
 */
import {
  isSmtpError,
  type Receipt,
  type Reply,
  type SmtpError,
  type SmtpErrorCode,
} from '@posthorn/core';
import type { DevinoReason } from '@posthorn/core/devino';
import { MimeError } from '@posthorn/mime';
import { CliError } from './cli-error.ts';

/** The names of sysexits.h that are used, without `EX_`. */
export type ExitName =
  | 'OK'
  | 'USAGE'
  | 'DATAERR'
  | 'NOINPUT'
  | 'NOUSER'
  | 'NOHOST'
  | 'UNAVAILABLE'
  | 'SOFTWARE'
  | 'IOERR'
  | 'TEMPFAIL'
  | 'PROTOCOL'
  | 'NOPERM'
  | 'CONFIG';

export const EXIT: Readonly<Record<ExitName, number>> = {
  OK: 0,
  USAGE: 64,
  DATAERR: 65,
  NOINPUT: 66,
  NOUSER: 67,
  NOHOST: 68,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  IOERR: 74,
  TEMPFAIL: 75,
  PROTOCOL: 76,
  NOPERM: 77,
  CONFIG: 78,
};

/** Failures that no reply and no delivery tells more of. Those with a function are told further. */
const BY_CODE: Readonly<Record<SmtpErrorCode, ExitName | ((error: SmtpError) => ExitName)>> = {
  ERR_SMTP_REPLY: ofReply,
  // Before the last octet has left, a server that speaks no SMTP is none: to try again is of no use.
  ERR_SMTP_PROTOCOL: 'UNAVAILABLE',
  ERR_SMTP_TIMEOUT: 'TEMPFAIL',
  ERR_SMTP_TLS: 'CONFIG',
  ERR_SMTP_AUTH: ({ reply }) => (reply ? 'NOPERM' : 'CONFIG'),
  ERR_SMTP_UNSUPPORTED: 'UNAVAILABLE',
  ERR_SMTP_TOO_LARGE: 'DATAERR',
  ERR_SMTP_CONTENT: ofContent,
  ERR_SMTP_CLOSED: 'TEMPFAIL',
  ERR_SMTP_CONNECT: ofConnection,
  ERR_SMTP_ABORTED: 'TEMPFAIL',
  ERR_SMTP_QUEUE_FULL: 'TEMPFAIL',
};

/** What the provider's documented refusals are. */
const BY_REASON: Readonly<Record<DevinoReason, ExitName>> = {
  'not-authenticated': 'NOPERM',
  'server-error': 'TEMPFAIL',
  'attachment-type': 'DATAERR',
  'too-large': 'DATAERR',
  'invalid-recipient': 'NOUSER',
  'sender-not-confirmed': 'NOPERM',
};

/**
 * The one table from failures to exit codes.
 *
 * `delivery: 'unknown'` comes before everything else and has a code of its own, EX_PROTOCOL: the server owed an answer and gave
 * none. It must never be EX_TEMPFAIL, which is the one that callers send again after.
 *
 * @param reason - which documented refusal of the provider it is, where its profile is used
 */
export function exitOf(error: unknown, reason?: DevinoReason): ExitName {
  if (error instanceof CliError) return error.exit;
  if (error instanceof MimeError) return error.code === 'ERR_MIME_STREAM' ? 'IOERR' : 'DATAERR';
  if (!isSmtpError(error)) return 'SOFTWARE';
  if (error.delivery === 'unknown') return 'PROTOCOL';
  const known = reason && BY_REASON[reason];
  const rule = BY_CODE[error.code];
  const exit =
    known ??
    // RFC 5321 §4.2.1: 4yz invites to try again. Not where another recipient is refused for good: he would be again.
    (error.retry === 'later' && !refusedForGood(error)
      ? 'TEMPFAIL'
      : typeof rule === 'function'
        ? rule(error)
        : rule);
  // Where some have the message already, to send it again to all would give it to them twice.
  return exit === 'TEMPFAIL' && error.accepted?.length ? 'UNAVAILABLE' : exit;
}

/**
 * The recipients that were refused themselves. Behind a MAIL that was refused each RCPT is answered 503, which says nothing of a
 * recipient.
 */
export const refusedRecipients = ({ phase, rejected = [] }: SmtpError): Receipt['rejected'] =>
  phase === 'mail' ? [] : rejected;

const refusedForGood = (error: SmtpError): Reply | undefined =>
  refusedRecipients(error).find(({ reply }) => reply.code >= 500)?.reply;

/** A refusal for good: of a recipient, of the sender, of the message, or of the client. */
function ofReply(error: SmtpError): ExitName {
  const { phase } = error;
  const { code, enhanced = '' } = refusedForGood(error) ?? error.reply ?? {};
  // RFC 3463 §3.4, §3.5: 5.2.3 and 5.3.4 are sizes, as is 552 (RFC 1870 §6.3). 5.7.x is policy.
  if (/^5\.(2\.3|3\.4)$/.test(enhanced) || code === 552) return 'DATAERR';
  if (/^5\.7\./.test(enhanced)) return 'NOPERM';
  if (phase === 'rcpt' || refusedRecipients(error)[0]) return 'NOUSER';
  if (phase === 'mail') return 'NOPERM';
  return /^(data|content|final)$/.test(phase) ? 'DATAERR' : 'UNAVAILABLE';
}

/** What could not be read is an input error; what could be read and is no mail, a data error. */
function ofContent({ cause }: SmtpError): ExitName {
  if (cause instanceof CliError || cause instanceof MimeError) return exitOf(cause);
  return systemCode(cause) ? 'IOERR' : 'DATAERR';
}

function ofConnection({ cause }: SmtpError): ExitName {
  const code = systemCode(cause);
  // A name that there is not; EAI_AGAIN is a name server that does not answer.
  if (code === 'ENOTFOUND') return 'NOHOST';
  // The local address is not this machine's.
  return code === 'EADDRNOTAVAIL' || code === 'EINVAL' ? 'CONFIG' : 'TEMPFAIL';
}

/** `ENOENT`, `ECONNREFUSED`: what the system calls it. */
export function systemCode(error: unknown): string | undefined {
  const { code, syscall } = Object(error) as NodeJS.ErrnoException;
  return typeof code === 'string' && (syscall !== undefined || /^E[A-Z0-9_]+$/.test(code))
    ? code
    : undefined;
}
