/** What happens to a message behind its acceptance, and the state that it is in by that. Pure. */

/**
 * The states of the provider's statistics. Each message is in one: its latest.
 *
 * @example
 * ```ts
 * import { STATES } from '@posthorn/conformance';
 *
 * console.log(STATES.join(' ')); // NotSent Sent Delivered Read Clicked Bounced Rejected
 * ```
 */
export const STATES: readonly MessageState[] = [
  'NotSent',
  'Sent',
  'Delivered',
  'Read',
  'Clicked',
  'Bounced',
  'Rejected',
];

/** One of `STATES`. 'Rejected' is refused behind its content: it never was in the outbox. */
export type MessageState =
  | 'NotSent'
  | 'Sent'
  | 'Delivered'
  | 'Read'
  | 'Clicked'
  | 'Bounced'
  | 'Rejected';

/** The events of the platform's callback; `EVENT_TYPES` has them in order. */
export type EventType =
  | 'SENT'
  | 'DELIVERED'
  | 'OPENED'
  | 'CLICKED'
  | 'BOUNCED'
  | 'UNSUBSCRIBED'
  | 'SUBSCRIBED'
  | 'COMPLAINED';

/** Every EventType. */
export const EVENT_TYPES: readonly EventType[] = [
  'SENT',
  'DELIVERED',
  'OPENED',
  'CLICKED',
  'BOUNCED',
  'UNSUBSCRIBED',
  'SUBSCRIBED',
  'COMPLAINED',
];

/** Why a message bounced; `BOUNCE_REASONS` has all. */
export type BounceReason =
  | 'already_unsubscribed'
  | 'bad-configuration'
  | 'bad-connection'
  | 'bad-domain'
  | 'bad-mailbox'
  | 'content-related'
  | 'inactive-mailbox'
  | 'invalid-sender'
  | 'message-expired'
  | 'no-answer-from-host'
  | 'other'
  | 'overpackage-related'
  | 'policy-related'
  | 'protocol-errors'
  | 'quota-issues'
  | 'relaying-issues'
  | 'routing-errors'
  | 'spam-related'
  | 'virus-related';

/** The nineteen reasons of the platform's callback. */
export const BOUNCE_REASONS: readonly BounceReason[] = [
  'already_unsubscribed',
  'bad-configuration',
  'bad-connection',
  'bad-domain',
  'bad-mailbox',
  'content-related',
  'inactive-mailbox',
  'invalid-sender',
  'message-expired',
  'no-answer-from-host',
  'other',
  'overpackage-related',
  'policy-related',
  'protocol-errors',
  'quota-issues',
  'relaying-issues',
  'routing-errors',
  'spam-related',
  'virus-related',
];

/** Which of them are hard bounces, so that the address is filtered from then on: nobody documents it; a guess. */
export const HARD_REASONS: readonly BounceReason[] = [
  'bad-domain',
  'bad-mailbox',
  'inactive-mailbox',
];

/**
 * One thing that happened to one message.
 *
 * @example
 * ```ts
 * import type { MessageEvent } from '@posthorn/conformance';
 *
 * const line = ({ type, recipient, reason }: MessageEvent): string =>
 *   `${type} ${recipient}${reason === undefined ? '' : `: ${reason}`}`;
 * ```
 */
export interface MessageEvent {
  readonly id: string;
  readonly type: EventType;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly at: number;
  readonly messageId: string;
  /** The address that the message was for. */
  readonly recipient: string;
  /** Of BOUNCED. */
  readonly reason?: BounceReason;
  /** Of BOUNCED: whether the address is filtered from now on. */
  readonly isHardbounce?: boolean;
  /** Of CLICKED: where the link leads. */
  readonly url?: string;
  /** Of UNSUBSCRIBED: what the reader gave as the reason. */
  readonly comment?: string;
}

const RANK: Readonly<Record<'NotSent' | 'Sent' | 'Delivered' | 'Read' | 'Clicked', number>> = {
  NotSent: 0,
  Sent: 1,
  Delivered: 2,
  Read: 3,
  Clicked: 4,
};

const REACHES: Partial<Record<EventType, keyof typeof RANK>> = {
  SENT: 'Sent',
  DELIVERED: 'Delivered',
  OPENED: 'Read',
  CLICKED: 'Clicked',
};

/** The state behind an event: an earlier one never comes back, and a bounced or rejected message stays so. */
export function stateAfter(state: MessageState, type: EventType): MessageState {
  if (state === 'Bounced' || state === 'Rejected') return state;
  if (type === 'BOUNCED') return RANK[state] >= RANK.Read ? state : 'Bounced';
  const reached = REACHES[type];
  return reached !== undefined && RANK[reached] > RANK[state] ? reached : state;
}
