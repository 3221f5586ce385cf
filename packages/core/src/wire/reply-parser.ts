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
const REPLY_LINE = /^([2-5]\d\d)(?:([ -])(.*))?\r$/s;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it replaces
const CONTROL = /[\0-\x08\n-\x1f\x7f-\x9f]/g;
const decoder: TextDecoder = /*#__PURE__*/ new TextDecoder('utf-8', { ignoreBOM: true });

/** Collects octets by `push` and gives whole replies by `next`. */
export class ReplyParser {
  #octets: Uint8Array = new Uint8Array(0);
  #code = 0;
  #lines: string[] = [];
  #size = 0;

  /** Whether octets are held that have not become a reply yet. */
  get pending(): boolean {
    return this.#octets.length + this.#size > 0;
  }

  /** Takes octets as the transport gave them. They are not copied where they need not be, and must not change later. */
  push(octets: Uint8Array): void {
    this.#octets = this.#octets.length > 0 ? concatenate([this.#octets, octets]) : octets;
  }

  /**
   * The next whole reply, or undefined until more octets come.
   *
   * @param announced - whether the server has announced ENHANCEDSTATUSCODES; see {@link Reply.text}
   * @throws Error where the octets are no reply, or exceed the bounds
   */
  next(announced: boolean): Reply | undefined {
    for (;;) {
      const end = this.#octets.indexOf(10);
      const length = end < 0 ? this.#octets.length : end + 1;
      if (length > MAX_REPLY_LINE || this.#size + length > MAX_REPLY) {
        throw new Error('a reply is too long');
      }
      if (end < 0) return undefined;
      const line = decoder.decode(this.#octets.subarray(0, end));
      this.#octets = this.#octets.subarray(length);
      this.#size += length;
      const [, digits, separator, text = ''] = REPLY_LINE.exec(line) ?? [];
      const code = Number(digits);
      // RFC 5321 §4.2.1: each line of a reply has the same code.
      if (!code || (this.#lines.length > 0 && code !== this.#code)) {
        throw new Error(`this is no reply: ${JSON.stringify(line.slice(0, 80))}`);
      }
      this.#code = code;
      this.#lines.push(text.replace(CONTROL, '\ufffd'));
      if (separator !== '-') {
        const reply = makeReply(code, this.#lines, announced);
        this.#lines = [];
        this.#size = 0;
        return reply;
      }
    }
  }
}
