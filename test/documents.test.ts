/** The documents against the tree: the weights, the commands and the files that they name are those that there are. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents as pages } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

const read = (name: string): string => readFileSync(join(root, name), 'utf8');

const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  ...pages,
];

/** What a document may name though no clone has it. */
const ignored = read('.gitignore').split('\n');

/** Where a path may begin: the text around it says of which package it speaks. */
const bases = [
  '',
  'packages',
  'packages/core/src',
  'packages/mime/src',
  'packages/conformance/src',
  'bench',
];

it('README.md shows each budget', () => {
  const rows = [...read('README.md').matchAll(/^\| `(.*)` from `(.*)` \| ([\d,]+) \|$/gm)];
  const shown = rows.map(([, names, from, octets = '']) => [
    names,
    from,
    Number(octets.replace(',', '')),
  ]);
  const budgets: { import: string; from: string | string[]; maxGzip: number }[] = JSON.parse(
    read('budgets.json'),
  );
  expect(shown).toEqual(
    budgets.map((budget) => [budget.import, [budget.from].flat().join(', '), budget.maxGzip]),
  );
});

describe.each(documents)('%s', (document) => {
  const text = read(document);

  it('names scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json'));
    for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g))
      expect(Object.keys(scripts)).toContain(name);
  });

  it('names files and folders that there are', () => {
    const code = [
      ...text.matchAll(/`((?:[\w.-]+\/)+(?:[\w-]+(?:\.[\w-]+)+)?|[\w-]+\.(?:ts|json))`/g),
    ];
    const links = [...text.matchAll(/\]\(((?!https?:|#)[^)#]+)/g)].map(([, path = '']) =>
      join(dirname(document), path),
    );
    const missing = [...code.map(([, path = '']) => path), ...links].filter(
      (path) =>
        !ignored.includes(path) && !bases.some((base) => existsSync(join(root, base, path))),
    );
    expect(missing).toEqual([]);
  });
});

it('docs/README.md names each page', () => {
  const named = [...read('docs/README.md').matchAll(/\]\(([^)]+\.md)\)/g)].map(([, path = '']) =>
    join('docs', path),
  );
  // Decisions are one item; another language has an index of its own.
  const own = pages.filter((page) => !/^docs\/(README\.md|adr\/|ru\/)/.test(page));
  expect(named).toEqual(expect.arrayContaining(own));
});
