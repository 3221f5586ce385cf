/**
 * The ts blocks of documents. One that has a name, as in ```` ```ts name.ts ````, is a module: a test imports it and tries
 * what it exports. One without is an example, which test/examples.test.ts runs.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './temporary-tree.ts';

export interface Block {
  readonly document: string;
  readonly name: string | undefined;
  readonly code: string;
}

/** @param document - its path from the root */
export function blocksOf(document: string): Block[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```ts(?: (\S+))?\n([\s\S]*?)^```/gm)].map(([, name, code = '']) => ({
    document,
    name,
    code,
  }));
}

/** A folder inside the work tree, where the names of the packages have a meaning. */
export function folderInTree(prefix: string): string {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  return mkdtempSync(join(cache, prefix));
}

/** Writes the named blocks of a document into a folder, where they import each other by name. */
export function writeBlocks(document: string, folder: string): void {
  for (const { name, code } of blocksOf(document))
    if (name !== undefined) writeFileSync(join(folder, name), code);
}

/** What the named block exports. @throws Error where there is no such block */
export async function importBlock(document: string, name: string): Promise<unknown> {
  const folder = folderInTree('block-');
  try {
    writeBlocks(document, folder);
    return await import(/* @vite-ignore */ pathToFileURL(join(folder, name)).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
