/** A client in a process of its own: one that hangs is killed, one that dies is judged. */
import { type ChildProcess, fork } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import type { ClientTask, Subject, TaskOutcome } from '../task.ts';
import { entry } from './entry.ts';
import type { Told } from './host.ts';

/** There is no such client here. The message says why. */
export class AbsentError extends Error {
  override readonly name: string = 'AbsentError';
}

/** How long a process has to load its client, in ms. */
const LOADING = 20_000;
/** How much of what it writes to its error output is kept. */
const KEPT = 2_000;

/**
 * A client whose module runs in a process of its own.
 *
 * @param module - 'core', 'nodemailer', or the path or URL of a module that exports `subject`
 * @throws AbsentError where it cannot be loaded
 */
export async function forkSubject(module: string): Promise<Subject> {
  const forked = new Forked(specifierOf(module));
  await forked.start();
  return forked;
}

const specifierOf = (module: string): string => {
  if (module === 'core' || module === 'nodemailer') return entry(`subject-${module}`).href;
  return /^[a-z]{2,}:/i.test(module) ? module : pathToFileURL(module).href;
};

class Forked implements Subject {
  name = '';
  version = '';
  features: Subject['features'] = [];
  reports: Subject['reports'] = [];
  readonly #specifier: string;
  #child: ChildProcess | undefined;
  #errors = '';
  #last = 0;

  constructor(specifier: string) {
    this.#specifier = specifier;
  }

  /** Starts the process, and learns what the client can do. */
  async start(): Promise<ChildProcess> {
    this.#errors = '';
    const child = fork(entry('host'), [this.#specifier], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    child.stderr?.on('data', (octets: Buffer) => {
      this.#errors = (this.#errors + octets.toString('utf8')).slice(-KEPT);
    });
    const told = await this.#next(child, LOADING);
    if (told?.is !== 'ready') {
      this.#kill();
      throw new AbsentError(
        told?.is === 'absent' ? told.why : `its process ended before it was ready: ${this.#errors}`,
      );
    }
    Object.assign(this, told.subject);
    return child;
  }

  async run(task: ClientTask, signal: AbortSignal): Promise<TaskOutcome> {
    const child = this.#child ?? (await this.start());
    this.#last += 1;
    const id = this.#last;
    const kill = (): void => this.#kill();
    signal.addEventListener('abort', kill);
    try {
      if (signal.aborted) kill();
      child.send({ id, task });
      const told = await this.#next(child);
      if (told?.is === 'done' && told.id === id) return told.outcome;
      // The next task may have a process of its own by now.
      if (this.#child === child) this.#child = undefined;
      throw new Error(
        `its process ended (${child.signalCode ?? `exit code ${child.exitCode}`}): ${this.#errors.trim()}`,
      );
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  async close(): Promise<void> {
    this.#kill();
  }

  #kill(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  /** What the process says next; undefined where it ends first. */
  #next(child: ChildProcess, within?: number): Promise<Told | undefined> {
    return new Promise((resolve) => {
      const done = (told?: Told): void => {
        clearTimeout(timer);
        child.off('message', done);
        child.off('exit', ended);
        child.off('error', ended);
        resolve(told);
      };
      // What it wrote last is read by now.
      const ended = (): void => void setTimeout(() => done(), 50);
      const timer = within === undefined ? undefined : setTimeout(() => done(), within);
      child.on('message', done);
      child.on('exit', ended);
      child.on('error', ended);
    });
  }
}
