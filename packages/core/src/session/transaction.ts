/**
 * One mail transaction (RFC 5321 §3.3): MAIL, RCPT…, DATA and the content. With PIPELINING the three
 * go out as one group (RFC 2920 §3.1), else each waits for its reply.
 */
import { fault, type RejectedRecipient, type SmtpError } from '../errors.ts';
import { concatenate } from '../wire/octets.ts';
import type { Reply } from '../wire/reply.ts';
import { createTransparency, END_OF_DATA, type Transparency } from '../wire/transparency.ts';
import { contentFault } from './content.ts';
import type { Envelope, SendOptions } from './envelope.ts';
import { WRITE_OCTETS } from './limits.ts';
import { ask, type Command, isPositive, type Line, type Procedure } from './procedure.ts';

/** What a transaction came to. */
export interface TransactionResult {
  readonly accepted: readonly string[];
  readonly rejected: readonly RejectedRecipient[];
  readonly reply: Reply;
  /** Octets of content written, without the dots of transparency. */
  readonly octets: number;
  /** How often the client had to wait for the server. */
  readonly roundTrips: number;
}

const RSET: Command = { line: 'RSET\r\n', phase: 'idle' };
const DATA: Command = { line: 'DATA\r\n', phase: 'data' };

export function* transaction(
  line: Line,
  { mail, recipients, content }: Envelope,
  { onProgress }: Pick<SendOptions, 'onProgress'>,
): Procedure<TransactionResult> {
  const group: (Command & { readonly address?: string })[] = [mail, ...recipients, DATA];
  // What a transaction before has left open is ended in the same group: it costs no wait.
  if (line.transactionOpen) group.unshift(RSET);
  const grouped = line.pipelining !== 'off';
  if (grouped) for (const command of group) line.write(command);
  const accepted: string[] = [];
  const rejected: RejectedRecipient[] = [];
  let failure: SmtpError | undefined;
  let reply: Reply | undefined;
  for (const command of group) {
    const { address, phase } = command;
    if (!grouped) {
      if (failure) throw failure;
      line.write(command);
    }
    reply = (yield) as Reply;
    const positive = command === DATA ? reply.code === 354 : isPositive(reply);
    if (positive && address) accepted.push(address);
    if (command === RSET || (command === mail && positive))
      line.transactionOpen = !positive || command === mail;
    if (positive) continue;
    if (address) rejected.push({ address, reply });
    if (address && rejected.length < recipients.length) continue;
    failure ??= fault(
      // RFC 4954 §6: 530 asks for authentication.
      reply.code === 530 ? 'ERR_SMTP_AUTH' : 'ERR_SMTP_REPLY',
      `send ${command.line.trimEnd()}`,
      phase,
      {
        reply,
        rejected,
        delivery: command === RSET ? 'not-sent' : 'rejected',
        // What is refused for now for one recipient is worth another try for the message.
        retry: rejected.some((one) => one.reply.code < 500) ? 'later' : undefined,
      },
    );
  }
  if (failure) {
    // RFC 2920 §3.1: a server that has accepted DATA without an envelope gets the lone dot, and its verdict is known.
    // Where somebody would get it as an empty message, the connection is given up instead.
    if (reply?.code === 354 && !(line.transactionOpen && accepted[0])) {
      line.content(END_OF_DATA, 'data');
      yield;
      line.transactionOpen = false;
    }
    throw failure;
  }
  const data = createTransparency();
  try {
    yield* write(line, content, data, onProgress);
  } catch (error) {
    throw contentFault(error);
  }
  line.content(concatenate([data.end(), END_OF_DATA]), 'final', data.octets);
  line.transactionOpen = false;
  line.release();
  reply = (yield) as Reply;
  if (!isPositive(reply))
    throw fault('ERR_SMTP_REPLY', 'deliver the message', 'final', {
      reply,
      rejected,
      delivery: 'rejected',
    });
  return { accepted, rejected, reply, octets: data.octets, roundTrips: line.waited };
}

/** The content as mail data, in writes of about 64 KiB. */
function* write(
  line: Line,
  { source, size }: Envelope['content'],
  data: Transparency,
  onProgress: SendOptions['onProgress'],
): Procedure<void> {
  let read = 0;
  const put = function* (chunk: Uint8Array): Procedure<void> {
    for (let at = 0; at < chunk.length; at += WRITE_OCTETS) {
      // Goes on when what was written before has been taken: no more than this waits in memory.
      if (at) yield* ask('content', () => {});
      line.content(data.push(chunk.subarray(at, at + WRITE_OCTETS)));
      onProgress?.(data.octets, size);
    }
    read += chunk.length;
  };
  if (source instanceof Uint8Array) return yield* put(source);
  const iterator = source[Symbol.asyncIterator]();
  let open = true;
  try {
    for (;;) {
      const { done, value } = yield* ask('content', () => iterator.next());
      if (done) break;
      yield* put(value);
    }
    open = false;
    // A declared size is a promise to the server, and to whoever counts on a whole message.
    if (size !== undefined && size !== read && size !== data.octets)
      throw new Error(`its size is ${read}, not ${size}`);
  } finally {
    // Nobody waits for the source to close: whether it can makes no difference any more.
    if (open) (async () => iterator.return?.())().catch(() => {});
  }
}
