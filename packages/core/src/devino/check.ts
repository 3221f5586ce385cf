/**
 * The provider's rules, held against a message before anything is sent. Some of what they forbid
 * is refused with a 554; the rest is accepted and done otherwise than meant, without any error: of
 * several recipients, only the first gets the message.
 *
 * Knows a message by its shape only, and judges no more of it than the rules name.
 */
import { unusable } from '../wire/command.ts';
import { parsePath } from '../wire/path.ts';
import {
  type DevinoGrade,
  MAX_SIZE,
  SIZE_WARNING,
  UNSUBSCRIBE_TAG,
  WEB_VERSION_TAG,
} from './limits.ts';
import { findMailbox, isText } from './mailbox.ts';

/**
 * What `check` looks at. An `OutgoingMessage` of @posthorn/core has this shape, and so has a message
 * composed by @posthorn/mime, of which more is known.
 *
 * @example
 * ```ts
 * import type { DevinoMessage } from '@posthorn/core/devino';
 *
 * const message: DevinoMessage = {
 *   from: 'shop@example.com',
 *   to: 'user@example.com',
 *   size: 2_000,
 *   textParts: ['Your order is on its way. [WebVersion] [Unsubscribe]'],
 * };
 * ```
 */
export interface DevinoMessage {
  /** The reverse-path: `local@domain`. */
  readonly from: string;
  /** The forward-paths, each `local@domain`. */
  readonly to: string | readonly (string | { readonly address: string })[];
  /** The content. Only measured, and only where it is in memory: a string or octets. */
  readonly content?: unknown;
  /** Octets with CR LF line ends, where known. Content in memory is measured instead. */
  readonly size?: number | undefined;
  /** Octets that the message has at least, where its size is not known. Default 0. */
  readonly minimumSize?: number | undefined;
  /** Every file in the message, inline images included. Default: none. */
  readonly attachments?: readonly unknown[] | undefined;
  /** Each text that a reader may be shown, decoded: the plain one, the HTML one. */
  readonly textParts?: readonly string[] | undefined;
  /** The number of addresses in the header To. Default: not judged. */
  readonly toCount?: number | undefined;
}

/**
 * Which rule a message breaks; a rule with a documented refusal has the name of its reason.
 *
 * - `recipient-count`: not one recipient, in the envelope or in the header To
 * - `invalid-recipient`: a recipient is no mailbox
 * - `sender-not-confirmed`: the sender is no mailbox, or not among the confirmed ones
 * - `attachments`: the message has files
 * - `too-large`, `size-unknown`: the size is over a limit, or cannot be told
 * - `tag-missing`, `tags-unknown`: the text lacks a tag, or cannot be seen
 */
export type DevinoRule =
  | 'recipient-count'
  | 'invalid-recipient'
  | 'sender-not-confirmed'
  | 'attachments'
  | 'too-large'
  | 'size-unknown'
  | 'tag-missing'
  | 'tags-unknown';

/** One rule that the message breaks; `check` has an example. */
export interface DevinoProblem {
  /** Which rule. */
  readonly rule: DevinoRule;
  /** `error`: it will be refused, or not arrive as meant. `warning`: it may be. */
  readonly severity: 'error' | 'warning';
  /** What is wrong, and the cure. */
  readonly message: string;
  /** How sure it is that the provider has this rule. */
  readonly grade: DevinoGrade;
  /** What is allowed, in octets or as a count. */
  readonly limit?: number;
  /** What the message has, in octets or as a count; at least that, where the size is not known. */
  readonly actual?: number;
  /** `actual - limit`. */
  readonly excess?: number;
  /** The recipient or sender that the problem is about. */
  readonly address?: string;
  /** The missing tag. */
  readonly tag?: string;
  /** Which of `textParts` have no such tag: indexes from 0. */
  readonly parts?: readonly number[];
}

/**
 * Choices that the page of the provider leaves open.
 *
 * @example
 * ```ts
 * import type { DevinoCheckOptions } from '@posthorn/core/devino';
 *
 * const strict: DevinoCheckOptions = { tags: 'reject', maxSize: 500_000 };
 * ```
 */
export interface DevinoCheckOptions {
  /** What a missing tag is: nothing, a warning or an error. Default `warn`: no 554 text is for it. */
  readonly tags?: 'off' | 'warn' | 'reject' | undefined;
  /** The sender addresses that the account has confirmed. Default: any mailbox is taken. */
  readonly confirmedSenders?: readonly string[] | undefined;
  /** Octets above which a message is an error. Default 512,000. */
  readonly maxSize?: number | undefined;
  /** Octets above which a message is a warning. Default 500,000. */
  readonly sizeWarning?: number | undefined;
}

/**
 * Lists the provider's rules that a message breaks. Empty: none that can be seen from here.
 *
 * @param message - what is to be sent: composed by @posthorn/mime, or as `send` takes it
 * @param options - default: a missing tag is a warning, and so are more than 500,000 octets; more
 *   than 512,000 are an error
 * @returns the problems in a fixed order: recipients, sender, files, size, tags
 * @throws nothing for a bad message
 *
 * @example
 * ```ts
 * import { check } from '@posthorn/core/devino';
 *
 * const problems = check({
 *   from: 'shop@example.com',
 *   to: ['user@example.com'],
 *   size: 512_001,
 *   textParts: ['<a href="[WebVersion]">Open</a> <a href="[Unsubscribe]">Unsubscribe</a>'],
 * });
 * console.log(problems.map(({ rule, severity, excess }) => [rule, severity, excess]));
 * // [ [ 'too-large', 'error', 1 ] ]
 * ```
 */
export function check(
  message: DevinoMessage,
  options: DevinoCheckOptions = {},
): readonly DevinoProblem[] {
  return [
    ...recipients(message),
    ...mailbox('sender-not-confirmed', message.from, 'from', options.confirmedSenders),
    ...files(message),
    ...size(message, options),
    ...tags(message, options),
  ];
}

function* recipients({ to, toCount }: DevinoMessage): Generator<DevinoProblem> {
  const list: readonly unknown[] = [to ?? []].flat();
  const actual = [list.length, toCount].filter(isCount).find((number) => number !== 1);
  if (actual !== undefined)
    yield count(
      'recipient-count',
      actual,
      1,
      'recipients',
      'only the first in To gets it, so send one to each',
    );
  for (const [at, item] of list.entries()) {
    const { address = item } = (item ?? {}) as { readonly address?: unknown };
    yield* mailbox('invalid-recipient', address, `to[${at}]`);
  }
}

function* mailbox(
  rule: DevinoRule,
  value: unknown,
  where: string,
  confirmed?: readonly string[],
): Generator<DevinoProblem> {
  const address = isText(value) ? value : '';
  try {
    parsePath(address, where);
    if (confirmed && findMailbox(confirmed, address) === undefined)
      throw unusable(address, `${where}: it is not confirmed in the account`);
  } catch (error) {
    yield problem(rule, (error as Error).message, { address });
  }
}

function* files({ attachments }: DevinoMessage): Generator<DevinoProblem> {
  const { length } = [attachments ?? []].flat();
  if (length > 0) yield count('attachments', length, 0, 'files', 'link to them in the text');
}

function* size(
  { content, size, minimumSize }: DevinoMessage,
  { maxSize = MAX_SIZE, sizeWarning = SIZE_WARNING }: DevinoCheckOptions,
): Generator<DevinoProblem> {
  const known = [octetsOf(content), size].find(isCount);
  const actual = [known, minimumSize].find(isCount) ?? 0;
  const [limit, doubt] =
    actual > maxSize ? [maxSize] : [sizeWarning, { severity: 'warning', grade: 'guess' } as const];
  const what = `octets${known === undefined ? ' or more' : ''}`;
  if (actual > limit) yield { ...count('too-large', actual, limit, what, 'shorten it'), ...doubt };
  if (known === undefined && doubt)
    yield problem('size-unknown', 'The message has parts of unknown size: give the size of each', {
      severity: 'warning',
      limit: maxSize,
    });
}

function* tags(
  { textParts }: DevinoMessage,
  { tags: mode = 'warn' }: DevinoCheckOptions,
): Generator<DevinoProblem> {
  if (mode === 'off') return;
  const severity = mode === 'reject' ? 'error' : 'warning';
  if (!textParts)
    return yield problem('tags-unknown', 'The message has a text of unknown tags: give textParts', {
      severity,
    });
  const texts: readonly unknown[] = [textParts].flat();
  for (const tag of [UNSUBSCRIBE_TAG, WEB_VERSION_TAG]) {
    const parts = texts.flatMap((text, at) => (isText(text) && text.includes(tag) ? [] : [at]));
    if (parts.length === 0 && texts.length > 0) continue;
    yield problem('tag-missing', `The text has no ${tag}: link to it, as <a href="${tag}">`, {
      severity,
      // That the tag must be there is documented; that each text needs its own is ours.
      grade: parts.length < texts.length ? 'guess' : 'documented',
      tag,
      parts,
    });
  }
}

function problem(rule: DevinoRule, message: string, more: Partial<DevinoProblem>): DevinoProblem {
  return { rule, severity: 'error', grade: 'documented', message, ...more };
}

function count(
  rule: DevinoRule,
  actual: number,
  limit: number,
  what: string,
  cure: string,
): DevinoProblem {
  const message = `The message has ${actual} ${what} and may have ${limit}: ${cure}`;
  return problem(rule, message, { limit, actual, excess: actual - limit });
}

function isCount(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

/**
 * Content in memory, in octets as they go on the wire: every line, the last one too, ends with CR LF
 * there. Bare CRs, which become CR LF as well, are not looked for.
 */
function octetsOf(content: unknown): number | undefined {
  const octets = isText(content) ? new TextEncoder().encode(content) : content;
  if (!(octets instanceof Uint8Array)) return undefined;
  const bare = octets.filter((octet, at) => octet === 10 && octets[at - 1] !== 13);
  return octets.length + bare.length + (octets.at(-1) === 10 ? 0 : 2);
}
