/** Who is told of events, and what came of it. */
import type { Hono } from 'hono';
import { type CallbackDelivery, maskedUrl } from '../../callbacks.ts';
import { type CallbackOptions, checkCallback } from '../../options.ts';
import { EVENT_TYPES } from '../../platform/events.ts';
import type { Site } from '../site.ts';
import { detailIn } from './details.ts';
import { backTo } from './done.ts';
import { action, choice, input, type Sent, sentBy } from './form.ts';
import { foreign, html, type Markup } from './markup.ts';
import { answerPage } from './page.ts';
import { paged } from './pager.ts';
import { eventName } from './states.ts';
import { type Visit, visitOf } from './visit.ts';

function callbacksPage(visit: Visit, typed?: Sent): Response | Promise<Response> {
  const { site, say } = visit;
  const { log, options, waiting } = site.callbacks;
  const { entries, pager } = paged(visit, log);
  return answerPage(visit, {
    title: say('callbacks'),
    section: '/callbacks',
    scripts: ['live.js'],
    status: typed === undefined ? 200 : 422,
    main: html`<h1>${say('callbacks')}</h1><p class="lead">${say('callbacksLead')}</p>
<section class="card" aria-labelledby="settings"><h2 id="settings">${say('settings')}</h2>${settingsForm(visit, options, typed)}</section>
<section data-live="list" class="card" aria-labelledby="log"><h2 id="log">${say('log')}</h2>${
      waiting === 0 ? '' : html`<p class="hint">${say('stillToTell', { count: waiting })}</p>`
    }${
      entries.length === 0
        ? html`<p class="empty">${say('nothingTold')}</p>`
        : html`<ul class="log">${entries.map((one) => entry(one, visit))}</ul>`
    }${pager}</section>`,
  });
}

function settingsForm(
  { say }: Visit,
  options: CallbackOptions | undefined,
  typed: Sent | undefined,
): Markup {
  const events = typed?.all('events') ?? options?.events ?? EVENT_TYPES;
  return html`<form method="post" action="/callbacks" novalidate>
<p>${options === undefined ? say('nobodyTold') : html`${say('toldTo')} <code>${foreign(maskedUrl(options.url))}</code>`}</p>
<div class="filter">
${input({
  name: 'url',
  label: say('callbackUrl'),
  type: 'url',
  // What is set may hold a secret, so it is not sent out again.
  value: typed?.text('url'),
  placeholder: 'http://localhost:8080/events',
  hint: options === undefined ? undefined : say('emptyStays'),
  longest: 2_000,
  required: options === undefined,
  classes: 'wide',
  error: typed === undefined ? undefined : say('noCallbackUrl'),
})}
${choice({
  name: 'format',
  label: say('format'),
  value: typed?.text('format') ?? options?.format ?? 'json',
  options: [
    { value: 'json', text: 'JSON' },
    { value: 'xml', text: 'XML' },
  ],
})}
</div>
<fieldset><legend>${say('events')}</legend><div class="checks">${EVENT_TYPES.map(
    (type) =>
      html`<label class="check"><input type="checkbox" name="events" value="${type}"${
        events.includes(type) ? html` checked` : ''
      }><span>${eventName(type, say)}</span></label>`,
  )}</div><p class="hint">${say('noneIsAll')}</p></fieldset>
<div class="buttons"><button>${say('save')}</button></div>
</form>${
    options === undefined
      ? ''
      : html`<form method="post" action="/callbacks/stop"><button class="quiet">${say('tellNobody')}</button></form>`
  }`;
}

function entry(delivery: CallbackDelivery, { say, time, site, language }: Visit): Markup {
  const { id, event, url, format, body, at, attempt, status, error, took } = delivery;
  const fine = status !== undefined && status >= 200 && status < 300;
  const message = site.platform.inbox.get(event.messageId);
  return html`<li><div class="told"><span class="event"><span class="badge outcome-${fine ? 'pass' : 'refuse'}">${
    status ?? say('noAnswer')
  }</span> ${eventName(event.type, say)} · ${
    message
      ? html`<a href="/messages/${event.messageId}">${foreign(event.recipient, 100)}</a>`
      : foreign(event.recipient, 100)
  }</span><span class="when">${time(at)} · ${say('attempt', { attempt })} · ${say('took', { ms: Math.round(took) })}</span>${action(
    '/callbacks/replay',
    { id },
    say('replay'),
    `${say('replay')}: ${event.type} ${event.recipient}`,
  )}</div>${error === undefined ? '' : html`<p class="error">${detailIn(error, language)}</p>`}
<details id="d-${id}"><summary>POST <code>${format.toUpperCase()}</code> ${foreign(url, 100)}</summary><pre tabindex="0" aria-label="${say(
    'body',
  )}" translate="no">${body}</pre></details></li>`;
}

export function callbacksPages(app: Hono, site: Site): void {
  app.get('/callbacks', (context) => callbacksPage(visitOf(site, context)));
  app.post('/callbacks', async (context) => {
    const sent = await sentBy(context);
    const events = EVENT_TYPES.filter((type) => sent.all('events').includes(type));
    const options: CallbackOptions = {
      url: sent.text('url') || (site.callbacks.options?.url ?? ''),
      format: sent.text('format') === 'xml' ? 'xml' : 'json',
      ...(events.length > 0 && events.length < EVENT_TYPES.length && { events }),
    };
    if (checkCallback(options) !== undefined) return callbacksPage(visitOf(site, context), sent);
    site.callbacks.set(options);
    await site.platform.journal.flush();
    return backTo(context, '/callbacks', 'saved');
  });
  app.post('/callbacks/stop', async (context) => {
    site.callbacks.set(undefined);
    await site.platform.journal.flush();
    return backTo(context, '/callbacks', 'stopped');
  });
  app.post('/callbacks/replay', async (context) => {
    const sent = await site.callbacks.replay((await sentBy(context)).text('id'));
    await site.platform.journal.flush();
    return sent ? backTo(context, '/callbacks', 'sent') : context.redirect('/callbacks', 303);
  });
}
