/** What goes wrong next: the plan of faults, and a form for one more. */
import type { Hono } from 'hono';
import { FAULT_POINTS, type Fault, type FaultAction, type FaultPoint } from '../../faults.ts';
import { isOneLine } from '../../options.ts';
import type { Site } from '../site.ts';
import { backTo } from './done.ts';
import { choice, input, type Sent, sentBy } from './form.ts';
import { foreign, html, type Markup, scrolling } from './markup.ts';
import { answerPage } from './page.ts';
import { type Visit, visitOf } from './visit.ts';
import type { Word } from './words/index.ts';

/** What can be chosen to happen, and which fields that has. */
const ACTIONS: readonly (readonly [name: string, title: Word])[] = [
  ['reply', 'actionReply'],
  ['close', 'actionClose'],
  ['accept-then-close-before-reply', 'actionAcceptThenClose'],
  ['stall', 'actionStall'],
  ['slow', 'actionSlow'],
  ['limit', 'actionLimit'],
];

/** What is wrong, by the name of the field. */
type Errors = Readonly<Record<string, Word>>;

function plansPage(visit: Visit, typed?: Sent, errors: Errors = {}): Response | Promise<Response> {
  const { site, say } = visit;
  const { due } = site.plan;
  return answerPage(visit, {
    title: say('plans'),
    section: '/plans',
    scripts: ['live.js'],
    status: Object.keys(errors).length === 0 ? 200 : 422,
    main: html`<h1>${say('plans')}</h1><p class="lead">${say('plansLead')}</p>
<section data-live="list" class="card" aria-labelledby="due"><h2 id="due">${say('due')}</h2>${
      due.length === 0
        ? html`<p class="empty">${say('nothingPlanned')}</p>`
        : html`${scrolling(
            say('due'),
            html`<table class="list stack"><thead><tr><th scope="col">№</th><th scope="col">${say('faultPoint')}</th><th scope="col">${say(
              'faultAction',
            )}</th><th scope="col">${say('timesLeft')}</th></tr></thead><tbody>${due.map(
              ({ at, action, left }, index) =>
                html`<tr><td data-label="№">${index + 1}</td><th scope="row"><code>${at}</code></th><td data-label="${say('faultAction')}">${actionText(action, visit)}</td><td data-label="${say('timesLeft')}">${left ?? say('withoutEnd')}</td></tr>`,
            )}</tbody></table>`,
          )}<form method="post" action="/plans/clear"><button class="danger">${say('clearPlan')}</button></form>`
    }</section>
<section class="card" aria-labelledby="new"><h2 id="new">${say('newFault')}</h2>${planForm(visit, typed, errors)}</section>`,
  });
}

function actionText(action: FaultAction, { say }: Visit): Markup {
  if (action === 'close') return html`${say('actionClose')}`;
  if (action === 'accept-then-close-before-reply') return html`${say('actionAcceptThenClose')}`;
  if ('stall' in action) return html`${say('stalls', { ms: action.stall })}`;
  if ('slow' in action) return html`${say('slows', { ms: action.slow })}`;
  const reply = html`<samp translate="no">${action.code} ${foreign(action.text)}</samp>`;
  if ('limit' in action)
    return html`${say('limits', { limit: action.limit, per: action.per })} ${reply}`;
  return reply;
}

function planForm({ say }: Visit, typed: Sent | undefined, errors: Errors): Markup {
  const error = (name: string): string | undefined => {
    const word = errors[name];
    return word === undefined ? undefined : say(word);
  };
  const value = (name: string, otherwise: string): string =>
    typed?.has(name) ? typed.text(name) : otherwise;
  const number = (
    name: string,
    label: Word,
    otherwise: string,
    classes: string,
    hint?: Word,
  ): Markup =>
    input({
      name,
      label: say(label),
      type: 'number',
      value: value(name, otherwise),
      error: error(name),
      classes,
      hint: hint === undefined ? undefined : say(hint),
    });
  return html`<form class="plan" method="post" action="/plans" novalidate>
<div class="filter">
${choice({
  name: 'at',
  label: say('faultPoint'),
  value: value('at', 'rcpt'),
  error: error('at'),
  options: FAULT_POINTS.map((point) => ({ value: point, text: point })),
})}
${choice({
  name: 'action',
  label: say('faultAction'),
  value: value('action', 'reply'),
  error: error('action'),
  options: ACTIONS.map(([name, title]) => ({ value: name, text: say(title) })),
})}
${number('times', 'times', '1', 'of-all-but-limit')}
</div>
<div class="filter">
${number('code', 'replyCode', '451', 'of-reply of-limit')}
${input({
  name: 'text',
  label: say('replyText'),
  value: value('text', 'Try again later'),
  error: error('text'),
  longest: 500,
  classes: 'wide of-reply of-limit',
})}
${number('ms', 'milliseconds', '1000', 'of-stall of-slow')}
${number('limit', 'limitCount', '10', 'of-limit')}
${number('per', 'limitPer', '60000', 'of-limit')}
</div>
<div class="buttons"><button>${say('add')}</button></div>
</form>`;
}

/** The fault that a form describes, or what is wrong with it. */
function faultOf(sent: Sent): { readonly fault: Fault } | { readonly errors: Errors } {
  const errors: Record<string, Word> = {};
  const whole = (name: string, from: number, to: number, why: Word): number => {
    const text = sent.text(name);
    const number = Number(text);
    if (text === '' || !Number.isInteger(number) || number < from || number > to)
      errors[name] = why;
    return number;
  };
  const at = FAULT_POINTS.find((point) => point === sent.text('at'));
  if (at === undefined) errors['at'] = 'notOneOfThese';
  const kind = sent.text('action');
  const reply = (): { code: number; text: string } => {
    const text = sent.text('text');
    if (!isOneLine(text)) errors['text'] = 'notOneLine';
    return { code: whole('code', 400, 599, 'notReplyCode'), text };
  };
  const action = ((): FaultAction => {
    if (kind === 'reply') return reply();
    if (kind === 'stall') return { stall: whole('ms', 0, 2_147_483_647, 'notMilliseconds') };
    if (kind === 'slow') return { slow: whole('ms', 0, 60_000, 'notMinute') };
    if (kind === 'limit')
      return {
        limit: whole('limit', 0, Number.MAX_SAFE_INTEGER, 'notWhole'),
        per: whole('per', 1, Number.MAX_SAFE_INTEGER, 'notMilliseconds'),
        ...reply(),
      };
    if (kind === 'accept-then-close-before-reply') {
      if (at !== 'final-dot' && at !== 'after-accept') errors['at'] = 'onlyBehindContent';
      return kind;
    }
    if (kind !== 'close') errors['action'] = 'notOneOfThese';
    return 'close';
  })();
  const times =
    kind === 'limit' ? undefined : whole('times', 1, Number.MAX_SAFE_INTEGER, 'notWhole');
  if (Object.keys(errors).length > 0) return { errors };
  const fault: Fault = {
    at: at as FaultPoint,
    action,
    ...(times !== undefined && { times }),
  };
  return { fault };
}

export function plansPages(app: Hono, site: Site): void {
  app.get('/plans', (context) => plansPage(visitOf(site, context)));
  app.post('/plans', async (context) => {
    const sent = await sentBy(context);
    const found = faultOf(sent);
    if ('errors' in found) return plansPage(visitOf(site, context), sent, found.errors);
    site.plan.add(found.fault);
    await site.platform.journal.flush();
    return backTo(context, '/plans', 'added');
  });
  app.post('/plans/clear', async (context) => {
    site.plan.clear();
    await site.platform.journal.flush();
    return backTo(context, '/plans', 'cleared');
  });
}
