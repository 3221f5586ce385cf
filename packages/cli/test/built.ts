/** The program, bundled from its sources: a process of its own cannot be started from TypeScript. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, '..', '..');

export interface Built {
  /** The path of the program. */
  readonly file: string;
  remove(): void;
}

export async function buildCli(): Promise<Built> {
  // Inside the package, so that its dependencies are found.
  const cache = join(here, '..', 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const root = mkdtempSync(join(cache, 'built-'));
  copyFileSync(join(here, '..', 'package.json'), join(root, 'package.json'));
  await build({
    entryPoints: { cli: join(here, '..', 'src', 'cli.ts') },
    outdir: join(root, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    external: ['commander', 'cli-progress'],
    alias: {
      ...Object.fromEntries(
        ['devino', 'sasl', 'session'].map((name) => [
          `@posthorn/core/${name}`,
          join(packages, `core/src/${name}/index.ts`),
        ]),
      ),
      '@posthorn/core': join(packages, 'core/src/index.ts'),
      '@posthorn/mime': join(packages, 'mime/src/index.ts'),
    },
  });
  return {
    file: join(root, 'dist', 'cli.js'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
