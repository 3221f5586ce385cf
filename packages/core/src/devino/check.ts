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
 * - `recipient-count`: not one recipient, in the envelope or in the header To; of several, only the first gets it
 * - `invalid-recipient`: a recipient is no mailbox
 * - `sender-not-confirmed`: the sender is no mailbox, or not among the confirmed ones
 * - `attachments`: the message has files; link to them in the text instead
 * - `too-large`, `size-unknown`: the size is over a limit, or cannot be told; declare the size of each file
 * - `tag-missing`, `tags-unknown`: the text lacks a tag, or cannot be seen; link to the tag, as `<a href="[Unsubscribe]">`
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
  /** What is wrong. */
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
  { from, to, content, size, minimumSize, attachments, textParts, toCount }: DevinoMessage,
  options: DevinoCheckOptions = {},
): readonly DevinoProblem[] {
  const problems: DevinoProblem[] = [];
  const add = (rule: DevinoRule, message: string, more: Partial<DevinoProblem>): void => {
    problems.push({ rule, severity: 'error', grade: 'documented', message, ...more });
  };
  const count = (
    rule: DevinoRule,
    actual: number,
    limit: number,
    what: string,
    more?: Partial<DevinoProblem>,
  ): void =>
    add(rule, `The message has ${actual} ${what} and may have ${limit}`, {
      limit,
      actual,
      excess: actual - limit,
      ...more,
    });
  const mailbox = (
    rule: DevinoRule,
    value: unknown,
    where: string,
    confirmed?: readonly string[],
  ): void => {
    const address = isText(value) ? value : '';
    try {
      parsePath(address, where);
      if (confirmed && findMailbox(confirmed, address) === undefined)
        throw unusable(address, `${where}: not confirmed`);
    } catch (error) {
      add(rule, (error as Error).message, { address });
    }
  };

  const recipients: readonly unknown[] = [to ?? []].flat();
  const several = [recipients.length, toCount].find((number) => isCount(number) && number !== 1);
  if (isCount(several)) count('recipient-count', several, 1, 'recipients');
  for (const [at, item] of recipients.entries()) {
    const { address = item } = Object(item);
    mailbox('invalid-recipient', address, `to[${at}]`);
  }
  mailbox('sender-not-confirmed', from, 'from', options.confirmedSenders);

  const { length } = [attachments ?? []].flat();
  if (length) count('attachments', length, 0, 'files');

  const { tags = 'warn', maxSize = MAX_SIZE, sizeWarning = SIZE_WARNING } = options;
  const known = [octetsOf(content), size].find(isCount);
  const actual = [known, minimumSize].find(isCount) ?? 0;
  const warning = { severity: 'warning', grade: 'guess' } as const;
  const unit = known === undefined ? 'octets or more' : 'octets';
  if (actual > maxSize) count('too-large', actual, maxSize, unit);
  else {
    if (actual > sizeWarning) count('too-large', actual, sizeWarning, unit, warning);
    if (known === undefined)
      add('size-unknown', 'The message has parts of unknown size', {
        severity: 'warning',
        limit: maxSize,
      });
  }

  const severity = tags === 'reject' ? 'error' : 'warning';
  if (tags === 'off') return problems;
  if (!textParts)
    add('tags-unknown', 'The message has parts of unknown text: give textParts', { severity });
  else
    for (const tag of [UNSUBSCRIBE_TAG, WEB_VERSION_TAG]) {
      const texts: readonly unknown[] = [textParts].flat();
      const parts = texts.flatMap((text, at) => (isText(text) && text.includes(tag) ? [] : [at]));
      if (parts.length || !texts.length)
        add('tag-missing', `A text has no ${tag}: add <a href="${tag}">`, {
          severity,
          // That the tag must be there is documented; that each text needs its own is ours.
          grade: parts.length < texts.length ? 'guess' : 'documented',
          tag,
          parts,
        });
    }
  return problems;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity;
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
