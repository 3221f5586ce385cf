/**
 * Type-checks the workspace (sources, tests, settings), each package as its own tsconfig sees it, and the pure
 * folders without DOM and Node types, where a clock or a Buffer has no name.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './bounded-run.cjs';
import { packageFolders, readJson } from './workspace.cjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TIMEOUT = 3 * 60 * 1000;
const AT_ONCE = 2;

/**
 * A package's own tsconfig, with the other packages' names led to their sources: so no build is needed.
 * It stands in node_modules, which nobody commits.
 */
function projectOf(folder) {
  const name = basename(folder);
  const file = join(root, 'node_modules', '.cache', 'typecheck', `${name}.json`);
  const { compilerOptions } = readJson(join(root, 'tsconfig.json'));
  const paths = Object.entries(compilerOptions.paths).map(([key, [target]]) => [
    key,
    [join(root, target)],
  ]);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    JSON.stringify({
      extends: join(folder, 'tsconfig.json'),
      compilerOptions: { paths: Object.fromEntries(paths) },
      include: [join(folder, 'src')],
    }),
  );
  return { name: `packages/${name}`, file };
}

async function check({ name, file }) {
  const started = performance.now();
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = await run(process.execPath, [tsc, '-p', file, '--pretty', 'false'], {
    cwd: root,
    timeout: TIMEOUT,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const passed = result.code === 0;
  const verdict = passed ? 'ok' : result.timedOut ? 'STOPPED' : 'FAILED';
  console.log(`${verdict.padEnd(8)}${name.padEnd(24)}${seconds.padStart(6)} s`);
  if (!passed) console.error(result.output.trimEnd());
  return passed;
}

const projects = [
  { name: 'workspace', file: join(root, 'tsconfig.json') },
  { name: 'pure folders', file: join(root, 'tsconfig.pure.json') },
  { name: 'examples/queue', file: join(root, 'examples', 'queue', 'tsconfig.json') },
  ...packageFolders(root).map(projectOf),
];

const results = [];
async function worker() {
  for (let project = projects.shift(); project; project = projects.shift()) {
    results.push(await check(project));
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, worker));

const failed = results.filter((passed) => !passed).length;
if (failed > 0) console.error(`${failed} of ${results.length} type checks failed.`);
process.exitCode = failed > 0 ? 1 : 0;
