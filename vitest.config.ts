import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests run on the sources, never on dist: the aliases say where each package name points. */
const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      { find: /^@posthorn\/core\/(.+)$/, replacement: source('./packages/core/src/$1/index.ts') },
      {
        find: '@posthorn/conformance/test-kit',
        replacement: source('./packages/conformance/src/test-kit.ts'),
      },
      {
        find: /^@posthorn\/(core|mime|conformance)$/,
        replacement: source('./packages/$1/src/index.ts'),
      },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    testTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
    // Cases of the conformance suite mostly wait.
    maxConcurrency: 8,
  },
});

export default config;
