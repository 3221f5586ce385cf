/** The links of every document of the repository. Knows what is a document; remark.mjs has what is asked of it. */
import { readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../bounded-run.cjs';

const here = dirname(fileURLToPath(import.meta.url));
const repository = dirname(dirname(here));
const TIMEOUT = 2 * 60 * 1000;

/** What is installed, built or fetched; and what tests give to programs. */
const FOREIGN = /^(?:node_modules|dist|coverage|\.git)$/;
const GIVEN = /(?:^|\/)test\/(?:data|fixtures)$/;

/** Every Markdown file of the work tree that people read, by its path from the root, sorted. */
export function documentsOf(root) {
  const inFolder = (folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      const name = relative(root, path).split(sep).join('/');
      if (entry.isDirectory())
        return FOREIGN.test(entry.name) || GIVEN.test(name) ? [] : inFolder(path);
      return entry.isFile() && name.endsWith('.md') ? [name] : [];
    });
  return inFolder(root).sort();
}

/**
 * Runs remark over the documents.
 *
 * @returns {Promise<string[]>} `file:line: what is wrong`
 * @throws Error where it cannot be run
 */
export async function problemsOfLinks(root, documents = documentsOf(root)) {
  const args = [
    join(repository, 'node_modules', 'remark-cli', 'cli.js'),
    '--frail',
    '--no-config',
    '--no-ignore',
    '--no-stdout',
    '--rc-path',
    join(here, 'remark.mjs'),
    '--report',
    join(here, 'report.mjs'),
    ...documents,
  ];
  const { code, timedOut, output } = await run(process.execPath, args, {
    cwd: root,
    timeout: TIMEOUT,
  });
  const lines = output.split('\n').filter((line) => line !== '');
  if (code === 0 && lines.length === 0) return [];
  if (timedOut) throw new Error(`remark was stopped after ${TIMEOUT / 60_000} minutes.`);
  const problems = lines.filter((line) => documents.some((name) => line.startsWith(`${name}:`)));
  if (problems.length === 0) throw new Error(`remark ended with ${code}: ${output}`);
  return lines;
}
