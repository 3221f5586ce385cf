/**
 * The documents of docs/, and their blocks of code. One that has a name, as in ```` ```ts name.ts ```` or
 * ```` ```js name.mjs ````, is a module: a test imports it and tries what it exports. One without is an example, which
 * test/examples.test.ts runs.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './temporary-tree.ts';

export interface Block {
  readonly document: string;
  readonly name: string | undefined;
  readonly code: string;
}

/** By their paths from the root. */
export const documents: readonly string[] = readdirSync(join(root, 'docs'), {
  withFileTypes: true,
  recursive: true,
})
  .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
  .sort();

/** The page that one in Russian is a translation of. */
export const originalOf = (document: string): string =>
  document.replace(/^docs\/ru\//, 'docs/').replace(/\.ru\.md$/, '.md');

/** Whether it has the blocks of another page, as test/russian-docs.test.ts sees to: they run there. */
export const isTranslation = (document: string): boolean => originalOf(document) !== document;

/** @param document - its path from the root */
export function blocksOf(document: string): Block[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```(?:ts|js)(?: (\S+))?\n([\s\S]*?)^```/gm)].map(
    ([, name, code = '']) => ({ document, name, code }),
  );
}

/** The file of a named block: a program for node is looked at as TypeScript too. */
export const fileOfBlock = (name: string): string => name.replace(/\.mjs$/, '.ts');

/** A test, or a group of them, that a document names. */
export interface NamedTest {
  readonly title: string;
  /** Its path from the document. */
  readonly file: string;
}

/** The tests that a text links to: the text of such a link is the title. */
export const namedTests = (text: string): NamedTest[] =>
  [...text.matchAll(/\[([^\]]+)\]\(([^)]*\.test\.ts)\)/g)].map(([, title = '', file = '']) => ({
    title: title.replace(/\s+/g, ' '),
    file,
  }));

/** Whether there is such a test: its title, and behind it what is run. */
export function isTest(document: string, { title, file }: NamedTest): boolean {
  const source = readFileSync(join(root, dirname(document), file), 'utf8');
  return ["'", '"', '`'].some((quote) => {
    const [, behind = ''] = source.split(`${quote}${title}${quote},`);
    return /^\s*(\{[^}]*\},\s*)?(async )?\(/.test(behind);
  });
}

/** A folder inside the work tree, where the names of the packages have a meaning. */
export function folderInTree(prefix: string): string {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  return mkdtempSync(join(cache, prefix));
}

/** Writes the named blocks of a document into a folder, where they import each other by name. */
export function writeBlocks(
  document: string,
  folder: string,
  change: (code: string) => string = (code) => code,
): void {
  for (const { name, code } of blocksOf(document))
    if (name !== undefined) writeFileSync(join(folder, fileOfBlock(name)), change(code));
}

/**
 * What the named block exports.
 *
 * @param change - puts what only the test knows, as a port, in the place of what the document has
 * @throws Error where there is no such block
 */
export async function importBlock(
  document: string,
  name: string,
  change?: (code: string) => string,
): Promise<unknown> {
  const folder = folderInTree('block-');
  try {
    writeBlocks(document, folder, change);
    return await import(/* @vite-ignore */ pathToFileURL(join(folder, fileOfBlock(name))).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
