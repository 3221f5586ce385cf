/** What docs/runtimes.md says of the runtimes, for the matrix to hold it to: its table, and its worker. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DOCUMENT = 'docs/runtimes.md';
const file = join(dirname(dirname(fileURLToPath(import.meta.url))), DOCUMENT);
const COLUMNS = ['node', 'bun', 'deno', 'workerd'];
const NOTHING = '–';

/** A verdict as it stands in a table. */
export const shown = ({ verdict, note } = { verdict: NOTHING }) =>
  note && verdict === 'ok' ? 'ok *' : verdict;

/** The code of the worker that is given as an example. */
export function documentedWorker() {
  const [, code] = /^```ts worker\.ts\n([\s\S]*?)^```/m.exec(readFileSync(file, 'utf8')) ?? [];
  if (!code) throw new Error(`${DOCUMENT} has no worker.ts`);
  return code;
}

/** Whether the document's table has the verdicts of a runtime; what has failed is told already. */
export function documentedCell({ name }, cells) {
  const column = COLUMNS.findIndex((one) => name.split('-').includes(one));
  const rows = new Map(
    [...readFileSync(file, 'utf8').matchAll(/^\| ([^|]+) \|(( [^|]+ \|){4})$/gm)].map(
      ([, row, verdicts]) => [row, verdicts.split('|')[column].trim()],
    ),
  );
  const differing = [...new Set([...rows.keys(), ...cells.keys()])].flatMap((row) => {
    const [is, said = NOTHING] = [shown(cells.get(row)), rows.get(row)];
    return is === said || is === 'FAILED' ? [] : [`${row}: it is ${is}, and not ${said}`];
  });
  if (rows.size > 0 && differing.length === 0) return { verdict: 'ok' };
  return { verdict: 'FAILED', note: differing.join('\n') || 'there is no table' };
}
