/** The suite's programs, bundled from their sources: processes of their own cannot be started from TypeScript. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, '..', '..');

export interface Built {
  /** The folder that stands for dist. */
  folder: string;
  /** The path of a module in it. */
  file(name: string): string;
}

/** Bundles before the first test of a file, and clears away behind the last. */
export function useBuilt(): Built {
  const built: Built = { folder: '', file: (name) => join(built.folder, name) };
  let root = '';
  beforeAll(async () => {
    // Inside the package, so that its dependencies are found.
    const cache = join(here, '..', 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    root = mkdtempSync(join(cache, 'built-'));
    built.folder = join(root, 'dist');
    mkdirSync(built.folder);
    copyFileSync(join(here, '..', 'package.json'), join(root, 'package.json'));
    cpSync(join(here, '..', 'clients'), join(root, 'clients'), { recursive: true });
    const source = (name: string): string => join(here, '..', 'src', name);
    await build({
      entryPoints: {
        index: source('index.ts'),
        'test-kit': source('test-kit.ts'),
        cli: source('cli.ts'),
        host: source('drivers/host.ts'),
        'subject-core': source('subjects/core.ts'),
        'subject-nodemailer': source('subjects/nodemailer.ts'),
      },
      outdir: built.folder,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      external: [
        '@peculiar/x509',
        'classic-level',
        'commander',
        'hono',
        'nodemailer',
        'postal-mime',
        'reflect-metadata',
        'smtp-server',
        'vitest',
        'xmlbuilder2',
      ],
      alias: {
        '@posthorn/core/devino': join(packages, 'core/src/devino/index.ts'),
        '@posthorn/core/pool': join(packages, 'core/src/pool/index.ts'),
        '@posthorn/core/sasl': join(packages, 'core/src/sasl/index.ts'),
        '@posthorn/core': join(packages, 'core/src/index.ts'),
        '@posthorn/mime': join(packages, 'mime/src/index.ts'),
      },
    });
  }, 60_000);
  afterAll(() => {
    if (root) rmSync(root, { recursive: true, force: true });
  });
  return built;
}
