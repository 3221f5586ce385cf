/** The catalogue as tests: in vitest, which runs this, in node:test, and in whatever registers tests. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { importBlock } from '../../../../test/document-blocks.ts';
import { UsageError } from '../../src/runner/select.ts';
import { coreSubject, subject } from '../../src/subjects/core.ts';
import type { Subject } from '../../src/task.ts';
import {
  type ConformanceOptions,
  conformance,
  type TestContext,
  type TestFramework,
} from '../../src/test-kit.ts';
import { useBuilt } from '../built.ts';

const built = useBuilt();

// Registered with vitest itself: these are tests of this file.
await conformance(subject, { cases: 'GRE-01,GRE-05', deliveries: ['whole', 'byte'] });

// A client may take longer than vitest gives a test by itself: a case has deadlines of its own.
vi.setConfig({ testTimeout: 500 });
await conformance(
  {
    ...subject,
    run: async (task, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      return subject.run(task, signal);
    },
  },
  { cases: 'GRE-05' },
);
vi.resetConfig();

interface Registered {
  readonly name: string;
  readonly body: (context: TestContext) => Promise<void>;
}

/** Registers, and runs nothing by itself. */
async function registered(
  client: Subject | string | { readonly command: string },
  options: ConformanceOptions = {},
): Promise<{ tests: Registered[]; groups: string[]; end: () => Promise<void> }> {
  const tests: Registered[] = [];
  const groups: string[] = [];
  let end = async (): Promise<void> => {};
  const framework: TestFramework = {
    describe: (name, body) => {
      groups.push(name);
      body();
    },
    test: (name, body) => tests.push({ name, body }),
    after: (body) => {
      end = body;
    },
  };
  await conformance(client, { framework, ...options });
  return { tests, groups, end };
}

/** What each test comes to: 'passed', 'skipped: …' or why it failed. */
async function results(
  client: Subject | string | { readonly command: string },
  options: ConformanceOptions = {},
): Promise<string[]> {
  const { tests, end } = await registered(client, options);
  const came: string[] = [];
  for (const { body } of tests) {
    let result = 'passed';
    try {
      await body({
        skip: (why) => {
          result = `skipped: ${why}`;
        },
      });
    } catch (error) {
      result = (error as Error).message;
    }
    came.push(result);
  }
  await end();
  return came;
}

/** Says of everything that it was sent. */
const optimist: Subject = {
  ...coreSubject(),
  run: async (task) => ({
    outcome: 'done',
    messages: task.messages.map(() => ({ outcome: 'resolve' as const })),
  }),
};

describe('conformance()', () => {
  test('registers a test for each case, in its group', async () => {
    const { tests, groups } = await registered(subject, { cases: 'GRE-01,EHL-05,GRE-03' });
    expect(groups).toHaveLength(2);
    expect(tests.map(({ name }) => name.slice(0, 6))).toEqual(['GRE-01', 'GRE-03', 'EHL-05']);
    const cut = await registered(subject, { cases: 'GRE-01', deliveries: ['whole', 'byte'] });
    expect(cut.tests.map(({ name }) => name.replace(/^.* /, ''))).toEqual(['[whole]', '[byte]']);
  });

  test('fails a test with the requirement, the clause, what was expected and what was seen', async () => {
    const [why = ''] = await results(optimist, { cases: 'GRE-03' });
    expect(why).toMatch(/^GRE-03 FAIL: .+ \(RFC 5321 §3\.1/);
    expect(why).toMatch(/\n {2}.*expected the client reports failure, got resolve/);
  });

  test('passes what is right, and skips what a client cannot do', async () => {
    expect(await results(subject, { cases: 'GRE-03' })).toEqual(['passed']);
    const [why] = await results({ ...subject, features: [] }, { cases: 'GRE-07' });
    expect(why).toMatch(/^skipped: core has no timeouts/);
  });

  test('a SHOULD fails under strict alone', async () => {
    const cases = 'EHL-02';
    expect(await results(optimist, { cases })).toEqual(['passed']);
    expect((await results(optimist, { cases, strict: true }))[0]).toMatch(/^EHL-02 WARN: /);
  });

  test('what is known to fail passes while it does, and fails when it passes', async () => {
    const known = { 'GRE-03': 'issue 1' };
    expect(await results(optimist, { cases: 'GRE-03', known })).toEqual(['passed']);
    expect(await results(subject, { cases: 'GRE-03', known })).toEqual([
      'GRE-03 passes, and is known to fail: issue 1',
    ]);
  });

  test('takes a command', async () => {
    const [why] = await results(
      { command: `"${process.execPath}" -e process.exit(89) {host}` },
      { cases: 'GRE-01' },
    );
    expect(why).toMatch(/^skipped: .*exit code 89$/);
  });

  test('refuses what it does not understand, before anything is registered', async () => {
    await expect(registered(subject, { cases: 'XYZ-01' })).rejects.toThrow(UsageError);
    await expect(registered('/no/such/module.mjs')).rejects.toThrow(UsageError);
    await expect(registered({ command: 'x {nobody}' })).rejects.toThrow(UsageError);
  });

  test('registers with node:test, a module in a process of its own', async () => {
    const file = built.file('mine.test.mjs');
    writeFileSync(
      file,
      `import { conformance } from './test-kit.js';\nawait conformance('core', { cases: 'GRE-01,GRE-05' });\n`,
    );
    const child = spawn(process.execPath, ['--test', '--test-reporter=tap', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // What vitest sets would make it look as if vitest ran this.
      env: { ...process.env, VITEST: '', NODE_TEST_CONTEXT: undefined },
    });
    let out = '';
    child.stdout.on('data', (octets) => {
      out += octets;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(out).toMatch(/ok 1 - GRE-01 /);
    expect(out).toMatch(/# pass 2\n# fail 0/);
    expect(code).toBe(0);
  });
});

test('the document registers a client of its own', async () => {
  const { register } = (await importBlock(
    'docs/testing-your-client.md',
    'mine.conformance.ts',
  )) as {
    register(options: ConformanceOptions): Promise<void>;
  };
  const names: string[] = [];
  await register({
    framework: {
      describe: (_name, body) => body(),
      test: (name) => names.push(name.slice(0, 6)),
      after: () => {},
    },
  });
  expect(names).toEqual(['GRE-03', 'GRE-04']);
});
