/** Every mutant of the conformance suite against the cases that have to see it: some minutes. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './bounded-run.cjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const { code } = await run(
  process.execPath,
  [vitest, 'run', 'packages/conformance/test/mutants', ...process.argv.slice(2)],
  {
    cwd: root,
    env: { ...process.env, MUTANTS: '1' },
    timeout: 15 * 60 * 1000,
    onOutput: (text) => process.stdout.write(text),
  },
);
process.exitCode = code ?? 1;
