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
  /** What follows the last line end. */
  let held = NOTHING;
  /** Whole lines that were not taken yet: what comes at once is decoded at once. */
  let lines = '';
  /** The unfinished reply. */
  let reply = '';
  const decoder = new TextDecoder();
  return (octets, silent) => {
    held = concatenate([held, octets]);
    const whole = held.lastIndexOf(LF) + 1;
    if (whole) {
      // Control characters but TAB and a line end are replaced. A BOM is left out before the first line of all.
      lines += decoder
        .decode(held.subarray(0, whole), { stream: true })
        .replace(/[^\P{Cc}\t\n](?<!\r(?=\n))/gu, '\ufffd');
      held = held.subarray(whole);
    }
    for (;;) {
      const end = lines.indexOf('\n') + 1;
      // What has no end yet may be as long as a line can be: a character has up to three octets.
      if (!end && held.length <= (silent ? -reply.length : 3 * MAX_REPLY_LINE)) return undefined;
      const line = lines.slice(0, end);
      lines = lines.slice(end);
      reply += line;
      // RFC 5321 §4.2.1: each line of a reply has the same code. The second digit can be any (§4.2: clients act on the
      // first), the third too.
      // RFC 5321 §2.3.8: a line ends with CR LF and with nothing else, so a CR must stand before the LF.
      if (
        silent ||
        !/^([2-5]\d\d)\1([ -].*)?\r/s.test(reply.slice(0, 3) + line) ||
        line.length > MAX_REPLY_LINE ||
        reply.length > MAX_REPLY
      )
        throw new Error(`no reply: ${JSON.stringify(reply.slice(0, 80))}`);
      if (line[3] !== '-') {
        const said = reply.slice(0, -2);
        reply = '';
        return said.replaceAll('\r', '');
      }
    }
  };
}
