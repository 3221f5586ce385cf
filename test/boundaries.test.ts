/** Each boundary rule is broken in a copy of the settings, and seen to be refused; what is allowed passes. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, type TemporaryTree, temporaryTree } from './temporary-tree.ts';

const imports = 'lint/style/noRestrictedImports';
const globals = 'lint/style/noRestrictedGlobals';
const plugin = 'plugin';

const importing = (from: string): string => `import { x } from '${from}';\nexport const y = x;\n`;
const naming = (expression: string): string => `export const y = ${expression};\n`;

interface Case {
  readonly folder: string;
  readonly source: string;
  /** The rule that must refuse it; without one the file must pass. */
  readonly rule?: string;
}

const pureFolders = ['wire', 'sasl', 'session'].map((name) => `packages/core/src/${name}`);
const scheduling = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance'];
const runtime = ['Buffer', 'process', 'globalThis'];

const refused: Case[] = [
  ...pureFolders.flatMap((folder): Case[] => [
    { folder, source: importing('node:net'), rule: imports },
    { folder, source: importing('net'), rule: imports },
    { folder, source: importing('cloudflare:sockets'), rule: imports },
    { folder, source: importing('../driver/driver.ts'), rule: imports },
    { folder, source: importing('../client.ts'), rule: imports },
    { folder, source: importing('../pool/pool.ts'), rule: imports },
    { folder, source: importing('../nodemailer/index.ts'), rule: imports },
    { folder, source: importing('@posthorn/mime'), rule: imports },
    { folder, source: "export * from '../driver/driver.ts';\n", rule: imports },
    {
      folder,
      source: "import type { X } from '../driver/driver.ts';\nexport type Y = X;\n",
      rule: imports,
    },
    { folder, source: naming("() => import('../driver/driver.ts')"), rule: imports },
    { folder, source: naming("() => import('node:net')"), rule: imports },
    { folder, source: "export type Y = import('../driver/driver.ts').X;\n", rule: plugin },
    ...[...scheduling, ...runtime].map((name) => ({ folder, source: naming(name), rule: globals })),
    { folder, source: naming('Date.now()'), rule: plugin },
    { folder, source: naming('new Date()'), rule: plugin },
    { folder, source: naming('() => new Date()'), rule: plugin },
    { folder, source: naming("console.log('x')"), rule: 'lint/suspicious/noConsole' },
  ]),
  ...['session', 'sasl'].map((name) => ({
    folder: 'packages/core/src/wire',
    source: importing(`../${name}/index.ts`),
    rule: imports,
  })),
  {
    folder: 'packages/core/src/sasl',
    source: importing('../session/session.ts'),
    rule: imports,
  },
  ...['@posthorn/mime', '@posthorn/conformance', 'smtp-server', '../../mime/src/index.ts'].map(
    (from) => ({ folder: 'packages/core/src/driver', source: importing(from), rule: imports }),
  ),
  ...['driver', 'pool'].map((name) => ({
    folder: `packages/core/src/${name}`,
    source: importing('../nodemailer/index.ts'),
    rule: imports,
  })),
  ...[
    '../client.ts',
    '../driver/driver.ts',
    '../pool/pool.ts',
    '../session/session.ts',
    '../wire/reply.ts',
    '../../../mime/src/index.ts',
    '@posthorn/conformance',
    'cloudflare:sockets',
    'nodemailer',
  ].map((from) => ({
    folder: 'packages/core/src/nodemailer',
    source: importing(from),
    rule: imports,
  })),
  ...['node:buffer', '@posthorn/core', 'postal-mime', '../../core/src/index.ts'].map((from) => ({
    folder: 'packages/mime/src',
    source: importing(from),
    rule: imports,
  })),
  ...['setTimeout', 'performance', ...runtime].map((name) => ({
    folder: 'packages/mime/src',
    source: naming(name),
    rule: globals,
  })),
  ...['Date.now()', 'Date.now', 'new Date()', 'Date()'].map((expression) => ({
    folder: 'packages/mime/src/header',
    source: naming(expression),
    rule: plugin,
  })),
  ...['@posthorn/core', '@posthorn/core/session', '../../core/src/index.ts'].map((from) => ({
    folder: 'packages/conformance/src',
    source: importing(from),
    rule: imports,
  })),
  ...['@posthorn/core/src/client.ts', '../../../core/src/client.ts'].map((from) => ({
    folder: 'packages/conformance/src/subjects',
    source: importing(from),
    rule: imports,
  })),
  {
    folder: 'packages/core/src/driver',
    source: 'async function f(): Promise<void> {}\nf();\n',
    rule: 'lint/nursery/noFloatingPromises',
  },
  {
    folder: 'packages/core/src/driver',
    source: 'export const f = (x?: string): number => x!.length;\n',
    rule: 'lint/style/noNonNullAssertion',
  },
];

const allowed: Case[] = [
  { folder: 'packages/core/src/wire', source: importing('./reply.ts') },
  { folder: 'packages/core/src/wire', source: importing('../errors.ts') },
  {
    folder: 'packages/core/src/wire',
    source: 'export interface Y {\n  readonly until?: Date;\n}\n',
  },
  { folder: 'packages/core/src/sasl', source: importing('../wire/reply.ts') },
  { folder: 'packages/core/src/session', source: importing('../sasl/mechanism.ts') },
  { folder: 'packages/core/src/session', source: naming('crypto.subtle') },
  { folder: 'packages/core/src/driver', source: importing('node:net') },
  { folder: 'packages/core/src/driver', source: naming("() => import('cloudflare:sockets')") },
  { folder: 'packages/core/src/driver', source: naming('Date.now()') },
  ...[
    './error.ts',
    '../index.ts',
    '../pool/index.ts',
    '../sasl/index.ts',
    'node:fs',
    '@posthorn/mime',
  ].map((from) => ({ folder: 'packages/core/src/nodemailer', source: importing(from) })),
  { folder: 'packages/mime/src', source: naming('new Date(0)') },
  { folder: 'packages/mime/src', source: naming('(now = () => new Date()) => now()') },
  { folder: 'packages/conformance/src/subjects', source: importing('@posthorn/core') },
  { folder: 'packages/conformance/src/sandbox', source: importing('node:net') },
];

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string };
}

let tree: TemporaryTree;

beforeAll(() => {
  tree = temporaryTree();
});

afterAll(() => tree.remove());

describe('the linter', () => {
  let found: Map<string, string[]>;
  const fileOf = (list: string, index: number, { folder }: Case): string =>
    `${folder}/${list}-${index}.ts`;

  beforeAll(() => {
    tree.copy('biome.json');
    tree.copy('scripts/lint');
    for (const [index, entry] of refused.entries()) {
      tree.write(fileOf('refused', index, entry), entry.source);
    }
    for (const [index, entry] of allowed.entries()) {
      tree.write(fileOf('allowed', index, entry), entry.source);
    }
    tree.write('packages/mime/src/encoding/base64.ts', naming('[globalThis, Buffer]'));
    tree.write('packages/core/src/pool/a.ts', importing('./b.ts'));
    tree.write('packages/core/src/pool/b.ts', "export { y as x } from './a.ts';\n");
    const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
    const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'];
    const { stdout } = spawnSync(process.execPath, args, {
      cwd: tree.path,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    found = new Map();
    for (const { category, location } of JSON.parse(stdout).diagnostics as Diagnostic[]) {
      found.set(location.path, [...(found.get(location.path) ?? []), category]);
    }
  });

  it.each(refused.map((entry, index) => ({ ...entry, file: fileOf('refused', index, entry) })))(
    'refuses in $folder: $source',
    ({ file, rule }) => {
      expect(found.get(file)).toContain(rule);
    },
  );

  it.each(allowed.map((entry, index) => ({ ...entry, file: fileOf('allowed', index, entry) })))(
    'allows in $folder: $source',
    ({ file }) => {
      expect(found.get(file)).toBeUndefined();
    },
  );

  it('lets only encoding/base64.ts of mime look for Buffer', () => {
    expect(found.get('packages/mime/src/encoding/base64.ts')).toBeUndefined();
  });

  it('refuses an import cycle', () => {
    expect(found.get('packages/core/src/pool/a.ts')).toContain('lint/suspicious/noImportCycles');
  });
});

describe('the pure type check', () => {
  const unnameable = ['setTimeout', 'setInterval', 'performance', 'Buffer', 'process', 'console'];
  let output: string;

  beforeAll(() => {
    for (const file of ['tsconfig.base.json', 'tsconfig.pure.json', 'types']) tree.copy(file);
    const body = (names: string[]): string => `export const y: unknown = [${names.join(', ')}];\n`;
    for (const name of unnameable) tree.write(`packages/core/src/wire/${name}.ts`, body([name]));
    tree.write('packages/core/src/session/node.ts', "import 'node:net';\n");
    tree.write(
      'packages/mime/src/clean.ts',
      body([
        'TextEncoder',
        'TextDecoder',
        'URL',
        'btoa',
        'atob',
        'crypto',
        'ReadableStream',
        'Blob',
      ]),
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const args = [tsc, '-p', 'tsconfig.pure.json', '--pretty', 'false'];
    output = spawnSync(process.execPath, args, { cwd: tree.path, encoding: 'utf8' }).stdout;
  });

  it.each(unnameable)('has no %s', (name) => {
    expect(output).toMatch(new RegExp(`wire/${name}\\.ts.*Cannot find name '${name}'`));
  });

  it('has no Node modules', () => {
    expect(output).toMatch(/session\/node\.ts.*node:net/);
  });

  it('has what every runtime has', () => {
    expect(output).not.toContain('mime/src/clean.ts');
  });
});

it('no source silences a boundary rule', () => {
  const silenced = readdirSync(join(root, 'packages'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /^[a-z]+\/src\/.*\.ts$/.test(file))
    .filter((file) =>
      /biome-ignore(?:-all|-start)?\s+(?:lint\/style\/noRestricted|lint\/plugin|lint\/suspicious\/noImportCycles|lint:|lint\/style:)|reference types=|@ts-(?:ignore|nocheck|expect-error)/.test(
        readFileSync(join(root, 'packages', file), 'utf8'),
      ),
    );
  expect(silenced).toEqual([]);
});
