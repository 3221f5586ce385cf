/** A message that attacks who looks at it: nothing of it runs, and nothing of it reaches the sandbox's own pages. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { sleep } from '../dialogue.ts';
import { useBench } from '../support.ts';
import { executable, useBrowser } from './browser.ts';
import { idIn, letter } from './letters.ts';

/** Each of them sets a flag, asks for something, goes somewhere, or changes something, if it is let. */
const HOSTILE = `<!doctype html>
<html><head><title>hostile</title>
<base href="/plans/">
<meta http-equiv="refresh" content="0;url=/plans?by=meta">
<link rel="stylesheet" href="/assets/hit.css">
<style>@import url(/hit-import.css); body { background: url(/hit-background.png) }
@font-face { font-family: hit; src: url(/hit.woff2) } p { font-family: hit }</style>
<script>window.hit = 'head'; parent.hit = 'head'; top.location = '/plans?by=script'</script>
<script src="/hit.js"></script>
</head><body onload="window.hit = 'onload'; fetch('/api/reset', { method: 'POST' })">
<p>Dear reader</p>
<img src="x" onerror="window.hit = 'onerror'; new Image().src = '/hit-onerror'">
<img src="/api/messages?by=img"><img src="https://far.example/pixel.gif">
<svg onload="window.hit = 'svg'"><script>window.hit = 'svg script'</script><image href="/hit.svg"></image></svg>
<iframe src="/api/messages?by=iframe"></iframe>
<iframe srcdoc="<script>top.hit = 'srcdoc'</script>"></iframe>
<object data="/api/messages?by=object"></object><embed src="/api/messages?by=embed">
<video src="/hit.mp4" poster="/hit-poster.png" autoplay></video>
<noscript><meta http-equiv="refresh" content="0;url=/plans?by=noscript"></noscript>
<form id="form" action="/plans/clear" method="post"><button id="submit">Win</button>
<input autofocus onfocus="window.hit = 'onfocus'"></form>
<form action="/senders" method="post" target="_top"><input name="address" value="evil@example.com"><button id="top-submit">More</button></form>
<a id="script-link" href="javascript:window.hit='link';top.hit='link'">Click</a>
<a id="script-blank" target="_blank" href="javascript:opener.hit='blank';document.write('x')">Click</a>
<a id="data-link" href="data:text/html,<script>opener.hit='data'</script>">Click</a>
<a id="top-link" target="_top" href="/plans?by=top">Click</a>
<a id="self-link" target="_self" href="/plans?by=self">Click</a>
<a id="parent-link" target="_parent" href="/api/messages?by=parent">Click</a>
<math><mtext><table><mglyph><style><img src=x onerror="window.hit='mutated'"></style></table></mtext></math>
</body></html>`;

const CLICKS = [
  'submit',
  'top-submit',
  'script-link',
  'script-blank',
  'data-link',
  'top-link',
  'self-link',
  'parent-link',
];

/** All that could be changed. */
function stateOf(sandbox: Sandbox): string {
  return JSON.stringify([
    sandbox.inbox.messages.map(({ id, state, events }) => [id, state, events]),
    sandbox.events,
    sandbox.faults,
    sandbox.statistics(),
    sandbox.callbacks,
  ]);
}

/** Whether any document of a page has been hit. Asked from outside: it works where no script may run. */
async function hits(page: Page): Promise<unknown[]> {
  const found = await Promise.all(
    page.frames().map((frame) => frame.evaluate('window.hit').catch(() => undefined)),
  );
  return found.filter((hit) => hit !== undefined);
}

describe.skipIf(!process.env['LARGE'] || executable === undefined)('a hostile message', () => {
  const { start, talk } = useBench();
  const open = useBrowser();

  /** What is looked at: as the sandbox serves it, and with what it does to the document undone, so that the walls stand alone. */
  for (const undone of [false, true])
    for (const where of ['in its frame', 'in a window of its own', 'as web version'] as const)
      test(`${where}${undone ? ', its HTML untouched' : ''}: nothing runs, nothing is reached`, async () => {
        const sandbox = await start();
        sandbox.plan({ at: 'quit', action: 'close' });
        const dialogue = await talk(sandbox);
        const id = idIn(await dialogue.send(letter({ html: HOSTILE, subject: 'Hostile' })));
        const message = sandbox.inbox.get(id);
        const framed = where === 'in its frame';
        const path =
          where === 'as web version'
            ? `/w/${message?.token}`
            : framed
              ? `/messages/${id}`
              : `/messages/${id}/html`;
        const hostileUrl = `${sandbox.url}${framed ? `${path}/html` : path}`;
        const seen = await open();
        const { page, context } = seen;
        if (undone)
          await context.route(hostileUrl, async (route) => {
            const response = await route.fetch();
            expect(await response.text()).toContain('Dear reader');
            await route.fulfill({ response, body: HOSTILE });
          });
        const before = stateOf(sandbox);
        await page.goto(`${sandbox.url}${path}`);
        await page.waitForLoadState('load');
        await sleep(300);
        const home = page.url();
        const target = framed ? page.frameLocator('iframe') : page;
        expect(await target.locator('p').first().textContent()).toBe('Dear reader');
        expect(await hits(page)).toEqual([]);
        for (const click of CLICKS) {
          const element = target.locator(`#${click}`);
          // Where a click led away from it, what it led to is judged below; the next one starts anew.
          if ((await element.count()) === 0) await page.goto(`${sandbox.url}${path}`);
          await element.click({ timeout: 5_000, noWaitAfter: true });
          await sleep(120);
          expect(await hits(page), click).toEqual([]);
          if (framed) expect(page.url(), click).toBe(home);
        }
        for (const other of context.pages()) expect(await hits(other)).toEqual([]);
        const mine = new Set(
          [path, `${path}/html`, '/api/stream', '/favicon.ico'].map((own) => sandbox.url + own),
        );
        const reached = seen.asked.filter(
          (url) => !mine.has(url) && !url.startsWith(`${sandbox.url}/assets/`),
        );
        // A link that is clicked may lead to a page, as any link may: by GET, which changes nothing.
        const followed = undone ? /\/(plans|api\/messages)\?by=(top|self|parent)$/ : /^$/;
        expect(reached.filter((url) => !followed.test(url))).toEqual([]);
        expect(reached.length).toBeLessThanOrEqual(undone ? 6 : 0);
        expect(stateOf(sandbox)).toBe(before);
        await context.close();
      }, 60_000);
});
