/**
 * The six documented refusals of the provider, told by their text. The code is no help: it is 554
 * for all of them, at whatever stage they come.
 */
import type { Reply } from '../wire/reply.ts';
import { normalise, printable, readAddress, readFileKind } from './refusal-text.ts';

/** Which documented refusal a reply is. */
export type DevinoReason =
  | 'not-authenticated'
  | 'server-error'
  | 'attachment-type'
  | 'too-large'
  | 'invalid-recipient'
  | 'sender-not-confirmed';

/** What to do: change something first, send the same later, or never send it again. */
export type DevinoRetry = 'fix-first' | 'later' | 'never';

/** What is known of the message that was refused. */
export interface DevinoContext {
  /** The recipients of the envelope that the reply may speak of. */
  readonly recipients?: readonly string[] | undefined;
  /** The reverse-path of the envelope. */
  readonly sender?: string | undefined;
}

/** What a refusal means. */
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
  /** The text of the reply, as it came. */
  readonly text: string;
  /** The code of the reply. */
  readonly code: number;
}

interface Refusal {
  readonly pattern: RegExp;
  readonly reason: DevinoReason;
  readonly retry: DevinoRetry;
}

const REFUSALS: readonly Refusal[] = [
  {
    pattern: /must\sauthenticate\sbefore\ssending\smail/i,
    reason: 'not-authenticated',
    retry: 'fix-first',
  },
  { pattern: /internal\sserver\serror/i, reason: 'server-error', retry: 'later' },
  // The page spells it "attachement".
  { pattern: /not\sallowed\sattache?ment\stype/i, reason: 'attachment-type', retry: 'fix-first' },
  { pattern: /message\sexceeds\sfixed\ssize\slimit/i, reason: 'too-large', retry: 'fix-first' },
  { pattern: /invalid\srecipient\saddress/i, reason: 'invalid-recipient', retry: 'never' },
  { pattern: /disallowed\ssource\saddress/i, reason: 'sender-not-confirmed', retry: 'fix-first' },
];

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
 * @param context - what is known of the envelope; completes and corrects the address
 * @returns `undefined` for a text that is none of the documented ones, for a reply that refuses
 *   nothing, and for anything that has no reply. Never throws.
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
  context: DevinoContext = {},
): DevinoExplanation | undefined {
  const reply = replyOf(replyOrError);
  if (!reply) return undefined;
  const { code } = reply;
  const normalised = normalise(reply);
  const found = find(normalised);
  // "535 5.7.8 Authentication credentials invalid". Not 530, which asks for STARTTLS as well.
  if (!found && code !== 535) return undefined;
  const { reason, retry }: Omit<Refusal, 'pattern'> = found?.refusal ?? {
    reason: 'not-authenticated',
    retry: 'fix-first',
  };
  return {
    reason,
    ...(found && detailsOf(reason, normalised.slice(found.end), context)),
    retry: code < 500 ? 'later' : retry,
    text: printable(typeof reply.text === 'string' ? reply.text : normalised),
    code,
  };
}

function replyOf(source: unknown): Reply | undefined {
  const { reply } = (source ?? {}) as { readonly reply?: unknown };
  const candidate = (reply ?? source ?? {}) as Partial<Reply>;
  const { code, lines, text } = candidate;
  const refuses = typeof code === 'number' && code >= 400 && code < 600;
  return refuses && (Array.isArray(lines) || typeof text === 'string')
    ? (candidate as Reply)
    : undefined;
}

/** The refusal that the text names, and where its own words end. */
function find(text: string): { readonly refusal: Refusal; readonly end: number } | undefined {
  const masked = maskQuoted(text);
  const matches = [];
  for (const refusal of REFUSALS) {
    const match = refusal.pattern.exec(masked);
    if (!match) continue;
    const place = { refusal, end: match.index + match[0].length };
    if (match.index === 0) return place;
    matches.push(place);
  }
  return matches.length === 1 ? matches[0] : undefined;
}

/**
 * A quoted local part may hold a documented text: `"Internal server error"@example.com`. The text
 * in the same length, without a blank from the first quote to the last that ends a local part.
 */
function maskQuoted(text: string): string {
  const start = text.indexOf('"');
  const end = text.lastIndexOf('"@');
  if (start < 0 || end < start) return text;
  return text.slice(0, start) + text.slice(start, end).replace(/\s/g, '_') + text.slice(end);
}

function detailsOf(
  reason: DevinoReason,
  rest: string,
  { recipients, sender }: DevinoContext,
): Partial<DevinoExplanation> {
  if (reason === 'attachment-type') {
    const kind = readFileKind(rest);
    if (kind === '') return {};
    return kind.includes('/') ? { type: kind } : { extension: kind };
  }
  const isSender = reason === 'sender-not-confirmed';
  if (!isSender && reason !== 'invalid-recipient') return {};
  const given: unknown = isSender ? [sender] : recipients;
  const known = Array.isArray(given) ? given.filter((item) => typeof item === 'string') : [];
  const address = readAddress(rest, known);
  if (address !== '') return { address };
  const [only] = known;
  return known.length === 1 && only !== undefined ? { address: only, assumed: true } : {};
}
