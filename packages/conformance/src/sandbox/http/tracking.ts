/**
 * What the links of a message lead to: the open pixel, clicks, the web version, and the way off the list. No GET takes
 * anybody off it: programs that look at mail follow its links (RFC 8058 §1).
 */
import { type Context, Hono } from 'hono';
import type { CapturedMessage } from '../inbox.ts';
import { rewrite } from '../rewrite.ts';
import { sentBy } from './pages/form.ts';
import { ALONE_POLICY, harmless, hostileHeaders, ownImages } from './pages/hostile.ts';
import { notFoundPage } from './pages/index.ts';
import { html, linked } from './pages/markup.ts';
import { REASON_WORDS } from './pages/states.ts';
import { LONGEST_COMMENT, unsubscribePage } from './pages/unsubscribe-page.ts';
import { visitOf } from './pages/visit.ts';
import type { Site } from './site.ts';

/** A GIF of one transparent pixel. */
const PIXEL: Uint8Array<ArrayBuffer> = Uint8Array.from(
  atob('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'),
  (octet) => octet.charCodeAt(0),
);

export function tracking(site: Site): Hono {
  const app = new Hono();
  const { platform } = site;
  const messageOf = (token: string): CapturedMessage | undefined => platform.inbox.ofToken(token);

  app.get('/o/:name', async (context) => {
    const [, token] = /^(.+)\.gif$/.exec(context.req.param('name')) ?? [];
    const message = token === undefined ? undefined : messageOf(token);
    if (!message) return notFoundPage(site, context);
    if (isGet(context)) {
      platform.record(message.id, 'OPENED');
      await platform.journal.flush();
    }
    return context.body(PIXEL, 200, {
      'Content-Type': 'image/gif',
      'Cache-Control': 'no-store, no-cache, must-revalidate, private',
    });
  });

  app.get('/c/:token/:number', async (context) => {
    const { token, number } = context.req.param();
    const message = messageOf(token);
    const link =
      message && /^(0|[1-9]\d{0,5})$/.test(number)
        ? rewrite(message, site.url).links[Number(number)]
        : undefined;
    const url = link !== undefined && URL.canParse(link) ? new URL(link) : undefined;
    if (!message || !url) return notFoundPage(site, context);
    if (isGet(context)) {
      platform.record(message.id, 'CLICKED', { url: link ?? '' });
      await platform.journal.flush();
    }
    context.header('Cache-Control', 'no-store');
    context.header('Referrer-Policy', 'no-referrer');
    return context.redirect(url.href, 302);
  });

  app.get('/w/:token', async (context) => {
    const message = messageOf(context.req.param('token'));
    if (!message) return notFoundPage(site, context);
    const rewritten = rewrite(message, site.url);
    return context.html(
      rewritten.html === undefined
        ? plainVersion(message.subject ?? '', rewritten.text ?? '')
        : harmless(rewritten.html, await ownImages(message)),
      200,
      hostileHeaders(ALONE_POLICY),
    );
  });

  app.get('/u/:token', (context) => {
    const message = messageOf(context.req.param('token'));
    return message ? unsubscribePage(visitOf(site, context), message) : notFoundPage(site, context);
  });

  app.post('/u/:token', async (context) => {
    const message = messageOf(context.req.param('token'));
    if (!message) return notFoundPage(site, context);
    const sent = await sentBy(context);
    // RFC 8058 §3.2: by a mail program, with no page in between and no answer that anybody reads.
    if (sent.text('List-Unsubscribe').toLowerCase() === 'one-click') {
      platform.unsubscribe(message.id, 'one-click');
      await platform.journal.flush();
      return context.text('Unsubscribed\n');
    }
    // A form sends each line end as two characters, and its limit counts one.
    const text = sent.text('text').replaceAll('\r\n', '\n');
    const typed = { reason: sent.text('reason'), text };
    if (sent.text('action') === 'subscribe') platform.subscribe(message.id);
    else if (typed.text.length > LONGEST_COMMENT)
      return unsubscribePage(visitOf(site, context), message, typed);
    else platform.unsubscribe(message.id, 'page', commentOf(typed.reason, typed.text));
    await platform.journal.flush();
    return context.redirect(`/u/${message.token}`, 303);
  });
  return app;
}

/** HEAD is answered as GET is, and nobody has read anything by it. */
function isGet({ req }: Context): boolean {
  return req.method === 'GET';
}

/** What is kept of a reader's reason: the name of the one that was chosen, and own words behind it. */
function commentOf(reason: string, text: string): string | undefined {
  const words = text.replace(/\p{Cc}+/gu, ' ').trim();
  const chosen = Object.hasOwn(REASON_WORDS, reason) ? reason : '';
  if (words === '') return chosen || undefined;
  return chosen === '' || chosen === 'other' ? words : `${chosen}: ${words}`;
}

function plainVersion(subject: string, text: string): ReturnType<typeof html> {
  return html`<!doctype html>
<html><head><meta charset="utf-8"><title>${subject}</title><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>body{max-width:45rem;margin:2rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere}</style></head>
<body><pre>${linked(text)}</pre></body></html>
`;
}
