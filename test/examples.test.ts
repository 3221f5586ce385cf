/**
 * The examples of doc comments, of README.md and of docs/: each is type-checked, run, and has to print what it says.
 * `host`, `port`, `ca`, `user` and `pass` are those of a sandbox; `relay.example.com` is a server that offers every
 * extension that core knows. A block that has a name is a module: it is type-checked here, and run by the test that
 * imports it.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import {
  type RunningScript,
  type Sandbox,
  startSandbox,
  startScriptedServer,
  steps,
} from '@posthorn/conformance';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  blocksOf,
  documents,
  fileOfBlock,
  folderInTree,
  importBlock,
  isTranslation,
  writeBlocks,
} from './document-blocks.ts';
import { root } from './temporary-tree.ts';

interface Example {
  readonly name: string;
  readonly code: string;
  /** What each console.log() prints, where the example says it. */
  readonly printed: readonly (string | undefined)[];
}

const GIVEN = ['host', 'port', 'ca', 'user', 'pass', 'relay'] as const;

/** A relay that can everything. */
const OFFERS = [
  'PIPELINING',
  'CHUNKING',
  'BINARYMIME',
  '8BITMIME',
  'SMTPUTF8',
  'ENHANCEDSTATUSCODES',
  'SIZE 1000000',
  'DSN',
  'REQUIRETLS',
  'DELIVERBY 60',
  'MT-PRIORITY MIXER',
  'FUTURERELEASE 86400 2030-01-01T00:00:00Z',
  'AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2 OAUTHBEARER',
];

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
          code
            // What is shown with the provider's own host runs against the sandbox.
            .replace("host: 'integrationapi.net'", 'host, port, tlsOptions: { ca }')
            .replaceAll("host: 'relay.example.com'", '...relay'),
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
  ...['README.md', ...documents]
    .filter((name) => !isTranslation(name))
    .map((name) => join(root, name)),
  ...packages.flatMap((name) => filesUnder(`packages/${name}/src`, '.ts')),
].flatMap(examplesIn);

const named = documents
  .filter((name) => !isTranslation(name))
  .flatMap(blocksOf)
  .filter(({ name }) => name !== undefined);

const folder = folderInTree('examples-');
/** Where the named blocks of a document import each other. */
const folderOf = (document: string): string => join(folder, document.replace(/\W/g, '-'));
const fileOf = (example: Example): string =>
  join(folder, `example-${examples.indexOf(example)}.ts`);
let sandbox: Sandbox;
let relay: RunningScript;

beforeAll(async () => {
  const login = { user: '1website', pass: 'test' };
  sandbox = await startSandbox();
  relay = await startScriptedServer(
    [steps.send('220 relay.example.com'), steps.converse({ offers: [], secure: OFFERS })],
    { credentials: { ...login, token: 'a-new-one' } },
  );
  // Where a program should have them from.
  Object.assign(process.env, { SMTP_USER: login.user, SMTP_PASS: login.pass });
  Object.assign(globalThis, {
    example: {
      host: sandbox.host,
      port: sandbox.smtp,
      ca: sandbox.ca,
      ...login,
      relay: { host: relay.host, port: relay.port, tlsOptions: { ca: relay.ca } },
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
    const given = `const { ${needed.join(', ')} } = (globalThis as unknown as { example: { host: string; port: number; ca: string; user: string; pass: string; relay: { host: string; port: number; tlsOptions: { ca: string } } } }).example;\n`;
    writeFileSync(fileOf(example), `${needed[0] ? given : ''}${example.code}\nexport {};\n`);
  }
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await relay.close();
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
      file: join(folderOf(document), fileOfBlock(name)),
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
    // `ts` alone, `ts name.ts`, `js name.mjs`, and what is no code of ours.
    const fences = [...text.matchAll(/^ *(?:```|~~~)(.*)\n[\s\S]*?^ *(?:```|~~~) *$/gm)];
    for (const [, language = ''] of fences)
      expect(language).toMatch(
        /^(ts( [\w.-]+\.ts)?|js [\w.-]+\.mjs|python [\w-]+\.py|sh|json( [\w-]+\.json)?|)$/,
      );
    const names = blocksOf(document).map(({ name }) => name);
    expect(names).toHaveLength(
      fences.filter(([, language = '']) => /^[tj]s\b/.test(language)).length,
    );
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

/** What a program registers with node:test. */
const registered: [name: string, run: () => Promise<void>][] = [];

vi.mock('node:test', () => ({
  test: (...one: (typeof registered)[number]) => void registered.push(one),
}));

describe('the programs of docs/getting-started.md', () => {
  test('send.mjs sends to the sandbox, and prints what the page says', async () => {
    const place = mkdtempSync(join(tmpdir(), 'getting-started-'));
    const before = process.cwd();
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    try {
      writeFileSync(join(place, 'ca.pem'), sandbox.ca);
      process.chdir(place);
      await importBlock('docs/getting-started.md', 'send.mjs', (code) =>
        code.replace('port: 2587', `port: ${sandbox.smtp}`),
      );
      const message = sandbox.inbox.messages.at(-1);
      expect(log.mock.calls).toEqual([[`Ok: queued as ${message?.id}`, true]]);
      expect(message).toMatchObject({ to: ['anna@example.com'], subject: 'Ваш заказ' });
      expect(message?.verdicts.map(({ outcome }) => outcome)).not.toContain('warn');
    } finally {
      log.mockRestore();
      process.chdir(before);
      rmSync(place, { recursive: true, force: true });
    }
  });

  test('mail.test.mjs has one test, which passes', async () => {
    await importBlock('docs/getting-started.md', 'mail.test.mjs');
    expect(registered).toHaveLength(1);
    for (const [, run] of registered) await run();
  });
});
