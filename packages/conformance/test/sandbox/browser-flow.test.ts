/** What people do with the pages, from end to end: in Chromium, with mail that comes over SMTP. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { TO, until } from '../dialogue.ts';
import { useBench } from '../support.ts';
import { executable, useBrowser } from './browser.ts';
import { furnish, idIn, letter } from './letters.ts';

describe.skipIf(!process.env['LARGE'] || executable === undefined)('in the browser', () => {
  const { start, talk } = useBench();
  const open = useBrowser();
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });

  /** Takes callbacks, and keeps what they say. */
  async function listener(): Promise<{ url: string; told: string[] }> {
    const told: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (octets) => {
        body += octets;
      });
      request.on('end', () => {
        told.push(body);
        response.end();
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, told };
  }

  test('who follows the link in a message and confirms is filtered from then on', async () => {
    const { url, told } = await listener();
    const sandbox = await start({ callback: { url } });
    const dialogue = await talk(sandbox);
    const id = idIn(await dialogue.send(letter()));
    const { page, context, trouble } = await open({ language: 'ru' });

    await page.goto(sandbox.url);
    await page.getByRole('link', { name: 'Заказ № 1024 отправлен' }).click();
    await page.waitForURL(`**/messages/${id}`);
    const coming = context.waitForEvent('page');
    await page.frameLocator('iframe').getByRole('link', { name: 'Отписаться' }).click();
    const reader = await coming;
    await reader.getByRole('heading', { name: 'Отписаться от рассылки' }).waitFor();
    expect(await reader.evaluate('opener')).toBeNull();
    expect(sandbox.inbox.get(id)?.state).toBe('Delivered');
    await reader.getByLabel('Письма приходят слишком часто').check();
    await reader.getByLabel('Своими словами').fill('По пять <b>писем</b> в день');
    await reader.getByRole('button', { name: 'Отписаться' }).click();
    await reader.getByRole('heading', { name: 'Вы отписались' }).waitFor();

    const replies = await dialogue.send(letter({ subject: 'Ещё одно' }));
    expect(replies.at(-1)).toMatch(/^250 /);
    const next = sandbox.inbox.get(idIn(replies));
    expect(next?.state).toBe('Bounced');
    expect(next?.events).toMatchObject([
      { type: 'BOUNCED', reason: 'already_unsubscribed', isHardbounce: false, recipient: TO },
    ]);
    const counts = sandbox.statistics().map(({ state, count }) => [state, count]);
    expect(counts).toContainEqual(['Bounced', 1]);
    expect(counts).toContainEqual(['Total', 2]);
    await page.goto(`${sandbox.url}/statistics`);
    expect(await page.locator('[data-state=Bounced] > *').allTextContents()).toEqual([
      'Ошибки при доставке',
      '1',
      '50 %',
    ]);
    await page.goto(`${sandbox.url}/unsubscribed`);
    const row = page.getByRole('row', { name: TO });
    expect(await row.textContent()).toContain(
      'Письма приходят слишком часто: По пять <b>писем</b> в день',
    );
    await until(() => told.some((body) => body.includes('already_unsubscribed')), 'The callback');
    expect(told.filter((body) => body.includes('UNSUBSCRIBED'))).toHaveLength(1);

    // And back again.
    await reader.getByRole('button', { name: 'Подписаться снова' }).click();
    await reader.getByRole('heading', { name: 'Вы снова подписаны' }).waitFor();
    expect(await reader.getByRole('button', { name: 'Отписаться' }).isVisible()).toBe(false);
    const last = sandbox.inbox.get(idIn(await dialogue.send(letter())));
    expect(last?.state).toBe('Delivered');
    expect(trouble).toEqual([]);
    await context.close();
  }, 60_000);

  test('what comes appears in the inbox that is open, and the focus stays where it is', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const id = idIn(await dialogue.send(letter({ subject: 'First' })));
    const { page, context, trouble } = await open();
    await page.goto(sandbox.url);
    await page.locator('html[data-following=yes]').waitFor();
    await page.evaluate('window.same = true');
    await page.getByLabel('Subject').fill('typing');
    await page.getByRole('link', { name: 'First' }).focus();

    await dialogue.send(letter({ subject: 'Second' }));
    await page.getByRole('link', { name: 'Second' }).waitFor();
    expect(await page.locator('.letter').first().textContent()).toContain('Second');
    expect(await page.getByRole('status').textContent()).toBe('Messages: 2');
    expect(await page.locator('nav [aria-current] .count').textContent()).toBe('2');
    expect(await page.evaluate('document.activeElement.id')).toBe(`m-${id}`);
    // It is the same page still, with what was being typed.
    expect(await page.evaluate('window.same')).toBe(true);
    expect(await page.getByLabel('Subject').inputValue()).toBe('typing');

    // A burst is followed to its end.
    for (let count = 0; count < 30; count += 1)
      await dialogue.send(letter({ subject: `Burst ${count}` }));
    await page.getByRole('link', { name: 'Burst 29' }).waitFor();
    expect(await page.locator('.letter').count()).toBe(32);
    // And so is a reset.
    await sandbox.reset();
    await page.getByText('No messages yet.').waitFor();
    expect(trouble).toEqual([]);
    await context.close();
  }, 60_000);

  test('by keyboard alone: past the head, into a message, and it is deleted', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const id = idIn(await dialogue.send(letter({ subject: 'To be deleted' })));
    const { page, context } = await open();
    await page.goto(sandbox.url);
    const focused = (what: string): Promise<unknown> =>
      page.evaluate(`document.activeElement.${what}`);
    await page.keyboard.press('Tab');
    expect(await focused('textContent')).toBe('Skip to the content');
    expect(
      await page.evaluate('document.activeElement.getBoundingClientRect().left'),
    ).toBeGreaterThan(0);
    await page.keyboard.press('Enter');
    // Fields of the filter, its button, and the first message.
    const seen: unknown[] = [];
    for (let count = 0; count < 8 && seen.at(-1) !== `m-${id}`; count += 1) {
      await page.keyboard.press('Tab');
      seen.push(await focused('id'));
    }
    expect(seen).toEqual(['field-to', 'field-subject', 'field-state', '', `m-${id}`]);
    expect(
      await page.evaluate(`getComputedStyle(document.activeElement, '::after').outlineStyle`),
    ).toBe('solid');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/messages/${id}`);
    await page.locator('summary').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focused('textContent')).toBe('Delete the message');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${sandbox.url}/`);
    expect(sandbox.inbox.messages).toEqual([]);
    // It says so, with the focus on it, and does not say so again.
    expect(await focused('textContent')).toBe('The message is deleted.');
    await page.reload();
    expect(await page.getByText('The message is deleted.').count()).toBe(0);
    await context.close();
  }, 60_000);

  test('each thing that can be reached by Tab can be seen and has a name', async () => {
    const sandbox = await start();
    await furnish(sandbox, await talk(sandbox));
    const { page, context } = await open();
    const message = sandbox.inbox.messages.at(-1);
    for (const path of [
      '/',
      `/messages/${message?.id}`,
      '/statistics',
      '/plans',
      '/callbacks',
      '/setup',
      `/u/${message?.token}`,
    ]) {
      await page.goto(`${sandbox.url}${path}`);
      const found = await page.evaluate<string[]>(`(() => {
        const nameless = [];
        for (const one of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex="0"]')) {
          if (!one.checkVisibility()) continue;
          const name = one.getAttribute('aria-label') || one.title || one.textContent.trim() || (one.labels && [...one.labels].map((label) => label.textContent.trim()).join(''));
          one.focus();
          const style = getComputedStyle(one);
          const after = getComputedStyle(one, '::after');
          const ringed = one.tagName === 'IFRAME' || one.matches('input, select, textarea') || !one.matches(':focus-visible') || style.outlineStyle !== 'none' || after.outlineStyle !== 'none';
          if (!name || !ringed) nameless.push(one.outerHTML.slice(0, 100));
        }
        const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
        const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
        const levels = [...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => Number(tagName[1]));
        const skipped = levels.some((level, at) => level > (levels[at - 1] ?? 0) + 1);
        return [...nameless, ...twice, ...(skipped ? ['a level of headings is left out'] : []), ...(document.querySelectorAll('main').length === 1 ? [] : ['no main'])];
      })()`);
      expect({ path, found }).toEqual({ path, found: [] });
    }
    await context.close();
  }, 60_000);

  test('without scripts all forms work', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    await dialogue.send(letter({ subject: 'Plain' }));
    for (let count = 0; count < 20; count += 1) await dialogue.ask('NOOP');
    const { browser } = await open().then(({ context }) => ({ browser: context.browser() }));
    const context = await browser?.newContext({ javaScriptEnabled: false });
    const page = await context?.newPage();
    if (!page) throw new Error('There is no page');
    await page.goto(`${sandbox.url}/?lang=en`);
    await page.getByLabel('Subject').fill('nothing like it');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByText('No message fits this filter.').waitFor();
    await page.goto(`${sandbox.url}/senders`);
    await page.getByLabel('Address').fill('nobody');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByText('This is neither name@domain nor @domain.').waitFor();
    expect(await page.getByLabel('Address').inputValue()).toBe('nobody');
    await page.getByLabel('Address').fill('@example.com');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('row', { name: '@example.com' }).waitFor();
    expect(await page.getByRole('status').textContent()).toBe('Added.');
    await page.getByRole('button', { name: 'Delete: noreplay@devinotele.com' }).click();
    await page.getByRole('row', { name: 'noreplay' }).waitFor({ state: 'detached' });
    expect((await dialogue.send(letter())).at(-1)).toMatch(/^554 Disallowed source address/);
    await page.goto(`${sandbox.url}/plans`);
    await page.getByLabel('Where').selectOption('rcpt');
    // Fields of what was not chosen are out of the way.
    expect(await page.getByLabel('Milliseconds').isVisible()).toBe(false);
    await page.getByLabel('What').selectOption('stall');
    expect(await page.getByLabel('Code').isVisible()).toBe(false);
    await page.getByLabel('Milliseconds').fill('5');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByText('the reply comes 5 ms late').waitFor();
    expect(sandbox.faults).toEqual([{ at: 'rcpt', action: { stall: 5 }, times: 1, left: 1 }]);
    await page.getByRole('button', { name: 'Clear the plan' }).click();
    await page.getByText('Nothing is planned.').waitFor();
    // What was refused for its sender leads to where that is confirmed, and shows the line that it is about.
    await page.goto(`${sandbox.url}/refused/${sandbox.refused[0]?.id}`);
    const shown = await page.evaluate(`(() => {
      const line = document.querySelector('.refusing').getBoundingClientRect();
      const box = document.querySelector('.wire').getBoundingClientRect();
      return line.height > 0 && line.top >= box.top && line.bottom <= box.bottom;
    })()`);
    expect(shown).toBe(true);
    expect(
      await page.evaluate(
        `(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)(document.querySelector('.wire'))`,
      ),
    ).toBe(true);
    await page.getByRole('link', { name: 'Confirm this sender' }).click();
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('row', { name: 'noreplay@devinotele.com' }).waitFor();
    expect((await dialogue.send(letter())).at(-1)).toMatch(/^250 /);
    await page.goto(`${sandbox.url}/setup`);
    expect(await page.locator('[data-copy]').first().isVisible()).toBe(false);
    await context?.close();
  }, 60_000);

  test('what can be done to a row is in its row, and in the window', async () => {
    const { url } = await listener();
    const sandbox = await start({ callback: { url } });
    await furnish(sandbox, await talk(sandbox));
    await until(() => sandbox.callbacks.length > 10, 'The callbacks');
    const inside = (button: string, around: string): string => `(() => {
      const found = [...document.querySelectorAll('${button}')].map((one) => {
        const [box, row] = [one, one.closest('${around}')].map((each) => each.getBoundingClientRect());
        return box.width > 0 && box.left >= 0 && box.right <= innerWidth && box.top >= row.top && box.bottom <= row.bottom + 1 ? row.height : 0;
      });
      return { least: Math.min(...found), most: Math.max(...found) };
    })()`;
    const { page, context } = await open({ width: 360, language: 'ru' });
    for (const path of ['/unsubscribed', '/hard-bounces', '/senders']) {
      await page.goto(`${sandbox.url}${path}`);
      const { least } = await page.evaluate<{ least: number }>(inside('td.do button', 'tr'));
      expect({ path, least: least > 0 }).toEqual({ path, least: true });
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(`${sandbox.url}/callbacks`);
    const { least, most } = await page.evaluate<{ least: number; most: number }>(
      inside('.told button', '.told'),
    );
    expect(least).toBeGreaterThan(0);
    // Two lines of text at the most, and no line for the button alone.
    expect(most).toBeLessThan(60);
    await page.goto(`${sandbox.url}/setup`);
    expect(
      await page.evaluate(
        `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.tabs'))`,
      ),
    ).toBe(0);
    await context.close();
  }, 60_000);

  test('programs are copied by their buttons', async () => {
    const sandbox = await start();
    const { page, context, trouble } = await open();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`${sandbox.url}/setup`);
    const section = page.locator('section', { has: page.locator('#code-nodemailer') });
    await section.getByRole('button', { name: 'Copy' }).click();
    await section.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.getByRole('status').textContent()).toBe('Copied');
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      await page.locator('#code-nodemailer').textContent(),
    );
    expect(trouble).toEqual([]);
    await context.close();
  }, 60_000);

  test('the chart is drawn from the table, in the colours of the scheme, and follows it', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    await dialogue.send(letter());
    const { page, context, trouble } = await open();
    await page.goto(`${sandbox.url}/statistics`);
    await page.locator('html[data-following=yes]').waitFor();
    await page.locator('#chart').waitFor();
    /** How many points of the canvas have the colour of a state. */
    const painted = (state: string): Promise<number> =>
      page.evaluate<number>(`(() => {
        const canvas = document.getElementById('chart');
        const wanted = getComputedStyle(document.documentElement).getPropertyValue('--chart-${state}').trim();
        const [r, g, b] = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let at = 0; at < data.length; at += 4)
          if (data[at] === r && data[at + 1] === g && data[at + 2] === b && data[at + 3] === 255) count += 1;
        return count;
      })()`);
    expect(await painted('Delivered')).toBeGreaterThan(1_000);
    // What is none has no bar.
    expect(await painted('Bounced')).toBe(0);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => painted('Delivered')).toBeGreaterThan(1_000);
    await dialogue.send(letter(), { to: ['bounce+other@example.com'] });
    await expect.poll(() => painted('Bounced')).toBeGreaterThan(500);
    // The test itself reads the canvas so often.
    expect(trouble.filter((text) => !text.includes('willReadFrequently'))).toEqual([]);
    await context.close();
  }, 60_000);
});
