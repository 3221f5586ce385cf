/**
 * A server in a process of its own that its parent starts, asks and stops: the sink and the proxy. Every request is
 * answered, and waited for no longer than a bound.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BOUND = 10_000;

/** Whether the module of this URL is what this process was started with, by a parent that listens. */
export const isService = (url) =>
  process.send !== undefined && process.argv[1] === fileURLToPath(url);

/**
 * The side of the service.
 *
 * @param start - takes the options, resolves to an object of functions: the requests that it answers
 */
export function serve(start) {
  let service;
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ id, request, argument }) => {
    try {
      if (request === 'start') service = await start(argument);
      const value = request === 'start' ? service.port : await service[request](argument);
      process.send({ id, value });
    } catch (error) {
      process.send({ id, error: error.stack });
    }
  });
}

/**
 * The side of the parent.
 *
 * @param pinned - what fork() needs to keep the process on one core, as `pinning()` says
 * @returns the port, `ask()` for a request, and `stop()`
 */
export async function startService(url, options, pinned = {}) {
  const child = fork(fileURLToPath(url), [], { execArgv: [], ...pinned });
  const waiting = new Map();
  let ids = 0;
  const failAll = (reason) => {
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };
  child.on('message', ({ id, value, error }) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(value);
    else one?.reject(new Error(error));
  });
  child.on('error', (error) => failAll(`${url} failed: ${error.message}`));
  child.on('exit', (code, signal) => failAll(`${url} ended with ${signal ?? code}`));

  const ask = (request, argument) =>
    new Promise((resolve, reject) => {
      ids += 1;
      const id = ids;
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`${url} does not answer '${request}'`));
      }, BOUND);
      const settle = (how) => (value) => {
        clearTimeout(timer);
        how(value);
      };
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      if (child.connected) child.send({ id, request, argument });
      else failAll(`${url} has ended`);
    });

  const stop = () => {
    child.kill('SIGKILL');
  };
  try {
    return { port: await ask('start', options), ask, stop };
  } catch (error) {
    stop();
    throw error;
  }
}
