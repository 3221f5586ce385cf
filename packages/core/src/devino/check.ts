/**
 * The provider's rules, held against a message before anything is sent. Some of what they forbid
 * is refused with a 554; the rest is accepted and done otherwise than meant, without any error: of
 * several recipients, only the first gets the message.
 *
 * Knows a message by its shape only, and judges no more of it than the rules name.
 */
import { parsePath } from '../wire/path.ts';
import {
  type DevinoGrade,
  MAX_SIZE,
  SIZE_WARNING,
  UNSUBSCRIBE_TAG,
  WEB_VERSION_TAG,
} from './limits.ts';
import { findMailbox } from './mailbox.ts';

/** What `check` looks at. A message composed by @posthorn/mime has this shape. */
export interface DevinoMessage {
  /** The reverse-path. */
  readonly from: string;
  /** The recipients of the envelope. */
  readonly to: string | readonly (string | { readonly address: string })[];
  /** Octets on the wire before dot-stuffing, where known. */
  readonly size?: number | undefined;
  /** Octets that the message has at least, where its size is not known. */
  readonly minimumSize?: number | undefined;
  /** Every file in the message, inline images included. */
  readonly attachments?: readonly { readonly filename?: string | undefined }[] | undefined;
  /** Whether the message has a plain text. */
  readonly hasText?: boolean | undefined;
  /** Whether the message has an HTML text. */
  readonly hasHtml?: boolean | undefined;
  /** Each text that a reader may be shown, decoded: the plain one, the HTML one. */
  readonly textParts?: readonly string[] | undefined;
  /** The addresses in the header To, where known. */
  readonly toCount?: number | undefined;
  /** The BODY parameter of the envelope. */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME' | undefined;
  /** Whether the message needs SMTPUTF8. */
  readonly smtpUtf8?: boolean | undefined;
}

/** Which rule a message breaks; a rule with a documented refusal has the name of its reason. */
export type DevinoRule =
  | 'recipient-count'
  | 'to-count'
  | 'invalid-recipient'
  | 'sender-not-confirmed'
  | 'attachments'
  | 'too-large'
  | 'size-unknown'
  | 'tag-missing'
  | 'tags-unknown'
  | 'extension';

/** One rule that the message breaks. */
export interface DevinoProblem {
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

/** Choices that the page of the provider leaves open. */
export interface DevinoCheckOptions {
  /** What a missing tag is: nothing, a warning or an error. Default `warn`: no 554 text is for it. */
  readonly tags?: 'off' | 'warn' | 'reject' | undefined;
  /** The sender addresses that the account has confirmed. Default: senders are not judged. */
  readonly confirmedSenders?: readonly string[] | undefined;
  /** Octets above which a message is an error. Default 512,000. */
  readonly maxSize?: number | undefined;
  /** Octets above which a message is a warning. Default 500,000. */
  readonly sizeWarning?: number | undefined;
}

/**
 * Lists the provider's rules that a message breaks. Empty: none that can be seen from here.
 *
 * @param message - what is to be sent, as `compose` of @posthorn/mime gives it or by hand
 * @param options - see DevinoCheckOptions
 * @returns the problems in a fixed order: recipients, sender, files, size, tags, extensions. Never
 *   throws for a bad message.
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
    ...sender(message, options),
    ...files(message),
    ...size(message, options),
    ...tags(message, options),
    ...extensions(message),
  ];
}

function* recipients({ to, toCount }: DevinoMessage): Generator<DevinoProblem> {
  const list: readonly unknown[] = Array.isArray(to) ? to : typeof to === 'string' ? [to] : [];
  if (list.length !== 1) {
    const cure =
      list.length === 0
        ? 'give the one address that it is for'
        : 'only the first would be sent to, without an error: send it once for each of them';
    yield {
      ...count('recipient-count', 1, list.length),
      message: `The message has ${list.length} recipients and must have one: ${cure}`,
    };
  }
  if (typeof toCount === 'number' && toCount !== 1) {
    yield {
      ...count('to-count', 1, toCount),
      message: `The header To has ${toCount} addresses and must have one: name the one recipient there, as only its first address is sent to`,
    };
  }
  for (const item of list) {
    const address =
      typeof item === 'string' ? item : (item as { address?: unknown } | null)?.address;
    if (typeof address === 'string' && isMailbox(address)) continue;
    const shown = typeof address === 'string' ? address.slice(0, 320) : '';
    yield {
      rule: 'invalid-recipient',
      severity: 'error',
      grade: 'documented',
      message: `The recipient ${JSON.stringify(shown)} is no mailbox: give one address as local@domain, without a name and without angle brackets`,
      address: shown,
    };
  }
}

function* sender(
  { from }: DevinoMessage,
  { confirmedSenders }: DevinoCheckOptions,
): Generator<DevinoProblem> {
  const address = typeof from === 'string' ? from : '';
  if (address !== '' && !confirmedSenders) return;
  if (address !== '' && confirmedSenders && findMailbox(confirmedSenders, address)) return;
  yield {
    rule: 'sender-not-confirmed',
    severity: 'error',
    grade: 'documented',
    message:
      address === ''
        ? 'The message has no sender address: send it from one that the account has confirmed'
        : `The sender ${JSON.stringify(address.slice(0, 320))} is not among the confirmed ones: ask for it to be confirmed in the account, or send from one that is`,
    address: address.slice(0, 320),
  };
}

function* files({ attachments }: DevinoMessage): Generator<DevinoProblem> {
  if (!Array.isArray(attachments) || attachments.length === 0) return;
  const names = attachments
    .slice(0, 5)
    .map((file: { filename?: unknown } | null) => file?.filename)
    .filter((name) => typeof name === 'string' && name !== '')
    .map((name) => JSON.stringify(name));
  const named = names.length === 0 ? '' : ` (${names.join(', ')})`;
  yield {
    ...count('attachments', 0, attachments.length),
    message: `The message holds ${attachments.length} files${named} and must hold none: put them on the web and link to them in the text`,
  };
}

function* size(message: DevinoMessage, options: DevinoCheckOptions): Generator<DevinoProblem> {
  const known = isSize(message.size);
  const actual = known ? message.size : isSize(message.minimumSize) ? message.minimumSize : 0;
  const { maxSize = MAX_SIZE, sizeWarning = SIZE_WARNING } = options;
  const has = `The message has ${known ? '' : 'at least '}${actual} octets`;
  if (actual > maxSize) {
    yield {
      ...count('too-large', maxSize, actual),
      message: `${has}, ${actual - maxSize} more than the ${maxSize} allowed: shorten the text, and link to images instead of including them`,
    };
  } else if (actual > sizeWarning) {
    yield {
      ...count('too-large', sizeWarning, actual),
      severity: 'warning',
      grade: 'guess',
      message: `${has}, ${actual - sizeWarning} more than ${sizeWarning}: the limit is 500 KB, which may mean 500,000 octets, so shorten it to be sure`,
    };
  }
  if (!known && actual <= maxSize) {
    yield {
      rule: 'size-unknown',
      severity: 'warning',
      grade: 'documented',
      message: `The size of the message is not known and must be at most ${maxSize} octets: give every part a known size`,
      limit: maxSize,
    };
  }
}

function* tags(
  message: DevinoMessage,
  { tags: mode = 'warn' }: DevinoCheckOptions,
): Generator<DevinoProblem> {
  if (mode === 'off') return;
  const severity = mode === 'reject' ? 'error' : 'warning';
  const { hasText, hasHtml, textParts } = message;
  const texts: readonly unknown[] | undefined = Array.isArray(textParts) ? textParts : undefined;
  const empty = hasText === false && hasHtml === false;
  if (texts || empty) {
    for (const tag of [UNSUBSCRIBE_TAG, WEB_VERSION_TAG])
      yield* missing(tag, texts ?? [], severity);
  }
  const shown = (hasText ? 1 : 0) + (hasHtml ? 1 : 0);
  if (texts ? texts.length < shown : !empty) {
    yield {
      rule: 'tags-unknown',
      severity,
      grade: 'documented',
      message: `The text of the message cannot be seen and must hold ${UNSUBSCRIBE_TAG} and ${WEB_VERSION_TAG}: give each text in textParts`,
    };
  }
}

function* missing(
  tag: string,
  texts: readonly unknown[],
  severity: DevinoProblem['severity'],
): Generator<DevinoProblem> {
  const parts = texts.flatMap((text, index) =>
    typeof text === 'string' && text.includes(tag) ? [] : [index],
  );
  if (parts.length === 0 && texts.length > 0) return;
  const partly = parts.length < texts.length;
  const where = partly ? `Text part ${parts.join(', ')} does` : 'The text does';
  yield {
    rule: 'tag-missing',
    severity,
    // That a link must be there is documented; that each alternative needs its own is ours.
    grade: partly ? 'guess' : 'documented',
    message: `${where} not hold ${tag}: put it where the link is to be, as <a href="${tag}"> in HTML`,
    tag,
    parts,
  };
}

function* extensions({ body, smtpUtf8 }: DevinoMessage): Generator<DevinoProblem> {
  if (smtpUtf8 === true) yield undocumented('SMTPUTF8', 'use addresses in ASCII');
  if (body === 'BINARYMIME') yield undocumented('BINARYMIME', 'encode the parts in base64');
}

function undocumented(keyword: string, cure: string): DevinoProblem {
  return {
    rule: 'extension',
    severity: 'warning',
    grade: 'guess',
    message: `The message needs ${keyword}, which no page of the provider mentions: ${cure}`,
  };
}

function count(
  rule: DevinoRule,
  limit: number,
  actual: number,
): Omit<DevinoProblem, 'message'> & { readonly excess: number } {
  return { rule, severity: 'error', grade: 'documented', limit, actual, excess: actual - limit };
}

function isSize(size: unknown): size is number {
  return typeof size === 'number' && size >= 0 && size < Number.POSITIVE_INFINITY;
}

function isMailbox(address: string): boolean {
  try {
    parsePath(address, 'recipient');
    return true;
  } catch {
    return false;
  }
}
