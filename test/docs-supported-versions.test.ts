/** docs/supported-versions.md against what is installed and run: no version there is remembered. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './temporary-tree.ts';

const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const manifestOf = (folder: string) => JSON.parse(read(join(folder, 'package.json')));
const text = read('docs/supported-versions.md');

const section = (title: string): string =>
  text.split(/^## /m).find((one) => one.startsWith(title)) ?? '';

/** The rows of a section's table below its head: cells without the marks of code. */
const rows = (title: string): string[][] =>
  [...section(title).matchAll(/^\| (.*) \|$/gm)]
    .slice(1)
    .map(([, row = '']) => row.split(' | ').map((cell) => cell.replaceAll('`', '').trim()));

describe('runtimes', () => {
  const installed = new Map<string, string>(
    Object.entries<string>(manifestOf('runtimes').dependencies).map(([name, from]) => [
      name,
      from.replace(/^npm:.*@/, ''),
    ]),
  );

  it('are those of the matrix, in the versions that it installs', () => {
    const shown = rows('Runtimes').map(([name = '', , tried]) => [
      name.toLowerCase().replace(' ', '-'),
      tried,
    ]);
    expect(shown.sort()).toEqual([...installed].sort());
  });

  it('begin where each package says', () => {
    const [, bound] = /^\| Node 20 \| (\d+\.\d+) and newer \|/m.exec(text) ?? [];
    for (const name of readdirSync(join(root, 'packages')))
      expect(manifestOf(`packages/${name}`).engines, name).toEqual({ node: `>=${bound}` });
    expect(installed.get('node-20')).toBe(`${bound}.0`);
  });

  it('are promised in the line that is tried', () => {
    for (const [name = '', supported = '', tried = ''] of rows('Runtimes')) {
      if (name.startsWith('Node')) expect(tried.split('.')[0]).toBe(name.replace('Node ', ''));
      else if (name === 'workerd')
        expect(tried).toContain(supported.slice(3, 13).replaceAll('-', ''));
      else expect(tried.startsWith(`${supported}.`), name).toBe(true);
    }
  });
});

describe('TypeScript', () => {
  const { devDependencies } = manifestOf('.');
  const [, first = '', last = ''] = /^\| (\d+\.\d+) to (\d+\.\d+) \|/m.exec(text) ?? [];
  const [, list = ''] = /Each of ([\d., and\n]+) compiled/.exec(text) ?? [];
  const tried = list.match(/\d+\.\d+\.\d+/g) ?? [];

  it('has the version that makes the declarations', () => {
    const oldest = devDependencies['typescript-oldest'].replace('npm:typescript@', '');
    expect(section('TypeScript').replaceAll('\n', ' ')).toContain(
      `does it again with ${oldest} and with ${devDependencies.typescript}, with which the declarations are made`,
    );
    expect(tried).toContain(oldest);
    expect(tried).toContain(devDependencies.typescript);
  });

  it('has bounds that were tried', () => {
    const lines = tried.map((version) => version.replace(/\.\d+$/, ''));
    expect(lines).toContain(first);
    expect(lines.at(-1)).toBe(last);
  });
});

it('Postfix and Exim are those whose facts the interop tests know', () => {
  for (const [name = '', version = ''] of rows('Servers')) {
    const line = version.split('.').slice(0, 2).join('.').replaceAll('.', '\\.');
    expect(read(`interop/${name.toLowerCase()}.mjs`)).toMatch(new RegExp(`${name} ${line}\\b`));
  }
  expect(rows('Servers').map(([name]) => name)).toEqual(['Postfix', 'Exim']);
});

it('packages beside them are in the versions that the tests use, and no older than is asked for', () => {
  const { devDependencies } = manifestOf('.');
  const { peerDependencies } = manifestOf('packages/conformance');
  for (const [name = '', what = '', version] of rows('Beside them')) {
    expect(devDependencies[name], name).toBe(version);
    const [, from] = /from (\d+) on/.exec(what) ?? [];
    if (from) expect(peerDependencies[name]).toBe(`>=${from}`);
  }
  expect(rows('Beside them').map(([name]) => name)).toEqual(['nodemailer', 'vitest']);
});
