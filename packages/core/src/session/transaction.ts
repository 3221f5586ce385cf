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
  const pieces: Uint8Array[] = [];
  const data = createTransparency(by, (piece) => pieces.push(piece));
  /** What the server said of each recipient. */
  let verdicts: RejectedRecipient[] = [];
  const chosen = (accepted: boolean): RejectedRecipient[] =>
    verdicts.filter(({ reply }) => reply.code < 300 === accepted);
  const outcome = (): Pick<TransactionResult, 'accepted' | 'rejected'> => ({
    accepted: chosen(true).map(({ address }) => address),
    rejected: chosen(false),
  });
  let iterator: AsyncIterator<Uint8Array> | undefined;
  let rest = source instanceof Uint8Array ? source : NOTHING;
  let ended = false;
  /** So many octets of mail data at the least, or all that is left. */
  const read = function* (least: number): Procedure<Uint8Array> {
    const begin = data.octets;
    while (!ended && (begin === data.octets || data.octets - begin < least)) {
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
    if (data.octets > (size as number) || (ended && data.octets !== (size ?? data.octets)))
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
    let reply!: Reply;
    let sent = false;
    for (;;) {
      const behind = line.overlapping;
      // RFC 3030 §2: what a failed BDAT leaves behind is indeterminate, and so is what one may leave that is not
      // answered yet. What a transaction before has left open is ended in the same group: it costs no wait.
      const all = [...(line.transactionOpen || (chunked && behind) ? [RSET] : []), ...commands];
      const groups =
        line.pipelining === 'off'
          ? [...all, ...body].map((command) => [command])
          : whole && !chunked
            ? [all, body]
            : [[...all, ...body]];
      let failed: EnvelopeCommand | undefined;
      let refusal!: Reply;
      line.transactionOpen = true;
      for (const group of groups) {
        if (failed) break;
        for (const command of group) line.write(command);
        if (line.pipelining === 'flight' && body[0]?.phase === 'final') line.release();
        for (const command of group) {
          const { address, phase } = command;
          reply = (yield) as Reply;
          sent = phase === 'final';
          // One refused recipient is a value; the last one fails the message. All commands but one are RCPT.
          if (address) verdicts.push({ address, reply });
          if (
            !sent &&
            (command === DATA ? reply.code !== 354 : reply.code >= 300) &&
            (!address || reply.code < 400 || whole || chosen(false).length > commands.length - 2) &&
            !failed
          ) {
            failed = command;
            refusal = reply;
          }
        }
      }
      if (!failed) break;
      const refused = refusal.code >= 400 && failed !== RSET;
      // RFC 2920 §3.1: a server that has accepted DATA without an envelope gets the lone dot. Where RSET was refused, or
      // a recipient neither accepted nor refused, somebody might get it as an empty message: the connection is given
      // up instead.
      if (reply.code === 354 && refused && !sent) {
        line.write({ content: END_OF_DATA, phase: 'data' });
        line.transactionOpen = false;
        reply = (yield) as Reply;
      }
      // Haraka answers 503 to what stands behind content: nothing of it was done. It is said again, by itself.
      if (behind && failed === all[0] && refusal.code === 503 && reply.code >= 400) {
        line.pipelining = 'envelope';
        verdicts = [];
        line.again();
        yield;
        continue;
      }
      const rejected = chosen(false);
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
          // What is refused for now for one recipient is worth another try for the message.
          retry: refused && rejected.some((one) => one.reply.code < 500) ? 'later' : undefined,
        },
      );
    }
    if (!sent) {
      // What is left of a known size goes by one BDAT, content of unknown size by chunks.
      const chunks = chunked && size === undefined;
      iterator = (source as Partial<AsyncIterable<Uint8Array>>)[Symbol.asyncIterator]?.();
      if (chunked && !chunks) line.write({ line: bdat((size as number) - data.octets, true) });
      do {
        const content = yield* read(chunks ? CHUNK_OCTETS : 1);
        const phase = ended ? 'final' : chunks ? 'data' : undefined;
        line.write({
          line: chunks ? bdat(content.length, ended) : '',
          content,
          phase,
          text: chunked ? undefined : phase && `(${data.octets} octets)`,
        });
        if (phase === 'data') {
          reply = (yield) as Reply;
          if (reply.code >= 300)
            throw refusedContent('content', reply, { rejected: chosen(false) });
        }
      } while (!ended);
      line.transactionOpen = chunked;
      if (!chunked || line.pipelining === 'flight') line.release();
      reply = (yield) as Reply;
    }
    // RFC 3030 §2: after a refused chunk nobody knows where the server stands.
    if (reply.code < 300) line.transactionOpen = false;
    const each = reply.code === 353;
    let replies: Reply[] | undefined;
    if (each || line.lmtp) {
      // RFC 2033 §4.2: a final reply for each recipient that was accepted. With PRDR they stand between 353 and
      // the final reply for the message.
      const due = chosen(true);
      verdicts = chosen(false);
      for (const [at, { address }] of due.entries()) {
        if (each || at) {
          line.expect(line.lmtp && outcome());
          reply = (yield) as Reply;
        }
        verdicts.push({ address, reply });
      }
      replies = chosen(true).map((verdict) => verdict.reply);
      if (each) {
        line.expect();
        reply = (yield) as Reply;
      } else reply = replies.at(-1) ?? reply;
    }
    const { accepted, rejected } = outcome();
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
