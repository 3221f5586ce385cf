/** Other people's programs, run by tests: each in a folder of its own that is its home too, and bounded in time. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** What a program did. */
export interface Ran {
  /** Its exit code; undefined where it was ended. */
  readonly code: number | undefined;
  /** What it wrote, to both outputs. */
  readonly output: string;
}

/** Far above what any client here takes, in ms. */
const LIMIT = 60_000;

/** Whether programs of these names are here. */
export function installed(...names: readonly string[]): boolean {
  return names.every(
    (name) => spawnSync('sh', ['-c', 'command -v "$0"', name], { stdio: 'ignore' }).status === 0,
  );
}

/** Makes folders, which go when all tests of the file are done. */
export function useFolders(): () => string {
  const made: string[] = [];
  afterAll(() => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn client '));
    made.push(folder);
    return folder;
  };
}

/** How a program is run. */
export interface Running {
  /** Added to the environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** When it is ended at the latest, with what it has started; in ms. Default 60,000. */
  readonly limit?: number;
}

/** Runs a program in a folder. */
export function run(
  folder: string,
  [program, ...words]: readonly [string, ...string[]],
  { env = {}, limit = LIMIT }: Running = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd: folder,
      // mailx looks for its user's home in /etc/passwd.
      env: {
        ...process.env,
        HOME: folder,
        DEAD: join(folder, 'dead.letter'),
        LC_ALL: 'C.UTF-8',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const timer = setTimeout(() => {
      // A process group that has ended has no id any more.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    }, limit);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? undefined, output: Buffer.concat(chunks).toString() });
    });
  });
}

/** Runs the lines of a shell. */
export function shell(folder: string, lines: string, running?: Running): Promise<Ran> {
  return run(folder, ['bash', '-e', '-c', lines], running);
}

/**
 * Mono 6.8 has a race at its end: one time in fifty it waits up to a minute for a thread of its pool that is idle. So
 * nobody waits for its exit code: what it did before is there by then.
 */
export const MONO: Running = { limit: 20_000 };
