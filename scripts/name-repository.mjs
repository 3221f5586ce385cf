/**
 * Writes into the package.json of each package where its repository is: what npm shows, and what its provenance is held to.
 *
 *     node scripts/name-repository.mjs https://github.com/OWNER/NAME
 */
import { writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import workspace from './workspace.cjs';

const { packageFolders, readJson } = workspace;

function main() {
  const { values, positionals } = parseArgs({
    options: { root: { type: 'string' } },
    allowPositionals: true,
  });
  const [, url] =
    /^(https:\/\/[^/\s]+\/[^/\s]+\/[^/\s]+?)(?:\.git)?\/?$/.exec(positionals.join(' ')) ?? [];
  if (!url)
    throw new Error('Give the address of the repository, as https://github.com/OWNER/NAME.');
  const root = resolve(values.root ?? dirname(dirname(fileURLToPath(import.meta.url))));
  for (const folder of packageFolders(root)) {
    const file = join(folder, 'package.json');
    const { name, version, description, ...rest } = readJson(file);
    const directory = `packages/${basename(folder)}`;
    const whence = {
      homepage: `${url}/tree/main/${directory}#readme`,
      bugs: { url: `${url}/issues` },
      repository: { type: 'git', url: `git+${url}.git`, directory },
    };
    const manifest = { name, version, description, ...rest, ...whence };
    writeFileSync(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
    console.log(`${name} is in ${directory} of ${url}`);
  }
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
