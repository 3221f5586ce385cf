/**
 * Octets into replies (RFC 5321 §4.2), incrementally and within bounds: the same replies come out
 * however the octets were cut. Knows no session; what it cannot accept it throws.
 *
 *   Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 */
import { LF, MAX_REPLY, MAX_REPLY_LINE } from './limits.ts';
import { concatenate } from './octets.ts';
import { makeReply, type Reply } from './reply.ts';

/** Collects octets by `push` and gives whole replies by `next`. */
export interface ReplyParser {
  /** Whether octets are held that have not become a reply yet. */
  readonly pending: boolean;
  /** Takes octets as the transport gave them. They must not change later. */
  push(octets: Uint8Array): void;
  /**
   * The next whole reply, or undefined until more octets come.
   *
   * @throws Error where the octets are no reply, or exceed the bounds
   */
  next(): Reply | undefined;
}

export function createReplyParser(): ReplyParser {
  let held: Uint8Array = new Uint8Array(0);
  /** The unfinished reply, and the text of its lines. */
  let reply = '';
  const lines: string[] = [];
  const decoder = new TextDecoder();
  return {
    get pending() {
      return held.length + reply.length > 0;
    },
    push(octets) {
      held = concatenate([held, octets]);
    },
    next() {
      for (;;) {
        const room = Math.min(MAX_REPLY_LINE, MAX_REPLY - reply.length);
        const end = held.indexOf(LF) + 1;
        if (!end && held.length <= room) return undefined;
        // Control characters but TAB and a line end are replaced.
        const line = decoder
          .decode(held.subarray(0, end || room))
          .replace(/(?!\r?\n)[^\P{Cc}\t]/gu, '\ufffd');
        reply += line;
        // RFC 5321 §4.2.1: each line of a reply has the same code, so the line is looked at behind it. The second
        // digit can be any (§4.2: clients act on the first), the third too.
        // RFC 5321 §2.3.8: a line ends with CR LF and with nothing else, so a CR must stand before the LF.
        if (end > room || !/^([2-5]\d\d)\1([ -].*)?\r\n/s.test(reply.slice(0, 3) + line))
          throw new Error(`not a reply, or too long: ${JSON.stringify(reply.slice(0, 80))}`);
        held = held.subarray(end);
        lines.push(line.slice(4, -2));
        if (line[3] !== '-') {
          reply = '';
          return makeReply(Number(line.slice(0, 3)), lines.splice(0));
        }
      }
    },
  };
}
