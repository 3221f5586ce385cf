/**
 * One mail transaction (RFC 5321 §3.3): MAIL, RCPT…, and the content by DATA or BDAT (RFC 3030). With PIPELINING
 * the commands go out as one group (RFC 2920 §3.1), else each waits for its reply.
 */
import type { RejectedRecipient } from '../errors.ts';
import { fault } from '../errors.ts';
import { concatenate, NOTHING } from '../wire/octets.ts';
import type { Reply } from '../wire/reply.ts';
import { createTransparency } from '../wire/transparency.ts';
import { contentFault, refusedContent } from './content.ts';
import type { Envelope, EnvelopeCommand, SendOptions } from './envelope.ts';
import { WRITE_OCTETS } from './limits.ts';
import { ask, type Command, type Line, type Procedure } from './procedure.ts';

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
const bdat = (octets: number, last: boolean | undefined): string =>
  `BDAT ${octets}${last ? ' LAST' : ''}\r\n`;

/**
 * One mail transaction (RFC 5321 §3.3), for `start()` of an open session.
 *
 * @throws SmtpError where the server, the content or the connection fails it; its `delivery` says what became of the message
 */
export function* transaction(
  line: Line,
  envelope: Envelope,
  options: Pick<SendOptions, 'onProgress' | 'partial'>,
): Procedure<TransactionResult> {
  const { commands, source, size, by, as } = envelope;
  const whole = options.partial === 'abort';
  const chunked = by !== 'DATA';
  const accepted: string[] = [];
  const rejected: RejectedRecipient[] = [];
  let replies: Reply[] | undefined;
  let pieces: Uint8Array[] = [];
  const data = createTransparency(as, (piece) => pieces.push(piece));
  let iterator: AsyncIterator<Uint8Array> | undefined;
  let rest = source instanceof Uint8Array ? source : NOTHING;
  let ended: boolean | undefined;
  /** Whether what is run is the source, or the callback of the caller. */
  let reading = false;
  /** What was answered last of the envelope, if anything was, and how. */
  let command!: EnvelopeCommand;
  let reply!: Reply;
  const limit = line.capabilities.size;
  /** A final reply for one recipient that says neither. */
  let unclear: Reply | undefined;
  /** What the server has just said of a recipient. */
  const judge = (address: string): void => {
    if (reply.code < 300) {
      accepted.push(address);
      replies?.push(reply);
    } else if (reply.code >= 400) rejected.push({ address, reply });
    else if (replies) unclear = reply;
  };
  /** Makes mail data of what was read: of no more than a write at a time. */
  const push = (): void => {
    data.push(rest.subarray(0, WRITE_OCTETS));
    rest = rest.subarray(WRITE_OCTETS);
    ended = !rest.length && !iterator;
    if (ended) data.end();
  };
  /**
   * The next part of the content, as it is written.
   *
   * @param chunk - whether it has a BDAT of its own
   */
  const part = (chunk: boolean): Command => {
    // A declared size is a promise to the server, and to whoever counts on a whole message.
    if (data.octets > (size as number) || (ended && data.octets < (size as number)))
      throw new Error('size differs');
    options.onProgress?.(data.octets, size);
    const content = concatenate(pieces);
    pieces = [];
    // Where all are to get it or none, what goes with the envelope is never the last.
    const last = ended && !(whole && !command);
    return {
      line: chunk ? bdat(content.length, last) : '',
      content,
      phase: chunked && last ? 'final' : chunk ? 'data' : undefined,
    };
  };
  try {
    const behind = !!line.waiting;
    // RFC 3030 §2: what a failed BDAT leaves behind is indeterminate, and so is what one may leave that is not
    // answered yet. What a transaction before has left open is ended in the same group: it costs no wait.
    const all = line.open || (chunked && behind) ? [RSET, ...commands] : [...commands];
    if (!chunked) all.push(DATA);
    // The first part of what is in memory goes out with the envelope: of a small message the whole.
    else if (rest === source) {
      reading = true;
      push();
      all.push(part(true) as EnvelopeCommand);
      reading = false;
    }
    const groups =
      line.pipelining === 'off'
        ? all.map((command) => [command])
        : // Where all are to get it or none, DATA waits until it is known who would.
          whole && !chunked
          ? [all, all.splice(-1)]
          : [all];
    let failed: EnvelopeCommand | undefined;
    let refusal!: Reply;
    for (const group of groups) {
      if (failed) break;
      for (const next of group) line.write(next);
      for (command of group) {
        reply = (yield) as Reply;
        if (command.address) judge(command.address);
        // One refused recipient is a value; the last one fails the message. All commands but one are RCPT.
        if (
          command.phase !== 'final' &&
          (command === DATA ? reply.code !== 354 : reply.code >= 300) &&
          (!command.address || reply.code < 400 || whole || !commands[rejected.length + 1]) &&
          !failed
        ) {
          failed = command;
          refusal = reply;
        }
      }
    }
    let sent: boolean | undefined = command.phase === 'final';
    // MAIL opens a transaction, and a chunk leaves it open, if it is not the last one, or is refused.
    line.open = command.content
      ? !sent || reply.code >= 300
      : failed
        ? failed !== commands[0]
        : chunked;
    if (!failed && !sent) {
      // What is left of a known size goes by one BDAT, content of unknown size by chunks.
      if (chunked && size) line.write({ line: bdat(size - data.octets, true) });
      while (!sent) {
        const chunk = chunked && !size;
        const enough = data.octets + (chunk ? WRITE_OCTETS : 1);
        reading = true;
        // The source is not touched before it is known that somebody is to get the message.
        iterator ??= (source as Partial<AsyncIterable<Uint8Array>>)[Symbol.asyncIterator]?.();
        // What reaches the declared size is held back until it is known to be the end.
        // biome-ignore lint/suspicious/noDoubleEquals: it may have come as text
        while (!ended && (data.octets < enough || data.octets == size)) {
          // Goes on when what was written before has been taken: no more than this waits in memory.
          if (iterator || data.octets) {
            const next = yield* ask('content', () =>
              rest.length ? { value: rest } : (iterator as AsyncIterator<Uint8Array>).next(),
            );
            if (next.done) iterator = undefined;
            else rest = next.value;
          }
          push();
        }
        const next = part(chunk);
        reading = false;
        if (data.octets > (limit as number))
          throw fault('TOO_LARGE', `send the message: the server accepts ${limit}`, 'content');
        line.write(next);
        sent = ended;
        // RFC 5321 §4.1.1.4: the content ends with CR LF, and is ended by a dot.
        if (sent && !chunked)
          line.write({ line: '.\r\n', phase: 'final', text: `(${data.octets} octets)` });
        if (sent || next.phase) {
          reply = (yield) as Reply;
          if (!sent && reply.code >= 300) throw refusedContent('content', reply, { rejected });
        }
      }
    }
    const announced = sent && reply.code === 353;
    if (announced || (sent && line.lmtp)) {
      // RFC 2033 §4.2: a final reply for each recipient that was accepted. With PRDR they stand between 353 and
      // the final reply for the message.
      replies = [];
      let due = announced;
      for (const address of accepted.splice(0)) {
        if (due) {
          line.expect(!announced && { rejected: [...rejected], accepted: [...accepted] });
          reply = (yield) as Reply;
        }
        judge(address);
        due = true;
      }
      if (announced) {
        line.expect();
        reply = (yield) as Reply;
      } else reply = replies.at(-1) ?? reply;
    }
    reply = unclear ?? reply;
    if (failed) {
      const refused = refusal.code >= 400 && failed !== RSET;
      const nobody = refused && !commands[rejected.length + 1];
      // RFC 2920 §3.1: a server that has accepted DATA without an envelope gets the lone dot. Where RSET was refused, or
      // a recipient was not, somebody might get it as an empty message: the connection is given up instead.
      if (command === DATA && reply.code === 354 && nobody) {
        line.write({ line: '.\r\n', phase: 'data', text: '' });
        line.open = false;
        reply = (yield) as Reply;
      }
      // Haraka answers 503 to what stands behind content: nothing of it was done. It is said again, by itself.
      if (
        behind &&
        failed === all[0] &&
        refusal.code === 503 &&
        reply.code >= 400 &&
        line.again()
      ) {
        yield;
        return yield* transaction(line, envelope, options);
      }
      throw refusedContent(
        failed.phase,
        refusal,
        { rejected },
        failed.line.trimEnd(),
        sent,
        sent ? reply.code >= 400 || nobody : refused,
      );
    }
    // With PRDR nobody has it before the final reply says so.
    if (!accepted[0] || reply.code >= 300)
      throw refusedContent('final', reply, {
        rejected,
        ...(!announced && replies && { accepted }),
      });
    line.open = false;
    return {
      accepted,
      rejected,
      reply,
      ...(replies && { replies }),
      octets: data.octets,
      roundTrips: line.waited,
    };
  } catch (error) {
    // Whatever a source or a callback throws, an error of another session too, it is the content that has failed.
    throw reading ? contentFault(error) : error;
  } finally {
    // Nobody waits for the source to close: whether it can makes no difference any more.
    if (iterator) (async () => iterator.return?.())().catch(() => {});
  }
}
