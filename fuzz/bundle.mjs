/**
 * A target as one file that Node and the fuzzer can load: the sources of the packages in it, packages of others by their
 * place, and of vitest, which the readers of the tests import and do not use here, nothing.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder = dirname(fileURLToPath(import.meta.url));

/** Packages are required from where they are, and only where something of them is used. */
const packages = {
  name: 'packages of others',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vitest$/ }, ({ path }) => ({
      path,
      namespace: 'absent',
      sideEffects: false,
    }));
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({
      contents: 'export const expect = {};',
    }));
    onResolve({ filter: /^[^./]/ }, ({ path, resolveDir, kind }) => {
      if (path.startsWith('node:') || kind === 'entry-point') return undefined;
      const place = createRequire(join(resolveDir, 'x.cjs')).resolve(path);
      return { path: place, external: true, sideEffects: false };
    });
  },
};

/**
 * @param name - of a file in fuzz/targets
 * @param place - the folder where `name.cjs` is written
 * @returns the file
 */
export async function bundle(name, place) {
  const outfile = join(place, `${name}.cjs`);
  await build({
    entryPoints: [join(folder, 'targets', `${name}.ts`)],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'error',
    plugins: [packages],
  });
  return outfile;
}
