import { defineConfig, type Options } from 'tsup';

const shared: Options = {
  target: 'node20',
  platform: 'node',
  // `node:test` has no other name.
  removeNodeProtocol: false,
  tsconfig: './tsconfig.json',
  treeshake: true,
  sourcemap: true,
};

/** What is imported, both ways; and what is run, as ESM. The names of the latter are those in drivers/entry.ts. */
const config: ReturnType<typeof defineConfig> = defineConfig([
  {
    ...shared,
    entry: { index: 'src/index.ts', 'test-kit': 'src/test-kit.ts' },
    format: ['esm', 'cjs'],
    esbuildOptions: (options, { format }) => {
      if (format !== 'cjs') return;
      options.define = { ...options.define, 'import.meta.url': 'importMetaUrl' };
      options.inject = [...(options.inject ?? []), 'src/commonjs.ts'];
    },
    clean: true,
    dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
    external: ['vitest'],
  },
  {
    ...shared,
    entry: {
      cli: 'src/cli.ts',
      host: 'src/drivers/host.ts',
      'subject-core': 'src/subjects/core.ts',
      'subject-nodemailer': 'src/subjects/nodemailer.ts',
    },
    format: ['esm'],
    splitting: false,
    clean: false,
  },
]);

export default config;
