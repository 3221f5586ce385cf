/** What stands around each page: head, sections, language, and where SMTP is. */
import { assetUrl } from './assets/index.ts';
import { DONE, doneNotice } from './done.ts';
import { LANGUAGES } from './language.ts';
import { html, type Markup } from './markup.ts';
import type { Visit } from './visit.ts';
import type { Word } from './words/index.ts';

/** The sections, in their order. */
const SECTIONS: readonly (readonly [path: string, title: Word])[] = [
  ['/', 'inbox'],
  ['/refused', 'refused'],
  ['/statistics', 'statistics'],
  ['/unsubscribed', 'unsubscribed'],
  ['/hard-bounces', 'hardBounces'],
  ['/senders', 'senders'],
  ['/plans', 'plans'],
  ['/callbacks', 'callbacks'],
  ['/setup', 'setUp'],
];

/** One page. */
export interface Page {
  readonly title: string;
  /** Which section it belongs to. */
  readonly section?: string;
  readonly main: Markup;
  /** Names of scripts. All work without. */
  readonly scripts?: readonly ('live.js' | 'copy.js' | 'chart.js' | 'statistics.js')[];
  /** Default 200. */
  readonly status?: 200 | 404 | 422;
}

type Answer = Response | Promise<Response>;

/** A page of the sandbox. */
export function answerPage(visit: Visit, page: Page): Answer {
  const { site, say } = visit;
  const { inbox, refused } = site.platform;
  const counts: Readonly<Record<string, number>> = { '/': inbox.size, '/refused': refused.length };
  const entry = ([path, word]: readonly [string, Word]): Markup => {
    const current = path === page.section ? html` aria-current="page"` : '';
    const count = counts[path];
    return html`<li><a href="${path}"${current}><span>${say(word)}</span>${
      count === undefined ? '' : html`<span class="count" data-live="count-${word}">${count}</span>`
    }</a></li>`;
  };
  const body = html`<div class="site">
<header class="side">
<a class="brand" href="/">${MARK}<span><b>Posthorn</b> ${say('sandbox')}</span></a>
${languages(visit)}
<nav aria-label="${say('sections')}"><ul>${SECTIONS.map(entry)}</ul></nav>
<p class="ports">SMTP <code>${site.host}</code><br>STARTTLS <code>${site.smtp}</code> · TLS <code>${site.smtps}</code><br><a href="/api">${say('rest')}</a></p>
</header>
<main id="main" tabindex="-1">
${site.exposed ? html`<p class="notice warn" role="note">${say('exposed')}</p>` : ''}
${doneNotice(visit)}
${page.main}
</main>
</div>`;
  return answer(visit, page, body);
}

/** A page for those who get the messages: nothing of the sandbox around it. */
export function answerReader(visit: Visit, page: Page): Answer {
  return answer(
    visit,
    page,
    html`<div class="reader">${languages(visit)}<main id="main" tabindex="-1">${page.main}</main></div>`,
  );
}

function answer(visit: Visit, page: Page, body: Markup): Answer {
  const { context, language, say } = visit;
  context.header('Cache-Control', 'no-store');
  context.header('Vary', 'Accept-Language, Cookie');
  const scripts = ['page.js', ...(page.scripts ?? [])].map(
    (name) => html`<script src="${assetUrl(name)}" defer></script>`,
  );
  return context.html(
    html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<title>${page.title} · Posthorn</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${assetUrl('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${assetUrl('style.css')}">
${scripts}
</head>
<body>
<a class="skip" href="#main">${say('skip')}</a>
${body}
</body>
</html>
`,
    page.status ?? 200,
  );
}

/** Links to the same page in each language. */
function languages({ context, language, say }: Visit): Markup {
  const { pathname, searchParams } = new URL(context.req.url);
  searchParams.delete(DONE);
  const links = LANGUAGES.map((one) => {
    searchParams.set('lang', one);
    const current = one === language ? html` aria-current="true"` : '';
    return html`<a href="${pathname}?${searchParams.toString()}" lang="${one}" hreflang="${one}"${current}>${
      one === 'en' ? 'English' : 'Русский'
    }</a>`;
  });
  return html`<div class="languages" role="group" aria-label="${say('language')}">${links}</div>`;
}

/** A post horn. */
const MARK: Markup = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M4 8v6M4 11h15l9-5.500v11L19 11M19 18a6 6 0 1 1-6-7" fill="none" stroke="currentColor" stroke-width="2.500" stroke-linejoin="round" stroke-linecap="round"/></svg>`;
