/**
 * One message from a queue, whichever queue that is: sent, or refused, or held, and never twice. It knows the ledger and
 * the client's errors.
 */
import { classify, isSmtpError } from '@posthorn/core';
import { holdBack } from './hold-back.mjs';

/**
 * @import { Classification, OutgoingMessage, Receipt } from '@posthorn/core'
 * @import { Message } from '@posthorn/mime'
 * @import { Ledger, State } from './ledger.mjs'
 */

/**
 * @typedef {object} Delivery
 * @property {Ledger} ledger
 * @property {(message: OutgoingMessage) => Promise<Receipt>} send - that of a pool, or of a client
 * @property {Parameters<typeof classify>[1]} [explain] - a provider's own words, for `classify()`
 * @property {number} [backoff] - how long a message waits after its first failure, in ms; it doubles each time, up to an
 * hour. Default 1,000
 * @property {number} [giveUpAfter] - ms since it was submitted. Default 5 days; RFC 5321 §4.5.4.1: "the give-up time
 * generally needs to be at least 4-5 days"
 */

/**
 * @typedef {object} Mail
 * @property {string} id - the same each time that the message is taken up
 * @property {number} since - when it was submitted, in ms since 1970
 * @property {string} to - its one recipient: what goes to several is as many mails, each sent, refused or held by itself
 * @property {() => Message} message - makes it, with the same Message-ID each time
 */

/**
 * What the queue has to do: nothing for `sent`; tell a human for `failed` and `held`; for `open` give it again after `wait`
 * ms, and nothing else before where `slowDown` is set.
 *
 * @typedef {{ readonly state: Exclude<State, 'open'>, readonly note?: string }
 *   | { readonly state: 'open', readonly note?: string, readonly wait: number, readonly slowDown: boolean }} Outcome
 */

const HOUR = 60 * 60 * 1_000;

/**
 * What becomes of a message.
 *
 * @type {Record<Classification['kind'] | 'sent', State>}
 */
const STATES = {
  sent: 'sent',
  permanent: 'failed',
  transient: 'open',
  'slow-down': 'open',
  unknown: 'held',
};

/** Phases that say nothing of the message: a wrong password must not cost a queue its mail. */
const BEFORE_MAIL = /^(connect|greeting|ehlo|starttls|tls|auth)$/;

/**
 * Takes a message up, and sends it if the ledger says that it may be sent.
 *
 * @param {Delivery} delivery
 * @param {Mail} mail
 * @returns {Promise<Outcome>}
 * @throws Error where another worker has taken the message up meanwhile, or the ledger does not answer: this worker has no
 * say, and the queue gives the message to whom it will
 */
export async function deliver({ ledger, send, explain, backoff, giveUpAfter }, mail) {
  const { id, since, to, message } = mail;
  const { state, note, lease = '' } = await ledger.take(id);
  if (state !== 'open') return { state, ...(note && { note }) };

  /**
   * As long as it is not open, nothing that matters has left this process.
   *
   * @type {Gate}
   */
  let gate = 'shut';
  const allow = async () => {
    gate = 'asked';
    await ledger.sending(id, lease);
    gate = 'open';
  };
  const attempt = async () => send(holdBack(message(), allow, to));
  const { kind, retryAfter, words } = await attempt().then(
    ({ reply }) => ({ kind: /** @type {const} */ ('sent'), retryAfter: 0, words: reply.text }),
    (error) => ({ ...judge(error, gate, explain), words: String(error?.message ?? error) }),
  );

  const late = STATES[kind] === 'open' && Date.now() - since > (giveUpAfter ?? 120 * HOUR);
  const entry = late
    ? await ledger.settle(id, lease, 'failed', `given up: ${words}`)
    : await ledger.settle(id, lease, STATES[kind], words);
  if (entry.state !== 'open' && entry.state !== 'sending')
    return { state: entry.state, note: entry.note ?? words };
  if ((entry.lease ?? lease) !== lease)
    throw new Error(`Cannot go on with ${id}: another worker has taken it up`);
  const longer = Math.min((backoff ?? 1_000) * 2 ** (entry.tries - 1), HOUR);
  return {
    state: 'open',
    note: words,
    wait: Math.max(retryAfter, longer),
    slowDown: kind === 'slow-down',
  };
}

/** @typedef {'shut' | 'asked' | 'open'} Gate */

/**
 * @param {unknown} error
 * @param {Gate} gate - 'asked': it is the ledger that has failed, and not the message
 * @param {Delivery['explain']} explain
 * @returns {{ kind: Classification['kind'], retryAfter: number }}
 */
function judge(error, gate, explain) {
  const { kind, retryAfter = 0 } = classify(error, explain);
  if (gate === 'asked' || (gate === 'shut' && kind === 'unknown'))
    return { kind: 'transient', retryAfter: 0 };
  if (kind === 'permanent' && isSmtpError(error) && BEFORE_MAIL.test(error.phase))
    return { kind: 'slow-down', retryAfter: 60_000 };
  return { kind, retryAfter };
}
