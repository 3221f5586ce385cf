/**
 * The examples of doc comments and of README.md: each is type-checked, run, and has to print what it says.
 * `host`, `port`, `ca`, `user` and `pass` are those of a sandbox.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { type Sandbox, startSandbox } from '@posthorn/conformance';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
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
    ? [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) =>
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
const examples: readonly Example[] = [
  join(root, 'README.md'),
  ...packages.flatMap((name) => filesUnder(`packages/${name}/src`, '.ts')),
].flatMap(examplesIn);

// Inside the work tree, where the names of the packages have a meaning.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
const folder = mkdtempSync(join(root, 'node_modules/.cache/examples-'));
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
  const program = ts.createProgram(examples.map(fileOf), {
    ...options,
    noUnusedLocals: false,
    isolatedDeclarations: false,
    declaration: false,
  });
  const found = examples.flatMap((example) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(fileOf(example)))
      .map(
        (problem) =>
          `${example.name}: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`,
      ),
  );
  expect(found).toEqual([]);
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
