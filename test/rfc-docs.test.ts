/** docs/rfcs.md against README.md and the tests: the same standards, the same deviations, each row with a test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isTest, namedTests } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

const page = readFileSync(join(root, 'docs/rfcs.md'), 'utf8');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The text below a heading or a sentence, up to the next heading. */
const below = (text: string, begin: string): string =>
  (text.split(`\n${begin}\n`)[1] ?? '').split(/\n#/)[0] ?? '';

/** The items of a list, each on one line. */
const items = (text: string): string[] =>
  [...text.matchAll(/^- ((?:.+\n)(?: {2}.+\n)*)/gm)].map(([, item = '']) =>
    item.replace(/\s+/g, ' '),
  );

const numbers = (text: string): string[] =>
  [...text.matchAll(/\b(\d{4})(?:–(\d{4}))?\b/g)].flatMap(([, first = '', last = first]) =>
    Array.from({ length: +last - +first + 1 }, (_, at) => `${+first + at}`),
  );

test('each row has a test', () => {
  const rows = page.split('\n').filter((line) => /^\| (\[|\d|draft|XO)/.test(line));
  expect(rows.length).toBeGreaterThan(50);
  for (const row of rows) expect(namedTests(row), row).toHaveLength(1);
});

test('each test that is named is there', () => {
  expect(namedTests(page).filter((one) => !isTest('docs/rfcs.md', one))).toEqual([]);
});

test('each standard of README.md has a row', () => {
  const rows = below(readme, '## Standards').match(/^\|.*RFC.*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(8);
  // RFC 5321's own table is named above it.
  const named = new Set(numbers(page.replace(/^\| .*$/gm, (row) => row.split(' | ')[0] ?? '')));
  const missing = rows.flatMap(numbers).filter((number) => !named.has(number));
  expect(missing).toEqual([]);
});

test('README.md has no deviation that the page has not, by the clauses that it names', () => {
  const clauses = (text: string): string[] => [...text.matchAll(/§[\d.]*\d/g)].map(([one]) => one);
  const here = items(below(page, '## Deviations'));
  const there = items(below(readme, 'Deviations, each at the line that makes it:'));
  expect(here.length).toBeGreaterThanOrEqual(there.length);
  expect(there.length).toBeGreaterThan(2);
  for (const one of there)
    expect(
      here.some((other) => clauses(one).every((clause) => clauses(other).includes(clause))),
      one,
    ).toBe(true);
  for (const one of here) expect(namedTests(one), one).toHaveLength(1);
});
