/** Where sources of the packages say the version: core runs where no package.json can be read. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import workspace from './workspace.cjs';

const { packageFolders } = workspace;

/** `version: '1.2.3'` and `VERSION = '1.2.3'`, but in a comment. */
const STATED = /^(?!\s*\*)(.*\bversion(?:: | = )')(\d+\.\d+\.\d+)(?=')/gim;

/** @returns {{ file: string, version: string }[]} by paths from the root */
export function statedVersions(root) {
  return sourcesOf(root).flatMap((path) =>
    Array.from(readFileSync(path, 'utf8').matchAll(STATED), ([, , version]) => ({
      file: relative(root, path).split(sep).join('/'),
      version,
    })),
  );
}

/** Says another version wherever one is said. */
export function stateVersion(root, version) {
  for (const { file } of statedVersions(root)) {
    const path = join(root, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      text.replace(STATED, (_, before) => before + version),
    );
  }
}

function sourcesOf(root) {
  return packageFolders(root)
    .map((folder) => join(folder, 'src'))
    .filter(existsSync)
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
        .map((entry) => join(entry.parentPath, entry.name)),
    );
}
