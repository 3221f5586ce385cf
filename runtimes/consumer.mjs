/** The packages as a user gets them: packed, and unpacked in the node_modules of a folder of its own. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const packages = ['core', 'mime'].map((name) => join(dirname(folder), 'packages', name));
const TIMEOUT = 60_000;

/** What runs on the other runtimes. */
const CLIENTS = ['client.mjs', 'client.cjs', 'messages.mjs', 'perform.mjs', 'scenarios.mjs'];
const WORKERS = ['worker.mjs', 'pool-worker.mjs'];

/** @param place - an empty folder */
export function makeConsumer(place) {
  for (const from of packages) {
    const [{ filename }] = Object.values(
      JSON.parse(
        execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', place], {
          cwd: from,
          encoding: 'utf8',
          timeout: TIMEOUT,
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      ),
    );
    const { name } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
    const target = join(place, 'node_modules', name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', join(place, filename), '--strip-components=1', '-C', target]);
  }
  for (const name of [...CLIENTS, ...WORKERS]) cpSync(join(folder, name), join(place, name));
  writeFileSync(join(place, 'package.json'), '{ "private": true, "type": "module" }\n');
}

/** What each entry of the packages exports, as this process sees it. */
export async function entries() {
  const found = {};
  for (const from of packages) {
    const { name, exports } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
    for (const key of Object.keys(exports).filter((key) => !key.endsWith('.json'))) {
      const specifier = name + key.slice(1);
      found[specifier] = Object.keys(await import(specifier)).sort();
    }
  }
  return found;
}
