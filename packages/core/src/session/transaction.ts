/**
 * One mail transaction (RFC 5321 §3.3): MAIL, RCPT…, and the content by DATA or BDAT (RFC 3030). With PIPELINING
 * the commands go out as one group (RFC 2920 §3.1), else each waits for its reply.
 */
import { fault, type RejectedRecipient } from '../errors.ts';
import { concatenate, NOTHING } from '../wire/octets.ts';
import type { Reply } from '../wire/reply.ts';
import { createTransparency, END_OF_DATA } from '../wire/transparency.ts';
import { contentFault, refusedContent } from './content.ts';
import type { Envelope, EnvelopeCommand, SendOptions } from './envelope.ts';
import { CHUNK_OCTETS, WRITE_OCTETS } from './limits.ts';
import { ask, type Line, type Procedure } from './procedure.ts';

/** What a transaction came to. */
export interface TransactionResult {
  readonly accepted: readonly string[];
  readonly rejected: readonly RejectedRecipient[];
  readonly reply: Reply;
  /** The final reply for each of `accepted`, where each got one. */
  readonly replies?: readonly Reply[];
  /** Octets of content written, without the dots of transparency. */
  readonly octets: number;
  /** How often the client had to wait for the server. */
  readonly roundTrips: number;
}

const RSET: EnvelopeCommand = { line: 'RSET\r\n', phase: 'idle' };
const DATA: EnvelopeCommand = { line: 'DATA\r\n', phase: 'data' };

/** `BDAT chunk-size [LAST]` (RFC 3030 §2). */
const bdat = (octets: number, last: boolean): string => `BDAT ${octets}${last ? ' LAST' : ''}\r\n`;

export function* transaction(
  line: Line,
  { commands, source, size, by }: Envelope,
  { onProgress, partial }: Pick<SendOptions, 'onProgress' | 'partial'>,
): Procedure<TransactionResult> {
  const whole = partial === 'abort';
  const chunked = by !== 'DATA';
  const accepted: string[] = [];
  const rejected: RejectedRecipient[] = [];
  const pieces: Uint8Array[] = [];
  const data = createTransparency(by, (piece) => pieces.push(piece));
  let iterator: AsyncIterator<Uint8Array> | undefined;
  let rest = source instanceof Uint8Array ? source : NOTHING;
  let ended = false;
  /** So many octets of mail data at the least, or all that is left. */
  const read = function* (least: number): Procedure<Uint8Array> {
    const enough = data.octets + least;
    // What reaches the declared size is held back until it is known to be the end.
    while (!ended && (data.octets < enough || data.octets === size)) {
      // Goes on when what was written before has been taken: no more than this waits in memory.
      if (iterator || data.octets) {
        const next = yield* ask('content', () =>
          rest.length ? { value: rest } : (iterator as AsyncIterator<Uint8Array>).next(),
        );
        if (next.done) iterator = undefined;
        else rest = next.value;
      }
      data.push(rest.subarray(0, WRITE_OCTETS));
      rest = rest.subarray(WRITE_OCTETS);
      ended = !rest.length && !iterator;
      if (ended) data.end();
    }
    // A declared size is a promise to the server, and to whoever counts on a whole message.
    if (data.octets > (size as number) || (ended && data.octets < (size as number)))
      throw new Error(`its size is not ${size}`);
    onProgress?.(data.octets, size);
    return concatenate(pieces.splice(0));
  };
  try {
    const body = chunked ? [] : [DATA];
    if (chunked && rest === source) {
      // The first part of what is in memory goes out with the envelope: of a small message the whole.
      const content = yield* read(1);
      const last = ended && !whole;
      body[0] = { line: bdat(content.length, last), phase: last ? 'final' : 'data', content };
    }
    let command!: EnvelopeCommand;
    let reply!: Reply;
    let replies: Reply[] | undefined;
    for (;;) {
      const behind = line.overlapping;
      // RFC 3030 §2: what a failed BDAT leaves behind is indeterminate, and so is what one may leave that is not
      // answered yet. What a transaction before has left open is ended in the same group: it costs no wait.
      const group = [
        ...(line.transactionOpen || (chunked && behind) ? [RSET] : []),
        ...commands,
        ...body,
      ];
      // Where all are to get it or none, DATA waits until it is known who would.
      const together =
        line.pipelining === 'off' ? 0 : group.length - Number(whole && body[0] === DATA);
      let written = 0;
      let failed: EnvelopeCommand | undefined;
      let refusal: Reply | undefined;
      for (const [at, next] of group.entries()) {
        command = next;
        for (; written <= at || written < together; written += 1)
          line.write(group[written] as EnvelopeCommand);
        reply = (yield) as Reply;
        const { address, phase } = command;
        const { code } = reply;
        const good = command === DATA ? code === 354 : code < 300;
        if (good && address) accepted.push(address);
        // MAIL opens a transaction, and a chunk leaves it open. RSET ends it, and so does the content that is due
        // behind DATA, or has come with LAST.
        else if (good || command.content)
          line.transactionOpen = !good || (command !== DATA && /mail|data/.test(phase));
        if (
          !good &&
          phase !== 'final' &&
          // One refused recipient is a value; the last one fails the message. All commands but one are RCPT.
          (!address ||
            code < 400 ||
            rejected.push({ address, reply }) > commands.length - 2 ||
            whole)
        ) {
          failed ??= command;
          refusal ??= reply;
        }
        if (failed && written <= at + 1) break;
      }
      const sent = command.phase === 'final';
      if (!failed && !sent) {
        // What is left of a known size goes by one BDAT, content of unknown size by chunks.
        const chunks = chunked && size === undefined;
        let header = chunked ? bdat((size as number) - data.octets, true) : '';
        iterator = (source as Partial<AsyncIterable<Uint8Array>>)[Symbol.asyncIterator]?.();
        do {
          const content = yield* read(chunks ? CHUNK_OCTETS : 1);
          if (chunks) header = bdat(content.length, ended);
          const phase = ended ? 'final' : chunks ? 'data' : undefined;
          line.write({
            line: header,
            content,
            phase,
            text: header.trimEnd() || (ended ? `(${data.octets} octets)` : undefined),
          });
          header = '';
          if (phase === 'data') {
            reply = (yield) as Reply;
            if (reply.code >= 300) throw refusedContent('content', reply, { rejected });
          }
        } while (!ended);
        reply = (yield) as Reply;
      }
      const each = reply.code === 353;
      if ((!failed || sent) && (each || line.lmtp)) {
        // RFC 2033 §4.2: a final reply for each recipient that was accepted. With PRDR they stand between 353 and
        // the final reply for the message.
        replies = [];
        for (const [at, address] of accepted.splice(0).entries()) {
          if (each || at) {
            line.expect(line.lmtp && { accepted: [...accepted], rejected: [...rejected] });
            reply = (yield) as Reply;
          }
          if (reply.code < 300) {
            accepted.push(address);
            replies.push(reply);
          } else if (reply.code < 400) throw refusedContent('final', reply, { accepted, rejected });
          else rejected.push({ address, reply });
        }
        if (each) {
          line.expect();
          reply = (yield) as Reply;
        } else reply = replies.at(-1) ?? reply;
      }
      if (!failed || !refusal) break;
      const refused = refusal.code >= 400 && failed !== RSET;
      // RFC 2920 §3.1: a server that has accepted DATA without an envelope gets the lone dot. Where RSET was refused, or
      // a recipient was not, somebody might get it as an empty message: the connection is given up instead.
      if (command === DATA && reply.code === 354 && refused && !accepted[0]) {
        line.write({ content: END_OF_DATA, phase: 'data' });
        reply = (yield) as Reply;
      }
      // Haraka answers 503 to what stands behind content: nothing of it was done. It is said again, by itself.
      if (
        behind &&
        failed === group[0] &&
        refusal.code === 503 &&
        reply.code >= 400 &&
        line.again()
      ) {
        accepted.length = rejected.length = 0;
        yield;
        continue;
      }
      throw fault(
        // RFC 4954 §6: 530 asks for authentication.
        refusal.code === 530 ? 'ERR_SMTP_AUTH' : 'ERR_SMTP_REPLY',
        `send ${failed.line.trimEnd()}`,
        failed.phase,
        {
          reply: refusal,
          rejected,
          delivery:
            refused || (sent && reply.code >= 400) ? 'rejected' : sent ? 'unknown' : 'not-sent',
        },
      );
    }
    line.transactionOpen = chunked && reply.code >= 300;
    if (!accepted[0] || reply.code >= 300) throw refusedContent('final', reply, { rejected });
    return {
      accepted,
      rejected,
      reply,
      ...(replies && { replies }),
      octets: data.octets,
      roundTrips: line.waited,
    };
  } catch (error) {
    throw contentFault(error);
  } finally {
    // Nobody waits for the source to close: whether it can makes no difference any more.
    (async () => iterator?.return?.())().catch(() => {});
  }
}
