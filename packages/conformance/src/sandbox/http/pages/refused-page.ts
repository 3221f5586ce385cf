/** What was refused, and why. */
import type { Refused, Trouble } from '../../platform/platform.ts';
import type { Verdict } from '../../rules.ts';
import { adviceBox, causeOf } from './advice.ts';
import { foreign, html, type Markup } from './markup.ts';
import { answerPage } from './page.ts';
import { paged } from './pager.ts';
import { transcriptList, verdictList } from './verdicts.ts';
import type { Visit } from './visit.ts';

export function refusedPage(visit: Visit): Response | Promise<Response> {
  const { site, say } = visit;
  const all = site.platform.refused;
  const { entries, pager } = paged(visit, all);
  const count = say('refusedCount', { count: all.length });
  return answerPage(visit, {
    title: say('refused'),
    section: '/refused',
    scripts: ['live.js'],
    main: html`<div class="head"><h1>${say('refused')}</h1><p class="soft" data-live="count">${count}</p></div>
<p class="lead">${say('refusedLead')}</p>
<p class="unseen" role="status" aria-live="polite" data-live-said></p>
<section data-live="list" data-live-count="${count}" aria-label="${say('refused')}">
${
  entries.length === 0
    ? html`<p class="empty">${say('nothingRefused')}</p>`
    : html`<ul class="letters">${entries.map((one) => entry(one, visit))}</ul>`
}
${pager}
</section>
${troubles(visit)}`,
  });
}

/** So many of the latest are shown; REST has all that are kept. */
const TROUBLES_SHOWN = 50;

/** What went wrong and is no refusal: most first attempts end here. */
function troubles(visit: Visit): Markup {
  const { site, say } = visit;
  const found = site.platform.troubles.slice(0, TROUBLES_SHOWN);
  return html`<h2 id="troubles">${say('troubles')}</h2>
<p class="lead">${say('troublesLead')}</p>
<section data-live="troubles" aria-labelledby="troubles">
${
  found.length === 0
    ? html`<p class="empty">${say('noTroubles')}</p>`
    : html`<ul class="letters">${found.map((one) => troubleEntry(one, visit))}</ul>`
}
</section>`;
}

function troubleEntry(
  { id, at, what, port, remoteAddress, transcript }: Trouble,
  visit: Visit,
): Markup {
  const { site, say, time } = visit;
  const details =
    transcript.length === 0
      ? ''
      : html`<details id="t-${id}"><summary>${say('transcript')}</summary>${transcriptList(transcript, visit)}</details>`;
  return html`<li class="letter trouble"><samp translate="no">${foreign(what, 300)}</samp><span class="to">${remoteAddress ?? '—'} · ${
    port === 'starttls' ? `STARTTLS ${site.smtp}` : `TLS ${site.smtps}`
  }</span><span class="when">${time(at)}</span>${details}</li>`;
}

function entry(refused: Refused, { say, time }: Visit): Markup {
  const { id, stage, code, text, from, to, at } = refused;
  const who =
    from === undefined && to.length === 0
      ? html`<span class="soft">${refused.remoteAddress}</span>`
      : html`${from === undefined ? '—' : foreign(from || '<>', 100)} → ${to.length === 0 ? '—' : foreign(to.at(-1) ?? '', 100)}`;
  return html`<li class="letter"><a href="/refused/${id}" id="r-${id}"><samp translate="no">${code} ${foreign(text)}</samp></a><span class="to">${who}</span><span class="badges"><span class="badge plain"><span class="unseen">${say(
    'stage',
  )} </span><code>${stage.toUpperCase()}</code></span></span><span class="when">${time(at)}</span></li>`;
}

export function oneRefusedPage(visit: Visit, refused: Refused): Response | Promise<Response> {
  const { say, time, size } = visit;
  const { stage, code, text, from, to, user, remoteAddress, secure } = refused;
  const cause = causeOf(refused);
  const fact = (name: string, value: Markup | string): Markup =>
    html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return answerPage(visit, {
    title: `${code} ${text.slice(0, 100)}`,
    section: '/refused',
    main: html`<p class="back"><a href="/refused">← ${say('refused')}</a></p>
<h1><samp translate="no">${code} ${foreign(text, 1_000)}</samp></h1>
${adviceBox(refused, cause, visit)}
<dl class="facts">
${fact(say('time'), time(refused.at))}
${fact(say('stage'), html`<code>${stage.toUpperCase()}</code>`)}
${fact(say('from'), from === undefined ? '—' : foreign(from || '<>'))}
${fact(say('to'), to.length === 0 ? '—' : html`${to.slice(0, 20).map((one) => html`${foreign(one)}<br>`)}${to.length > 20 ? `+${to.length - 20}` : ''}`)}
${fact(say('login'), user === undefined ? '—' : foreign(user))}
${fact(say('remoteAddress'), html`<code>${remoteAddress}</code>`)}
${fact('TLS', secure ? say('yes') : say('no'))}
${refused.size === undefined ? '' : fact(say('size'), size(refused.size))}
</dl>
<section class="card" aria-labelledby="verdicts"><h2 id="verdicts">${say('verdicts')}</h2>${verdictsOf(refused, cause.verdict, visit)}</section>
<section class="card" aria-labelledby="transcript"><h2 id="transcript">${say('transcript')}</h2>${transcriptList(refused.transcript, visit, `${code} ${text}`)}</section>`,
  });
}

/** The one that refused first: of ten, it is the one that is looked for. */
function verdictsOf({ verdicts }: Refused, refusing: Verdict | undefined, visit: Visit): Markup {
  if (refusing === undefined) return verdictList(verdicts, visit);
  const others = verdicts.filter((one) => one !== refusing);
  if (others.length === 0) return verdictList([refusing], visit);
  return html`${verdictList([refusing], visit)}<details class="others"><summary>${visit.say(
    'otherVerdicts',
    {
      count: others.length,
    },
  )}</summary>${verdictList(others, visit)}</details>`;
}
