/** The README of each package, which npm shows beside it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './temporary-tree.ts';

/** By their paths from the root. */
export const packagePages: readonly string[] = readdirSync(join(root, 'packages'))
  .map((name) => `packages/${name}/README.md`)
  .filter((page) => existsSync(join(root, page)))
  .sort();
