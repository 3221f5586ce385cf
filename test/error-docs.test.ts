/** docs/errors.md against the types, and against what the tests of core see happen. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { devino } from '@posthorn/core/devino';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../packages/cli/src/exit-code.ts';
import { root } from './temporary-tree.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const page = read('docs/errors.md');
const smtp = read('packages/core/src/errors.ts');
const mime = read('packages/mime/src/errors.ts');

/** The literals of a union type. */
function literals(source: string, type: string): string[] {
  const [, union = ''] = new RegExp(`export type ${type} =([^;]+);`).exec(source) ?? [];
  return [...union.matchAll(/'([^']+)'/g)].map(([, literal = '']) => literal);
}

/** Each code with the text of its section. */
const sections = new Map(
  [...page.matchAll(/^### (ERR_\w+)\n([\s\S]*?)(?=^##)/gm)].map(([, code = '', text = '']) => [
    code,
    text,
  ]),
);

interface Row {
  readonly phase: readonly string[];
  readonly delivery: readonly string[];
  readonly retry: readonly string[];
}

const cell = (text = ''): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

const rowsOf = (code: string): Row[] =>
  [...(sections.get(code) ?? '').matchAll(/^\| (`[^|]+) \| ([^|]+) \| ([^|]+) \| /gm)].map(
    ([, phase, delivery, retry]) => ({
      phase: cell(phase),
      delivery: cell(delivery),
      retry: cell(retry),
    }),
  );

const codes = literals(smtp, 'SmtpErrorCode');

test('each code has a section, and each section is of a code', () => {
  expect(codes).toContain('ERR_SMTP_REPLY');
  expect([...sections.keys()].sort()).toEqual(
    [...codes, ...literals(mime, 'MimeErrorCode')].sort(),
  );
});

test('each phase, delivery and retry is explained', () => {
  for (const type of ['Phase', 'Delivery', 'Retry'])
    for (const literal of literals(smtp, type)) expect(page).toMatch(`\`${literal}\``);
});

describe.each(codes)('%s', (code) => {
  test('has rows of phases, deliveries and retries that there are', () => {
    const rows = rowsOf(code);
    expect(rows).not.toEqual([]);
    for (const { phase, delivery, retry } of rows) {
      expect(literals(smtp, 'Phase')).toEqual(expect.arrayContaining([...phase]));
      expect(literals(smtp, 'Delivery')).toEqual(expect.arrayContaining([...delivery]));
      expect(literals(smtp, 'Retry')).toEqual(expect.arrayContaining([...retry]));
      // SmtpError: where nothing is certain, neither is what to do.
      expect(delivery.includes('unknown')).toBe(retry.includes('unknown'));
    }
  });
});

/** What tests of core expect, as they write it: `ERR_SMTP_CLOSED in mail, not-sent, reconnect`. */
const seen = readdirSync(join(root, 'packages/core/test'), { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) => [
    ...read(join('packages/core/test', file)).matchAll(
      /\b(ERR_SMTP_\w+) (?:at|in) ([a-z]+), ([a-z-]+)(?:, ([a-z-]+))?/g,
    ),
  ])
  .map(([, ...one]) => one);

test('what the tests of core see is in the table of its code', () => {
  expect(new Set(seen.map(([code]) => code)).size).toBeGreaterThan(9);
  const missing = seen.filter(
    ([code = '', phase = '', delivery = '', retry]) =>
      !rowsOf(code).some(
        (row) =>
          row.phase.includes(phase) &&
          row.delivery.includes(delivery) &&
          (retry === undefined || row.retry.includes(retry)),
      ),
  );
  expect(new Set(missing.map((one) => one.join(' ')))).toEqual(new Set());
});

test('the six texts of the provider are there, with reason and retry', () => {
  for (const { text, reason, retry } of devino.refusals)
    expect(page).toMatch(
      new RegExp(`^\\| \`${text}\`.* \\| \`${reason}\` \\| \`${retry}\` \\|`, 'm'),
    );
});

test('the exit codes of the command line are there', () => {
  const rows = [...page.matchAll(/^\| (\d+) \| ([A-Z]+) \| /gm)];
  expect(rows.map(([, code, name]) => [name, Number(code)])).toEqual(Object.entries(EXIT));
});
