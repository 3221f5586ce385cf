/**
 * What went wrong, in the fields by which users of nodemailer tell it. Knows the errors of core and mime; knows no
 * transport.
 */
import {
  type Delivery,
  isSmtpError,
  type Receipt,
  type RejectedRecipient,
  type Retry,
  type SmtpError,
} from '../index.ts';

/**
 * An error as nodemailer gives it, with `code` in its words: `EAUTH`, `EENVELOPE`, `ECONNECTION`. What is certain of the message
 * is in `delivery` and `retry`; `cause` is the SmtpError that says it, where the server or the connection is the reason.
 *
 * @example
 * ```ts
 * import { createTransport, type NodemailerError } from '@posthorn/core/nodemailer';
 *
 * const transporter = createTransport({ host: '127.0.0.1', port: 1, connectionTimeout: 2_000 });
 * try {
 *   await transporter.sendMail({ from: 'a@example.com', to: 'b@example.net', text: 'Hello' });
 * } catch (error) {
 *   const { code, originalCode, delivery, retry } = error as NodemailerError;
 *   console.log(code, originalCode, delivery, retry); // ESOCKET ECONNREFUSED not-sent reconnect
 * }
 * ```
 */
export interface NodemailerError extends Error {
  code: string;
  /** What was being done: `CONN`, `EHLO`, `STARTTLS`, `AUTH PLAIN`, `MAIL FROM`, `RCPT TO`, `DATA`; `API` where nothing was said. */
  command?: string;
  /** The server's reply with its code, LF between its lines. */
  response?: string;
  /** The same as core has it. */
  reply?: Reply;
  responseCode?: number;
  /** Whether the same would be refused again: 5yz, but for 503. */
  permanent?: boolean;
  /** The code of the error of the system, of a stream or of a message that is behind it. */
  originalCode?: string;
  timeoutType?: string;
  /** In `rejectedErrors`: who was refused. */
  recipient?: string;
  /** Who has the message all the same: do not send to them again. */
  accepted?: string[];
  rejected?: string[];
  rejectedErrors?: NodemailerError[];
  /** What is certain of the message. */
  delivery?: Delivery;
  /** What to do about it. */
  retry?: Retry;
}

type Reply = Receipt['reply'];

/** What other failures than refusals are called, without `ERR_SMTP_`. */
const FAILURES: Record<string, string> = {
  TIMEOUT: 'ETIMEDOUT',
  ABORTED: 'EABORT',
  CONTENT: 'ESTREAM',
  TOO_LARGE: 'EMESSAGE',
  UNSUPPORTED: 'EENVELOPE',
  QUEUE_FULL: 'EMAXLIMIT',
  CLOSED: 'ECONNECTION',
  CONNECT: 'ESOCKET',
  TLS: 'ESOCKET',
  PROTOCOL: 'EPROTOCOL',
};

/** What a refusal is called where it came, and of which command. */
const PHASES: Record<string, readonly [code: string, command: string]> = {
  ehlo: ['EPROTOCOL', 'EHLO'],
  starttls: ['ETLS', 'STARTTLS'],
  auth: ['EAUTH', 'AUTH'],
  mail: ['EENVELOPE', 'MAIL FROM'],
  rcpt: ['EENVELOPE', 'RCPT TO'],
  data: ['EENVELOPE', 'DATA'],
  content: ['EMESSAGE', 'DATA'],
  final: ['EMESSAGE', 'DATA'],
};

/** What the caller has given up was nobody's fault, and no command's. */
export const ABORTED: object = { name: 'AbortError', command: undefined, retry: 'reconnect' };

/** An error of a code: by default, of what can be told before anything is sent. */
export const problem = (code: string, message: string, fields?: object): NodemailerError =>
  Object.assign(new Error(message), {
    code,
    command: 'API',
    delivery: 'not-sent',
    retry: 'fix-first',
    ...fields,
  } as const);

/** What nodemailer takes, and this does not: refused rather than ignored. */
export const unsupported = (what: string, instead: string): NodemailerError =>
  problem('ECONFIG', `Cannot use ${what}: ${instead}`);

/** A reply as it stood on the wire, LF between its lines. */
export const responseOf = ({ code, lines }: Reply): string =>
  lines
    .map((line, at) => `${code}${at < lines.length - 1 ? '-' : ' '}${line}`.trimEnd())
    .join('\n');

const replied = (reply: Reply): object => ({
  reply,
  response: responseOf(reply),
  responseCode: reply.code,
  // RFC 5321 §4.2.1: 5yz is permanent. 503 tells of the session, and not of the message.
  permanent: reply.code >= 500 && reply.code !== 503,
});

/** The refused recipients, each as an error. */
export const rejectedErrors = (rejected: readonly RejectedRecipient[]): NodemailerError[] =>
  rejected.map(({ address, reply }) =>
    problem('EENVELOPE', `Cannot send RCPT TO:<${address}>: server replied ${responseOf(reply)}`, {
      command: 'RCPT TO',
      ...replied(reply),
      recipient: address,
      delivery: 'rejected',
      retry: reply.code < 500 ? 'later' : 'never',
    }),
  );

/**
 * Whatever a message or a connection has failed with.
 *
 * @param words - the message for readers who know the options by other names
 */
export function nodemailerError(
  cause: unknown,
  words?: (message: string) => string,
): NodemailerError {
  if (isSmtpError(cause)) return smtpFailure(cause, words?.(cause.message) ?? cause.message);
  const { delivery, message }: Partial<NodemailerError> = Object(cause);
  // What was made here says it already; what core throws beside it is about addresses.
  return delivery ? (cause as NodemailerError) : problem('EENVELOPE', `${message}`, { cause });
}

function smtpFailure(error: SmtpError, message: string): NodemailerError {
  const { phase, accepted, delivery, retry } = error;
  // Behind a MAIL that was refused, a refused RCPT says nothing of a recipient.
  const rejected = (phase !== 'mail' && error.rejected) || [];
  // One that is refused for now may get it later.
  const deferred = phase === 'rcpt' && rejected.find(({ reply }) => reply.code < 500);
  const { reply } = deferred || error;
  const fault = error.code.slice(9);
  const { code: originalCode, ...system }: NodeJS.ErrnoException = Object(error.cause);
  const [refused, said] = PHASES[phase] ?? ['EPROTOCOL', 'CONN'];
  let code = FAILURES[fault] ?? refused;
  let command = /CLO|TIME|PROTO/.test(fault) ? 'CONN' : fault === 'CONTENT' ? 'API' : said;
  // Not the handshake, but what comes before it.
  if (phase + fault === 'starttlsTLS') code = refused;
  if (system.syscall === 'getaddrinfo') code = 'EDNS';
  if (/UNSUP.*REQUIRETLS/.test(fault + message)) code = 'EREQUIRETLS';
  if (reply && phase === 'auth') command += ` ${/: ([\w-]+)/.exec(message)?.[1]}`;
  const late = /connect|greeting/.test(phase) ? phase : /tls/.test(phase) ? 'upgrade' : 'socket';
  return problem(code, message, {
    ...(/CON|TLS/.test(fault) && system),
    ...(typeof originalCode === 'string' && { originalCode }),
    ...(fault === 'TIMEOUT' && { timeoutType: `${late.toUpperCase()}_TIMEOUT` }),
    ...(reply && replied(reply)),
    ...(accepted && { accepted }),
    ...(rejected[0] && {
      rejected: rejected.map(({ address }) => address),
      rejectedErrors: rejectedErrors(rejected),
    }),
    command,
    ...(code === 'EABORT' && ABORTED),
    delivery,
    retry,
    cause: error,
  });
}
