/** docs/security.md against the tests: each defence that it names has some, and each of them exists. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachment, compose, MimeError } from '@posthorn/mime';
import { describe, expect, test } from 'vitest';
import { isTest, namedTests } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const page = read('docs/security.md');

/** The rows of attacks: of the tables with tests. */
const rows = page
  .split('\n| attack | what is done | tests |\n')
  .slice(1)
  .flatMap((table) =>
    (table.split('\n\n')[0] ?? '').split('\n').filter((line) => /^\| [^|-]/.test(line)),
  );

test('there are rows for what a client has to fear', () => {
  expect(rows.length).toBeGreaterThan(40);
  for (const word of [
    'STARTTLS',
    'certificate',
    'smuggling',
    'CWE-93',
    'CWE-1333',
    'boundary',
    'weaker',
    'silent',
    'without end',
    'line break',
    'quoted local part',
    '__proto__',
    'dependency',
  ])
    expect(
      rows.some((row) => row.includes(word)),
      word,
    ).toBe(true);
});

describe.each(rows.map((row) => [row.split(' | ')[0]?.slice(2) ?? '', row] as const))(
  '%s',
  (_attack, row) => {
    const named = namedTests(row);

    test('is held by tests', () => {
      expect(named).not.toEqual([]);
    });

    test.each(named)('by $title', (one) => {
      expect(isTest('docs/security.md', one)).toBe(true);
    });
  },
);

test('no content of a message is opened by its name', async () => {
  const path = join(root, 'package.json');
  for (const name of [path, `file://${path}`]) {
    const file = attachment('a.txt', name, { transferEncoding: 'base64' });
    expect(file.size).toBe(name.length);
    const text = await compose({ from: 'a@example.com', attachments: [file] }).text();
    expect(text.replaceAll('\r\n', '')).toContain(btoa(name));
  }
  for (const source of [new URL(`file://${path}`), { path }, { href: `file://${path}` }])
    expect(() => attachment('a.txt', source as unknown as string)).toThrow(MimeError);
});

describe('what is published', () => {
  const manifests = ['core', 'mime'].map((name) =>
    JSON.parse(read(`packages/${name}/package.json`)),
  );

  test('core and mime depend on nothing, and run nothing when they are installed', () => {
    for (const { dependencies, peerDependencies, optionalDependencies, scripts } of manifests) {
      expect({ ...dependencies, ...peerDependencies, ...optionalDependencies }).toEqual({});
      expect(
        Object.keys(scripts ?? {}).filter((name) => /install|prepare|prepublish/.test(name)),
      ).toEqual([]);
    }
  });

  test('core and mime are published with provenance', () => {
    for (const { publishConfig } of manifests) expect(publishConfig?.provenance).toBe(true);
  });
});
