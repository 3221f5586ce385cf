/**
 * One mail transaction (RFC 5321 §3.3): MAIL, RCPT…, DATA and the content. With PIPELINING the three
 * go out as one group (RFC 2920 §3.1), else each waits for its reply.
 */
import { fault, type RejectedRecipient, type SmtpError } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';
import { createTransparency, END_OF_DATA } from '../wire/transparency.ts';
import { contentFault } from './content.ts';
import type { Envelope, EnvelopeCommand, SendOptions } from './envelope.ts';
import { WRITE_OCTETS } from './limits.ts';
import { ask, type Line, type Procedure } from './procedure.ts';

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

export function* transaction(
  line: Line,
  { commands, source, size }: Envelope,
  { onProgress }: Pick<SendOptions, 'onProgress'>,
): Procedure<TransactionResult> {
  // What a transaction before has left open is ended in the same group: it costs no wait.
  const group: readonly EnvelopeCommand[] = line.transactionOpen
    ? [{ line: 'RSET\r\n', phase: 'idle' }, ...commands]
    : commands;
  const grouped = line.pipelining !== 'off';
  if (grouped) for (const command of group) line.write(command);
  const accepted: string[] = [];
  const rejected: RejectedRecipient[] = [];
  let failure: SmtpError | undefined;
  let reply!: Reply;
  for (const command of group) {
    const { address, phase } = command;
    if (!grouped) {
      if (failure) throw failure;
      line.write(command);
    }
    reply = (yield) as Reply;
    if (phase === 'data' ? reply.code === 354 : reply.code < 300) {
      if (address) accepted.push(address);
      // RSET ends a transaction, MAIL begins one, and the content that is due behind DATA will end it.
      else line.transactionOpen = phase === 'mail';
      continue;
    }
    // One refused recipient is a value; the last one fails the message. All commands but two are RCPT.
    if (address && reply.code >= 400 && rejected.push({ address, reply }) < commands.length - 2)
      continue;
    failure ??= fault(
      // RFC 4954 §6: 530 asks for authentication.
      reply.code === 530 ? 'ERR_SMTP_AUTH' : 'ERR_SMTP_REPLY',
      `send ${command.line.trimEnd()}`,
      phase,
      {
        reply,
        rejected,
        delivery: phase === 'idle' ? 'not-sent' : 'rejected',
        // What is refused for now for one recipient is worth another try for the message.
        retry: rejected.some((one) => one.reply.code < 500) ? 'later' : undefined,
      },
    );
  }
  if (failure) {
    // RFC 2920 §3.1: a server that has accepted DATA without an envelope gets the lone dot. Where RSET was refused, or
    // a recipient neither accepted nor refused, somebody might get it as an empty message: the connection is given
    // up instead.
    if (reply.code === 354 && failure.delivery === 'rejected') {
      line.content(END_OF_DATA, 'data');
      yield;
    }
    throw failure;
  }
  const data = createTransparency();
  let iterator: AsyncIterator<Uint8Array> | undefined;
  let read = 0;
  try {
    iterator = (source as Partial<AsyncIterable<Uint8Array>>)[Symbol.asyncIterator]?.();
    let rest = iterator ? new Uint8Array(0) : (source as Uint8Array);
    for (;;) {
      const piece = rest.subarray(0, WRITE_OCTETS);
      line.content(data.push(piece));
      read += piece.length;
      onProgress?.(data.octets, size);
      rest = rest.subarray(WRITE_OCTETS);
      if (!rest.length && !iterator) break;
      // Goes on when what was written before has been taken: no more than this waits in memory.
      const next = yield* ask('content', () =>
        rest.length ? { value: rest } : (iterator as AsyncIterator<Uint8Array>).next(),
      );
      if (next.done) {
        iterator = undefined;
        break;
      }
      rest = next.value;
    }
  } catch (error) {
    throw contentFault(error);
  } finally {
    // Nobody waits for the source to close: whether it can makes no difference any more.
    (async () => iterator?.return?.())().catch(() => {});
  }
  line.content(data.end());
  // A declared size is a promise to the server, and to whoever counts on a whole message.
  if (![undefined, read, data.octets].includes(size))
    throw contentFault(new Error(`its size is ${read}, not ${size}`));
  line.content(END_OF_DATA, 'final', data.octets);
  line.release();
  reply = (yield) as Reply;
  if (reply.code >= 300)
    throw fault('ERR_SMTP_REPLY', 'send the message', 'final', {
      reply,
      rejected,
      delivery: 'rejected',
    });
  return { accepted, rejected, reply, octets: data.octets, roundTrips: line.waited };
}
