/**
 * The API reference, and the links of every document.
 *
 *     npm run docs                          both; the reference as HTML in dist/reference
 *     npm run docs -- --only links          one of them: reference, links
 *     npm run docs -- --out folder          the HTML somewhere else; the folder is emptied
 *
 * The reference is made of the doc comments of the same commit, so it is not committed: whoever publishes a version publishes
 * it. No server is asked for anything.
 */
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PARTS = ['reference', 'links'];
const here = dirname(dirname(fileURLToPath(import.meta.url)));

function chosen() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      out: { type: 'string' },
      // Another work tree, for the tests.
      root: { type: 'string' },
    },
  });
  const { only, root = here } = values;
  if (only !== undefined && !PARTS.includes(only))
    throw new Error(`There is no part ${only}: there are ${PARTS.join(' and ')}.`);
  const out = resolve(values.out ?? join(root, 'dist', 'reference'));
  return { parts: only ? [only] : PARTS, root: resolve(root), out };
}

const check = {
  // Each loads a program that the other does not need.
  async reference({ root, out }) {
    const { makeReference } = await import('./docs/reference.mjs');
    const { entries, problems } = await makeReference(root, out);
    for (const { name, names } of entries)
      console.log(`        ${name.padEnd(32)}${String(names).padStart(4)} names`);
    return { name: `reference of ${entries.length} entries, ${relative(root, out)}`, problems };
  },
  async links({ root }) {
    const { documentsOf, problemsOfLinks } = await import('./docs/links.mjs');
    const documents = documentsOf(root);
    const problems = await problemsOfLinks(root, documents);
    return { name: `links of ${documents.length} documents`, problems };
  },
};

async function main() {
  const { parts, ...where } = chosen();
  let failed = 0;
  for (const part of parts) {
    const { name, problems } = await check[part](where);
    console.log(`${problems.length > 0 ? 'FAILED' : 'ok    '}  ${name}`);
    for (const problem of problems) console.error(`        ${problem}`);
    if (problems.length > 0) failed += 1;
  }
  console.log(`${parts.length - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
