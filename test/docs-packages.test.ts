/** The READMEs of the packages: their examples run, their figures are the budgets, and npm packs them. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { type Sandbox, startSandbox } from '@posthorn/conformance';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packagePages } from './docs-package-pages.ts';
import { blocksOf, folderInTree } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const manifestOf = (page: string) => JSON.parse(read(page.replace('README.md', 'package.json')));

describe('each example', () => {
  const blocks = packagePages
    .flatMap(blocksOf)
    .map((block, at) => ({ ...block, at, title: `${block.document} ${at}` }));
  let folder: string;
  let sandbox: Sandbox;
  const fileOf = (at: number): string => join(folder, `example-${at}.ts`);

  beforeAll(async () => {
    folder = folderInTree('package-examples-');
    sandbox = await startSandbox({ http: false });
    Object.assign(globalThis, { sandboxOfPages: sandbox });
    const given =
      'const { host, smtp: port, ca } = (globalThis as unknown as { sandboxOfPages: { host: string; smtp: number; ca: string } }).sandboxOfPages;\n';
    for (const { at, code } of blocks) {
      // What is shown with the provider's own host runs against the sandbox.
      const here = code.replace("host: 'integrationapi.net'", 'host, port, tlsOptions: { ca }');
      writeFileSync(fileOf(at), `${here === code ? '' : given}${here}\nexport {};\n`);
    }
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await sandbox.close();
  });

  it('is in the README of a package', () => {
    const pages = new Set(blocks.map(({ document }) => document));
    for (const name of ['core', 'mime', 'conformance'])
      expect(pages).toContain(`packages/${name}/README.md`);
  });

  it('is type-checked', { timeout: 60_000 }, () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const program = ts.createProgram(
      blocks.map(({ at }) => fileOf(at)),
      { ...options, isolatedDeclarations: false, declaration: false },
    );
    const found = blocks.flatMap(({ at, title }) =>
      ts
        .getPreEmitDiagnostics(program, program.getSourceFile(fileOf(at)))
        .map((problem) => `${title}: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`),
    );
    expect(found).toEqual([]);
  });

  it.each(blocks)('$title runs and prints what it says', async ({ at, code }) => {
    // Of those who print, who says what.
    const expected = [...code.matchAll(/console\.log\(.*\);(?: \/\/ (.*))?$/gm)].map(
      ([, say]) => say,
    );
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    try {
      await import(/* @vite-ignore */ pathToFileURL(fileOf(at)).href);
      const said = log.mock.calls.map((args) => format(...args));
      expect(said).toEqual(expected.filter((say) => say !== undefined));
    } finally {
      log.mockRestore();
    }
  });
});

describe('budgets', () => {
  interface Budget {
    readonly import: string;
    readonly from: string | string[];
    readonly maxGzip: number;
  }
  const budgets: Budget[] = JSON.parse(read('budgets.json'));
  const rows = (page: string): (string | undefined)[][] =>
    [...read(page).matchAll(/^\| `(.*?)` \| ([\d,]+|–) \|/gm)].map(([, name, octets]) => [
      name,
      octets,
    ]);
  const octets = (budget: Budget | undefined): string =>
    budget ? budget.maxGzip.toLocaleString('en-US') : '–';

  it('are shown for each subpath of core that has one, and for all together', () => {
    const page = 'packages/core/README.md';
    const entries = Object.keys(manifestOf(page).exports)
      .filter((key) => !key.endsWith('.json'))
      .map((key) => `@posthorn/core${key.slice(1)}`);
    const expected = entries.map((name) => [
      name,
      octets(budgets.find(({ from }) => from === name)),
    ]);
    expect(rows(page).sort()).toEqual(expected.sort());
    const together = budgets.find(
      ({ from }) => Array.isArray(from) && from.every((name) => name.startsWith('@posthorn/core')),
    );
    expect(read(page)).toContain(`in one bundle have at most ${octets(together)}.`);
  });

  it('are shown for each import of mime that has one', () => {
    const own = budgets.filter(({ from }) => from === '@posthorn/mime');
    expect(rows('packages/mime/README.md')).toEqual(
      own.map((budget) => [budget.import, octets(budget)]),
    );
  });

  it('README of mime names each of its functions', async () => {
    const names = Object.keys(await import('@posthorn/mime'));
    const text = read('packages/mime/README.md');
    const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    expect(missing).toEqual(['MimeError']);
  });
});

it('npm packs the README and the license of each package', { timeout: 60_000 }, () => {
  const folders = packagePages.map((page) => `./${page.replace('/README.md', '')}`);
  const { stdout } = spawnSync(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts', ...folders],
    { cwd: root, encoding: 'utf8', timeout: 60_000, shell: process.platform === 'win32' },
  );
  const packed: { name: string; files: { path: string }[] }[] = Object.values(JSON.parse(stdout));
  expect(packed.map(({ name }) => name)).toEqual(packagePages.map((page) => manifestOf(page).name));
  for (const { name, files } of packed) {
    const paths = files.map(({ path }) => path);
    for (const file of ['README.md', 'LICENSE', 'package.json'])
      expect(paths, name).toContain(file);
  }
  for (const folder of folders) expect(read(`${folder}/LICENSE`)).toBe(read('LICENSE'));
});
