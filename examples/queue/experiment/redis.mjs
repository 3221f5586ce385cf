/** A redis-server of our own: in a folder of its own, on a free port of loopback, durable. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { leashed, temporaryFolder } from './children.mjs';

/** @import { AddressInfo } from 'node:net' */

const INSTALL_TIMEOUT = 5 * 60 * 1_000;

/** Why there is no redis-server here; undefined where there is one, if need be by installing Debian's. */
export function whyNoRedis() {
  const there = () => spawnSync('redis-server', ['--version'], { timeout: 10_000 }).status === 0;
  if (there()) return undefined;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0)
    return 'redis-server is missing, and only root can install it, with apt-get: install Redis 6.2 or newer';
  console.log('redis-server is missing: apt-get install redis-server …');
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = 'apt-get install -y -qq --no-install-recommends redis-server';
  const { stderr } = spawnSync(
    'sh',
    ['-c', `${install} || { apt-get update -qq && ${install}; }`],
    {
      env: environment,
      timeout: INSTALL_TIMEOUT,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  return there()
    ? undefined
    : `redis-server is missing, and apt-get could not install it: ${stderr}`;
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** @param {number} port @param {string} folder */
async function start(port, folder) {
  const settings = { port, bind: '127.0.0.1', dir: folder, save: '' };
  // What it has acknowledged is on the disk: a ledger that forgets would send twice.
  const durable = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' };
  const words = Object.entries({ ...settings, ...durable });
  const child = leashed(
    'redis-server',
    words.flatMap(([name, value]) => [`--${name}`, `${value}`]),
  );
  const gone = once(child, 'exit');
  const crash = async () => {
    child.stdin.end();
    await gone;
  };
  const retries = { retryStrategy: () => 50, maxRetriesPerRequest: 200 };
  const redis = new Redis({ port, host: '127.0.0.1', ...retries });
  redis.on('error', () => {});
  try {
    await redis.ping();
    return crash;
  } catch (error) {
    await crash();
    throw new Error('Cannot start redis-server: it does not answer', { cause: error });
  } finally {
    redis.disconnect();
  }
}

export async function startRedis() {
  const folder = temporaryFolder('posthorn-redis-');
  const port = await freePort();
  let stop = await start(port, folder);
  return {
    url: `redis://127.0.0.1:${port}`,
    /** Kills it, and starts it again with what is on the disk. */
    async crash() {
      await stop();
      stop = await start(port, folder);
    },
    stop: () => stop(),
  };
}
