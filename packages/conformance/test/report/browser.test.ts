/** The page as people see it: laid out, in both colour schemes, wide and narrow, by mouse and by keyboard. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { htmlReport } from '../../src/report/html.ts';
import { junitReport } from '../../src/report/junit.ts';
import { COLOURS, executable, launchChromium, NAMES } from '../chromium.ts';
import { madeReport } from './runs.ts';

if (executable === undefined)
  test.skip(`the page in a browser: there is no ${NAMES.join(', ')} on the PATH`, () => {});

// What runs in the page is text, since this program has no types of a document.

/** Each text whose colour has less than 4.5 to 1 against what is behind it (WCAG 2.2, 1.4.3). */
const FAINT = `(() => {
  ${COLOURS}
  const behind = (element) => {
    if (!element) return channels(getComputedStyle(document.documentElement).backgroundColor)[3] === 0
      ? (matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255])
      : channels(getComputedStyle(document.documentElement).backgroundColor);
    const own = channels(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, behind(element.parentElement));
  };
  const found = [];
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let measured = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === '' || seen.has(element)) continue;
    seen.add(element);
    if (!element.checkVisibility()) continue;
    measured += 1;
    const back = behind(element);
    const [dark, light] = [luminance(over(channels(getComputedStyle(element).color), back)), luminance(back)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) found.push(ratio.toFixed(2) + ' ' + element.tagName + '.' + element.className + ' ' + element.textContent.slice(0, 40));
  }
  return { measured, found: [...new Set(found)] };
})()`;
const OPEN_ALL = `for (const one of document.querySelectorAll('details')) one.open = true`;
/** How much wider the page is than its window; and what sticks out of it, but for what scrolls by itself. */
const WIDER = `(() => {
  const width = document.documentElement.clientWidth;
  return {
    page: document.documentElement.scrollWidth - width,
    out: [...document.querySelectorAll('body *')]
      .filter((one) => !one.closest('.scroll, .skip') && one.getBoundingClientRect().right > width + 0.5)
      .map((one) => one.tagName + '.' + one.className),
  };
})()`;
/** Whether the place of an id can be seen. */
const inSight = (id: string): string => `(() => {
  const { top } = document.getElementById(${JSON.stringify(id)}).getBoundingClientRect();
  return top >= 0 && top < innerHeight;
})()`;

describe.runIf(executable)('the page in a browser', () => {
  const report = madeReport();
  const [long] = report.cases;
  /** Two clients, one of them with hostile text wherever there is text. */
  const html = htmlReport([report, madeReport(true)]);
  let browser: Browser;
  let page: Page;
  let server: Server;
  let address = '';
  const asked: string[] = [];
  const trouble: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await launchChromium();
    page = await browser.newPage();
    page.on('console', (message) => trouble.push(message.text()));
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== address) trouble.push(request.url());
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  /** Opens the page anew. Whatever it complains of or asks for is gathered in `trouble`. */
  async function visit(width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<void> {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    // From elsewhere: a page that is only another place of the same one is not loaded again.
    await page.goto('about:blank');
    trouble.length = 0;
    asked.length = 0;
    await page.goto(address);
  }

  for (const width of [1280, 360])
    for (const scheme of ['light', 'dark'] as const)
      test(`${width} wide, ${scheme}: fits, can be read, asks for nothing, complains of nothing`, async () => {
        await visit(width, scheme);
        await page.evaluate(OPEN_ALL);
        expect(await page.evaluate(WIDER)).toEqual({ page: 0, out: [] });
        const { measured, found } = await page.evaluate<{ measured: number; found: string[] }>(
          FAINT,
        );
        expect(found).toEqual([]);
        expect(measured).toBeGreaterThan(300);
        expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
          scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(13, 17, 23)',
        );
        expect(trouble).toEqual([]);
        expect(asked).toEqual(['/']);
      }, 60_000);

  test('narrow: the matrix scrolls in its own region, and the cases stay in sight', async () => {
    await visit(360);
    const left = `document.querySelector('tbody th[scope=row]').getBoundingClientRect().left`;
    const before = await page.evaluate(left);
    await page.locator('.scroll').focus();
    await page.evaluate(`document.querySelector('.scroll').scrollLeft = 500`);
    expect(
      await page.evaluate<number>(`document.querySelector('.scroll').scrollLeft`),
    ).toBeGreaterThan(0);
    expect(await page.evaluate(left)).toBe(before);
    expect(await page.evaluate('scrollX')).toBe(0);
  }, 60_000);

  test('by keyboard: past the head, into the matrix, to a result, and into its wire log', async () => {
    await visit(1280);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the matrix');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('location.hash')).toBe('#matrix');
    const cell = page.locator(`a[href="#${long?.id}-1"]`).first();
    await cell.focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('location.hash')).toBe(`#${long?.id}-1`);
    expect(await page.evaluate(inSight(`${long?.id}-1`))).toBe(true);
    // The next stop is what is in the result: its wire log.
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('SUMMARY');
    const open = 'document.activeElement.parentElement.open';
    expect(await page.evaluate(open)).toBe(false);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(open)).toBe(true);
    await page.keyboard.press('Space');
    expect(await page.evaluate(open)).toBe(false);
  }, 60_000);

  test('links lead to their places, and back to the matrix', async () => {
    await visit(1280);
    const failed = report.cases.find(({ verdict }) => verdict === 'FAIL');
    await page.locator(`tbody a[href="#${failed?.id}"]`).click();
    expect(await page.evaluate(inSight(failed?.id ?? ''))).toBe(true);
    await page.locator(`article a[href="#row-${failed?.id}"]`).click();
    expect(await page.evaluate(inSight(`row-${failed?.id}`))).toBe(true);
  }, 60_000);

  test('verdicts are hidden and shown without a script', async () => {
    await visit(1280);
    const shown = (verdict: string): Promise<number> =>
      page.locator(`.row-${verdict}:visible`).count();
    const [passed, failed] = [await shown('PASS'), await shown('FAIL')];
    // A row of the matrix, and an article.
    expect([passed, failed]).toEqual([2, 4]);
    await page.locator('#show-PASS').uncheck();
    expect([await shown('PASS'), await shown('FAIL')]).toEqual([0, failed]);
    await page.locator('#show-PASS').check();
    expect(await shown('PASS')).toBe(passed);
  }, 60_000);

  test('the JUnit report is XML for the strictest of parsers', async () => {
    await visit(360);
    const parsed = (xml: string): Promise<unknown> =>
      page.evaluate(`(() => {
        const read = new DOMParser().parseFromString(${JSON.stringify(xml)}, 'application/xml');
        return read.querySelector('parsererror')?.textContent ?? read.querySelectorAll('testcase').length;
      })()`);
    expect(await parsed(junitReport(report))).toBe(report.cases.length);
    expect(await parsed(junitReport(madeReport(true)))).toBe(report.cases.length);
  }, 60_000);
});
