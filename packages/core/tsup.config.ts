import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { defineConfig } from 'tsup';

type Options = Exclude<
  Parameters<typeof defineConfig>[0],
  unknown[] | ((options: never) => unknown)
>;
type Plugin = NonNullable<Options['esbuildPlugins']>[number];

const sources = join(import.meta.dirname, 'src');
const shared = new Set(
  Array.from(
    readFileSync(join(sources, 'shared.ts'), 'utf8').matchAll(/'\.\/(.*)'/g),
    ([, path]) => path,
  ),
);

/** Leaves in shared.js what it has. */
const oneFile: Plugin = {
  name: 'one file',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) =>
      shared.has(relative(sources, join(resolveDir, path)).replaceAll('\\', '/'))
        ? { path: './shared.js', external: true, sideEffects: false }
        : undefined,
    );
  },
};

const common: Options = {
  entry: {
    index: 'src/index.ts',
    session: 'src/session/index.ts',
    sasl: 'src/sasl/index.ts',
    authenticate: 'src/authenticate/index.ts',
    pool: 'src/pool/index.ts',
    workers: 'src/workers/index.ts',
    diagnostics: 'src/diagnostics/index.ts',
    devino: 'src/devino/index.ts',
  },
  target: 'node20',
  platform: 'node',
  external: ['cloudflare:sockets'],
  // Deno and workers know `node:net`, and nothing by the name of `net`.
  removeNodeProtocol: false,
  tsconfig: './tsconfig.json',
  treeshake: true,
  sourcemap: true,
};

const config: ReturnType<typeof defineConfig> = defineConfig([
  { ...common, format: 'esm', entry: { shared: 'src/shared.ts' } },
  { ...common, format: 'esm', esbuildPlugins: [oneFile] },
  { ...common, format: 'cjs' },
  {
    ...common,
    format: ['esm', 'cjs'],
    dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } },
  },
]);

export default config;
