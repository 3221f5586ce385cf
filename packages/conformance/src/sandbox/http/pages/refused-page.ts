/** What was refused, and why. */
import type { Refused } from '../../platform/platform.ts';
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
</section>`,
  });
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
  const fact = (name: string, value: Markup | string): Markup =>
    html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return answerPage(visit, {
    title: `${code} ${text.slice(0, 100)}`,
    section: '/refused',
    main: html`<p class="back"><a href="/refused">← ${say('refused')}</a></p>
<h1><samp translate="no">${code} ${foreign(text, 1_000)}</samp></h1>
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
<section class="card" aria-labelledby="verdicts"><h2 id="verdicts">${say('verdicts')}</h2>${verdictList(refused.verdicts, visit)}</section>
<section class="card" aria-labelledby="transcript"><h2 id="transcript">${say('transcript')}</h2>${transcriptList(refused.transcript, visit)}</section>`,
  });
}
