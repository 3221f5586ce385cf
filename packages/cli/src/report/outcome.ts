/** What became of a message, for people and as JSON. */
import { classify, isSmtpError, type Receipt, type Reply, type SmtpError } from '@posthorn/core';
import { type DevinoExplanation, explain } from '@posthorn/core/devino';
import { MimeError } from '@posthorn/mime';
import { EXIT, type ExitName, exitOf, refusedRecipients } from '../exit-code.ts';
import { printable } from '../say.ts';
import { optionName, type Settings } from '../settings/settings.ts';

const DELIVERY: Readonly<Record<SmtpError['delivery'], string>> = {
  'not-sent': 'The message was not sent.',
  rejected: 'The message was refused.',
  unknown:
    'The message left, and no valid answer came: it may have been delivered. Do not send it again before you have looked.',
};

/** What the provider's refusals ask for. */
const CURES: Readonly<Record<DevinoExplanation['reason'], string>> = {
  'not-authenticated': 'the provider asks for a login and password that it knows',
  'server-error': 'the provider has trouble: send it later',
  'attachment-type': 'the provider takes no such file: link to it',
  'too-large': 'the provider takes no message as large as this',
  'invalid-recipient': 'the provider says that there is no such recipient',
  'sender-not-confirmed': 'the provider has to confirm the sender first',
};

/** The options that have another name than the key of `compose()`. */
const OPTIONS: Readonly<Record<string, string>> = {
  amp: '--amp-file',
  attachments: '--attach',
  calendar: '--calendar-file',
  headers: '--header',
};

/** What is told of a failure. */
export interface Failure {
  readonly exit: ExitName;
  readonly error: unknown;
  readonly explanation?: DevinoExplanation | undefined;
}

export function failureOf(error: unknown, settings: Settings = {}): Failure {
  const explanation =
    settings.profile === 'devino' && isSmtpError(error)
      ? (explain(error) ?? explain(refusedRecipients(error)[0]))
      : undefined;
  return { error, explanation, exit: exitOf(error, explanation?.reason) };
}

export function replyText({ code, lines }: Reply): string {
  return printable(`${code} ${lines.join(' ')}`);
}

/** `Accepted for a@example.com: 250 2.0.0 Ok (812 octets, 1 wait)`. */
export function receiptText({ accepted, rejected, reply, octets, roundTrips }: Receipt): string {
  const waits = `${roundTrips} ${roundTrips === 1 ? 'wait' : 'waits'}`;
  return [
    `Accepted for ${printable(accepted.join(', '))}: ${replyText(reply)} (${octets} octets, ${waits})`,
    ...rejected.map((one) => `Refused for ${printable(one.address)}: ${replyText(one.reply)}`),
    '',
  ].join('\n');
}

/** One sentence on what went wrong, one on what became of the message. */
export function failureText({ error, explanation, exit }: Failure, kept = ''): string {
  const lines = [`posthorn: ${printable(sentence(error))}`];
  if (explanation) lines.push(`posthorn: ${CURES[explanation.reason]}`);
  if (isSmtpError(error)) {
    for (const { address, reply } of refusedRecipients(error))
      lines.push(`posthorn: refused for ${printable(address)}: ${replyText(reply)}`);
    if (error.accepted?.length)
      lines.push(
        `posthorn: accepted for ${printable(error.accepted.join(', '))}: do not send it there again`,
      );
    else lines.push(`posthorn: ${DELIVERY[error.delivery]}`);
  }
  if (kept && exit !== 'PROTOCOL') lines.push(`posthorn: ${kept}`);
  return `${lines.join('\n')}\n`;
}

/** The message of an error in the words of the command line. */
export function sentence(error: unknown): string {
  if (error instanceof MimeError) {
    const key = error.path.replace(/[[.].*/s, '');
    const option = OPTIONS[key] ?? optionName(key);
    if (error.code === 'ERR_MIME_TOO_LARGE')
      return `The message has ${error.actual} octets, ${error.excess} more than --max-size allows`;
    return error.code === 'ERR_MIME_STREAM'
      ? `Cannot send the message: a file was changed while it was read (${error.message})`
      : `Cannot compose the message: ${error.message}; look at ${option}`;
  }
  if (isSmtpError(error))
    return error.message
      .replace(/use tls: '(\w+)'/g, 'use --tls $1')
      .replace(/timeouts\.(\w+) passed/g, 'the deadline --timeout $1=… passed');
  const { name, message = String(error), stack } = Object(error) as Error;
  // What is none of ours is a mistake in this program, and where it was made has to be told.
  return name === 'CliError' || name === 'Stopped' ? message : (stack ?? message);
}

const replyJson = ({ code, enhanced, lines, text }: Reply): object => ({
  code,
  ...(enhanced && { enhanced }),
  lines,
  text,
});

const rejectedJson = (rejected: Receipt['rejected']): object[] =>
  rejected.map(({ address, reply }) => ({ address, reply: replyJson(reply) }));

export function receiptJson(receipt: Receipt, messageId: string | undefined): object {
  const { accepted, rejected, reply, replies, octets, roundTrips } = receipt;
  return {
    delivery: rejected.length > 0 ? 'partial' : 'accepted',
    accepted,
    rejected: rejectedJson(rejected),
    reply: replyJson(reply),
    ...(replies && { replies: replies.map(replyJson) }),
    octets,
    roundTrips,
    ...(messageId !== undefined && { messageId }),
  };
}

/** @param code - the exit code, where it is not that of the failure */
export function failureJson({ error, exit, explanation }: Failure, code: number): object {
  return {
    delivery: 'not-sent',
    exit: code,
    ...(code === EXIT[exit] && { exitName: `EX_${exit}` }),
    message: sentence(error),
    ...(error instanceof MimeError && { code: error.code }),
    ...(isSmtpError(error) && {
      code: error.code,
      phase: error.phase,
      delivery: error.delivery,
      retry: error.retry,
      ...classified(error),
      ...(error.reply && { reply: replyJson(error.reply) }),
      ...(error.accepted?.length && { accepted: error.accepted }),
      ...(refusedRecipients(error)[0] && { rejected: rejectedJson(refusedRecipients(error)) }),
    }),
    ...(explanation && { reason: explanation.reason }),
  };
}

function classified(error: SmtpError): object {
  const { retryAfter } = classify(error, explain);
  return retryAfter === undefined ? {} : { retryAfter };
}
