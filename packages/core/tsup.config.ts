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

/** The entries that nodemailer/ imports: else what they have would be in files of its own, for all their users. */
const entries = new Map([
  ['index.ts', './index.js'],
  ['pool/index.ts', './pool.js'],
  ['sasl/index.ts', './sasl.js'],
]);

/** Leaves in shared.js what it has, and in the entries what they have. */
const oneFile: Plugin = {
  name: 'one file',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir, kind }) => {
      const file = relative(sources, join(resolveDir, path)).replaceAll('\\', '/');
      const built = shared.has(file) ? './shared.js' : entries.get(file);
      return built && kind !== 'entry-point'
        ? { path: built, external: true, sideEffects: false }
        : undefined;
    });
  },
};

/** nodemailer/ composes by mime, of which it has a copy: a user of core installs nothing else. */
const mime = { '@posthorn/mime': ['../mime/src/index.ts'] };

const common: Options = {
  entry: {
    index: 'src/index.ts',
    session: 'src/session/index.ts',
    sasl: 'src/sasl/index.ts',
    authenticate: 'src/authenticate/index.ts',
    pool: 'src/pool/index.ts',
    workers: 'src/workers/index.ts',
    diagnostics: 'src/diagnostics/index.ts',
    nodemailer: 'src/nodemailer/index.ts',
    devino: 'src/devino/index.ts',
  },
  target: 'node20',
  platform: 'node',
  external: ['cloudflare:sockets'],
  noExternal: Object.keys(mime),
  esbuildOptions(options) {
    options.alias = { '@posthorn/mime': join(import.meta.dirname, '../mime/src/index.ts') };
  },
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
    dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0', paths: mime } },
  },
]);

export default config;
