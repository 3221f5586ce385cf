/** Processes and folders that do not outlive this one, however it ends. */
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @import { ChildProcess } from 'node:child_process' */

/** @type {Set<ChildProcess>} */
const children = new Set();
/** @type {Set<string>} */
const folders = new Set();

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => process.exit(130));

/** @param {ChildProcess} child */
function keep(child) {
  children.add(child);
  child.once('exit', () => children.delete(child));
  // One that could not start has no exit.
  child.on('error', () => children.delete(child));
  return child;
}

/** A program of ours, with a channel to it. @param {string} file @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
export const forked = (file, args, env) =>
  keep(fork(file, args, { env: env ?? process.env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }));

/**
 * Another program, which ends as by SIGKILL when its input is closed. That happens also where this process is killed.
 *
 * @param {string} command
 * @param {string[]} args
 */
export function leashed(command, args) {
  const leash = '"$@" >/dev/null 2>&1 & cat >/dev/null; kill -9 $!; wait';
  return spawn('sh', ['-c', leash, 'sh', command, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** @param {string} prefix */
export function temporaryFolder(prefix) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  folders.add(folder);
  return folder;
}

/** Resolves when the process is gone. @param {ChildProcess} child @param {NodeJS.Signals} [signal] */
export async function end(child, signal = 'SIGKILL') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  child.kill(signal);
  await gone;
  clearTimeout(timer);
}

/**
 * The first message of a child that has the named field.
 *
 * @param {ChildProcess} child
 * @param {string} field
 * @returns {Promise<any>}
 */
export function told(child, field) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No ${field} within 20 s`)), 20_000);
    child.on('message', (/** @type {any} */ message) => {
      if (message[field] === undefined) return;
      clearTimeout(timer);
      resolve(message[field]);
    });
    child.once('exit', (code) =>
      reject(new Error(`It ended with ${code} before it said ${field}`)),
    );
  });
}
