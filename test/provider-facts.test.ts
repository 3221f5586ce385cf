/** docs/what-the-provider-documents.md against the data: each fact with its value, its grade and the provider's words. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { devino } from '@posthorn/core/devino';
import { describe, expect, test } from 'vitest';
import { checkOptions } from '../packages/conformance/src/sandbox/options.ts';
import {
  POSSIBLE_STAGES,
  PROFILES,
  REFUSALS,
} from '../packages/conformance/src/sandbox/profile.ts';
import { CAUSES, QUOTATIONS } from '../packages/conformance/src/sandbox/quotations.ts';
import { root } from './temporary-tree.ts';

const page = readFileSync(join(root, 'docs/what-the-provider-documents.md'), 'utf8');

/** The rows of the table below a heading, without those of its head. */
function rows(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  return section
    .replace(/\n## [\s\S]*/, '')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        // What is code in the provider's own words, and no name of ours.
        .map((cell) => cell.trim().replace(/^`(.* .*)`$/, '$1')),
    )
    .slice(1);
}

/** A value as the page shows it. */
function shown(value: unknown): string {
  if (value === true) return 'yes';
  if (typeof value === 'number') return value.toLocaleString('en');
  return Array.isArray(value) ? value.join(value.length > 9 ? ' ' : ', ') : String(value ?? '');
}

describe.each(devino.versions)('the provider in $id', ({ id, grades, ...facts }) => {
  const words = QUOTATIONS[id];

  test('has a row for each fact, with its value, its grade and its words', () => {
    const names = new Set([...Object.keys(facts), ...Object.keys(words)]);
    expect(rows(id)).toEqual(
      [...names].map((name) => [
        `\`${name}\``,
        shown(facts[name as keyof typeof facts]),
        grades[name as keyof typeof grades] ?? 'documented',
        words[name]?.quotation ?? '',
        words[name]?.note ?? '',
      ]),
    );
  });
});

test('has the sections of the versions that there are', () => {
  expect(Object.keys(PROFILES).sort()).toEqual(devino.versions.map(({ id }) => id).sort());
  for (const { id } of devino.versions) expect(rows(id).length).toBeGreaterThan(5);
});

test('has the refusals with their causes and their stages', () => {
  expect(rows('The refusals')).toEqual(
    devino.refusals.map(({ reason, text }) => [
      text,
      CAUSES[reason],
      REFUSALS[reason].stage,
      POSSIBLE_STAGES[reason].join(', '),
    ]),
  );
  // What the page calls undocumented is a guess of the sandbox too.
  for (const { grades } of Object.values(PROFILES)) expect(grades.stages).toBe('guess');
});

test('names options of the sandbox for what nobody documents', () => {
  const named = rows('What nobody documents').flatMap(([, , options = '']) =>
    [...options.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  );
  expect(named).toContain('furtherRecipients');
  // One that there is not is a TypeError.
  checkOptions(Object.fromEntries(named.map((name) => [name, undefined])));
});
