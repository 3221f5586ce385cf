/**
 * Makes a version of what the changesets say: the numbers in each package.json by `changeset version`, the sources
 * that say it, the lock file, and a heading in CHANGELOG.md over what is unreleased. The words of CHANGELOG.md are written by people, and left alone.
 *
 *     npm run version
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from './bounded-run.cjs';
import { stateVersion } from './stated-version.mjs';
import workspace from './workspace.cjs';

const { readJson } = workspace;
const here = dirname(dirname(fileURLToPath(import.meta.url)));
const TIMEOUT = 2 * 60 * 1000;
const UNRELEASED = /^## \[Unreleased\]\n([\s\S]*?)(?=^## |(?![\s\S]))/m;

/**
 * The changelog with what was unreleased under the version, and nothing unreleased.
 *
 * @param date - as 2026-11-26
 * @throws Error where nothing is unreleased
 */
export function releasedChangelog(changelog, version, date) {
  const [, unreleased = ''] = UNRELEASED.exec(changelog) ?? [];
  if (unreleased.trim() === '')
    throw new Error(
      'CHANGELOG.md has nothing under "## [Unreleased]": say what is new there first.',
    );
  return changelog.replace(
    UNRELEASED,
    () => `## [Unreleased]\n\n## [${version}] - ${date}\n${unreleased}`,
  );
}

async function program(command, args, root) {
  const { code, output } = await run(command, args, { cwd: root, timeout: TIMEOUT });
  if (code !== 0)
    throw new Error(`\`${[command, ...args].join(' ')}\` failed:\n${output.trimEnd()}`);
}

async function main() {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const root = resolve(values.root ?? here);
  const file = join(root, 'CHANGELOG.md');
  const changelog = readFileSync(file, 'utf8');
  const date = new Date().toISOString().slice(0, 10);
  const versionOf = () => readJson(join(root, 'packages', 'core', 'package.json')).version;
  const before = versionOf();
  // Asked before anything is changed.
  releasedChangelog(changelog, before, date);

  const changeset = join(here, 'node_modules', '@changesets', 'cli', 'bin.js');
  await program(process.execPath, [changeset, 'version'], root);
  const version = versionOf();
  if (version === before) throw new Error('There is no changeset: `npx changeset` makes one.');
  writeFileSync(file, releasedChangelog(changelog, version, date));
  stateVersion(root, version);

  // The lock file names the versions that the packages ask of each other.
  const [manager] = readJson(join(root, 'package.json')).packageManager.split('+');
  if (existsSync(join(root, 'pnpm-lock.yaml')))
    await program(
      'npx',
      ['--yes', manager, 'install', '--lockfile-only', '--prefer-offline'],
      root,
    );
  console.log(
    `${before} → ${version}. Look at it, commit it, tag it v${version}: docs/releasing.md goes on from there.`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
