/** The REST interface. */
import { Hono } from 'hono';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { happenedRoutes } from './happened.ts';
import { listRoutes } from './lists.ts';
import { messageRoutes } from './messages.ts';
import type { Route } from './route.ts';
import { ruleRoutes } from './rules.ts';
import { runningRoutes } from './running.ts';
import { streamRoutes } from './stream.ts';
import { Waiting } from './waiting.ts';

export function api(site: Site): Hono {
  const waiting = new Waiting(site.platform);
  const routes: readonly Route[] = [
    {
      method: 'GET',
      path: '/api',
      about: 'this list',
      answer: (context) =>
        context.json({
          routes: routes.map(({ method, path, about }) => ({ method, path, about })),
        }),
    },
    ...runningRoutes(site),
    ...messageRoutes(site, waiting),
    ...happenedRoutes(site, waiting),
    ...streamRoutes(site.platform),
    ...listRoutes(site),
    ...ruleRoutes(site),
  ];
  const app = new Hono();
  for (const { method, path, answer } of routes) app.on(method, path, answer);
  for (const [path, allowed] of methods(routes))
    app.all(path, () => {
      throw new Problem(405, `Cannot do this here: there is ${allowed}`, undefined, {
        allow: allowed,
      });
    });
  return app;
}

/** What each path can be asked, as Allow has it. */
function methods(routes: readonly Route[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { method, path } of routes) {
    const before = found.get(path);
    const own = method === 'GET' ? 'GET, HEAD' : method;
    found.set(path, before === undefined ? own : `${before}, ${own}`);
  }
  return found;
}
