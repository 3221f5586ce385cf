/** Chromium without a head, and what is looked for in a page. What runs in the page is text: there are no types of a document. */
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { COLOURS, launchChromium } from '../chromium.ts';

export { executable } from '../chromium.ts';

/** How a page is looked at. */
export interface Look {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  readonly language?: 'en' | 'ru';
}

/** A page, and what it complained of or asked for. */
export interface Seen {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Messages of the console, errors, and violations of the policy. */
  readonly trouble: string[];
  /** Addresses that were asked for, and were not held back by a policy: where nobody answers they are here too. */
  readonly asked: readonly string[];
}

/** Opens pages in a browser that lives as long as its file of tests. */
export function useBrowser(): (look?: Look) => Promise<Seen> {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
  });
  return async ({ width = 1280, scheme = 'light', language = 'en' } = {}) => {
    if (!browser) throw new Error('Cannot open a page: there is no browser');
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: scheme,
      locale: language === 'ru' ? 'ru-RU' : 'en-GB',
      reducedMotion: 'reduce',
    });
    const requests = new Set<Request>();
    const trouble: string[] = [];
    context.on('console', (message) => {
      if (/^(error|warning)$/.test(message.type())) trouble.push(message.text());
    });
    context.on('weberror', (error) => trouble.push(error.error().message));
    context.on('request', (request) => requests.add(request));
    // It is told of before it is held back.
    context.on('requestfailed', (request) => {
      if (request.failure()?.errorText === 'csp') requests.delete(request);
    });
    return {
      page: await context.newPage(),
      context,
      trouble,
      get asked() {
        return [...requests].map((request) => request.url());
      },
    };
  };
}

/** By how much the page is wider than its window, and what sticks out. */
export const WIDER = `(() => {
  const width = document.documentElement.clientWidth;
  const out = [];
  for (const element of document.body.querySelectorAll('*')) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || (box.right <= width + 1 && box.left >= -1)) continue;
    if (element.closest('.scroll, nav, pre, .wire, .unseen, .skip')) continue;
    out.push(element.tagName + '.' + element.className + ' ' + Math.round(box.left) + '-' + Math.round(box.right));
  }
  return { page: document.documentElement.scrollWidth - width, out: out.slice(0, 5) };
})()`;

/** Each text whose colour has less than 4.5 to 1 against what is behind it (WCAG 2.2, 1.4.3). */
export const FAINT: string = `(() => {
  ${COLOURS}
  const behind = (element) => {
    if (!element) return matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255];
    const own = channels(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, behind(element.parentElement));
  };
  const found = new Set();
  let measured = 0;
  const measure = (element, text) => {
    measured += 1;
    const back = behind(element);
    const front = over(channels(getComputedStyle(element).color), back);
    const [dark, light] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) found.add(ratio.toFixed(2) + ' ' + element.tagName + '.' + element.className + ' ' + text.slice(0, 40));
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === '' || seen.has(element)) continue;
    seen.add(element);
    if (element.checkVisibility()) measure(element, walker.currentNode.data);
  }
  for (const field of document.querySelectorAll('input, select, textarea'))
    if (field.checkVisibility()) measure(field, field.name);
  return { measured, found: [...found] };
})()`;
