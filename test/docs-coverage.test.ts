/**
 * Every block of code in every document: that a check runs it, and which. A block of another kind than those here fails, until
 * there is one that does.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { remark } from 'remark';
import { describe, expect, it } from 'vitest';
import { commandsOf, problemOfCommand } from './docs-commands.ts';
import { packagePages } from './docs-package-pages.ts';
import { isTranslation, documents as pages } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const requireOf = (name: string) =>
  createRequire(join(root, 'packages', name, 'package.json')) as (id: string) => unknown;
const yaml = requireOf('conformance')('yaml') as { parse(text: string): unknown };

const { documentsOf } = (await import(
  /* @vite-ignore */ pathToFileURL(join(root, 'scripts/docs/links.mjs')).href
)) as { documentsOf(root: string): string[] };
const documents = documentsOf(root);

/** The documents that test/examples.test.ts runs beside those of docs/: the names before `...documents` there. */
const [, beside = ''] =
  /const examples[^=]*= \[\s*\.\.\.\[([^\]]*?)\.\.\.documents\]/.exec(
    read('test/examples.test.ts'),
  ) ?? [];
const withExamples = [
  ...Array.from(beside.matchAll(/'([^']+)'/g), ([, name = '']) => name),
  ...pages,
  ...packagePages,
];

const SANDBOX = 'packages/conformance/test/sandbox';
/** Where the blocks of a page that are no TypeScript are taken from it and run, by their kinds. */
const RUN_BY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/migrating-from-nodemailer.md': { json: 'packages/core/test/nodemailer/document.test.ts' },
  'docs/provider-set-up.md': { sh: `${SANDBOX}/real-clients-dotnet.test.ts` },
  'docs/sandbox-api.md': { sh: `${SANDBOX}/api-docs.test.ts`, json: `${SANDBOX}/api-docs.test.ts` },
  'docs/sandbox.md': {
    sh: `${SANDBOX}/durability.test.ts`,
    json: `${SANDBOX}/serve.test.ts`,
    python: `${SANDBOX}/serve-python.test.ts`,
  },
  'docs/testing-your-client.md': {
    sh: 'scripts/conformance.mjs',
    json: 'scripts/conformance.mjs',
    python: 'scripts/conformance.mjs',
  },
  'examples/queue/README.md': { js: 'test/docs-queue-example.test.ts' },
};

interface Fence {
  readonly document: string;
  readonly line: number;
  readonly language: string;
  readonly name: string | undefined;
  readonly code: string;
}

interface Node {
  readonly type: string;
  readonly lang?: string | null;
  readonly meta?: string | null;
  readonly value?: string;
  readonly position?: { readonly start: { readonly line: number } } | undefined;
  readonly children?: readonly Node[];
}

function fencesOf(document: string): Fence[] {
  const inNode = (node: Node): Fence[] =>
    node.type === 'code'
      ? [
          {
            document,
            line: node.position?.start.line ?? 0,
            language: node.lang ?? '',
            name: node.meta ?? undefined,
            code: node.value ?? '',
          },
        ]
      : (node.children ?? []).flatMap(inNode);
  return inNode(remark().parse(read(document)) as Node);
}

/** What each kind of block is held to: what is wrong with one, or nothing. */
const KINDS: Readonly<
  Record<string, (fence: Fence) => string | undefined | Promise<string | undefined>>
> = {
  '': () => undefined,
  text: () => undefined,
  ts: ({ document, name }) => {
    // The modules are imported by tests: test/examples.test.ts looks at that.
    if (name) return pages.includes(document) ? undefined : 'no test looks at modules of this page';
    return withExamples.includes(document) ? undefined : 'no test runs the examples of this page';
  },
  js: (fence) => (fence.name && pages.includes(fence.document) ? undefined : taken(fence)),
  json: (fence) => {
    JSON.parse(fence.code);
    return fence.name ? taken(fence) : undefined;
  },
  yaml: ({ code }) => {
    yaml.parse(code);
    return undefined;
  },
  python: (fence) => taken(fence),
  sh: async (fence) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: fence.code, encoding: 'utf8' });
    if (status !== 0) return stderr;
    for (const words of commandsOf(fence.code)) {
      const problem = await problemOfCommand(words, {
        files: fencesOf(fence.document).flatMap(({ name }) => name ?? []),
        isRun: RUN_BY[fence.document]?.['sh'] !== undefined,
      });
      if (problem) return problem;
    }
    return undefined;
  },
};

/** A file of a page: a check takes it from there. */
const taken = ({ document, language }: Fence): string | undefined =>
  RUN_BY[document]?.[language] ? undefined : 'no check takes this file from the page';

const fences = documents.filter((name) => !isTranslation(name)).flatMap(fencesOf);

/** What is wrong with a block, and where. */
async function problemWith(fence: Fence): Promise<string | undefined> {
  const kind = KINDS[fence.language];
  return kind ? kind(fence) : `no check runs ${fence.language}`;
}

describe('a block of code', () => {
  const page = { document: 'README.md', line: 1, name: undefined };

  it.each<[string, string, string | undefined, object?]>([
    ['ruby', 'puts 1', 'no check runs ruby'],
    ['ts', '', undefined],
    ['ts', '', 'no test runs the examples of this page', { document: 'SECURITY.md' }],
    ['ts', '', 'no test looks at modules of this page', { name: 'a.ts' }],
    ['js', '', 'no check takes this file from the page'],
    ['python', '', 'no check takes this file from the page', { name: 'a.py' }],
    ['yaml', 'a: 1', undefined],
    ['sh', 'npm run frobnicate', 'no script frobnicate'],
    ['sh', 'NAME=1 npm run lint && npm frob', 'no check knows npm frob'],
    ['sh', 'npm pack ./packages/core ./packages/nothing', 'there is no ./packages/nothing'],
    ['sh', 'npx smtp-conformance serve --frob', 'smtp-conformance serve has no --frob'],
    ['sh', 'npx smtp-conformance list --case "A --frob"  # --frob', undefined],
    ['sh', 'npx smtp-conformance frob', 'smtp-conformance has no command frob'],
    ['sh', 'posthorn send -v --to a@example.com < mail.txt', undefined],
    ['sh', 'posthorn send --frob', 'posthorn send has no --frob'],
    ['sh', 'posthorn frob', 'posthorn has no command frob'],
    ['sh', 'sendmail -t -i < mail.txt', undefined],
    ['sh', 'sendmail --frob', 'sendmail has no --frob'],
    ['sh', 'npx changeset --frob', 'changeset has no --frob'],
    ['sh', 'npx changeset --empty', undefined],
    ['sh', 'echo 1 |\\\n  frobnicate', 'no check knows the program frobnicate'],
    ['sh', 'node scripts/nothing.mjs', 'there is no scripts/nothing.mjs'],
    ['sh', "echo 'a", 'unexpected EOF'],
  ])('in %s, %j: %s', async (language, code, problem, more = {}) => {
    const said = await problemWith({ ...page, language, code, ...more });
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(problem);
  });

  it.each([
    ['json', '{ a: 1 }'],
    ['yaml', 'a: [1'],
  ])('in %s that cannot be read is refused', async (language, code) => {
    await expect(problemWith({ ...page, language, code })).rejects.toThrow();
  });
});

describe('each block of code', () => {
  it.each(documents.filter((document) => fences.some((fence) => fence.document === document)))(
    'of %s is of a kind that a check runs',
    async (document) => {
      const problems: string[] = [];
      for (const fence of fences.filter((one) => one.document === document)) {
        const problem = await problemWith(fence);
        if (problem) problems.push(`${document}:${fence.line}: ${problem}`);
      }
      expect(problems).toEqual([]);
    },
  );

  it.each(
    Object.entries(RUN_BY).flatMap(([page, checks]) =>
      Object.entries(checks).map(([language, check]) => ({ page, language, check })),
    ),
  )('of $page in $language is taken by $check', ({ page, language, check }) => {
    const here = fences.filter((one) => one.document === page && one.language === language);
    expect(here.length).toBeGreaterThan(0);
    const text = read(check);
    expect(text.includes(page)).toBe(true);
    // As it takes them: by a fence, in a regular expression or not.
    expect(text).toMatch(new RegExp(`\`{3}(?:${language}|\\(\\?:[a-z|]*${language})`));
  });
});

it('README.md and the pages of docs/ have their examples run', () => {
  expect(withExamples).toEqual(expect.arrayContaining(['README.md', 'docs/messages.md']));
});

it('looks where people look', () => {
  expect(documents).toEqual(
    expect.arrayContaining(['CONTRIBUTING.md', 'packages/core/README.md', 'bench/README.md']),
  );
  expect(documents.filter((name) => name.includes('node_modules'))).toEqual([]);
  expect(
    readdirSync(root).filter((name) => name.endsWith('.md') && !documents.includes(name)),
  ).toEqual([]);
});
