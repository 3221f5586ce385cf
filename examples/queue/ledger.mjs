/**
 * The ledger on Redis: what is certain about each message, whichever worker has it. It knows neither SMTP nor the queue.
 * Each operation is one script, and so atomic.
 *
 * Redis must not forget: `appendonly yes`, `appendfsync always`, `maxmemory-policy noeviction`.
 */
import { randomUUID } from 'node:crypto';

/** @import { Redis } from 'ioredis' */

/**
 * - `open`: its last octet has left no process, or the server has refused it for now. It may be sent
 * - `sending`: its last octet may have left, and nobody has said what became of it
 * - `sent`: the server has accepted it
 * - `failed`: it was refused for good, or given up. The server has not accepted it
 * - `held`: nobody will ever say what became of it, unless its worker is still alive. A human decides
 *
 * @typedef {'open' | 'sending' | 'sent' | 'failed' | 'held'} State
 */

/**
 * @typedef {object} Entry
 * @property {State} state
 * @property {string} [lease] - whose it is: the one that has taken it up last
 * @property {string} [note] - the server's words, or why
 * @property {number} tries - how often it was put back
 */

/**
 * @typedef {object} Ledger
 * @property {(id: string) => Promise<Entry>} take - takes a message up: where it is `open`, with a new lease; where it
 * was `sending`, its worker is gone, and it becomes `held`
 * @property {(id: string, lease: string) => Promise<void>} sending - says that its last octet is about to leave. Rejects
 * where somebody else has taken the message up since: the octet must not leave
 * @property {(id: string, lease: string, state: State, note: string) => Promise<Entry>} settle - says what became of it.
 * Resolves to what the ledger says then, which may be something else
 */

/** Both scripts that answer with an entry end so. */
const ENTRY = `return redis.call('HMGET', KEYS[1], 'state', 'lease', 'note', 'tries')`;

const TAKE = `
local state = redis.call('HGET', KEYS[1], 'state') or 'open'
if state == 'open' then
  redis.call('HSET', KEYS[1], 'state', 'open', 'lease', ARGV[2])
elseif state == 'sending' then
  redis.call('HSET', KEYS[1], 'state', 'held', 'note', 'its worker was lost behind the last octet')
  redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
end
${ENTRY}`;

const SENDING = `
local entry = redis.call('HMGET', KEYS[1], 'state', 'lease')
if entry[2] ~= ARGV[2] or (entry[1] ~= 'open' and entry[1] ~= 'sending') then return 0 end
redis.call('HSET', KEYS[1], 'state', 'sending')
return 1`;

const SETTLE = `
local entry = redis.call('HMGET', KEYS[1], 'state', 'lease')
local was, to = entry[1], ARGV[3]
-- That it was accepted is a fact, whoever says so. All else is said by the one who has it.
local known = to == 'sent' or entry[2] == ARGV[2]
if known and was ~= 'sent' and was ~= 'failed' then
  -- Who has not said 'sending' has let nothing out.
  if was == 'open' and to == 'held' then to = 'open' end
  -- The queue has been told that it is held, and does not have it any more: now it is for a human to send it again.
  if was == 'held' and to == 'open' then to = 'held' end
  redis.call('HSET', KEYS[1], 'state', to, 'note', ARGV[4])
  if to == 'open' then
    redis.call('HDEL', KEYS[1], 'lease')
    redis.call('HINCRBY', KEYS[1], 'tries', 1)
  end
  if to == 'held' then redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
  else redis.call('ZREM', KEYS[2], ARGV[1]) end
  if to == 'sent' or to == 'failed' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
end
${ENTRY}`;

const RESOLVE = `
local was = redis.call('HGET', KEYS[1], 'state')
if was ~= 'held' and not (was == 'failed' and ARGV[2] == 'open') then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'note', ARGV[3])
redis.call('HDEL', KEYS[1], 'lease')
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] == 'sent' then redis.call('PEXPIRE', KEYS[1], ARGV[4]) else redis.call('PERSIST', KEYS[1]) end
return 1`;

const THIRTY_DAYS = 30 * 24 * 60 * 60 * 1_000;

/**
 * @param {Redis} redis
 * @param {object} [options]
 * @param {string} [options.prefix] - of its keys; the braces keep them on one node of a cluster. Default '{mail}:ledger'
 * @param {number} [options.keep] - how long what is done is remembered, in ms: longer than anybody may submit it again.
 * Default 30 days
 */
export function createLedger(redis, { prefix = '{mail}:ledger', keep = THIRTY_DAYS } = {}) {
  const held = `${prefix}:held`;
  /** @param {string} id */
  const keyOf = (id) => `${prefix}:entry:${id}`;
  /**
   * @param {string} script
   * @param {string} id
   * @param {string[]} args
   */
  const run = (script, id, ...args) => redis.eval(script, 2, keyOf(id), held, id, ...args);
  /**
   * @param {unknown} reply
   * @returns {Entry}
   */
  const entryOf = (reply) => {
    const [state, lease, note, tries] = /** @type {(string | null)[]} */ (reply);
    return {
      state: /** @type {State} */ (state ?? 'open'),
      ...(lease && { lease }),
      ...(note && { note }),
      tries: Number(tries),
    };
  };

  return {
    /** @type {Ledger['take']} */
    take: async (id) => entryOf(await run(TAKE, id, randomUUID())),

    /** @type {Ledger['sending']} */
    async sending(id, lease) {
      if ((await run(SENDING, id, lease)) !== 1)
        throw new Error(`Cannot send ${id}: another worker has taken it up`);
    },

    /** @type {Ledger['settle']} */
    settle: async (id, lease, state, note) =>
      entryOf(await run(SETTLE, id, lease, state, note, String(keep))),

    /** @param {string} id */
    async look(id) {
      const fields = ['state', 'lease', 'note', 'tries'];
      return entryOf(await redis.hmget(keyOf(id), ...fields));
    },

    /** The messages that are held, the oldest first, each with the second since when. */
    async held() {
      const found = await redis.zrange(held, 0, '-1', 'WITHSCORES');
      return found.flatMap((id, at) =>
        at % 2 ? [] : [{ id, since: new Date(1_000 * Number(found[at + 1])) }],
      );
    },

    /**
     * What a human has found out about one that is held: the server has accepted it (`sent`), or has not, and it may be sent
     * again (`open`). One that has failed may be sent again too, once its reason is mended.
     *
     * @param {string} id
     * @param {'sent' | 'open'} state
     * @param {string} note
     * @returns {Promise<boolean>} whether there was something to resolve
     */
    resolve: async (id, state, note) => (await run(RESOLVE, id, state, note, String(keep))) === 1,
  };
}
