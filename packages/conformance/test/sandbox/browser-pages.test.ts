/** Every page as people see it: both languages, both colour schemes, wide and narrow. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useBench } from '../support.ts';
import { executable, FAINT, useBrowser, WIDER } from './browser.ts';
import { furnish, pagesOf } from './letters.ts';

/** A folder for pictures of each page, for a person to look at. */
const PICTURES = process.env['PICTURES'];

describe.skipIf(!process.env['LARGE'] || executable === undefined)('pages in a browser', () => {
  const { start, talk } = useBench();
  const open = useBrowser();

  for (const language of ['en', 'ru'] as const)
    for (const scheme of ['light', 'dark'] as const)
      for (const width of [1280, 360])
        test(`${language}, ${scheme}, ${width} wide: all fit, can be read, and complain of nothing`, async () => {
          const sandbox = await start({
            callback: { url: 'http://127.0.0.1:9/events?key=secret' },
          });
          await furnish(sandbox, await talk(sandbox));
          const seen = await open({ language, scheme, width });
          const { page, trouble } = seen;
          let number = 0;
          for (const path of pagesOf(sandbox)) {
            const answer = await page.goto(`${sandbox.url}${path}`);
            expect(answer?.status(), path).toBe(path === '/nowhere' ? 404 : 200);
            expect(await page.evaluate(`document.documentElement.lang`)).toBe(language);
            await page.evaluate(
              `for (const one of document.querySelectorAll('details')) one.open = true`,
            );
            expect({ path, ...(await page.evaluate<object>(WIDER)) }).toEqual({
              path,
              page: 0,
              out: [],
            });
            const { measured, found } = await page.evaluate<{ measured: number; found: string[] }>(
              FAINT,
            );
            expect({ path, found }).toEqual({ path, found: [] });
            expect(measured, path).toBeGreaterThan(3);
            number += 1;
            if (PICTURES !== undefined) {
              await page.evaluate(
                `for (const one of document.querySelectorAll('details')) one.open = false`,
              );
              const name = path.replace(/[^a-z]+/g, '-').slice(0, 14);
              await page.waitForTimeout(150);
              await page.screenshot({
                path: join(PICTURES, `${language}-${scheme}-${width}-${number}${name}.png`),
                fullPage: true,
              });
            }
          }
          // What a 404 is to the console, it is meant to be here.
          expect(trouble.filter((text) => !/status of 404/.test(text))).toEqual([]);
          expect(seen.asked.filter((url) => !url.startsWith(`${sandbox.url}/`))).toEqual([]);
        }, 120_000);
});
