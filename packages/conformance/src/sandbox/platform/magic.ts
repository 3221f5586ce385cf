/**
 * Recipients that make things happen without set-up, at any domain: `open@`, `click@`, `bounce+bad-mailbox@` and others,
 * and the refusals `554+internal@` and its like. What stands behind a `+` is free where it means nothing. Pure.
 */
import type { RefusalReason } from '../profile.ts';
import { BOUNCE_REASONS, type BounceReason, type EventType } from './events.ts';

/** What happens to a message, in order. */
export type Course = readonly {
  readonly type: EventType;
  readonly reason?: BounceReason;
  readonly comment?: string;
}[];

const SENT = { type: 'SENT' } as const;
const DELIVERED = { type: 'DELIVERED' } as const;
const OPENED = { type: 'OPENED' } as const;

const COURSES: Readonly<Record<string, Course>> = {
  hold: [],
  sent: [SENT],
  open: [SENT, DELIVERED, OPENED],
  click: [SENT, DELIVERED, OPENED, { type: 'CLICKED' }],
  unsub: [SENT, DELIVERED, OPENED, { type: 'UNSUBSCRIBED' }],
  complaint: [SENT, DELIVERED, OPENED, { type: 'COMPLAINED' }],
};

/**
 * For pages: what there is to try, before the `@`.
 *
 * `hold` stays NotSent, `sent` stays Sent, `open`, `click`, `unsub`, `complaint` do what they say, `bounce` bounces
 * with the reason behind its `+` (default: other).
 */
export const MAGIC_NAMES: readonly string[] = [
  ...Object.keys(COURSES),
  ...BOUNCE_REASONS.map((reason) => `bounce+${reason}`),
];

/** What happens to a message for this recipient, if it is one of those. */
export function magicOf(recipient: string): Course | undefined {
  const [name = '', rest] = splitLocal(recipient);
  if (name === 'bounce') {
    const reason = BOUNCE_REASONS.find((one) => one === rest);
    return [SENT, { type: 'BOUNCED', reason: reason ?? 'other' }];
  }
  return Object.hasOwn(COURSES, name) ? COURSES[name] : undefined;
}

const REFUSED: Readonly<Record<string, RefusalReason>> = {
  auth: 'not-authenticated',
  internal: 'server-error',
  attachment: 'attachment-type',
  size: 'too-large',
  invalid: 'invalid-recipient',
  sender: 'sender-not-confirmed',
};

/** What stands behind `554+`. */
export const MAGIC_REFUSALS: readonly string[] = Object.keys(REFUSED);

/** Which refusal this recipient asks for, if it is `554+<word>@…`. */
export function magicRefusal(recipient: string): RefusalReason | undefined {
  const [name, rest = ''] = splitLocal(recipient);
  return name === '554' && Object.hasOwn(REFUSED, rest) ? REFUSED[rest] : undefined;
}

function splitLocal(address: string): [name: string, rest: string | undefined] {
  const local = address.slice(0, address.lastIndexOf('@')).toLowerCase();
  const plus = local.indexOf('+');
  return plus < 0 ? [local, undefined] : [local.slice(0, plus), local.slice(plus + 1)];
}
