/** All that is answered over HTTP. */
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { api } from './api/index.ts';
import { notFoundPage, pages } from './pages/index.ts';
import { Problem, problemJson, problemOf, problemText } from './problem.ts';
import { gate, securityHeaders } from './security.ts';
import type { Site } from './site.ts';
import { tracking } from './tracking.ts';

export function createApp(site: Site): Hono {
  const app = new Hono();
  app.use(securityHeaders(), gate(site));
  app.route('/', api(site));
  app.route('/', tracking(site));
  app.route('/', pages(site));
  const answer = (problem: Problem, path: string): Response =>
    isApi(path) ? problemJson(problem) : problemText(problem);
  app.notFound((context) => {
    const { method, path } = context.req;
    const reader = /\btext\/html\b/.test(context.req.header('accept') ?? '');
    return reader && !isApi(path)
      ? notFoundPage(site, context)
      : answer(new Problem(404, `Cannot find ${method} ${path}`), path);
  });
  app.onError((error, { req }) =>
    answer(
      problemOf(error instanceof HTTPException ? new Problem(error.status, error.message) : error),
      req.path,
    ),
  );
  return app;
}

function isApi(path: string): boolean {
  return /^\/api(\/|$)/.test(path);
}
