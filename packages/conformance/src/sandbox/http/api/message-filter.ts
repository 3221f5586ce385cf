/** Which messages a query asks for, and the page of them that it gets. Pure but for the query. */
import type { Context } from 'hono';
import type { CapturedMessage } from '../../inbox.ts';
import { type MessageState, STATES } from '../../platform/events.ts';
import { Problem } from '../problem.ts';
import { addressHolds } from './address-part.ts';
import { queryOf, wholeOf, wordOf } from './query.ts';
import { LONGEST_WAIT } from './waiting.ts';

const DEFAULT_LIMIT = 50;
const MOST = 500;

/** What was rejected is among the refusals: no message that is kept is. */
const KEPT_STATES: readonly MessageState[] = STATES.filter((state) => state !== 'Rejected');

/** Which messages are asked for. */
export interface Asked {
  readonly limit: number;
  /** Ids. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** In ms. */
  readonly wait: number;
  readonly fits: (message: CapturedMessage) => boolean;
}

/** @throws Problem 400 for a query that cannot be used */
export function askedOf(context: Context): Asked {
  const query = queryOf(context, [
    'limit',
    'before',
    'after',
    'from',
    'to',
    'subject',
    'state',
    'wait',
  ]);
  const state: MessageState | undefined = wordOf(query, 'state', KEPT_STATES);
  const wait = wholeOf(query, 'wait', 0, LONGEST_WAIT) ?? 0;
  if (wait > 0 && query.before !== undefined)
    throw new Problem(400, 'Cannot wait for messages before another: they have come', '/wait');
  const { from, to } = query;
  const subject = query.subject?.toLowerCase();
  return {
    limit: wholeOf(query, 'limit', 1, MOST) ?? DEFAULT_LIMIT,
    before: query.before,
    after: query.after,
    wait,
    fits: (message) =>
      (state === undefined || message.state === state) &&
      (from === undefined || addressHolds(message.from, from)) &&
      (to === undefined || message.to.some((one) => addressHolds(one, to))) &&
      (subject === undefined || (message.subject ?? '').toLowerCase().includes(subject)),
  };
}

export interface Page {
  readonly messages: readonly CapturedMessage[];
  /** Whether there are more that fit, before these. */
  readonly more: boolean;
}

/** The oldest go first, so what is kept came after one that is not, and nothing that is kept came before it. */
export function pageOf(
  all: readonly CapturedMessage[],
  { limit, before, after, fits }: Asked,
): Page {
  const messages: CapturedMessage[] = [];
  let begun = before === undefined;
  for (let at = all.length - 1; at >= 0; at -= 1) {
    const message = all[at];
    if (message === undefined || message.id === after) break;
    if (begun && fits(message)) {
      if (messages.length === limit) return { messages, more: true };
      messages.push(message);
    }
    if (message.id === before) begun = true;
  }
  return { messages, more: false };
}
