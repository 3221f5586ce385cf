/** The workers: so many processes of one program, which are killed, paused, and started again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { end, forked } from './children.mjs';

/** @import { ChildProcess } from 'node:child_process' */

/**
 * @param {string} program
 * @param {number} size
 * @param {NodeJS.ProcessEnv} environment
 */
export function startFleet(program, size, environment) {
  /** @type {{ name: string, child: ChildProcess }[]} */
  const workers = [];
  /** Names of those that were killed. @type {Set<string>} */
  const killed = new Set();
  /** What workers have said before they ended by themselves, which none should. @type {string[]} */
  const crashes = [];
  /** @type {Promise<unknown>[]} */
  const pauses = [];
  let lives = 0;
  let stopping = false;

  /** @param {number} at */
  const start = (at) => {
    lives += 1;
    // Said in EHLO: the server's record has it.
    const name = `worker-${at}-${lives}`;
    const child = forked(program, [], { ...process.env, ...environment, SMTP_NAME: name });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      said = `${said}${text}`.slice(-2_000);
    });
    child.once('exit', (code, signal) => {
      if (stopping) return;
      if (!killed.has(name)) crashes.push(`${name} ended with ${code ?? signal}: ${said}`);
      if (crashes.length < 10) start(at);
    });
    workers[at] = { name, child };
  };
  for (let at = 0; at < size; at += 1) start(at);

  return {
    killed,
    crashes,
    /**
     * Kills one, or the next one that has got as far as sending.
     *
     * @param {number} at
     * @param {ReadonlySet<string>} busy
     */
    kill(at, busy) {
      const order = [...workers.slice(at), ...workers.slice(0, at)];
      const worker = order.find(({ name }) => busy.has(name) && !killed.has(name)) ?? order[0];
      if (!worker) return;
      killed.add(worker.name);
      worker.child.kill('SIGKILL');
    },
    /**
     * Stops one as a virtual machine is stopped. It goes on also where this process is killed meanwhile.
     *
     * @param {number} at
     * @param {number} time - in ms
     */
    pause(at, time) {
      const pid = workers[at]?.child.pid;
      const pause = `kill -STOP ${pid}; sleep ${time / 1_000}; kill -CONT ${pid}`;
      pauses.push(once(spawn('sh', ['-c', pause], { stdio: 'ignore' }), 'exit'));
    },
    /** Resolves when no worker is paused. */
    async resumed() {
      await Promise.all(pauses);
    },
    async stop() {
      stopping = true;
      await Promise.all(workers.map(({ child }) => end(child, 'SIGTERM')));
    },
  };
}
