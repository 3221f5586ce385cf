/** What goes wrong, and when: all of it follows from the seed. It knows no server and no queue. */

/**
 * Chance that begins anew for each purpose, so that what one part draws changes nothing for another (mulberry32).
 *
 * @param {number} seed
 * @param {string} purpose
 * @returns {() => number} from 0 to 1
 */
export function chance(seed, purpose) {
  let state = seed >>> 0;
  for (const letter of purpose)
    state = (Math.imul(state ^ (letter.codePointAt(0) ?? 0), 0x01000193) + 1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {number} number */
export const idOf = (number) => `m${String(number).padStart(5, '0')}`;

/**
 * - `refuse`: 550 to RCPT
 * - `greylist`: 451 to RCPT, with the time to wait
 * - `later`: 451 in place of the final 250
 * - `busy`: 421 to RCPT: too much mail
 * - `lost-accepted`: the message is accepted, and the connection dropped in place of the 250
 * - `lost-refused`: the connection is dropped behind the last octet, and the message with it
 *
 * @typedef {'refuse' | 'greylist' | 'later' | 'busy' | 'lost-accepted' | 'lost-refused'} Fault
 */

/** @type {readonly [Fault, number][]} */
const SHARES = [
  ['refuse', 0.03],
  ['greylist', 0.03],
  ['later', 0.02],
  ['busy', 0.005],
  ['lost-accepted', 0.01],
  ['lost-refused', 0.01],
];

/**
 * What the server does to one message.
 *
 * @param {number} seed
 * @param {string} id
 * @returns {{ fault?: Fault, times: number, envelope: number, reply: number }} the fault, for the first so many tries; and how
 * long the server takes, in ms: for MAIL, and between its decision and its reply
 */
export function treatment(seed, id) {
  const random = chance(seed, id);
  let left = random();
  const [fault] =
    SHARES.find(([, share]) => {
      left -= share;
      return left < 0;
    }) ?? [];
  const times = fault === 'refuse' ? Infinity : fault === 'greylist' && random() < 0.5 ? 2 : 1;
  const slow = random() < 0.1;
  return {
    ...(fault && { fault }),
    times,
    envelope: 20 + 160 * random(),
    reply: slow ? 200 + 400 * random() : 10 + 70 * random(),
  };
}

/**
 * What befalls the workers.
 *
 * @param {number} seed
 * @param {{ kills: number, pauses: number, redisKills: number, workers: number }} counts
 * @returns {{ what: 'kill' | 'pause' | 'redis', at: number, worker: number, after: number }[]} in order: at which share of
 * the messages accepted, and how many ms after
 */
export function blows(seed, { kills, pauses, redisKills, workers }) {
  const random = chance(seed, 'blows');
  const draw = (
    /** @type {'kill' | 'pause' | 'redis'} */ what,
    /** @type {number} */ count,
    last = 0.85,
  ) =>
    Array.from({ length: count }, () => ({
      what,
      at: 0.03 + (last - 0.03) * random(),
      worker: Math.floor(workers * random()),
      after: 100 * random(),
    }));
  return [...draw('kill', kills), ...draw('pause', pauses, 0.6), ...draw('redis', redisKills)].sort(
    (a, b) => a.at - b.at,
  );
}
