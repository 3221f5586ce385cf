/**
 * Builds the packages with tsup, then looks whether every file that their `exports` name is there.
 * core and mime know nothing of each other and are built side by side; conformance and cli use what came of them.
 */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './bounded-run.cjs';
import { BUILD_STAMP, buildHash, missingExports, writeStamp } from './workspace.cjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGE_TIMEOUT = 3 * 60 * 1000;

async function build(name) {
  const folder = join(root, 'packages', name);
  const started = performance.now();
  const tsup = join(root, 'node_modules', 'tsup', 'dist', 'cli-default.js');
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  const result = await run(process.execPath, [tsup], { cwd: folder, timeout: PACKAGE_TIMEOUT });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (result.code === 0) {
    console.log(`built ${name} in ${seconds} s`);
    return true;
  }
  console.error(result.output.trimEnd());
  const why = result.timedOut ? `was stopped after ${PACKAGE_TIMEOUT / 60_000} minutes` : 'failed';
  console.error(`The build of ${name} ${why}.`);
  return false;
}

async function main() {
  if (!existsSync(join(root, 'node_modules', 'tsup'))) {
    console.error('tsup is not installed: run `npm run setup` first.');
    return false;
  }
  rmSync(join(root, BUILD_STAMP), { force: true });
  const hash = buildHash(root);
  const inner = await Promise.all([build('mime'), build('core')]);
  if (inner.includes(false)) return false;
  const outer = await Promise.all([build('conformance'), build('cli')]);
  if (outer.includes(false)) return false;
  const missing = missingExports(root);
  for (const file of missing)
    console.error(`A package.json exports ${file}, which the build did not make.`);
  if (missing.length > 0) return false;
  writeStamp(root, BUILD_STAMP, hash);
  return true;
}

process.exitCode = (await main()) ? 0 : 1;
