/**
 * Whether the packages can be published as they stand: what the registry, its provenance and whoever reads the changelog need.
 * docs/releasing.md has the steps. Changes nothing and asks no server.
 *
 *     node scripts/release-check.mjs                    what stands in the way
 *     node scripts/release-check.mjs --tag v0.2.0       and whether the tag is that of the versions
 *
 * In GitHub Actions it also holds `repository` to GITHUB_REPOSITORY, as npm does.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { statedVersions } from './stated-version.mjs';
import workspace from './workspace.cjs';

const { packageFolders, readJson } = workspace;
const NAME_IT = 'see "Name the repository" in docs/releasing.md';

/**
 * @param root - the work tree
 * @param asked - `tag`, as `v1.2.3`; `repository`, as `owner/name`
 * @returns {{ version: string, problems: string[] }} problems are whole sentences
 */
export function releaseProblems(root, { tag, repository } = {}) {
  const packages = packageFolders(root)
    .map((folder) => ({ folder, manifest: readJson(join(folder, 'package.json')) }))
    .filter(({ manifest }) => !manifest.private);
  const versions = new Map(packages.map(({ manifest }) => [manifest.name, manifest.version]));
  const [version = ''] = versions.values();
  const problems = packages.flatMap(({ folder, manifest }) =>
    [
      ...whence(manifest, basename(folder), repository),
      ...published(manifest, folder),
      ...together(manifest, versions, version),
    ].map((problem) => `Cannot release ${manifest.name}: ${problem}.`),
  );
  return { version, problems: [...problems, ...ofTheTree(root, version, tag)] };
}

/** npm refuses provenance for a package that names another repository than the one it is built in, or none. */
function* whence({ repository, homepage, bugs }, name, built) {
  if (!repository?.url) {
    yield `its package.json names no repository, and npm accepts no provenance without one; ${NAME_IT}`;
    return;
  }
  const [, path] = /^git\+https:\/\/[^/]+\/([^/]+\/[^/]+)\.git$/.exec(repository.url) ?? [];
  if (!path) yield `repository.url is ${repository.url}, not git+https://host/owner/name.git`;
  else if (built && path.toLowerCase() !== built.toLowerCase())
    yield `repository.url names ${path}, and this is ${built}; ${NAME_IT}`;
  if (repository.directory !== `packages/${name}`)
    yield `repository.directory is not packages/${name}`;
  if (!homepage) yield `it has no homepage; ${NAME_IT}`;
  if (!bugs?.url) yield `it has no bugs.url; ${NAME_IT}`;
}

function* published({ publishConfig, license, files = [] }, folder) {
  if (publishConfig?.access !== 'public') yield 'publishConfig.access is not public';
  if (publishConfig?.provenance !== true) yield 'publishConfig.provenance is not true';
  if (!license) yield 'it has no license';
  if (files.length === 0) yield 'it has no list of files';
  for (const file of ['README.md', 'LICENSE'])
    if (!existsSync(join(folder, file))) yield `it has no ${file}`;
}

/** The packages have one version, and each asks for exactly that of the others: they are tested together only. */
function* together({ version, dependencies = {} }, versions, common) {
  if (version !== common) yield `its version is ${version}, that of others ${common}`;
  for (const [name, range] of Object.entries(dependencies))
    if (versions.has(name) && range !== versions.get(name))
      yield `it depends on ${name} ${range}, which is ${versions.get(name)}`;
}

function* ofTheTree(root, version, tag) {
  if (tag !== undefined && tag !== `v${version}`)
    yield `The tag is ${tag}, and the packages are ${version}.`;
  const left = readdirSync(join(root, '.changeset')).filter(
    (name) => name.endsWith('.md') && name !== 'README.md',
  );
  if (left.length > 0)
    yield `Changesets are not in a version yet: ${left.join(', ')}. Run \`npm run version\`.`;
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  if (
    !new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm').test(
      changelog,
    )
  )
    yield `CHANGELOG.md has no section "## [${version}] - " with a date.`;
  for (const stated of statedVersions(root))
    if (stated.version !== version)
      yield `${stated.file} says version ${stated.version}, and the packages are ${version}.`;
}

function main() {
  const { values } = parseArgs({ options: { tag: { type: 'string' }, root: { type: 'string' } } });
  const root = resolve(values.root ?? dirname(dirname(fileURLToPath(import.meta.url))));
  const { version, problems } = releaseProblems(root, {
    tag: values.tag,
    repository: process.env.GITHUB_REPOSITORY,
  });
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(`The packages can be released as ${version}.`);
  return problems.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  }
}
