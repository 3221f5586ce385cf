/**
 * One mail transaction (RFC 5321 §3.3): MAIL, RCPT…, DATA and the content. With PIPELINING the three
 * go out as one group (RFC 2920 §3.1), else each waits for its reply.
 */
import { type RejectedRecipient, refused, type SmtpError } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';
import { concatenate, END_OF_DATA, Transparency } from '../wire/transparency.ts';
import { contentFault } from './content.ts';
import type { Envelope } from './envelope.ts';
import { WRITE_OCTETS } from './limits.ts';
import { ask, type Command, isPositive, type Procedure, RELEASE, REPLY } from './procedure.ts';
import type { SessionContext } from './session.ts';

/** How a transaction is run. */
export interface TransactionOptions {
  readonly partial?: 'send' | 'abort' | undefined;
  readonly onProgress?: ((octetsSent: number, size: number | undefined) => void) | undefined;
  /** LMTP: one final reply for each accepted recipient (RFC 2033 §4.2). */
  readonly lmtp?: boolean;
}

/** What a transaction came to. */
export interface TransactionResult {
  readonly accepted: readonly string[];
  readonly rejected: readonly RejectedRecipient[];
  readonly reply: Reply;
  readonly replies: readonly Reply[];
  readonly octets: number;
}

const RSET: Command = { line: 'RSET\r\n', phase: 'idle' };
const DATA: Command = { line: 'DATA\r\n', phase: 'data' };

export function* transaction(
  { mail, recipients, content }: Envelope,
  { partial, onProgress, lmtp }: TransactionOptions,
  context: SessionContext,
): Procedure<TransactionResult> {
  const grouped = context.pipelining !== 'off';
  const complete = partial === 'abort';
  const opening = context.transactionOpen ? [RSET, mail] : [mail];
  // All or nothing: DATA waits until every recipient is known.
  if (grouped) yield { type: 'write', commands: [...opening, ...recipients, ...(complete ? [] : [DATA])] };
  const turn = function* (command: Command, written = grouped): Procedure<Reply> {
    if (!written) yield { type: 'write', commands: [command] };
    return (yield REPLY) as Reply;
  };
  let failure: SmtpError | undefined;
  for (const command of opening) {
    const reply = yield* turn(command);
    if (!isPositive(reply)) {
      // RFC 4954 §6: 530 to MAIL asks for authentication.
      failure ??= refused(`send ${command.line.trimEnd()}`, reply, { phase: command.phase, delivery: 'rejected' }, reply.code === 530 ? 'ERR_SMTP_AUTH' : undefined);
      if (!grouped) throw failure;
    }
    context.transactionOpen = command === mail;
  }
  const accepted: string[] = [];
  const rejected: RejectedRecipient[] = [];
  for (const recipient of recipients) {
    const { address } = recipient;
    const reply = yield* turn(recipient);
    if (isPositive(reply)) accepted.push(address);
    else {
      rejected.push({ address, reply });
      if (complete || rejected.length === recipients.length) {
        // What is refused for now for one recipient is worth another try for the message.
        const retry = rejected.some(({ reply: { code } }) => code < 500) ? 'later' : 'never';
        failure ??= refused(`send ${recipient.line.trimEnd()}`, reply, { phase: 'rcpt', delivery: 'rejected', rejected, retry });
      }
    }
  }
  if (failure && (!grouped || complete)) throw failure;

  const started = yield* turn(DATA, grouped && !complete);
  if (started.code !== 354) throw failure ?? refused('send DATA', started, { phase: 'data', delivery: 'rejected', rejected });
  if (failure) {
    // RFC 2920 §3.1: the server has accepted DATA without an envelope. It gets the lone dot, and its verdict is known.
    yield { type: 'octets', octets: END_OF_DATA, replies: 1 };
    yield REPLY;
    context.transactionOpen = false;
    throw failure;
  }
  const data = new Transparency(true);
  yield* write(content, data, onProgress);
  const end = concatenate([data.end(), END_OF_DATA]);
  yield { type: 'octets', octets: end, replies: lmtp ? accepted.length : 1, complete: data.octets };
  context.transactionOpen = false;
  yield RELEASE;

  const replies: Reply[] = [];
  const delivered: string[] = [];
  for (const addresses of lmtp ? accepted.map((address) => [address]) : [accepted]) {
    const reply = (yield REPLY) as Reply;
    replies.push(reply);
    if (isPositive(reply)) delivered.push(...addresses);
    else if (lmtp) rejected.push({ address: addresses[0] as string, reply });
  }
  const reply = replies.find(isPositive) ?? (replies[0] as Reply);
  if (!isPositive(reply)) throw refused('deliver the message', reply, { phase: 'final', delivery: 'rejected', rejected });
  return { accepted: delivered, rejected, reply, replies, octets: data.octets };
}

/** The content as mail data, in writes of about 64 KiB. */
function* write({ source, size }: Envelope['content'], data: Transparency, onProgress: TransactionOptions['onProgress']): Procedure<void> {
  let read = 0;
  const put = function* (chunk: Uint8Array): Procedure<void> {
    for (let at = 0; at < chunk.length; at += WRITE_OCTETS) {
      const octets = contentFault(() => data.push(chunk.subarray(at, at + WRITE_OCTETS)));
      yield { type: 'octets', octets, replies: 0 };
      contentFault(() => onProgress?.(data.octets, size));
    }
    read += chunk.length;
  };
  if (source instanceof Uint8Array) return yield* put(source);
  const iterator = source[Symbol.asyncIterator]();
  let open = true;
  try {
    for (;;) {
      const next = yield* ask('content', () => iterator.next());
      if (next.done) break;
      yield* put(next.value);
    }
    open = false;
    // A declared size is a promise to the server, and to whoever counts on a whole message.
    if (size !== undefined && size !== read && size !== data.octets) {
      throw new Error(`${size} octets were declared as its size, and it has ${read}`);
    }
  } catch (error) {
    contentFault(() => {
      throw error;
    });
  } finally {
    // Nobody waits for the source to close: whether it can makes no difference any more.
    if (open) (async () => iterator.return?.())().catch(() => {});
  }
}
