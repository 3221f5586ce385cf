/** What docs/interop.md says of the servers, for the run to hold it to: its tables, and the reasons below them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../docs/interop.md', import.meta.url));
const COLUMNS = ['postfix', 'exim'];
const NOTHING = '–';
const ROW = /^\| ([^|]+) \| (ok|ok \*|–) \| (ok|ok \*|–) \|$/gm;

/** A verdict as it stands in a table. */
export const shown = ({ verdict, note } = { verdict: NOTHING }) =>
  note && verdict === 'ok' ? 'ok *' : verdict;

/** The rows of the tables, each with a verdict for each server. */
export const rowsOf = (text = readFileSync(file, 'utf8')) =>
  new Map([...text.matchAll(ROW)].map(([, row, ...verdicts]) => [row, verdicts]));

/**
 * Whether the document has the verdicts of a server, and the reasons of those that have one; what has failed is told already.
 *
 * @param text - the document
 */
export function documentedCell(name, cells, text = readFileSync(file, 'utf8')) {
  const rows = rowsOf(text);
  const prose = text.replace(/\s+/g, ' ');
  const differing = [...new Set([...rows.keys(), ...cells.keys()])].flatMap((row) => {
    const cell = cells.get(row);
    const [is, said = 'there'] = [shown(cell), rows.get(row)?.[COLUMNS.indexOf(name)]];
    if (is === 'FAILED') return [];
    if (is !== said) return [`${row}: it is ${is}, and not ${said}`];
    return cell?.note && !prose.includes(cell.note) ? [`${row}: nothing says "${cell.note}"`] : [];
  });
  if (rows.size > 0 && differing.length === 0) return { verdict: 'ok' };
  return { verdict: 'FAILED', note: differing.join('\n') || 'there is no table' };
}
