/**
 * Octets into replies (RFC 5321 §4.2), incrementally and within bounds: the same replies come out
 * however the octets were cut. Knows no session; what it cannot accept it throws.
 *
 *   Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 */
import { LF, MAX_REPLY, MAX_REPLY_LINE } from './limits.ts';
import { concatenate, NOTHING } from './octets.ts';

/**
 * Gives the next whole reply, LF between its lines and none behind the last; undefined until more octets come.
 *
 * @param octets - what the transport gave since the last call. They must not change later
 * @param silent - whether the server has to be silent: then octets of any kind are no reply
 * @throws Error where the octets are no reply, or exceed the bounds
 */
export type ReplyParser = (octets: Uint8Array, silent?: boolean) => string | undefined;

export function createReplyParser(): ReplyParser {
  let held = NOTHING;
  /** The unfinished reply. */
  let reply = '';
  const decoder = new TextDecoder();
  return (octets, silent) => {
    held = concatenate([held, octets]);
    for (;;) {
      const room = Math.min(MAX_REPLY_LINE, MAX_REPLY - reply.length);
      const end = held.indexOf(LF) + 1;
      if (!end && held.length <= (silent ? -reply.length : room)) return undefined;
      // Control characters but TAB and a line end are replaced.
      const line = decoder
        .decode(held.subarray(0, end || room))
        .replace(/(?!\r?\n)[^\P{Cc}\t]/gu, '\ufffd');
      reply += line;
      // RFC 5321 §4.2.1: each line of a reply has the same code, so the line is looked at behind it. The second
      // digit can be any (§4.2: clients act on the first), the third too.
      // RFC 5321 §2.3.8: a line ends with CR LF and with nothing else, so a CR must stand before the LF.
      if (silent || end > room || !/^([2-5]\d\d)\1([ -].*)?\r\n/s.test(reply.slice(0, 3) + line))
        throw new Error(`no reply: ${JSON.stringify(reply.slice(0, 80))}`);
      held = held.subarray(end);
      if (line[3] !== '-') {
        const whole = reply;
        reply = '';
        return whole.slice(0, -2).replaceAll('\r', '');
      }
    }
  };
}
