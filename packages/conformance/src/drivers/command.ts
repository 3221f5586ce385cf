/** Any program as a client: one process for each task, by a command template, without a shell. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AbsentError } from '../runner/absent-error.ts';
import { UsageError } from '../runner/select.ts';
import { octetsOf, recipientsOf } from '../subjects/content.ts';
import type { ClientTask, Feature, Subject, TaskOutcome } from '../task.ts';
import { parseTemplate, type Template, type TemplateValues } from './template.ts';

/** "This I cannot do": the play is skipped. */
const NOT_IMPLEMENTED = 89;
/** How much of what a program prints is kept, of its begin and of its end. */
const KEPT = 100_000;
/** How long its output is read when it has ended, in ms. */
const LAST_OUTPUT = 500;

const NAMES = [
  'host',
  'port',
  'user',
  'pass',
  'token',
  'from',
  'to',
  'file',
  'ca',
  'name',
  'tls',
  'mech',
  'timeout',
  'lmtp',
  'auth',
  'insecure',
] as const;

/** What is known of a program beside its command. */
export interface CommandOptions {
  /** What stands for it in reports; default: its first word. */
  readonly name?: string;
  readonly version?: string;
  /** What it can be asked for, beside what the command shows by its variables. */
  readonly features?: readonly Feature[];
  /** What the command shows and the program cannot do all the same. */
  readonly without?: readonly Feature[];
}

/**
 * A program as a client under test: exit code 0 says that the message was sent, 89 that what was asked is not
 * implemented, any other that it was not sent. What it prints is its text.
 *
 * @param command - a template: 'swaks --server {host} --port {port} --from {from} --to {to} --data {file}'
 * @returns a subject whose run() rejects with an AbsentError where the program cannot be started
 * @throws UsageError for a command that cannot be read
 *
 * @example
 * ```ts
 * import { cases, commandSubject, runCase } from '@posthorn/conformance';
 *
 * const subject = commandSubject('node -e process.exit(89) {host} {port} {file}');
 * const [first] = cases;
 * if (first) console.log((await runCase(first, subject)).verdict); // SKIP
 * ```
 */
export function commandSubject(command: string, options: CommandOptions = {}): Subject {
  if (command.trim() === '') throw new UsageError('the command is empty');
  const template = parseTemplate(command, NAMES);
  const features = new Set([...shownBy(template), ...(options.features ?? [])]);
  for (const feature of options.without ?? []) features.delete(feature);
  return {
    name: options.name ?? command.trim().split(/\s+/)[0] ?? 'command',
    version: options.version ?? '',
    features: [...features],
    reports: ['text'],
    run: (task, signal) => runCommand(template, task, signal),
  };
}

/** What a command can do, as far as its variables show. */
function shownBy({ names, conditions }: Template): Feature[] {
  const found: Feature[] = [];
  const tls = (mode: string): boolean => conditions.has(`tls=${mode}`);
  if (tls('starttls')) found.push('starttls');
  if (tls('implicit')) found.push('implicit-tls');
  if (tls('opportunistic')) found.push('opportunistic-tls');
  if (names.has('user') && names.has('pass')) {
    found.push('auth-plain', 'auth-login');
    if (conditions.has('mech=CRAM-MD5')) found.push('auth-cram-md5');
  }
  if (names.has('name')) found.push('client-name');
  if (names.has('timeout')) found.push('timeouts');
  if (names.has('lmtp')) found.push('lmtp');
  return found;
}

function valuesOf(task: ClientTask, file: string): TemplateValues {
  const [message] = task.messages;
  const { auth, timeouts } = task;
  const limit = timeouts && Math.max(...Object.values(timeouts)) / 1_000;
  return {
    host: task.host,
    port: String(task.port),
    user: auth?.user,
    pass: auth?.pass,
    token: auth?.token,
    auth: auth && 'yes',
    insecure: auth?.insecure ? 'yes' : undefined,
    mech: auth?.mechanisms?.[0],
    from: message?.from ?? '',
    to: message ? recipientsOf(message) : [],
    file,
    ca: task.caFile,
    name: task.name,
    tls: task.tls,
    timeout: limit === undefined ? undefined : String(Math.max(1, Math.ceil(limit))),
    lmtp: task.protocol === 'lmtp' ? 'yes' : undefined,
  };
}

async function runCommand(
  template: Template,
  task: ClientTask,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  const [message, ...more] = task.messages;
  const octets = message && octetsOf(message.content);
  const cannot = (why: string): TaskOutcome => ({ outcome: 'unimplemented', messages: [], why });
  if (!message || more.length > 0) return cannot('a command sends one message');
  if (!octets) return cannot('a command is given its message as a file');
  const folder = await mkdtemp(join(tmpdir(), 'smtp-conformance-'));
  try {
    const file = join(folder, 'message.eml');
    await writeFile(file, octets);
    const values = valuesOf(task, file);
    const { words, input } = template.fill(values);
    // A NUL ends an argument on every system: what a caller would be refused, is refused here.
    if (words.some((word) => word.includes('\0'))) return cannot('an argument cannot hold NUL');
    // Half a surrogate pair would reach the program as U+FFFD: not what was asked.
    if (words.some((word) => /\p{Cs}/u.test(word))) return cannot('an argument is UTF-8');
    const ended = await execute(words, input, signal);
    if (!ended) return cannot('its arguments are longer than this system takes');
    const { code, text } = ended;
    if (code === NOT_IMPLEMENTED) return cannot(text.trim() || 'exit code 89');
    return {
      outcome: 'done',
      messages: [{ outcome: code === 0 ? 'resolve' : 'reject', text, native: `exit code ${code}` }],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a program to its end. Its whole process group ends with it, or where the signal says so. undefined: it has too
 * many arguments to be started.
 */
function execute(
  [program = '', ...words]: readonly string[],
  input: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly text: string } | undefined> {
  return new Promise((resolve, reject) => {
    const child = start(program, words, input);
    if (!child) {
      resolve(undefined);
      return;
    }
    let begin = '';
    let rest = '';
    const take = (said: string): void => {
      if (begin.length < KEPT) begin += said;
      else rest = (rest + said).slice(-KEPT);
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    const kill = (): void => {
      try {
        if (child.pid !== undefined && process.platform !== 'win32')
          process.kill(-child.pid, 'SIGKILL');
        else child.kill('SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill, { once: true });
    let timer: NodeJS.Timeout | undefined;
    const finish = (code: number | null, killed: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      const text = begin + rest;
      if (killed && !signal.aborted)
        reject(new Error(`it was ended by ${killed}: ${text.slice(-500)}`));
      else resolve({ code: code ?? 1, text });
    };
    child.once('error', (error) => {
      signal.removeEventListener('abort', kill);
      reject(new AbsentError(error.message));
    });
    child.once('exit', (code, killed) => {
      kill();
      // What has left its group may hold its output open as long as it likes.
      timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        finish(code, killed);
      }, LAST_OUTPUT);
    });
    child.once('close', finish);
  });
}

/** @throws AbsentError where it cannot be started, whatever its arguments are */
function start(
  program: string,
  words: readonly string[],
  input: string | undefined,
): ChildProcess | undefined {
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r');
  try {
    return spawn(program, words, {
      stdio: [stdin, 'pipe', 'pipe'],
      // A group of its own, so that what it starts ends with it.
      detached: process.platform !== 'win32',
    });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (/^(E2BIG|ENAMETOOLONG)$/.test(code)) return undefined;
    throw new AbsentError(`${JSON.stringify(program)} cannot be started: ${message}`);
  } finally {
    if (typeof stdin === 'number') closeSync(stdin);
  }
}
