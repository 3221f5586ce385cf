/**
 * The examples of doc comments, of README.md and of docs/: each is type-checked, run, and has to print what it says.
 * `host`, `port`, `ca`, `user` and `pass` are those of a sandbox. A block that has a name is a module: it is type-checked
 * here, and run by the test that imports it.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { type Sandbox, startSandbox } from '@posthorn/conformance';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { blocksOf, folderInTree, writeBlocks } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

interface Example {
  readonly name: string;
  readonly code: string;
  /** What each console.log() prints, where the example says it. */
  readonly printed: readonly (string | undefined)[];
}

const GIVEN = ['host', 'port', 'ca', 'user', 'pass'] as const;

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** `console.log(x); // what it prints`, or the comment on the next line. */
function printed(code: string): (string | undefined)[] {
  const lines = code.split('\n');
  return lines.flatMap((line, at) => {
    if (!/\bconsole\.log\(/.test(line)) return [];
    const [, behind] = /; \/\/ (.*)$/.exec(line) ?? [];
    const [, below] = /^\s*\/\/ (.*)$/.exec(lines[at + 1] ?? '') ?? [];
    return [behind ?? below];
  });
}

function examplesIn(file: string): Example[] {
  const text = readFileSync(file, 'utf8');
  const blocks = file.endsWith('.md')
    ? blocksOf(relative(root, file))
        .filter(({ name }) => name === undefined)
        .map(({ code }) =>
          // What is shown with the provider's own host runs against the sandbox.
          code.replace("host: 'integrationapi.net'", 'host, port, tlsOptions: { ca }'),
        )
    : [...text.matchAll(/@example\s*\n\s*\* ```ts\n([\s\S]*?)\n\s*\* ```/g)].map(([, code = '']) =>
        code.replace(/^\s*\* ?/gm, ''),
      );
  return blocks.map((code, at) => ({
    name: `${relative(root, file)} ${at + 1}`,
    code,
    printed: printed(code),
  }));
}

const packages = ['core', 'mime', 'conformance'];
const documents = filesUnder('docs', '.md').map((file) => relative(root, file));
const examples: readonly Example[] = [
  ...['README.md', ...documents].map((name) => join(root, name)),
  ...packages.flatMap((name) => filesUnder(`packages/${name}/src`, '.ts')),
].flatMap(examplesIn);

const named = documents.flatMap(blocksOf).filter(({ name }) => name !== undefined);

const folder = folderInTree('examples-');
/** Where the named blocks of a document import each other. */
const folderOf = (document: string): string => join(folder, document.replace(/\W/g, '-'));
const fileOf = (example: Example): string =>
  join(folder, `example-${examples.indexOf(example)}.ts`);
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
  Object.assign(globalThis, {
    example: {
      host: sandbox.host,
      port: sandbox.smtp,
      ca: sandbox.ca,
      user: '1website',
      pass: 'test',
    },
  });
  for (const document of new Set(named.map((block) => block.document))) {
    mkdirSync(folderOf(document));
    writeBlocks(document, folderOf(document));
  }
  for (const example of examples) {
    // An example that names one of them itself keeps its own.
    const needed = GIVEN.filter(
      (name) =>
        new RegExp(`\\b${name}\\b`).test(example.code) &&
        !new RegExp(`const (\\{[^}]*\\b)?${name}\\b`).test(example.code),
    );
    const given = `const { ${needed.join(', ')} } = (globalThis as unknown as { example: { host: string; port: number; ca: string; user: string; pass: string } }).example;\n`;
    writeFileSync(fileOf(example), `${needed[0] ? given : ''}${example.code}\nexport {};\n`);
  }
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await sandbox.close();
});

test('there are examples in each package and in the README', () => {
  const named = (prefix: string): boolean => examples.some(({ name }) => name.startsWith(prefix));
  expect(['README.md', ...packages.map((name) => `packages/${name}`)].filter(named)).toHaveLength(
    4,
  );
});

test('examples are type-checked', { timeout: 60_000 }, () => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = [
    ...examples.map((example) => ({ name: example.name, file: fileOf(example) })),
    ...named.map(({ document, name = '' }) => ({
      name: `${document} ${name}`,
      file: join(folderOf(document), name),
    })),
  ];
  const program = ts.createProgram(
    files.map(({ file }) => file),
    {
      ...options,
      noUnusedLocals: false,
      isolatedDeclarations: false,
      declaration: false,
    },
  );
  const found = files.flatMap(({ name, file }) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(file))
      .map((problem) => `${name}: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`),
  );
  expect(found).toEqual([]);
});

describe('each block of docs/ is run', () => {
  test.each(documents)('%s has code in blocks that are looked at', (document) => {
    const text = readFileSync(join(root, document), 'utf8');
    // `ts` alone, `ts name.ts`, and what is no code of ours.
    const fences = [...text.matchAll(/^ *(?:```|~~~)(.*)\n[\s\S]*?^ *(?:```|~~~) *$/gm)];
    for (const [, language = ''] of fences)
      expect(language).toMatch(/^(ts( [\w.-]+\.ts)?|python [\w-]+\.py|sh|json( [\w-]+\.json)?|)$/);
    const names = blocksOf(document).map(({ name }) => name);
    expect(names).toHaveLength(fences.filter(([, language = '']) => /^ts/.test(language)).length);
    const given = names.filter((name) => name !== undefined);
    expect(new Set(given).size).toBe(given.length);
  });

  const tests = ['packages', 'test']
    .flatMap((place) => filesUnder(place, '.test.ts'))
    .filter((file) => !file.includes('node_modules'))
    .map((file) => readFileSync(file, 'utf8'));
  test.each(named)('$document $name is imported by a test, or by a block that is', (block) => {
    const imported = (name: string | undefined): boolean =>
      tests.some((text) =>
        new RegExp(`importBlock\\(\\s*'${block.document}',\\s*'${name}'`).test(text),
      ) ||
      named.some(
        ({ document, name: other, code }) =>
          document === block.document &&
          code.includes(`from './${name}'`) &&
          other !== name &&
          imported(other),
      );
    expect(imported(block.name)).toBe(true);
  });
});

describe('each example runs and prints what it says', () => {
  test.each(examples)('$name', async (example) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    try {
      await import(/* @vite-ignore */ pathToFileURL(fileOf(example)).href);
      const said = log.mock.calls.map((args) => format(...args));
      expect(said).toEqual(example.printed.map((expected, at) => expected ?? said[at]));
    } finally {
      log.mockRestore();
    }
  });
});
