/** The statistics, as the account page has them: its table, and a chart of it. */
import {
  type StatisticsFilter,
  type StatisticsRow,
  statisticsRows,
} from '../../platform/statistics.ts';
import { Problem } from '../problem.ts';
import { PRESETS, type Preset, statisticsFilter } from '../statistics-filter.ts';
import { input } from './form.ts';
import { html, type Markup } from './markup.ts';
import { answerPage } from './page.ts';
import { STATE_WORDS } from './states.ts';
import type { Visit } from './visit.ts';
import type { Word } from './words/index.ts';

const PRESET_WORDS: Readonly<Record<Preset, Word>> = {
  today: 'presetToday',
  week: 'presetWeek',
  month: 'presetMonth',
  '3months': 'presetThreeMonths',
};

export function statisticsPage(visit: Visit): Response | Promise<Response> {
  const { site, context, say } = visit;
  const { platform } = site;
  const { from = '', to = '', preset = '' } = context.req.query();
  let filter: StatisticsFilter = {};
  let error: { readonly field: string; readonly text: string } | undefined;
  try {
    filter = statisticsFilter({ from, to, preset }, platform.clock.now());
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    error = problemWith(problem, from, visit);
  }
  const rows = statisticsRows(platform.statistics.counts(filter));
  return answerPage(visit, {
    title: say('statistics'),
    section: '/statistics',
    status: error === undefined ? 200 : 422,
    scripts: ['live.js', 'chart.js', 'statistics.js'],
    main: html`<h1>${say('statistics')}</h1>
<p class="lead">${say('statisticsLead')}</p>
<ul class="presets" aria-label="${say('period')}">
<li><a href="/statistics"${from === '' && to === '' && preset === '' ? html` aria-current="true"` : ''}>${say('presetAll')}</a></li>
${PRESETS.map(
  (one) =>
    html`<li><a href="/statistics?preset=${one}"${one === preset ? html` aria-current="true"` : ''}>${say(PRESET_WORDS[one])}</a></li>`,
)}</ul>
<form class="filter" action="/statistics" aria-label="${say('period')}">
${input({
  name: 'from',
  label: say('periodFrom'),
  type: 'datetime-local',
  value: from,
  error: error?.field === 'from' ? error.text : undefined,
})}
${input({
  name: 'to',
  label: say('periodTo'),
  type: 'datetime-local',
  value: to,
  error: error?.field === 'to' ? error.text : undefined,
})}
<div class="buttons"><button>${say('showPeriod')}</button></div>
<p class="hint">${say('wholeHours')}</p>
</form>
${error?.field === 'preset' ? html`<p class="notice warn" role="alert">${error.text}</p>` : ''}
<div class="statistics">
<section data-live="table" class="card" aria-label="${say('table')}">${table(rows, visit)}</section>
<figure class="chart card" hidden><canvas id="chart" role="img" aria-label="${say('chartLabel')}"></canvas></figure>
</div>`,
  });
}

function problemWith(
  { path }: Problem,
  from: string,
  { say }: Visit,
): { readonly field: string; readonly text: string } {
  if (path === '/preset') return { field: 'preset', text: say('noSuchPreset') };
  if (path === '/to' && from !== '') return { field: 'to', text: say('periodEnds') };
  return { field: path === '/to' ? 'to' : 'from', text: say('noTime') };
}

function table(rows: readonly StatisticsRow[], { language, say }: Visit): Markup {
  return html`<table class="golden" id="statistics">
<caption class="unseen">${say('statistics')}</caption>
<thead><tr><th scope="col">${say('state')}</th><th scope="col">${say('messages')}</th><th scope="col">%</th></tr></thead>
<tbody>${rows.map(
    ({ state, title, count, share }) =>
      html`<tr data-state="${state}" data-count="${count}"><th scope="row">${
        language === 'ru' ? title : say(STATE_WORDS[state])
      }</th><td>${count}</td><td>${share}</td></tr>`,
  )}</tbody>
</table>`;
}
