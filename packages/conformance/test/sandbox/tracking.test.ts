/** What the links in a message do: what counts, what does not, and the way off the list and back. */
import { describe, expect, test } from 'vitest';
import { FROM, mail, TO } from '../dialogue.ts';
import { attribute, Desk, elementsOf, textOf } from './desk.ts';
import { letter } from './letters.ts';

const eventsOf = (desk: Desk, id: string): string[] =>
  desk.site.platform.inbox.get(id)?.events.map(({ type }) => type) ?? [];

describe('the pixel', () => {
  test('counts as opened, and is kept by nobody', async () => {
    const desk = new Desk();
    const { id, token } = await desk.accept();
    const flushed = desk.flushed;
    const answer = await desk.ask(`/o/${token}.gif`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('image/gif');
    expect(answer.headers.get('cache-control')).toContain('no-store');
    const octets = new Uint8Array(await answer.arrayBuffer());
    expect(String.fromCharCode(...octets.subarray(0, 6))).toBe('GIF89a');
    // Width and height, least octet first.
    expect([...octets.subarray(6, 10)]).toEqual([1, 0, 1, 0]);
    expect(eventsOf(desk, id)).toEqual(['SENT', 'DELIVERED', 'OPENED']);
    expect(desk.site.platform.inbox.get(id)?.state).toBe('Read');
    expect(desk.flushed).toBe(flushed + 1);
  });

  test('is nothing under another name, and HEAD counts nothing', async () => {
    const desk = new Desk();
    const { id, token } = await desk.accept();
    for (const path of [`/o/${token}`, `/o/${token}.png`, '/o/none.gif', `/o/${id}.gif`])
      expect((await desk.ask(path)).status, path).toBe(404);
    expect((await desk.ask(`/o/${token}.gif`, { method: 'HEAD' })).status).toBe(200);
    expect(eventsOf(desk, id)).toEqual(['SENT', 'DELIVERED']);
  });
});

describe('a link', () => {
  test('leads where it led, and counts as clicked', async () => {
    const desk = new Desk();
    const { id, token } = await desk.accept();
    const answer = await desk.ask(`/c/${token}/0`);
    expect([answer.status, answer.headers.get('location')]).toEqual([
      302,
      'https://shop.example/orders/1024?from=mail',
    ]);
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    const message = desk.site.platform.inbox.get(id);
    expect(message?.state).toBe('Clicked');
    expect(message?.events.at(-1)).toMatchObject({
      type: 'CLICKED',
      recipient: TO,
      url: 'https://shop.example/orders/1024?from=mail',
    });
  });

  test('is none where there is none', async () => {
    const desk = new Desk();
    const { id, token } = await desk.accept();
    for (const path of ['1', '-1', '00', '0x0', '1e0', 'constructor', '99999999999'])
      expect((await desk.ask(`/c/${token}/${path}`)).status, path).toBe(404);
    expect((await desk.ask(`/c/none/0`)).status).toBe(404);
    expect((await desk.ask(`/c/${token}/0`, { method: 'HEAD' })).status).toBe(302);
    expect(eventsOf(desk, id)).toEqual(['SENT', 'DELIVERED']);
  });
});

describe('the web version', () => {
  test('is the HTML, its links counted, and counts nothing itself', async () => {
    const desk = new Desk();
    const { id, token } = await desk.accept();
    const answer = await desk.ask(`/w/${token}`);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=UTF-8');
    const links = elementsOf(await answer.text()).flatMap((one) => attribute(one, 'href') ?? []);
    expect(links).toEqual([
      `http://localhost/c/${token}/0`,
      `http://localhost/w/${token}`,
      `http://localhost/u/${token}`,
    ]);
    expect(eventsOf(desk, id)).toEqual(['SENT', 'DELIVERED']);
  });

  test('of a text is the text, its addresses as links', async () => {
    const desk = new Desk();
    const { token } = await desk.accept(
      mail('Hi <script>hit()</script> https://a.example/?a=1&b=2 [Unsubscribe]'),
    );
    const elements = elementsOf(await desk.page(`/w/${token}`));
    expect(elements.filter(({ tagName }) => tagName === 'script')).toEqual([]);
    const [pre] = elements.filter(({ tagName }) => tagName === 'pre');
    expect(pre && textOf(pre)).toBe(
      `Hi <script>hit()</script> https://a.example/?a=1&b=2 http://localhost/u/${token}`,
    );
    expect(elements.flatMap((one) => attribute(one, 'href') ?? [])).toEqual([
      'https://a.example/?a=1&b=2',
      `http://localhost/u/${token}`,
    ]);
    expect((await desk.ask('/w/none')).status).toBe(404);
  });
});

describe('the way off the list', () => {
  test('is a question first: looking at it changes nothing', async () => {
    const desk = new Desk();
    const { id, token } = await desk.accept();
    const page = await desk.page(`/u/${token}`, { headers: { 'accept-language': 'ru' } });
    expect(page).toContain('<h1>Отписаться от рассылки?</h1>');
    // As what would be, and not as what is.
    expect(page).toContain('Если вы подтвердите, письма перестанут приходить на');
    expect(page).toContain(TO);
    const elements = elementsOf(page);
    // Nothing of the sandbox is shown to a reader.
    expect(elements.filter(({ tagName }) => tagName === 'nav')).toEqual([]);
    expect(
      elements
        .filter((one) => attribute(one, 'type') === 'radio')
        .map((one) => attribute(one, 'value')),
    ).toEqual(['no-longer-interested', 'too-often', 'did-not-sign-up', 'other']);
    expect(desk.site.platform.unsubscribed.size).toBe(0);
    expect(eventsOf(desk, id)).toEqual(['SENT', 'DELIVERED']);
  });

  test.each([
    [{ reason: 'too-often', text: '' }, 'too-often'],
    [{ reason: 'too-often', text: ' each\r\nday ' }, 'too-often: each day'],
    [{ reason: 'other', text: 'Moved away' }, 'Moved away'],
    [{ reason: 'other', text: '' }, 'other'],
    [{ reason: 'constructor', text: '' }, undefined],
    [{}, undefined],
    [{ text: 'я'.repeat(500) }, 'я'.repeat(500)],
    // A browser counts each line end as one character, and sends two.
    [{ text: `${'a\r\n'.repeat(249)}aa` }, `${'a '.repeat(249)}aa`],
  ])('takes %j', async (form, comment) => {
    const desk = new Desk();
    const { id, token } = await desk.accept();
    const flushed = desk.flushed;
    const answer = await desk.ask(`/u/${token}`, { form: { action: 'unsubscribe', ...form } });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/u/${token}`]);
    expect(desk.flushed).toBe(flushed + 1);
    const entry = desk.site.platform.unsubscribed.get(TO);
    expect(entry).toMatchObject({ address: TO, source: 'page', messageId: id });
    expect(entry?.comment).toBe(comment);
    expect(desk.site.platform.events.at(-1)).toMatchObject({ type: 'UNSUBSCRIBED', messageId: id });
    expect(await desk.page(`/u/${token}`)).toContain('You are unsubscribed');
  });

  test('is filtered from then on, until there is a way back', async () => {
    const desk = new Desk();
    const { token } = await desk.accept();
    await desk.ask(`/u/${token}`, { form: { action: 'unsubscribe', reason: 'too-often' } });
    const next = await desk.accept();
    expect([next.state, next.events[0]?.reason]).toEqual(['Bounced', 'already_unsubscribed']);
    // Each of its messages leads there and back.
    const page = await desk.page(`/u/${next.token}`);
    expect(page).toContain('value="subscribe"');
    const back = await desk.ask(`/u/${next.token}`, { form: { action: 'subscribe' } });
    expect(back.status).toBe(303);
    expect(desk.site.platform.events.at(-1)?.type).toBe('SUBSCRIBED');
    expect((await desk.accept()).state).toBe('Delivered');
    // It says that it is so, to whom it was said that it was over; the way off is still there.
    const returned = await desk.page(`/u/${next.token}`);
    expect(returned).toContain('<h1>You are subscribed again</h1>');
    expect(returned).toContain('Messages will come again to');
    expect(returned).toContain('value="unsubscribe"');
    const other = await desk.page(`/u/${token}`);
    expect(other).toContain('<h1>Unsubscribe?</h1>');
    expect(other).toContain('value="unsubscribe"');
    await desk.ask(`/u/${next.token}`, { form: { action: 'unsubscribe' } });
    expect(await desk.page(`/u/${next.token}`)).toContain('<h1>You are unsubscribed</h1>');
  });

  test('does not take more words than it says, and keeps them', async () => {
    const desk = new Desk();
    const { token } = await desk.accept();
    const text = '<b>&'.repeat(200);
    const answer = await desk.ask(`/u/${token}`, { form: { reason: 'other', text } });
    expect(answer.status).toBe(422);
    const page = await answer.text();
    const area = elementsOf(page).find(({ tagName }) => tagName === 'textarea');
    expect(area && textOf(area)).toBe(text);
    expect(page).toContain('At the most 500 characters.');
    expect(page).toMatch(/value="other" checked/);
    expect(desk.site.platform.unsubscribed.size).toBe(0);
  });

  test.each([
    ['a form', (body: string) => [new URLSearchParams(body)] as const],
    [
      'parts',
      (body: string) => {
        const form = new FormData();
        form.append(...(body.split('=') as [string, string]));
        return [form] as const;
      },
    ],
  ])('is one click for mail programs, as %s', async (_, made) => {
    const desk = new Desk();
    const { id, token } = await desk.accept();
    const [body] = made('List-Unsubscribe=One-Click');
    // A mailbox provider: of another site, and without an origin.
    const answer = await desk.app.request(`http://localhost/u/${token}`, {
      method: 'POST',
      headers: { host: 'localhost' },
      body,
    });
    expect(answer.status).toBe(200);
    expect(desk.site.platform.unsubscribed.get(TO)).toMatchObject({
      source: 'one-click',
      messageId: id,
    });
  });

  test('leads nowhere for what is no token', async () => {
    const desk = new Desk();
    const { id } = await desk.accept();
    for (const path of ['/u/none', `/u/${id}`, '/u/__proto__']) {
      expect((await desk.ask(path)).status, path).toBe(404);
      expect((await desk.ask(path, { form: {} })).status, path).toBe(404);
    }
    expect(desk.site.platform.unsubscribed.size).toBe(0);
    expect(desk.site.platform.senders.all).toEqual([{ address: FROM }]);
  });
});

test('links of a message that is gone lead nowhere', async () => {
  const desk = new Desk({ retention: 1 });
  const { token } = await desk.accept(letter());
  await desk.accept(letter());
  for (const path of [`/o/${token}.gif`, `/c/${token}/0`, `/w/${token}`, `/u/${token}`])
    expect((await desk.ask(path)).status, path).toBe(404);
});
