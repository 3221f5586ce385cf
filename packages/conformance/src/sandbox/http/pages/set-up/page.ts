/** How to send to the sandbox: where it is, programs to copy, and recipients that make things happen. */
import { MAGIC_NAMES, MAGIC_REFUSALS, magicRefusal } from '../../../platform/magic.ts';
import { REFUSALS } from '../../../profile.ts';
import { html, type Markup, scrolling } from '../markup.ts';
import { answerPage } from '../page.ts';
import type { Visit } from '../visit.ts';
import type { Word } from '../words/index.ts';
import { snippets } from './snippets.ts';

/** The provider prints this login and its password in its own example: there is nothing to hide of them. */
const PUBLISHED = { login: '1website', password: 'test' } as const;

export function setUpPage(visit: Visit): Response | Promise<Response> {
  const { site, language, say } = visit;
  const { host, smtp, smtps, ca, url, settings } = site;
  const { credentials } = settings;
  const login = Object.keys(credentials)[0] ?? '';
  const published =
    login === PUBLISHED.login && credentials[PUBLISHED.login] === PUBLISHED.password;
  const place = {
    host,
    smtp,
    smtps,
    ca,
    url,
    login,
    ...(published && { password: PUBLISHED.password }),
  };
  const programs = snippets(place);
  return answerPage(visit, {
    title: say('setUp'),
    section: '/setup',
    scripts: ['copy.js'],
    main: html`<h1>${say('setUp')}</h1><p class="lead">${say('setUpLead')}</p>
${facts(visit, login, published)}
<div class="buttons"><a class="button" href="/ca.pem" download="ca.pem">${say('downloadCa')}</a></div>
<p class="hint">${say(site.lasting ? 'caHintLasting' : 'caHint')}</p>
<p class="hint">${say('restHint')} <a href="/api">${say('rest')}</a></p>
${site.legacyTls ? html`<p class="notice" role="note">${say('legacyTls')}</p>` : ''}
<nav class="tabs" aria-label="${say('programs')}"><ul>${programs.map(
      ({ id, title }) => html`<li><a href="#${id}">${title[language]}</a></li>`,
    )}<li><a href="#magic">${say('magic')}</a></li></ul></nav>
<p class="unseen" role="status" aria-live="polite" data-copy-said></p>
${programs.map(
  ({ id, title, note, code, language: syntax }) =>
    html`<section class="card" aria-labelledby="${id}"><div class="head"><h2 id="${id}">${title[language]}</h2><button type="button" class="quiet" hidden data-copy="code-${id}" data-copied="${say('copied')}" data-selected="${say('selected')}">${say(
      'copy',
    )}<span class="unseen">: ${title[language]}</span></button></div><p>${note[language]}</p><pre class="code" id="code-${id}" data-language="${syntax}" tabindex="0" aria-label="${title[language]}" translate="no">${code}</pre></section>`,
)}
<section class="card" aria-labelledby="magic"><h2 id="magic">${say('magic')}</h2><p>${say('magicLead')}</p>${magic(visit)}</section>`,
  });
}

function facts({ site, say }: Visit, login: string, published: boolean): Markup {
  const fact = (name: string, value: Markup | string): Markup =>
    html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<dl class="facts">
${fact(say('server'), html`<code>${site.host}</code>`)}
${fact(say('portStartTls'), html`<code>${site.smtp}</code>`)}
${fact(say('portTls'), html`<code>${site.smtps}</code>`)}
${fact(say('login'), html`<code>${login || '—'}</code>`)}
${fact(say('password'), published ? html`<code>${PUBLISHED.password}</code>` : say('asGiven'))}
${fact(
  say('senders'),
  site.settings.shown['anySender'] === true
    ? say('anySenderShort')
    : html`${site.platform.senders.all.slice(0, 5).map(({ address }) => html`<code>${address}</code><br>`)}<a href="/senders">${say('senders')}</a>`,
)}
</dl>`;
}

const MAGIC_WORDS: Readonly<Record<string, Word>> = {
  hold: 'magicHold',
  sent: 'magicSent',
  open: 'magicOpen',
  click: 'magicClick',
  unsub: 'magicUnsub',
  complaint: 'magicComplaint',
};

/** Names that stand before any `@`. */
function magic({ say }: Visit): Markup {
  const row = (name: string, what: Markup | string): Markup =>
    html`<tr><th scope="row"><code>${name}</code></th><td>${what}</td></tr>`;
  const named = MAGIC_NAMES.flatMap((name) => {
    const word = MAGIC_WORDS[name];
    return word === undefined ? [] : [row(`${name}@`, say(word))];
  });
  const reasons = MAGIC_NAMES.filter((name) => name.startsWith('bounce+'));
  const refusals = MAGIC_REFUSALS.map((name) => {
    const reason = magicRefusal(`554+${name}@example.com`);
    return row(
      `554+${name}@`,
      reason === undefined
        ? ''
        : html`${say('magicRefused')} <samp translate="no">554 ${REFUSALS[reason].text}</samp>`,
    );
  });
  return scrolling(
    say('magic'),
    html`<table class="list stack"><thead><tr><th scope="col">${say('recipient')}</th><th scope="col">${say('whatHappens')}</th></tr></thead><tbody>
${named}
${row(
  'bounce+…@',
  html`${say('magicBounce')} <span class="reasons">${reasons.map((name) => html`<code>${name.slice('bounce+'.length)}</code> `)}</span>`,
)}
${refusals}
${row('…@….invalid', html`${say('magicRefused')} <samp translate="no">554 ${REFUSALS['invalid-recipient'].text}</samp>`)}
</tbody></table>`,
  );
}
