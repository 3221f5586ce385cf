/** A client in a process of its own: one that hangs is killed, one that dies is judged. */
import { type ChildProcess, fork } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { AbsentError } from '../runner/absent-error.ts';
import type { ClientTask, Subject, TaskOutcome } from '../task.ts';
import { entry } from './entry.ts';
import type { Told } from './host.ts';

/** How long a process has to load its client, in ms. */
const LOADING = 20_000;
/** How much of what it writes to its error output is kept. */
const KEPT = 2_000;

/**
 * A client whose module runs in a process of its own.
 *
 * @param module - 'core', 'nodemailer', or the path or URL of a module that exports `subject`, or has it as its default
 * @returns a subject to close when it is no longer needed: its process lives until then
 * @throws AbsentError where it cannot be loaded, or not within 20 s
 *
 * @example
 * ```ts
 * import { AbsentError, forkSubject } from '@posthorn/conformance';
 *
 * const mine = await forkSubject('./no-such-client.js').catch((error) => error);
 * console.log(mine instanceof AbsentError); // true
 * ```
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
  async start(signal?: AbortSignal): Promise<ChildProcess> {
    this.#errors = '';
    const child = fork(entry('host'), [this.#specifier], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    // Where nobody waits for it, as behind the end of a process, an error would end this one.
    child.on('error', () => {});
    child.stderr?.on('data', (octets: Buffer) => {
      this.#errors = (this.#errors + octets.toString('utf8')).slice(-KEPT);
    });
    const kill = (): void => this.#kill(child);
    signal?.addEventListener('abort', kill);
    const told = await this.#next(child, ({ is }) => is !== 'done', LOADING);
    signal?.removeEventListener('abort', kill);
    if (told?.is === 'ready') {
      Object.assign(this, told.subject);
      return child;
    }
    const ended = hasEnded(child);
    kill();
    if (told?.is === 'absent') throw new AbsentError(told.why);
    throw new AbsentError(
      ended
        ? `its process ended before it was ready: ${this.#errors.trim()}`
        : `it was not loaded within ${LOADING / 1_000} s`,
    );
  }

  /** A process that was ended is started anew. Where that fails, run() says so. */
  async prepare(signal: AbortSignal): Promise<void> {
    if (!this.#child && !signal.aborted) await this.start(signal).catch(() => {});
  }

  async run(task: ClientTask, signal: AbortSignal): Promise<TaskOutcome> {
    // It was there before: that it is no more is what it has done.
    const child =
      this.#child ??
      (await this.start(signal).catch(({ message }: Error) => {
        throw new Error(message);
      }));
    this.#last += 1;
    const id = this.#last;
    const kill = (): void => this.#kill(child);
    signal.addEventListener('abort', kill);
    try {
      const before = hasEnded(child);
      if (signal.aborted) kill();
      if (!before) {
        child.send({ id, task });
        const told = await this.#next(child, (one) => one.is === 'done' && one.id === id);
        if (told?.is === 'done') return told.outcome;
      }
      kill();
      throw new Error(
        `its process ended ${before ? 'behind the task before ' : ''}(${child.signalCode ?? `exit code ${child.exitCode}`}): ${this.#errors.trim()}`,
      );
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  async close(): Promise<void> {
    if (this.#child) this.#kill(this.#child);
  }

  #kill(child: ChildProcess): void {
    child.kill('SIGKILL');
    // The next task may have a process of its own by now.
    if (this.#child === child) this.#child = undefined;
  }

  /** The next of what the process says that is meant: a client may say something of its own. undefined: it ends first. */
  #next(
    child: ChildProcess,
    meant: (told: Told) => boolean,
    within?: number,
  ): Promise<Told | undefined> {
    return new Promise((resolve) => {
      const done = (told?: Told): void => {
        clearTimeout(timer);
        child.off('message', hear);
        child.off('exit', ended);
        child.off('error', ended);
        resolve(told);
      };
      const hear = (said: unknown): void => {
        if (isTold(said) && meant(said)) done(said);
      };
      // What it wrote last is read by now.
      const ended = (): void => void setTimeout(() => done(), 50);
      const timer = within === undefined ? undefined : setTimeout(() => done(), within);
      child.on('message', hear);
      child.on('exit', ended);
      child.on('error', ended);
    });
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

const isTold = (said: unknown): said is Told =>
  typeof said === 'object' && said !== null && 'is' in said;
