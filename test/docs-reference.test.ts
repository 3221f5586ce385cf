/** `npm run docs`, the reference: what of a package has to be documented, and where its entries come from. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { root, type TemporaryTree, temporaryTree } from './temporary-tree.ts';

let tree: TemporaryTree;

beforeAll(() => {
  tree = temporaryTree();
  tree.copy('typedoc.json');
  tree.write(
    'tsconfig.json',
    JSON.stringify({ compilerOptions: { strict: true, target: 'es2022', module: 'esnext' } }),
  );
  const entry = (name: string) => ({
    import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
  });
  tree.write(
    'packages/one/package.json',
    JSON.stringify({
      name: '@posthorn/one',
      description: 'The one package.',
      exports: { '.': entry('index'), './two': entry('two'), './package.json': './package.json' },
    }),
  );
  tree.write(
    'packages/other/package.json',
    JSON.stringify({
      name: '@posthorn/other',
      description: 'Another.',
      exports: { '.': entry('index') },
    }),
  );
  tree.write('packages/other/src/index.ts', '/** Else. */\nexport const other = (): void => {};\n');
});

afterAll(() => tree.remove());

beforeEach(() => {
  tree.write('packages/one/src/index.ts', '/** Says it. */\nexport const say = (): void => {};\n');
  tree.write(
    'packages/one/src/two/index.ts',
    '/** The second entry. */\nexport { say } from "../index.ts";\n/** A size. */\nexport interface Size {\n  readonly octets: number;\n}\n',
  );
});

const docs = () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/docs.mjs'), '--only', 'reference', '--root', tree.path],
    { encoding: 'utf8', timeout: 60_000 },
  );
  return { status, stdout, stderr, last: stdout.trimEnd().split('\n').at(-1) };
};

const page = (name: string): string =>
  readFileSync(join(tree.path, 'dist/reference', name), 'utf8');

it('has a module for each entry that the exports name, with what it is', {
  timeout: 60_000,
}, () => {
  expect(docs()).toMatchObject({ status: 0, stderr: '', last: '1 passed, 0 failed' });
  const first = page('index.html');
  for (const text of ['@posthorn/one/two', 'The one package.', 'The second entry.'])
    expect(first).toContain(text);
  expect(page('interfaces/_posthorn_one_two.Size.html')).toContain('A size.');
});

it('fails, and writes nothing, where something is not documented', { timeout: 60_000 }, () => {
  tree.write(
    'packages/one/src/index.ts',
    `export const bare = (): void => {};
/** One. */
export interface One {
  say(): void;
}
/** Says it, as {@link shout}. */
export const say = (): void => {};
interface Hidden {
  readonly a: string;
}
/** Tells it. */
export const tell = (hidden: Hidden): void => console.log(hidden);
/**
 * Says it.
 *
 * @param loud - how loud
 */
export const whisper = (): void => {};
`,
  );
  tree.write('dist/reference/index.html', 'of before');
  const result = docs();
  expect(result).toMatchObject({ status: 1, last: '0 passed, 1 failed' });
  expect(page('index.html')).toBe('of before');
  const problems = result.stderr.split('\n').flatMap((line) => line.trim() || []);
  expect(problems.sort()).toEqual([
    expect.stringMatching(/^@posthorn\/one\.One\.say .*does not have any documentation$/),
    expect.stringMatching(/^@posthorn\/one\.bare .*does not have any documentation$/),
    expect.stringMatching(/^Failed to resolve link to "shout" in comment for @posthorn\/one\.say/),
    expect.stringMatching(/^Hidden, defined in .* is referenced by @posthorn\/one\.tell/),
    expect.stringMatching(/@posthorn\/one\.whisper has an @param with name "loud", which was not/),
  ]);
});

it('says which entry has no source', { timeout: 60_000 }, () => {
  const { path } = tree;
  const manifest = JSON.parse(readFileSync(join(path, 'packages/one/package.json'), 'utf8'));
  const more = { import: { types: './dist/three.d.ts' } };
  tree.write(
    'packages/two/package.json',
    JSON.stringify({ ...manifest, name: '@posthorn/two', exports: { './three': more } }),
  );
  const { status, stderr } = docs();
  expect(stderr).toBe(
    'Cannot document @posthorn/two/three: there is no source of "./dist/three.d.ts".\n',
  );
  expect(status).toBe(2);
});

it('knows every entry of the packages that are here', async () => {
  const { entriesOf } = await import(
    /* @vite-ignore */ new URL('../scripts/docs/reference.mjs', import.meta.url).href
  );
  const entries: { name: string; file: string }[] = entriesOf(root);
  expect(entries.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      '@posthorn/core',
      '@posthorn/core/session',
      '@posthorn/mime',
      '@posthorn/conformance/test-kit',
    ]),
  );
  expect(entries.filter(({ file }) => !existsSync(file))).toEqual([]);
});
