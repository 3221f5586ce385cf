/** The pages: what is shown at which path. All work without scripts; no GET changes anything. */
import { type Context, Hono } from 'hono';
import { rewrite } from '../../rewrite.ts';
import type { Site } from '../site.ts';
import { assets } from './assets/index.ts';
import { callbacksPages } from './callbacks-page.ts';
import { backTo } from './done.ts';
import { HOSTILE_POLICY, harmless, hostileHeaders, ownImages } from './hostile.ts';
import { inboxPage } from './inbox-page.ts';
import { listPages } from './list-pages.ts';
import { html } from './markup.ts';
import { messagePage } from './message-page.ts';
import { answerPage } from './page.ts';
import { plansPages } from './plans-page.ts';
import { oneRefusedPage, refusedPage } from './refused-page.ts';
import { setUpPage } from './set-up/page.ts';
import { statisticsPage } from './statistics-page.ts';
import { visitOf } from './visit.ts';

export function pages(site: Site): Hono {
  const app = new Hono();
  const { platform } = site;
  app.get('/', (context) => inboxPage(visitOf(site, context)));
  app.get('/messages/:id', (context) => {
    const message = platform.inbox.get(context.req.param('id'));
    return message ? messagePage(visitOf(site, context), message) : notFoundPage(site, context);
  });
  app.get('/messages/:id/html', async (context) => {
    const message = platform.inbox.get(context.req.param('id'));
    const shown = message && rewrite(message, site.url).html;
    if (message === undefined || shown === undefined) return notFoundPage(site, context);
    return context.html(
      harmless(shown, await ownImages(message)),
      200,
      hostileHeaders(HOSTILE_POLICY),
    );
  });
  app.post('/messages/:id/delete', async (context) => {
    if (!platform.inbox.delete(context.req.param('id'))) return notFoundPage(site, context);
    await platform.journal.flush();
    return backTo(context, '/', 'message');
  });
  app.get('/refused', (context) => refusedPage(visitOf(site, context)));
  app.get('/refused/:id', (context) => {
    const id = context.req.param('id');
    const refused = platform.refused.find((one) => one.id === id);
    return refused ? oneRefusedPage(visitOf(site, context), refused) : notFoundPage(site, context);
  });
  app.get('/statistics', (context) => statisticsPage(visitOf(site, context)));
  app.get('/setup', (context) => setUpPage(visitOf(site, context)));
  listPages(app, site);
  plansPages(app, site);
  callbacksPages(app, site);
  assets(app);
  return app;
}

/** What is answered for a path that leads nowhere. */
export function notFoundPage(site: Site, context: Context): Response | Promise<Response> {
  const visit = visitOf(site, context);
  const { say } = visit;
  return answerPage(visit, {
    title: say('notFound'),
    status: 404,
    main: html`<h1>${say('notFound')}</h1><p class="lead">${say('notFoundLead')}</p><p><a href="/">${say('toInbox')}</a></p>`,
  });
}
