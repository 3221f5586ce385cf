/** One message: what was sent, what its reader gets, what the rules said, and what happened to it. */
import type { CapturedMessage } from '../../inbox.ts';
import { rewrite } from '../../rewrite.ts';
import { headerSection } from './header-section.ts';
import { cut, external, foreign, html, linked, type Markup } from './markup.ts';
import { eventsSection, linksSection, structureSection } from './message-parts.ts';
import { answerPage } from './page.ts';
import { stateBadge } from './states.ts';
import { transcriptList, verdictList } from './verdicts.ts';
import type { Visit } from './visit.ts';
import type { Word } from './words/index.ts';

/** Octets of the source that are shown. */
const SHOWN = 200_000;

export function messagePage(visit: Visit, message: CapturedMessage): Response | Promise<Response> {
  const { site, say } = visit;
  const { id, subject, verdicts } = message;
  const rewritten = rewrite(message, site.url);
  const warnings = verdicts.filter(({ outcome }) => outcome === 'warn').length;
  const sections: readonly (readonly [id: string, title: Word, content: Markup])[] = [
    ['header', 'header', headerSection(message, visit)],
    ...(rewritten.html === undefined
      ? []
      : [['html', 'htmlPart', frame(id, visit)] satisfies [string, Word, Markup]]),
    ...(rewritten.text === undefined
      ? []
      : [['text', 'textPart', plain(rewritten.text, visit)] satisfies [string, Word, Markup]]),
    ['links', 'links', linksSection(rewritten, visit)],
    ['verdicts', 'verdicts', verdictList(verdicts, visit)],
    ['events', 'events', eventsSection(message, visit)],
    ['structure', 'structure', structureSection(message, visit)],
    ['transcript', 'transcript', transcriptList(message.transcript, visit)],
    ['source', 'source', source(message, visit)],
  ];
  return answerPage(visit, {
    title: cut(subject || say('noSubject'), 100),
    section: '/',
    scripts: ['live.js'],
    main: html`<p class="back"><a href="/">← ${say('inbox')}</a></p>
<h1>${subject ? foreign(subject, 500) : html`<i>${say('noSubject')}</i>`}</h1>
<p class="badges" data-live="state">${stateBadge(message.state, say)}${
      warnings > 0
        ? html`<a class="badge outcome-warn" href="#verdicts">${say('warningsCount', { count: warnings })}</a>`
        : ''
    }</p>
${facts(message, visit)}
<div class="buttons"><a class="button" href="/api/messages/${id}/raw" download="${id}.eml">${say('download')}</a>${remove(id, visit)}</div>
<nav class="tabs" aria-label="${say('parts')}"><ul>${sections.map(
      ([anchor, title]) => html`<li><a href="#${anchor}">${say(title)}</a></li>`,
    )}</ul></nav>
${sections.map(
  ([anchor, title, content]) =>
    html`<section class="card" aria-labelledby="${anchor}"><h2 id="${anchor}">${say(title)}</h2>${content}</section>`,
)}`,
  });
}

function facts(message: CapturedMessage, { say, time, size }: Visit): Markup {
  const { from, to, notSentTo, receivedAt, user, secure, remoteAddress } = message;
  const fact = (name: string, value: Markup | string): Markup =>
    html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<dl class="facts">
${fact(say('from'), foreign(from || '<>'))}
${fact(say('to'), foreign(to[0] ?? ''))}
${
  notSentTo.length === 0
    ? ''
    : fact(
        say('notSentTo'),
        html`${notSentTo.slice(0, 20).map((one) => html`${foreign(one)}<br>`)}${
          notSentTo.length > 20 ? `+${notSentTo.length - 20}` : ''
        }`,
      )
}
${fact(say('received'), time(receivedAt.getTime()))}
${fact(say('size'), size(message.size))}
${fact(say('login'), user === undefined ? '—' : foreign(user))}
${fact('TLS', secure ? say('yes') : say('no'))}
${fact(say('remoteAddress'), html`<code>${remoteAddress}</code>`)}
</dl>`;
}

/** Asks once more by itself, since it needs no script for that. */
function remove(id: string, { say }: Visit): Markup {
  return html`<details class="confirm"><summary class="button">${say('remove')}</summary><form method="post" action="/messages/${id}/delete"><p>${say(
    'removeMessage',
  )}</p><button class="danger">${say('removeForGood')}</button></form></details>`;
}

function frame(id: string, { say }: Visit): Markup {
  return html`<p class="hint">${say('htmlHint')} ${external(`/messages/${id}/html`, html`${say('openAlone')}`)}</p>
<iframe class="mail" src="/messages/${id}/html" title="${say('htmlPart')}" sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"></iframe>`;
}

function plain(text: string, { say }: Visit): Markup {
  return html`<pre class="plain" tabindex="0" aria-label="${say('textPart')}" translate="no">${linked(cut(text, SHOWN))}</pre>`;
}

function source({ id, raw }: CapturedMessage, { say, size }: Visit): Markup {
  // A character that the end cuts through is left out.
  const shown = new TextDecoder().decode(raw.subarray(0, SHOWN), { stream: true });
  const rest =
    raw.length > SHOWN
      ? html`<p class="notice" role="note">${say('sourceCut', { shown: size(SHOWN), all: size(raw.length) })} <a href="/api/messages/${id}/raw" download="${id}.eml">${say(
          'download',
        )}</a></p>`
      : '';
  return html`${rest}<pre class="source" tabindex="0" aria-label="${say('source')}" translate="no">${shown}</pre>`;
}
