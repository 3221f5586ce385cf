import { defineConfig } from 'tsup';

const config: ReturnType<typeof defineConfig> = defineConfig({
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
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  external: ['cloudflare:sockets'],
  // Deno and workers know `node:net`, and nothing by the name of `net`.
  removeNodeProtocol: false,
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  tsconfig: './tsconfig.json',
  clean: true,
  treeshake: true,
  sourcemap: true,
});

export default config;
