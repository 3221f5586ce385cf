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
import { inApi, STATE_WORDS } from './states.ts';
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
  const shown = (name: 'from' | 'to', text: string): string =>
    inField(name, text, platform.clock.now());
  const rows = statisticsRows(platform.statistics.counts(filter));
  return answerPage(visit, {
    title: say('statistics'),
    section: '/statistics',
    status: error === undefined ? 200 : 422,
    scripts: ['live.js', 'chart.js', 'statistics.js'],
    main: html`<h1>${say('statistics')}</h1>
<p class="lead">${say('statisticsLead')} ${say('statisticsCounts')} <a href="/refused">${say('refused')}</a></p>
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
  value: shown('from', from),
  error: error?.field === 'from' ? error.text : undefined,
})}
${input({
  name: 'to',
  label: say('periodTo'),
  type: 'datetime-local',
  value: shown('to', to),
  error: error?.field === 'to' ? error.text : undefined,
})}
<div class="buttons"><button>${say('showPeriod')}</button></div>
<p class="hint">${say('wholeHours')} ${say('timeZone')} <bdi translate="no">${ZONE}</bdi>.</p>
</form>
${error?.field === 'preset' ? html`<p class="notice warn" role="alert">${error.text}</p>` : ''}
${error === undefined ? figures(rows, visit) : ''}`,
  });
}

function figures(rows: readonly StatisticsRow[], visit: Visit): Markup {
  const { say } = visit;
  return html`<div class="statistics">
<section data-live="table" class="card" aria-label="${say('table')}">${table(rows, visit)}</section>
<figure class="chart card" hidden><canvas id="chart" role="img" aria-label="${say('chartLabel')}"></canvas></figure>
</div>`;
}

/** The one that times without a zone are read in. */
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** As the field wants it: with hour and minute, in local time. What is no time stays, with what is wrong beside it. */
function inField(name: 'from' | 'to', text: string, now: number): string {
  try {
    const at = statisticsFilter({ [name]: text }, now)[name];
    if (at === undefined) return text;
    const two = (part: number): string => String(part).padStart(2, '0');
    const time = new Date(at);
    const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(two).join('-');
    return `${date.padStart(10, '0')}T${two(time.getHours())}:${two(time.getMinutes())}`;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return text;
  }
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
      html`<tr data-state="${state}" data-count="${count}"><th scope="row" title="${inApi(state, say)}"${
        language === 'en' && say(STATE_WORDS[state]) !== state ? html` data-api="${state}"` : ''
      }>${
        language === 'ru' ? title : say(STATE_WORDS[state])
      }</th><td>${count}</td><td>${share}</td></tr>`,
  )}</tbody>
</table>`;
}
