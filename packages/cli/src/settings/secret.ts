/** Passwords and tokens: from a file, from a command, or as given. None of them is ever in a message. */
import { exec } from 'node:child_process';
import { open } from 'node:fs/promises';
import { because, CliError } from '../cli-error.ts';
import { warn } from '../say.ts';
import type { Surroundings } from '../surroundings.ts';
import { readBounded } from './read-bounded.ts';

/** A password manager may ask a person. */
const COMMAND_TIMEOUT = 60_000;
const LONGEST = 65_536;

/** Where one secret may come from: the first that is there. */
export interface SecretSource {
  readonly given?: string | undefined;
  readonly file?: string | undefined;
  readonly command?: string | undefined;
}

/**
 * @param what - what it is, for errors: `password`
 * @throws CliError EX_CONFIG
 */
export async function readSecret(
  what: string,
  { given, file, command }: SecretSource,
  surroundings: Pick<Surroundings, 'stderr' | 'signal' | 'env'>,
): Promise<string | undefined> {
  if (given !== undefined) return given;
  const output =
    file !== undefined
      ? await readPrivate(`the ${what} from ${file}`, file, surroundings)
      : command !== undefined
        ? await run(what, command, surroundings)
        : undefined;
  if (output === undefined) return undefined;
  const [line = ''] = output.split(/\r?\n/, 1);
  if (line === '')
    throw new CliError('CONFIG', `Cannot use the ${what}: ${file ?? 'its command'} gives none`);
  return line;
}

/**
 * The text of a file that should be read by few. Containers mount secrets that all of the container may read: it is a
 * warning, and no more.
 *
 * @throws CliError EX_CONFIG
 */
export async function readPrivate(
  what: string,
  path: string,
  { stderr }: Pick<Surroundings, 'stderr'>,
): Promise<string> {
  try {
    // Not by its size: `<(…)` of a shell is a pipe.
    const handle = await open(path, 'r');
    try {
      const stat = await handle.stat();
      if (stat.isFile() && stat.mode & 0o004 && process.platform !== 'win32')
        warn(stderr, `everybody on this machine may read ${path}: chmod o-r`);
      return await readBounded(handle, LONGEST);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new CliError('CONFIG', `Cannot read ${what}: ${because(error)}`, error);
  }
}

/** Its standard error is shown, as it may say what is missing; its output is not. */
function run(
  what: string,
  command: string,
  { stderr, signal, env }: Pick<Surroundings, 'stderr' | 'signal' | 'env'>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: COMMAND_TIMEOUT, maxBuffer: LONGEST, signal, env: { ...env } };
    const child = exec(command, options, (error, output, said) => {
      if (said) stderr.write(said.endsWith('\n') ? said : `${said}\n`);
      if (!error) resolve(output);
      else if (signal.aborted) reject(signal.reason);
      else
        reject(
          new CliError(
            'CONFIG',
            `Cannot get the ${what}: its command ${
              error.killed
                ? `was stopped after ${COMMAND_TIMEOUT} ms`
                : typeof error.code === 'number'
                  ? `ended with ${error.code}`
                  : 'failed'
            }`,
          ),
        );
    });
    // What it does not read, as a command that has ended, is no error of ours.
    child.stdin?.on('error', () => {}).end();
  });
}
