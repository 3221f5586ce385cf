/**
 * The six documented refusals of the provider, told by their text. The code is no help: it is 554
 * for all of them, at whatever stage they come.
 */
import type { Reply } from '../wire/reply.ts';
import { isText } from './mailbox.ts';
import { normalise, printable, readAddress, readFileKind } from './refusal-text.ts';
import { type DevinoReason, type DevinoRefusal, type DevinoRetry, REFUSALS } from './refusals.ts';

/**
 * What is known of the message that was refused.
 *
 * @example
 * ```ts
 * import { explain } from '@posthorn/core/devino';
 *
 * const text = 'Invalid recipient address: USER@EXAMPLE.COM';
 * const why = explain({ code: 554, lines: [text], text }, { recipients: ['user@example.com'] });
 * console.log(why?.address); // user@example.com
 * ```
 */
export interface DevinoContext {
  /** The recipients that the reply may speak of. Default: the one of a rejected recipient, else none. */
  readonly recipients?: readonly string[] | undefined;
  /** The reverse-path of the envelope. Default: not known. */
  readonly sender?: string | undefined;
}

/** What a refusal means; `explain` has an example. */
export interface DevinoExplanation {
  /** Which of the documented refusals it is. */
  readonly reason: DevinoReason;
  /**
   * The refused address, for `invalid-recipient` and `sender-not-confirmed`: in the spelling of the
   * envelope where it is there, else as the server wrote it. It need not be an address by any
   * grammar, and for a sender it may be the header From instead of the reverse-path.
   */
  readonly address?: string;
  /** The forbidden file extension, for `attachment-type`: lower case, without its dot. */
  readonly extension?: string;
  /** The forbidden media type, lower case, where the server names that instead. */
  readonly type?: string;
  /** The server named no address, and `address` is the only one that it can have meant. */
  readonly assumed?: true;
  /** What to do; always `later` for a 4yz code. */
  readonly retry: DevinoRetry;
  /** The text of the reply, as it came but for control characters: those are U+FFFD. */
  readonly text: string;
  /** The code of the reply. */
  readonly code: number;
}

type Details = Pick<DevinoExplanation, 'address' | 'assumed' | 'extension' | 'type'>;

/**
 * Says what a refusal of the provider means.
 *
 * The documented texts are recognised in any 4yz or 5yz reply, at any stage, in any case, on one
 * line or several, with or without enhanced status codes and the words "Transaction failed". A text
 * at the start of the reply counts first, so that no echoed address can change the reason; a text
 * further on counts only where it is the only one, outside quoted local parts.
 *
 * A 4yz code is temporary whatever its text says (RFC 5321 §4.2.1): `retry` is then `later`. Beside
 * the texts, code 535 is `not-authenticated` (RFC 4954 §6). Linear in the length of the reply, of
 * which 4096 characters are read.
 *
 * @param replyOrError - a Reply, or anything with a `reply`: an SmtpError, a rejected recipient
 * @param context - what is known of the envelope: completes the address, and corrects its spelling.
 *   Default: nothing but the address of a rejected recipient
 * @returns `undefined` for a text that is none of the documented ones, for a reply that refuses
 *   nothing, and for anything that has no reply
 * @throws nothing
 *
 * @example
 * ```ts
 * import { explain } from '@posthorn/core/devino';
 *
 * const text = 'Invalid recipient address: <user@example.com>';
 * const why = explain({ code: 554, lines: [text], text });
 * console.log(why?.reason, why?.address, why?.retry); // invalid-recipient user@example.com never
 * ```
 */
export function explain(
  replyOrError: unknown,
  context?: DevinoContext,
): DevinoExplanation | undefined {
  const { reply, address } = Object(replyOrError);
  const { code, lines, text }: Partial<Reply> = Object(reply ?? replyOrError);
  if (typeof code !== 'number' || !(code >= 400 && code < 600)) return undefined;
  const given = [lines ?? text].flat().filter(isText);
  const found = find(normalise(code, given));
  // "535 5.7.8 Authentication credentials invalid". Not 530, which asks for STARTTLS as well.
  const refusal = found ?? (code === 535 && REFUSALS[0]);
  if (!refusal) return undefined;
  return {
    reason: refusal.reason,
    ...(found && details(found, { recipients: [address].filter(isText), ...context })),
    retry: code < 500 ? 'later' : refusal.retry,
    text: printable(isText(text) ? text : given.join(' ')),
    code,
  };
}

/** A refusal, where the text names it, and what stands behind its words. */
type Found = DevinoRefusal & { readonly at: number; readonly rest: string };

function find(text: string): Found | undefined {
  // A quoted local part may hold a documented text: `"Internal server error"@example.com`. So no
  // blank is left from the first quote to the last that ends a local part.
  const masked = text
    .replace(/\n/g, ' ')
    .replace(/"(.*"@)?/, (quoted) => quoted.replace(/ /g, '_'));
  const matches = REFUSALS.flatMap((refusal) => {
    // The page spells it "attachement".
    const words = RegExp(refusal.text.replace('hem', 'he?m').replace(':', ''), 'i');
    const [match] = words.exec(masked) ?? [];
    const at = masked.search(words);
    return match ? { ...refusal, at, rest: text.slice(at + match.length) } : [];
  });
  return matches.find(({ at }) => at === 0) ?? (matches[1] ? undefined : matches[0]);
}

function details({ reason, rest, text }: Found, { recipients, sender }: DevinoContext): Details {
  if (reason === 'attachment-type') {
    const kind = readFileKind(rest);
    return kind ? { [kind.includes('/') ? 'type' : 'extension']: kind } : {};
  }
  if (!/:$/.test(text)) return {};
  const known = [reason === 'invalid-recipient' ? recipients : sender].flat().filter(isText);
  const address = readAddress(rest, known);
  if (address) return { address };
  return known.length === 1 ? { address: known.join(), assumed: true } : {};
}
