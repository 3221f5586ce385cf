/** `npm run size` on a small workspace of its own: it measures, and it fails when a budget or an import is not there. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root, type TemporaryTree, temporaryTree } from './temporary-tree.ts';

let tree: TemporaryTree;

beforeEach(() => {
  tree = temporaryTree();
  tree.copy('scripts/size.mjs');
  tree.link('node_modules/esbuild');
  tree.write(
    'packages/core/src/index.ts',
    `import { isIP } from 'node:net';
import { unused } from './unused.ts';
export const connect = (host: string): number => isIP(host);
export const other = (): string => unused;
`,
  );
  tree.write('packages/core/src/unused.ts', `export const unused = '${'x'.repeat(5000)}';\n`);
});

afterEach(() => tree.remove());

const size = (maxGzip: number, names = '{ connect }', ...args: string[]) => {
  const budget = { name: 'core', import: names, from: '@posthorn/core', maxGzip };
  tree.write('budgets.json', JSON.stringify([budget]));
  return spawnSync(process.execPath, ['scripts/size.mjs', ...args], {
    cwd: tree.path,
    encoding: 'utf8',
  });
};

it('passes within the budget, without what the import does not use', () => {
  const { status, stdout } = size(200, '{ connect }', '--json');
  expect(status).toBe(0);
  const [row] = JSON.parse(stdout);
  expect(row).toMatchObject({ import: '{ connect }', from: '@posthorn/core', maxGzip: 200 });
  expect(row.minified).toBeLessThan(200);
  expect(row.room).toBe(200 - row.gzip);
});

it('measures a whole entry', () => {
  const [row] = JSON.parse(size(9000, '* as core', '--json').stdout);
  expect(row.minified).toBeGreaterThan(5000);
});

it('exits 1 with a sentence over the budget', () => {
  const { status, stdout, stderr } = size(10);
  expect(status).toBe(1);
  expect(stdout).toContain("{ connect } from '@posthorn/core'");
  expect(stderr).toMatch(/is \d+ octets over its budget of 10 \(gzip\)\.\n$/);
});

it('exits 1 when the import does not exist', () => {
  const { status, stdout, stderr } = size(9000, '{ missing }');
  expect(status).toBe(1);
  expect(stdout).not.toContain('missing');
  expect(stderr).toContain("Cannot measure import { missing } from '@posthorn/core'");
});

it('has a well-formed budget for each import', () => {
  const budgets = JSON.parse(readFileSync(join(root, 'budgets.json'), 'utf8'));
  expect(budgets.length).toBeGreaterThan(0);
  for (const budget of budgets) {
    expect(Object.keys(budget)).toEqual(['name', 'import', 'from', 'maxGzip']);
    expect(budget.maxGzip).toBeGreaterThan(0);
  }
});

it('measures what is named of several modules in one bundle', () => {
  tree.write('packages/mime/src/index.ts', 'export const compose = (): number => 1;\n');
  const from = ['@posthorn/core', '@posthorn/mime'];
  const measured = (names: string): readonly [number | null, number, string] => {
    const budget = { name: 'both', import: names, from, maxGzip: 9000 };
    tree.write('budgets.json', JSON.stringify([budget]));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/size.mjs', '--json'], {
      cwd: tree.path,
      encoding: 'utf8',
    });
    return [status, JSON.parse(stdout)[0]?.minified, stderr];
  };
  const [status, both] = measured('{ connect, compose }');
  expect([status, both < 200]).toEqual([0, true]);
  expect(measured('*')[1]).toBeGreaterThan(5000);
  expect(measured('{ connect }')[1]).toBeLessThan(both);
  const [failed, , why] = measured('{ connect, missing }');
  expect([failed, why]).toEqual([1, expect.stringContaining('none of them exports missing')]);
});
