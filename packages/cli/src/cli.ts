#!/usr/bin/env node
/** The program `posthorn`, and `sendmail` where it goes by that name. */
import { readFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { basename } from 'node:path';
import { main } from './main.ts';
import { write } from './say.ts';
import { Stopped } from './surroundings.ts';

// Beside the folder of this file, in the sources and in the build.
const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

const { stdin, stdout, stderr, env } = process;

const controller = new AbortController();
// The first asks, the second insists.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    const stopped = new Stopped(signal);
    if (controller.signal.aborted) process.exit(stopped.code);
    controller.abort(stopped);
  });
// A reader that has seen enough, as `head`, is no error; each write learns of it by itself.
for (const stream of [stdout, stderr]) stream.on('error', () => {});

/** A user without a name or a home is one all the same. */
function attempt(find: () => string): string {
  try {
    return find();
  } catch {
    return '';
  }
}

const code = await main(
  process.argv.slice(2),
  { name: basename(process.argv[1] ?? ''), version },
  {
    stdin,
    stdout,
    stderr,
    env,
    home: attempt(homedir),
    login: attempt(() => userInfo().username) || env['LOGNAME'] || env['USER'] || '',
    temporary: tmpdir(),
    now: () => new Date(),
    signal: controller.signal,
  },
);
// What was said has left; a connection that is only being closed is not waited for.
await Promise.all([write(stdout, ''), write(stderr, '')]);
process.exit(code);
