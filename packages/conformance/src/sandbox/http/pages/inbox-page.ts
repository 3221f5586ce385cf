/** The inbox: what was accepted, the latest first; fifty on a page; follows what comes. */
import type { CapturedMessage } from '../../inbox.ts';
import { STATES } from '../../platform/events.ts';
import { choice, input } from './form.ts';
import { foreign, html, type Markup } from './markup.ts';
import { answerPage } from './page.ts';
import { paged } from './pager.ts';
import { STATE_WORDS, stateBadge } from './states.ts';
import type { Visit } from './visit.ts';

/** What the list is narrowed to. */
interface Filter {
  readonly to: string;
  readonly subject: string;
  readonly state: string;
}

export function inboxPage(visit: Visit): Response | Promise<Response> {
  const { site, context, say } = visit;
  const filter: Filter = {
    to: context.req.query('to')?.trim() ?? '',
    subject: context.req.query('subject')?.trim() ?? '',
    state: context.req.query('state') ?? '',
  };
  const narrowed = filter.to !== '' || filter.subject !== '' || filter.state !== '';
  const all = site.platform.inbox.messages;
  const found = narrowed ? all.filter((message) => fits(message, filter)) : all;
  const { entries, pager } = paged(visit, found.toReversed());
  const count = say('messagesCount', { count: found.length });
  return answerPage(visit, {
    title: say('inbox'),
    section: '/',
    scripts: ['live.js'],
    main: html`<div class="head"><h1>${say('inbox')}</h1><p class="soft" data-live="count">${count}</p></div>
${filterForm(filter, narrowed, visit)}
<p class="unseen" role="status" aria-live="polite" data-live-said></p>
<section data-live="list" data-live-count="${count}" aria-label="${say('inbox')}">
${entries.length === 0 ? nothing(narrowed, visit) : html`<ul class="letters">${entries.map((message) => entry(message, visit))}</ul>`}
${pager}
</section>`,
  });
}

function fits(message: CapturedMessage, { to, subject, state }: Filter): boolean {
  const holds = (text: string, part: string): boolean =>
    text.toLowerCase().includes(part.toLowerCase());
  return (
    (state === '' || message.state === state) &&
    (to === '' || message.to.some((one) => holds(one, to))) &&
    (subject === '' || holds(message.subject ?? '', subject))
  );
}

function filterForm(filter: Filter, narrowed: boolean, { say }: Visit): Markup {
  return html`<form class="filter" role="search" action="/" aria-label="${say('filter')}">
${input({ name: 'to', label: say('recipient'), value: filter.to, type: 'search' })}
${input({ name: 'subject', label: say('subject'), value: filter.subject, type: 'search' })}
${choice({
  name: 'state',
  label: say('state'),
  value: filter.state,
  options: [
    { value: '', text: say('anyState') },
    ...STATES.filter((state) => state !== 'Rejected').map((state) => ({
      value: state,
      text: say(STATE_WORDS[state]),
    })),
  ],
})}
<div class="buttons"><button>${say('filter')}</button>${narrowed ? html`<a href="/">${say('showAll')}</a>` : ''}</div>
</form>`;
}

function nothing(narrowed: boolean, { site, say }: Visit): Markup {
  if (narrowed) return html`<p class="empty">${say('nothingFits')}</p>`;
  return html`<div class="empty"><p>${say('inboxEmpty')}</p><p><code>${site.host}:${site.smtp}</code> STARTTLS · <code>${site.host}:${site.smtps}</code> TLS</p><p><a href="/setup">${say('howToSetUp')}</a></p></div>`;
}

function entry(message: CapturedMessage, { say, time, size }: Visit): Markup {
  const { id, subject, to, state, verdicts, receivedAt } = message;
  const warnings = verdicts.filter(({ outcome }) => outcome === 'warn').length;
  const further = to.length > 1 ? html` <span class="soft">+${to.length - 1}</span>` : '';
  return html`<li class="letter"><a href="/messages/${id}" id="m-${id}">${
    subject ? foreign(subject) : html`<i>${say('noSubject')}</i>`
  }</a><span class="to">${foreign(to[0] ?? '', 100)}${further}</span><span class="badges">${stateBadge(state, say)}${
    warnings > 0
      ? html`<a class="badge outcome-warn" href="/messages/${id}#verdicts">${say('warningsCount', { count: warnings })}</a>`
      : ''
  }</span><span class="when">${time(receivedAt.getTime())} · ${size(message.size)}</span></li>`;
}
