/** One static page: clients × cases, and for each case its clause, what is expected, and the wire. No scripts in it. */
import { html, raw } from 'hono/html';
import type { VerdictName } from '../judge/judge.ts';
import { worst } from '../judge/judge.ts';
import { linesOf, type Report, type ReportedCase, type ReportedPlay } from './report.ts';
import { STYLE } from './style.ts';

type Html = ReturnType<typeof raw>;

/** A case, and what each client came to. */
interface Row {
  readonly about: ReportedCase;
  /** By the index of the report; each in the order of its deliveries. */
  readonly results: readonly (readonly ReportedCase[])[];
}

const WORDS: Readonly<Record<VerdictName, string>> = {
  PASS: 'passed',
  FAIL: 'failed: a MUST is broken',
  WARN: 'warning: a SHOULD is broken',
  INFO: 'recorded',
  SKIP: 'not played',
  ERROR: 'could not be run',
  XFAIL: 'fails, as is known',
};

/**
 * The page for one report or several.
 *
 * @param reports - one column for each
 * @returns HTML of its own, without scripts and without anything to load
 */
export function htmlReport(reports: readonly Report[]): string {
  const rows = rowsOf(reports);
  const groups = [...new Set(rows.map(({ about }) => about.group))];
  const names = reports.map(({ client }) =>
    [client.name, client.version].filter(Boolean).join(' '),
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SMTP client conformance: ${names.join(', ')}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<a class="skip" href="#matrix">Skip to the matrix</a>
<header>
<h1>SMTP client conformance</h1>
${reports.map((report, index) => summary(report, names[index] as string))}
<p class="legend">${Object.entries(WORDS).map(([verdict, words]) => html`<span class="key"><span class="v ${verdict}">${verdict}</span> ${words}</span> `)}</p>
</header>
<main>
<section id="matrix" aria-label="Matrix">
<h2>Matrix</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Clients and cases">
<table>
<thead><tr><th scope="col">Case</th><th scope="col">Level</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
${groups.map(
  (
    group,
  ) => html`<tbody><tr><th class="group" colspan="${2 + names.length}" scope="rowgroup">${group}</th></tr>
${rows.filter(({ about }) => about.group === group).map(matrixRow)}</tbody>`,
)}
</table>
</div>
</section>
<section aria-label="Cases">
<h2>Cases</h2>
${rows.map((row) => caseSection(row, names))}
</section>
</main>
</body>
</html>
`;
  return String(page);
}

function rowsOf(reports: readonly Report[]): Row[] {
  const rows = new Map<string, { about: ReportedCase; results: ReportedCase[][] }>();
  for (const [index, report] of reports.entries())
    for (const one of report.cases) {
      const row = rows.get(one.id) ?? { about: one, results: reports.map(() => []) };
      row.results[index]?.push(one);
      rows.set(one.id, row);
    }
  return [...rows.values()];
}

const summary = (report: Report, name: string): Html =>
  html`<p class="summary"><strong>${name}</strong>: ${Object.entries(report.counts)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => html`<span class="v ${verdict}">${count} ${verdict}</span> `)}
<span class="about">${report.started.slice(0, 10)}, ${report.runtime}, replies ${report.deliveries.join(', ')}, ${(report.took / 1_000).toFixed(1)} s</span></p>` as Html;

const anchor = (id: string, client: number): string => `${id}-${client + 1}`;

const matrixRow = ({ about, results }: Row): Html =>
  html`<tr><th scope="row"><a href="#${about.id}">${about.id}</a> <span class="title">${about.title}</span></th><td>${about.level}</td>${results.map(
    (each, index) => {
      if (each.length === 0) return html`<td class="v">·</td>`;
      const verdict = worst(each.map((one) => one.verdict));
      return html`<td><a class="v ${verdict}" href="#${anchor(about.id, index)}">${verdict}</a></td>`;
    },
  )}</tr>` as Html;

const caseSection = ({ about, results }: Row, names: readonly string[]): Html =>
  html`<article id="${about.id}">
<h3><a href="#${about.id}">${about.id}</a> ${about.title}</h3>
<p class="facts"><span class="level">${about.level}</span> ${about.clause} <span class="tags">${about.tags.join(', ')}</span></p>
<p>${about.requirement}.</p>
${results.map((each, index) => clientResult(each, names[index] as string, anchor(about.id, index)))}
</article>
` as Html;

function clientResult(each: readonly ReportedCase[], name: string, id: string): Html {
  if (each.length === 0) return html`` as Html;
  const verdict = worst(each.map((one) => one.verdict));
  // One wire log is enough where all deliveries came out alike.
  const shown = each.every((one) => one.verdict === verdict) ? each.slice(0, 1) : each;
  const quiet = verdict === 'PASS' || verdict === 'SKIP';
  return html`<div class="client" id="${id}"><p><span class="v ${verdict}">${verdict}</span> <strong>${name}</strong></p>
${quiet && verdict === 'PASS' ? '' : html`<ul>${[...new Set(each.flatMap(({ reasons }) => reasons))].map((reason) => html`<li>${reason}</li>`)}</ul>`}
${shown.map((one) => one.plays.map((play) => wireLog(play, one, shown.length > 1)))}</div>` as Html;
}

function wireLog(play: ReportedPlay, one: ReportedCase, several: boolean): Html {
  if (play.transcript.length === 0) return html`` as Html;
  const title = [play.title, several ? one.delivery : undefined].filter(Boolean).join(', ');
  return html`<details><summary>Wire log${title ? `: ${title}` : ''} <span class="v ${play.verdict}">${play.verdict}</span></summary>
${play.transcript.map(
  (events, index) =>
    html`${play.transcript.length > 1 ? html`<p>Connection ${index + 1}</p>` : ''}<ol class="wire">${linesOf(
      events,
    ).map(
      ({ at, who, secure, text }) =>
        html`<li class="${who}${secure ? ' tls' : ''}"><span class="at">${at.toFixed(0)} ms</span> <span class="who">${who === 'client' ? 'C' : who === 'server' ? 'S' : '–'}${secure ? ' (TLS)' : ''}</span> <code>${text}</code></li>`,
    )}</ol>`,
)}
${play.faults.length === 0 ? '' : html`<ul class="faults">${play.faults.map(({ expected, actual, level }) => html`<li class="violation">${level}: expected ${expected}, got ${actual}</li>`)}</ul>`}
</details>` as Html;
}
