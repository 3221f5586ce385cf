/**
 * The proof: many messages, a server with moods, workers that are killed in the midst of it, and a judge who has nothing but
 * the server's record. The same for the usual recipe, with the same seed.
 *
 *     node experiment.mjs [--messages 900] [--kills 8] [--pauses 2] [--redis-kills 1] [--workers 4] [--seed N] [--quick]
 *
 * Exit code 0: none lost, none duplicated, the books balance. 1: not so. 2: it could not run.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { end, forked, temporaryFolder, told } from './experiment/children.mjs';
import { startFleet } from './experiment/fleet.mjs';
import { hits, judge, readRecord } from './experiment/judge.mjs';
import { blows, idOf } from './experiment/plan.mjs';
import { resolveHeld, statesOf, usual, withLedger } from './experiment/recipes.mjs';
import { startRedis, whyNoRedis } from './experiment/redis.mjs';
import { report } from './experiment/report.mjs';

/** @typedef {{ messages: number, kills: number, pauses: number, redisKills: number, workers: number, seed: number }} Size */

/** @typedef {Awaited<ReturnType<typeof run>>} Result */

const DRAIN_LIMIT = 120_000;
/** Nothing was accepted for so long: the next blow falls all the same. */
const STANDSTILL = 10_000;
/** For both recipes. The locks are short, so that the run is. */
const SETTINGS = {
  concurrency: 6,
  lockDuration: 4_000,
  stalledInterval: 1_000,
  runRetryDelay: 500,
};
/** Longer than a lock, and than it takes to find that it has expired: others take up what the worker is at. */
const PAUSE = SETTINGS.lockDuration + 3 * SETTINGS.stalledInterval;

/** @returns {Size} */
function chosen() {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string' },
      kills: { type: 'string' },
      pauses: { type: 'string' },
      'redis-kills': { type: 'string' },
      workers: { type: 'string' },
      seed: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  /** @param {string | undefined} text @param {number} fallback */
  const number = (text, fallback, least = 0) => {
    const value = Number(text ?? fallback);
    if (!Number.isSafeInteger(value) || value < least)
      throw new TypeError(`Cannot use ${text}: it is not a whole number from ${least}`);
    return value;
  };
  const { quick } = values;
  return {
    messages: number(values.messages, quick ? 200 : 900, 1),
    kills: number(values.kills, quick ? 3 : 8),
    pauses: number(values.pauses, quick ? 1 : 2),
    redisKills: number(values['redis-kills'], 1),
    workers: number(values.workers, 4, 1),
    seed: number(values.seed, randomInt(2 ** 31)),
  };
}

/** Resolves when nothing waits, is under way or delayed. @param {Queue} queue */
async function drained(queue) {
  const begun = performance.now();
  for (let quiet = 0; quiet < 3; ) {
    if (performance.now() - begun > DRAIN_LIMIT)
      throw new Error(`The queue is not empty after ${DRAIN_LIMIT / 1_000} s`);
    await sleep(100);
    const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized');
    quiet = Object.values(counts).every((count) => count === 0) ? quiet + 1 : 0;
  }
}

/**
 * The server, how many messages it has accepted so far, and from which workers it got any.
 *
 * @param {number} seed
 * @param {string} file
 */
async function startServer(seed, file) {
  const program = fileURLToPath(new URL('./experiment/server.mjs', import.meta.url));
  const child = forked(program, [String(seed), file]);
  const server = { accepted: 0, busy: new Set(), port: '', stop: () => end(child) };
  child.on('message', (/** @type {{ accepted?: number, busy?: string }} */ { accepted, busy }) => {
    server.accepted = accepted ?? server.accepted;
    server.busy.add(busy);
  });
  server.port = String(await told(child, 'port'));
  return server;
}

/**
 * One recipe, from the first submission to its end.
 *
 * @param {typeof withLedger | typeof usual} recipe
 * @param {Size} size
 */
async function run(recipe, size) {
  const begun = performance.now();
  const ids = Array.from({ length: size.messages }, (_, at) => idOf(at + 1));
  const file = join(temporaryFolder('posthorn-queue-'), 'record.jsonl');
  const redis = await startRedis();
  const server = await startServer(size.seed, file);
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue('mail', { connection });
  // Redis is killed, too.
  connection.on('error', () => {});
  queue.on('error', () => {});
  await Promise.all(ids.map((id) => recipe.submit(queue, id)));

  const environment = {
    REDIS_URL: redis.url,
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: server.port,
    SMTP_TLS: 'off',
    QUEUE: 'mail',
    WORKER_SETTINGS: JSON.stringify(SETTINGS),
  };
  const fleet = startFleet(recipe.program, size.workers, environment);
  for (const { what, at, worker, after } of blows(size.seed, size)) {
    const due = at * size.messages;
    let [seen, since] = [server.accepted, performance.now()];
    while (server.accepted < due && performance.now() - since < STANDSTILL) {
      await sleep(5);
      if (server.accepted !== seen) [seen, since] = [server.accepted, performance.now()];
    }
    await sleep(after);
    if (what === 'kill') fleet.kill(worker, server.busy);
    else if (what === 'pause') fleet.pause(worker, PAUSE);
    else await redis.crash();
  }
  await drained(queue);
  // What a paused worker still has in its hands comes to its end.
  await fleet.resumed();
  await fleet.stop();

  const states = await statesOf(connection, ids);
  const held = new Set(ids.filter((id) => states.get(id) === 'held'));
  const record = readRecord(file);
  const result = {
    name: recipe.name,
    books: judge(ids, record, held),
    states,
    hits: hits(record, fleet.killed),
    resolved: { books: judge(ids, record), states },
    crashes: fleet.crashes,
    seconds: 0,
  };
  if (recipe === withLedger) {
    // More than once only where a worker of this round is so slow that its lock expires.
    for (
      let round = 0;
      round < 3 && (await resolveHeld(connection, queue, readRecord(file))) > 0;
      round += 1
    ) {
      const more = startFleet(recipe.program, 1, environment);
      await drained(queue);
      await more.stop();
      result.crashes.push(...more.crashes);
    }
    result.resolved = {
      books: judge(ids, readRecord(file)),
      states: await statesOf(connection, ids),
    };
  }
  await queue.close();
  connection.disconnect();
  await Promise.all([server.stop(), redis.stop()]);
  result.seconds = (performance.now() - begun) / 1_000;
  return result;
}

async function main() {
  const size = chosen();
  const { seed, messages, workers, kills, pauses, redisKills } = size;
  console.log(
    `--seed ${seed}: ${messages} messages, ${workers} workers. SIGKILL: workers ${kills}, Redis ${redisKills}. ` +
      `SIGSTOP for ${PAUSE / 1_000} s, longer than a lock: workers ${pauses}.`,
  );
  const problem = whyNoRedis();
  if (problem) throw new Error(problem);
  const failed = report(size, await run(withLedger, size), await run(usual, size));
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
// Whatever still runs ends with this process.
process.exit();
