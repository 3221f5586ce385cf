/** One static page: clients × cases, and for each case its clause, what is expected, and the wire. No scripts in it. */
import { html, raw } from 'hono/html';
import type { VerdictName } from '../judge/judge.ts';
import { badge, caseArticle, type Html, text } from './html-case.ts';
import type { Report } from './report.ts';
import { type Cell, namesOf, type Row, type RowGroup, rowsOf } from './rows.ts';
import { STYLE } from './style.ts';
import { printable } from './text.ts';

/** What each verdict means; what wants to be read first stands first. */
const WORDS: Readonly<Record<VerdictName, string>> = {
  FAIL: 'a MUST is broken',
  WARN: 'a SHOULD is broken',
  ERROR: 'could not be run',
  XFAIL: 'fails, as is known',
  PASS: 'as expected',
  INFO: 'recorded, not judged',
  SKIP: 'not played',
};
const VERDICTS = Object.keys(WORDS) as VerdictName[];
/** The page loads nothing and runs nothing, whatever may stand in a report. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
/** With so few columns the matrix never needs to scroll on a wide screen, and its head can stay in sight. */
const FEW = 4;

/**
 * The page for one report or several.
 *
 * @param reports - one column for each
 * @returns HTML of its own, without scripts and without anything to load
 */
export function htmlReport(reports: readonly Report[]): string {
  const groups = rowsOf(reports);
  const rows = groups.flatMap((group) => group.rows);
  const names = namesOf(reports);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>SMTP client conformance: ${printable(names.join(', '))}</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>
</head>
<body>
<a class="skip" href="#matrix">Skip to the matrix</a>
<header>
<h1>SMTP client conformance</h1>
<p class="lead">${counted(rows.length, 'case')}, ${counted(reports.length, 'client')}: what a server may do, and what each client does about it.</p>
<div class="clients">
${reports.map((report, index) => card(report, names[index] as string))}</div>
</header>
<main>
<section id="matrix" aria-labelledby="matrix-title">
<h2 id="matrix-title">Matrix</h2>
<nav aria-label="Groups"><ul>${groups.map(({ title, anchor }) => html`<li><a href="#row-${anchor}">${text(title)}</a></li>`)}</ul></nav>
${filter(rows)}
<div class="scroll${names.length > FEW ? '' : ' few'}" tabindex="0" role="region" aria-labelledby="matrix-title">
<table>
<thead><tr><th scope="col">Case</th>${names.map((name) => html`<th scope="col">${printable(name)}</th>`)}</tr></thead>
${groups.map(matrixGroup)}</table>
</div>
</section>
<section id="cases" aria-labelledby="cases-title">
<h2 id="cases-title">Cases</h2>
<p class="key">In a wire log <b class="c">C</b> is the client and <b>S</b> the server; a bar at the left and <b>tls</b> mean inside TLS; <span class="violation">red</span> is what broke a rule; <s>\\x1b</s> is an octet that cannot be shown.</p>
${groups.map(
  ({ title, anchor, rows: own }) => html`<section id="${anchor}" aria-label="${printable(title)}">
<h3>${text(title)}</h3>
${own.map((row) => caseArticle(row, names))}</section>
`,
)}</section>
</main>
</body>
</html>
`;
  return String(page);
}

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

/** What one client came to, in numbers. */
function card(report: Report, name: string): Html {
  const counts = VERDICTS.map((verdict) => ({ verdict, count: report.counts[verdict] })).filter(
    ({ count }) => count > 0,
  );
  const facts = [
    report.started.slice(0, 10),
    report.runtime,
    `replies ${report.deliveries.join(', ')}`,
    `${(report.took / 1_000).toFixed(1)} s`,
    ...(report.strict ? ['strict'] : []),
  ];
  return html`<section class="card" aria-label="${printable(name)}">
<h2>${text(name)}</h2>
<div class="bar" aria-hidden="true">${counts.map(({ verdict, count }) => html`<span class="${verdict}" style="flex-grow:${count}"></span>`)}</div>
<p class="counts">${counts.map(({ verdict, count }) => html`<span class="count"><b>${count}</b> ${badge(verdict)}</span> `)}</p>
<p class="about">${text(facts.join(' · '))}</p>
</section>
` as Html;
}

/** What the verdicts mean; and, with nothing but style, which of them are shown. */
const filter = (rows: readonly Row[]): Html =>
  html`<fieldset class="filter"><legend>Show cases whose worst verdict is</legend>
${VERDICTS.map((verdict) => {
  const count = rows.filter((row) => row.verdict === verdict).length;
  return html`<label><input type="checkbox" id="show-${verdict}" checked> ${badge(verdict)} <span class="about">${WORDS[verdict]} (${count})</span></label>
`;
})}</fieldset>` as Html;

function matrixGroup({ title, anchor, rows }: RowGroup): Html {
  const columns = rows[0]?.cells.map((_, index) => {
    const all = rows.flatMap(({ cells }) => cells[index]?.verdict ?? []);
    const judged = all.filter((verdict) => verdict !== 'SKIP' && verdict !== 'INFO').length;
    const passed = all.filter((verdict) => verdict === 'PASS').length;
    return judged === 0
      ? html`<td></td>`
      : html`<td title="${passed} passed of ${judged} judged">${passed}/${judged}</td>`;
  });
  return html`<tbody id="row-${anchor}">
<tr class="group"><th scope="rowgroup"><a href="#${anchor}">${text(title)}</a></th>${columns}</tr>
${rows.map(matrixRow)}</tbody>
` as Html;
}

const matrixRow = ({ about, anchor, verdict, cells }: Row): Html =>
  html`<tr id="row-${anchor}" class="row-${verdict}"><th scope="row"><a href="#${anchor}">${printable(about.id)}</a> <span class="level is-${about.level}">${about.level}</span> <span class="title">${text(about.title)}</span></th>${cells.map(matrixCell)}</tr>
` as Html;

function matrixCell(cell: Cell | undefined): Html {
  if (!cell) return html`<td class="none" title="not in this report">·</td>` as Html;
  const { verdict, anchor, results } = cell;
  const reason = results.find((one) => one.verdict === verdict)?.reasons[0];
  const title = verdict === 'PASS' || !reason ? '' : printable(reason.slice(0, 200));
  // Where only some of the deliveries went wrong, that is the first thing to know.
  const some = results.filter((one) => one.verdict === verdict);
  const where = some.length === results.length ? '' : some.map((one) => one.delivery).join(', ');
  return html`<td><a href="#${anchor}"${title ? html` title="${title}"` : ''}>${badge(verdict)}</a>${where ? html` <small>${where}</small>` : ''}</td>` as Html;
}
