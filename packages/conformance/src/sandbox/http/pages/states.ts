/** How states, events, outcomes and grades are named and shown. */
import type { MessageEvent, MessageState } from '../../platform/events.ts';
import type { StatisticsRow } from '../../platform/statistics.ts';
import type { Grade } from '../../profile.ts';
import type { RuleName, Verdict } from '../../rules.ts';
import { html, type Markup } from './markup.ts';
import type { Say, Visit } from './visit.ts';
import type { Word } from './words/index.ts';

/** By the names that the account gives them. */
export const STATE_WORDS: Readonly<Record<StatisticsRow['state'], Word>> = {
  Charged: 'stateCharged',
  NotSent: 'stateNotSent',
  Sent: 'stateSent',
  Delivered: 'stateDelivered',
  Read: 'stateRead',
  Clicked: 'stateClicked',
  Bounced: 'stateBounced',
  Rejected: 'stateRejected',
  Total: 'stateTotal',
};

/** What programs call a state. */
export function inApi(state: StatisticsRow['state'], say: Say): string {
  return say('inApi', { name: state });
}

export function stateBadge(state: MessageState, say: Say): Markup {
  return html`<span class="badge state-${state}" title="${inApi(state, say)}">${say(STATE_WORDS[state])}</span>`;
}

const EVENT_WORDS: Readonly<Record<MessageEvent['type'], Word>> = {
  SENT: 'eventSent',
  DELIVERED: 'eventDelivered',
  OPENED: 'eventOpened',
  CLICKED: 'eventClicked',
  BOUNCED: 'eventBounced',
  UNSUBSCRIBED: 'eventUnsubscribed',
  SUBSCRIBED: 'eventSubscribed',
  COMPLAINED: 'eventComplained',
};

/** An event's name: the callback's word for it, and what it says. */
export function eventName(type: MessageEvent['type'], say: Say): Markup {
  return html`<code>${type}</code> ${say(EVENT_WORDS[type])}`;
}

const OUTCOME_WORDS: Readonly<Record<Verdict['outcome'], Word>> = {
  pass: 'outcomePass',
  warn: 'outcomeWarn',
  refuse: 'outcomeRefuse',
};

export function outcomeBadge(outcome: Verdict['outcome'], say: Say): Markup {
  return html`<span class="badge outcome-${outcome}">${say(OUTCOME_WORDS[outcome])}</span>`;
}

export const GRADE_WORDS: Readonly<Record<Grade, Word>> = {
  documented: 'gradeDocumented',
  observed: 'gradeObserved',
  guess: 'gradeGuess',
};

export const RULE_WORDS: Readonly<Record<RuleName, Word>> = {
  'ip-allow': 'ruleIpAllow',
  tls: 'ruleTls',
  auth: 'ruleAuth',
  sender: 'ruleSender',
  recipient: 'ruleRecipient',
  fault: 'ruleFault',
  size: 'ruleSize',
  mime: 'ruleMime',
  'first-recipient': 'ruleFirstRecipient',
  attachments: 'ruleAttachments',
  charset: 'ruleCharset',
  tags: 'ruleTags',
  filter: 'ruleFilter',
};

/** What the unsubscribe page offers as reasons, by what is kept of them. */
export const REASON_WORDS: Readonly<Record<string, Word>> = {
  'no-longer-interested': 'reasonNotInterested',
  'too-often': 'reasonTooOften',
  'did-not-sign-up': 'reasonNeverSignedUp',
  other: 'reasonOther',
};

/** What a reader gave as the reason: one of those that the page offers, in the language of this page, or own words. */
export function commentText(comment: string | undefined, { say }: Visit): Markup | '' {
  if (comment === undefined) return '';
  const [, code = '', rest] = /^([a-z-]+)(?:: (.*))?$/s.exec(comment) ?? [];
  const word = Object.hasOwn(REASON_WORDS, code) ? REASON_WORDS[code] : undefined;
  if (word === undefined) return html`<bdi translate="no">${comment}</bdi>`;
  return html`${say(word)}${rest === undefined ? '' : html`: <bdi translate="no">${rest}</bdi>`}`;
}
