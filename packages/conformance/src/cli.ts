#!/usr/bin/env node
/** The program `smtp-conformance`. */
import { readFileSync } from 'node:fs';
import { main } from './cli/main.ts';

// Beside the folder of this file, in the sources and in the build.
const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

const controller = new AbortController();
// The first asks, the second insists. Clients are in process groups of their own, so that a terminal does not end them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error(`stopped by ${signal}`));
  });
// A reader that has seen enough, as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 2);
});

process.exitCode = await main(process.argv.slice(2), version, {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: controller.signal,
});
