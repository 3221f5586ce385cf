/** Where the CommonJS build looks for the modules that it starts as processes. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { expect, test } from 'vitest';
import config from '../../tsup.config.ts';

test('a required build finds its processes, whatever its folder is called', async () => {
  const root = mkdtempSync(join(tmpdir(), 'posthorn test '));
  try {
    const folder = join(root, 'a#b %20c');
    mkdirSync(folder);
    const here = fileURLToPath(new URL('../..', import.meta.url));
    const options: BuildOptions = {
      absWorkingDir: here,
      entryPoints: ['src/drivers/entry.ts'],
      outfile: join(folder, 'entry.cjs'),
      format: 'cjs',
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
    };
    const [imported] = config as readonly {
      esbuildOptions?: (options: BuildOptions, context: { format: string }) => void;
    }[];
    imported?.esbuildOptions?.(options, { format: 'cjs' });
    await build(options);
    const { entry } = createRequire(import.meta.url)(join(folder, 'entry.cjs')) as {
      entry(name: string): URL;
    };
    expect(entry('host').href).toBe(pathToFileURL(join(folder, 'host.js')).href);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
