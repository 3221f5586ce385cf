/**
 * The process in which a client runs: loads the module that its argument names, and does the tasks that come. A client
 * that blocks, or dies, does so here. Nothing is written to its output by this file.
 */
import { Worker } from 'node:worker_threads';
import type { ClientTask, Subject, TaskOutcome } from '../task.ts';

/** What the runner says. */
export interface Asked {
  readonly id: number;
  readonly task: ClientTask;
}

/** What this process says. */
export type Told =
  | { readonly is: 'ready'; readonly subject: Omit<Subject, 'run' | 'close'> }
  | { readonly is: 'absent'; readonly why: string }
  | { readonly is: 'done'; readonly id: number; readonly outcome: TaskOutcome };

/** How often memory is looked at, in ms. */
const SAMPLE = 10;

const tell = (told: Told): void => {
  process.send?.(told);
};

// The runner is gone: nobody will ask again.
process.on('disconnect', () => process.exit(0));
// A client that blocks this thread never hears of that, and would go on for ever.
new Worker(
  `const { workerData } = require('node:worker_threads');
  setInterval(() => process.ppid === workerData || process.kill(process.pid, 'SIGKILL'), 1_000);`,
  { eval: true, workerData: process.ppid },
).unref();
// Ctrl-C is the runner's business.
process.on('SIGINT', () => {});

const [, , specifier = ''] = process.argv;
try {
  const loaded = (await import(specifier)) as {
    subject?: Subject;
    default?: Subject;
  };
  const subject = loaded.subject ?? loaded.default;
  if (typeof subject?.run !== 'function') throw new Error('it exports no subject with run()');
  const { name, version, features, reports } = subject;
  process.on('message', (asked: Asked) => void perform(subject, asked));
  tell({ is: 'ready', subject: { name, version, features, reports } });
} catch (error) {
  tell({ is: 'absent', why: String((error as Error | undefined)?.message ?? error) });
  process.disconnect?.();
}

async function perform(subject: Subject, { id, task }: Asked): Promise<void> {
  (globalThis as { gc?: () => void }).gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const timer = setInterval(look, SAMPLE);
  // A throw that nobody catches ends this process, and that is the verdict.
  const outcome = await subject.run(task, new AbortController().signal);
  clearInterval(timer);
  look();
  tell({ is: 'done', id, outcome: { ...outcome, memory: most - before } });
}
