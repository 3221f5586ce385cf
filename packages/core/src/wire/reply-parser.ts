/**
 * Octets into replies (RFC 5321 §4.2), incrementally and within bounds: the same replies come out
 * however the octets were cut. Knows no session; what it cannot accept it throws.
 *
 *   Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 */
import { concatenate } from './octets.ts';
import { makeReply, type Reply } from './reply.ts';

/** The longest reply line accepted, in octets with its CRLF. RFC 5321 §4.5.3.1.5 asks for 512. */
export const MAX_REPLY_LINE = 4_096;
/** The longest reply accepted, in octets over all its lines. */
export const MAX_REPLY = 65_536;

// The second digit is not looked at (RFC 5321 §4.2: clients act on the first), the third neither.
// RFC 5321 §2.3.8: a line ends with CR LF and with nothing else, so a CR must stand before the LF.
const REPLY_LINE = /^([2-5]\d\d)(?:([ -])(.*))?\r\n$/s;
/** Control characters but TAB. */
const CONTROL = /[^\P{Cc}\t]/gu;
const printable = (text: string): string => text.replace(CONTROL, '\ufffd');
const decoder: TextDecoder = /*#__PURE__*/ new TextDecoder();

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
  let code = '';
  let lines: string[] = [];
  /** Octets of `lines`. */
  let size = 0;
  return {
    get pending() {
      return held.length + size > 0;
    },
    push(octets) {
      held = concatenate([held, octets]);
    },
    next() {
      for (;;) {
        const end = held.indexOf(10) + 1;
        const length = end || held.length;
        if (length > MAX_REPLY_LINE || size + length > MAX_REPLY)
          throw new Error('a reply is too long');
        if (!end) return undefined;
        const line = decoder.decode(held.subarray(0, end));
        const [, digits, separator, text = ''] = REPLY_LINE.exec(line) ?? [];
        // RFC 5321 §4.2.1: each line of a reply has the same code.
        if (!digits || (size && code !== digits))
          throw new Error(`this is no reply: ${printable(JSON.stringify(line.slice(0, 80)))}`);
        held = held.subarray(end);
        size += end;
        code = digits;
        lines.push(printable(text));
        if (separator !== '-') {
          const reply = makeReply(Number(code), lines);
          lines = [];
          size = 0;
          return reply;
        }
      }
    },
  };
}
