import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const PURE = [
  'packages/mime/test/**/*.test.ts',
  'packages/core/test/{wire,sasl,session}/**/*.test.ts',
];

/** In-process tests of the conformance suite: all of them load the same cases, servers, parsers and pages. */
const CONFORMANCE = [
  'packages/conformance/test/*.test.ts',
  'packages/conformance/test/{judge,mutants,runner,server}/*.test.ts',
  'packages/conformance/test/report/{html,json,junit,tap,terminal,transcript}.test.ts',
  'packages/conformance/test/sandbox/{accept,api,callbacks,pages,platform,rewrite,rules,security,statistics,tracking}*.test.ts',
];

const CLI = ['packages/cli/test/*.test.ts'];

/**
 * What takes long: processes, the examples of the documents, releases, comparisons with other clients. The gate runs it; a
 * plain test run has two minutes.
 */
const LONG = process.env['LARGE']
  ? []
  : [
      'test/{bench,demo,examples,interop,runtimes}.test.ts',
      'test/docs-{coverage,packages,reference,releasing}.test.ts',
      'packages/cli/test/{program,send,sendmail}.test.ts',
      'packages/conformance/test/{cli/cli,drivers/forked}.test.ts',
      'packages/core/test/nodemailer/{differences,failures,lifecycle,refusals,wire,wrappers}.test.ts',
    ];

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
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: PURE,
          // What keeps no state between its files needs no process for each of them: half the time is loading.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'conformance', include: CONFORMANCE, isolate: false },
      },
      { extends: true, test: { name: 'cli', include: CLI, exclude: LONG, isolate: false } },
      {
        extends: true,
        test: {
          name: 'rest',
          include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...PURE, ...CONFORMANCE, ...CLI, ...LONG],
        },
      },
    ],
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    testTimeout: 20_000,
    pool: 'forks',
    // One more than the cores that CI has: a third of the time is spent waiting.
    maxWorkers: 3,
    // Cases of the conformance suite mostly wait.
    maxConcurrency: 8,
  },
});

export default config;
