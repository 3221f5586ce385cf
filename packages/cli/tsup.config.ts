import { defineConfig } from 'tsup';

/** One program, as ESM, in pieces: what the name sendmail needs is loaded without what options need. */
const config: ReturnType<typeof defineConfig> = defineConfig({
  entry: { cli: 'src/cli.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  tsconfig: './tsconfig.json',
  splitting: true,
  treeshake: true,
  sourcemap: true,
  clean: true,
});

export default config;
