/** Runs a job in a fresh process, which is killed when it does not end in time, and gives back its sample. */
import { execFileSync, fork, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./child.mjs', import.meta.url));
/** The last octets of what a failed child has said. */
const SAID = 2_000;

/** What fork() needs so that its child and what that starts stay on one core. @throws Error without taskset */
export function pinning() {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
  } catch {
    throw new Error('--pin needs the program taskset (util-linux), which is not here.');
  }
  const status = '/proc/self/status';
  const allowed =
    existsSync(status) && /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync(status, 'utf8'));
  return { execPath: 'taskset', execArgv: ['-c', allowed ? allowed[1] : '0', process.execPath] };
}

/**
 * @param job - `{ module, name, options }`: a function that `bench/jobs/<module>.mjs` exports, and what it takes
 * @param settings.bound - ms until the process is killed
 * @param settings.onMark - called with each mark that the job sets; what it resolves to does not matter, the job may wait for it
 * @returns the sample: an object of numbers
 * @throws Error that says what became of the process
 */
export function inFreshProcess(job, { bound = 60_000, pinned = {}, onMark = () => {} } = {}) {
  const child = fork(CHILD, [], {
    execArgv: [],
    ...pinned,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.send(job);
  return outcome(child, bound, async (message, settle) => {
    if (message.mark !== undefined) {
      await onMark(message.mark);
      if (child.connected) child.send({ marked: message.mark });
    } else if (message.error !== undefined) throw new Error(message.error);
    else settle(message.sample);
  });
}

/**
 * The same without a channel to the child, as that costs it node:net at its start: the child writes its sample to its
 * standard output, as JSON.
 */
export function inBareProcess(url, args, { bound = 30_000, execArgv = [] } = {}) {
  const child = spawn(process.execPath, [...execArgv, fileURLToPath(url), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return outcome(child, bound, undefined, () => JSON.parse(output));
}

/** What a process said at its end, the error before the place it comes from. */
function toldBy(said) {
  const error = said.split('\n').find((line) => /^\w*Error\b/.test(line));
  return `${error ?? ''}\n${said}`.trim();
}

function outcome(child, bound, onMessage, atEnd) {
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-SAID);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => fail(new Error(`killed: it did not end within ${bound / 1_000} s`)),
      bound,
    );
    let sample;
    const fail = (error) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(error);
    };
    child.on('error', fail);
    if (onMessage) {
      child.on('message', (message) =>
        onMessage(message, (value) => {
          sample = value;
        }).catch(fail),
      );
    }
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      try {
        if (code === 0 && atEnd) sample = atEnd();
      } catch (error) {
        reject(error);
      }
      if (code === 0 && sample !== undefined) resolve(sample);
      else reject(new Error(`its process ended with ${signal ?? code}. ${toldBy(said)}`.trim()));
    });
  });
}
