/** The closing line `N passed, N failed` says failed for whatever makes vitest exit with 1. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root, type TemporaryTree, temporaryTree } from './temporary-tree.ts';

const runs = {
  passing: ["it('a', () => {}); it('b', () => {});", '2 passed, 0 failed'],
  failing: ["it('a', () => {}); it('b', () => { throw new Error(); });", '1 passed, 1 failed'],
  skipped: [
    "it('a', () => {}); it.skip('b', () => {}); it.todo('c');",
    '1 passed, 0 failed, 2 skipped',
  ],
  'import-error': ["import './nowhere.ts'; it('a', () => {});", '0 passed, 1 failed'],
  unhandled: [
    "it('a', async () => { void Promise.reject(new Error()); await new Promise((r) => setTimeout(r, 50)); });",
    '1 passed, 1 failed',
  ],
  'group-hook': [
    "describe('g', () => { beforeAll(() => { throw new Error(); }); it('a', () => {}); }); it('b', () => {});",
    '1 passed, 1 failed, 1 skipped',
  ],
  'file-hook': [
    "beforeAll(() => { throw new Error(); }); it('a', () => {});",
    '0 passed, 1 failed, 1 skipped',
  ],
} as const;

let tree: TemporaryTree;

beforeAll(() => {
  tree = temporaryTree();
  tree.link('node_modules');
  tree.copy('scripts/closing-line-reporter.mjs');
  tree.write(
    'vitest.config.mjs',
    "export default { test: { reporters: ['./scripts/closing-line-reporter.mjs'] } };",
  );
  for (const [name, [body]] of Object.entries(runs)) {
    tree.write(`${name}.test.ts`, `import { beforeAll, describe, it } from 'vitest';\n${body}\n`);
  }
});

afterAll(() => tree.remove());

const vitest = (...files: string[]) => {
  const program = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { status, stdout } = spawnSync(process.execPath, [program, 'run', ...files], {
    cwd: tree.path,
    encoding: 'utf8',
  });
  return { status, line: stdout.trimEnd().split('\n').at(-1) };
};

// Each takes a second and more: the gate (LARGE) has them one by one, the sum has all of them at once.
it.runIf(process.env['LARGE']).each(Object.entries(runs))(
  'closes a run of %s',
  (name, [, line]) => {
    expect(vitest(`${name}.test.ts`)).toEqual({ status: line.includes(' 0 failed') ? 0 : 1, line });
  },
);

it('closes a run of them all with the sum', () => {
  expect(vitest()).toEqual({ status: 1, line: '6 passed, 5 failed, 4 skipped' });
});

it('counts a run without any file as failed', () => {
  expect(vitest('no-such-file')).toEqual({ status: 1, line: '0 passed, 1 failed' });
});
