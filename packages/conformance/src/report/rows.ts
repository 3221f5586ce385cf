/** Several reports as one table: a row for each case, a column for each client, and the anchors of both. */
import type { VerdictName } from '../judge/judge.ts';
import { worst } from '../judge/judge.ts';
import { clientOf, type Report, type ReportedCase } from './report.ts';

/** What one client came to in one case. */
export interface Cell {
  /** Its name in links. */
  readonly anchor: string;
  readonly verdict: VerdictName;
  /** In the order of the deliveries. */
  readonly results: readonly ReportedCase[];
}

/** A case, and what each client came to. */
export interface Row {
  readonly about: ReportedCase;
  readonly anchor: string;
  /** The worst of all clients. */
  readonly verdict: VerdictName;
  /** By the index of the report; undefined: it does not have the case. */
  readonly cells: readonly (Cell | undefined)[];
}

export interface RowGroup {
  readonly title: string;
  readonly anchor: string;
  readonly rows: readonly Row[];
}

/** The rows of reports, by groups; both in the order in which they are first met. */
export function rowsOf(reports: readonly Report[]): RowGroup[] {
  const anchors = new Set<string>(RESERVED);
  const found = new Map<string, { about: ReportedCase; results: ReportedCase[][] }>();
  for (const [index, report] of reports.entries())
    for (const one of report.cases) {
      const row = found.get(one.id) ?? { about: one, results: reports.map(() => []) };
      row.results[index]?.push(one);
      found.set(one.id, row);
    }
  const groups = new Map<string, Row[]>();
  for (const { about, results } of found.values()) {
    const anchor = unique(about.id, anchors);
    const cells = results.map((each, index): Cell | undefined =>
      each.length === 0
        ? undefined
        : {
            anchor: unique(`${anchor}-${index + 1}`, anchors),
            verdict: worst(each.map((one) => one.verdict)),
            results: each,
          },
    );
    const verdict = worst(cells.flatMap((cell) => (cell ? [cell.verdict] : [])));
    const rows = groups.get(about.group) ?? [];
    rows.push({ about, anchor, verdict, cells });
    groups.set(about.group, rows);
  }
  return [...groups].map(([title, rows]) => ({
    title,
    anchor: unique(`group-${title.toLowerCase()}`, anchors),
    rows,
  }));
}

/** What the page itself has. Its other ids begin with `row-` and `show-`, as no other id does. */
const RESERVED: readonly string[] = ['matrix', 'matrix-title', 'cases', 'cases-title'];

/** An id that is fit for a link as it is, and that no other has. */
function unique(wanted: string, taken: Set<string>): string {
  const plain = wanted.replace(/[^\w-]+/g, '-').replace(/^(?:(?:row|show)-)+/, '') || 'case';
  let id = plain;
  for (let more = 2; taken.has(id); more += 1) id = `${plain}-${more}`;
  taken.add(id);
  return id;
}

/** The clients, each by a name that no other has. */
export function namesOf(reports: readonly Report[]): string[] {
  const seen = new Map<string, number>();
  return reports.map((report) => {
    const name = clientOf(report);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  });
}
