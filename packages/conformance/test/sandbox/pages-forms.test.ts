/** What forms change, and what they say where they cannot. */
import { describe, expect, test } from 'vitest';
import { FROM } from '../dialogue.ts';
import { attribute, Desk, type Element, elementsOf, textOf } from './desk.ts';

/** What stands in the fields of a form, by their names. */
function valuesOf(page: string): Record<string, string | undefined> {
  const elements = elementsOf(page);
  const chosen = (select: Element): string | undefined =>
    select.childNodes
      .flatMap((one) => ('tagName' in one ? [one] : []))
      .find((one) => attribute(one, 'selected') !== undefined)
      ?.attrs.find(({ name }) => name === 'value')?.value;
  return Object.fromEntries(
    elements
      .filter((one) => /^(input|select)$/.test(one.tagName) && attribute(one, 'type') !== 'hidden')
      .map((one) => [
        attribute(one, 'name') ?? '',
        one.tagName === 'select' ? chosen(one) : attribute(one, 'value'),
      ]),
  );
}

/** Names of the fields that are marked as wrong. Each has its reason beside it. */
function wrongIn(page: string): (string | undefined)[] {
  const elements = elementsOf(page);
  return elements
    .filter((one) => attribute(one, 'aria-invalid') === 'true')
    .map((one) => {
      const ids = (attribute(one, 'aria-describedby') ?? '').split(' ');
      const reasons = elements.filter((other) => ids.includes(attribute(other, 'id') ?? '-'));
      expect(reasons.map((reason) => textOf(reason)).join('')).not.toBe('');
      return attribute(one, 'name');
    });
}

describe.each([
  ['/unsubscribed', { comment: 'called us' }],
  ['/hard-bounces', { reason: 'bad-domain' }],
  ['/senders', {}],
] as const)('the list at %s', (path, more) => {
  const listOf = ({ site: { platform } }: Desk) =>
    path === '/unsubscribed'
      ? platform.unsubscribed
      : path === '/hard-bounces'
        ? platform.hardBounced
        : platform.senders;

  test('takes an address, and lets go of it', async () => {
    const desk = new Desk();
    const list = listOf(desk);
    const before = list.size;
    const added = await desk.ask(path, { form: { address: ' Some@Example.com ', ...more } });
    expect([added.status, added.headers.get('location')]).toEqual([303, `${path}?done=added`]);
    expect(list.get('some@example.com')).toMatchObject({ address: 'Some@Example.com', ...more });
    expect(desk.flushed).toBe(1);
    const page = await desk.page(path);
    expect(page).toContain('Some@Example.com');
    expect(wrongIn(page)).toEqual([]);
    const removed = await desk.ask(`${path}/remove`, { form: { address: 'SOME@example.com' } });
    expect([removed.status, removed.headers.get('location')]).toEqual([
      303,
      `${path}?done=removed`,
    ]);
    expect(list.size).toBe(before);
    expect(desk.flushed).toBe(2);
  });

  test.each(['', 'nobody', 'a@b c', '@', `${'a'.repeat(400)}@example.com`])(
    'does not take %j, and keeps it in its field',
    async (address) => {
      const desk = new Desk();
      const before = listOf(desk).size;
      const answer = await desk.ask(path, { form: { address, ...more } });
      expect(answer.status).toBe(422);
      const page = await answer.text();
      expect(wrongIn(page)).toEqual(['address']);
      expect(valuesOf(page)).toMatchObject({ address, ...more });
      expect(listOf(desk).size).toBe(before);
    },
  );
});

test('a sender may be a whole domain, an unsubscribed address may not', async () => {
  const desk = new Desk();
  const form = { address: '@example.com' };
  expect((await desk.ask('/senders', { form })).status).toBe(303);
  expect(desk.site.platform.senders.all.map(({ address }) => address)).toEqual([
    FROM,
    '@example.com',
  ]);
  expect((await desk.ask('/unsubscribed', { form })).status).toBe(422);
});

describe('the form of a fault', () => {
  test.each([
    [{ action: 'close' }, 'close'],
    [
      { action: 'reply', code: '451', text: 'Try again later' },
      { code: 451, text: 'Try again later' },
    ],
    [{ action: 'stall', ms: '250' }, { stall: 250 }],
    [{ action: 'slow', ms: '5' }, { slow: 5 }],
    [
      { action: 'limit', limit: '3', per: '1000', code: '421', text: 'Too many' },
      { limit: 3, per: 1_000, code: 421, text: 'Too many' },
    ],
    [
      { action: 'accept-then-close-before-reply', at: 'final-dot' },
      'accept-then-close-before-reply',
    ],
  ] as const)('plans %j', async (form, action) => {
    const desk = new Desk();
    const answer = await desk.ask('/plans', { form: { at: 'rcpt', times: '2', ...form } });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/plans?done=added']);
    expect(desk.site.plan.due).toEqual([
      {
        at: 'at' in form ? form.at : 'rcpt',
        action,
        ...(form.action === 'limit' ? { left: undefined } : { times: 2, left: 2 }),
      },
    ]);
    expect(await desk.page('/plans')).toContain('action="/plans/clear"');
    const cleared = await desk.ask('/plans/clear', { form: {} });
    expect([cleared.status, cleared.headers.get('location')]).toEqual([303, '/plans?done=cleared']);
    expect(desk.site.plan.due).toEqual([]);
  });

  test.each([
    [{ at: 'lunch' }, ['at']],
    [{ action: 'explode' }, ['action']],
    [{ times: '0' }, ['times']],
    [{ times: '' }, ['times']],
    [{ code: '99' }, ['code']],
    [{ code: '600', text: 'a\u0007b' }, ['code', 'text']],
    [{ action: 'stall', ms: '1e99' }, ['ms']],
    [{ action: 'slow', ms: '60001' }, ['ms']],
    [{ action: 'limit', limit: '-1', per: '0', code: '' }, ['code', 'limit', 'per']],
    [{ action: 'accept-then-close-before-reply' }, ['at']],
  ] as const)('says what is wrong with %j, and keeps what was typed', async (form, wrong) => {
    const desk = new Desk();
    const typed = { at: 'rcpt', action: 'reply', times: '1', code: '451', text: 'x', ...form };
    const answer = await desk.ask('/plans', { form: typed });
    expect(answer.status).toBe(422);
    const page = await answer.text();
    expect(wrongIn(page)).toEqual(wrong);
    const { at, action, ...fields } = typed;
    expect(valuesOf(page)).toMatchObject(fields);
    expect(desk.site.plan.due).toEqual([]);
    expect([at, action]).not.toContain(undefined);
  });
});

describe('the settings of callbacks', () => {
  test('are taken, stopped, and kept to themselves where they hold a secret', async () => {
    const desk = new Desk();
    const { callbacks } = desk.site;
    const form = new URLSearchParams({
      url: 'http://127.0.0.1:9/hook?key=hush',
      format: 'xml',
    });
    form.append('events', 'BOUNCED');
    form.append('events', 'CLICKED');
    form.append('events', 'INVENTED');
    const answer = await desk.ask('/callbacks', { form });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/callbacks?done=saved']);
    const set = {
      url: 'http://127.0.0.1:9/hook?key=hush',
      format: 'xml',
      events: ['CLICKED', 'BOUNCED'],
    };
    expect(callbacks.options).toEqual(set);
    const page = await desk.page('/callbacks');
    expect(page).not.toContain('hush');
    expect(page).toContain('http://127.0.0.1:9/hook?key=…');
    expect(
      elementsOf(page)
        .filter((one) => attribute(one, 'checked') !== undefined)
        .map((one) => attribute(one, 'value')),
    ).toEqual(['CLICKED', 'BOUNCED']);
    // Nothing was sent of what is not in the log, and nothing is said of it.
    const replayed = await desk.ask('/callbacks/replay', { form: { id: 'none' } });
    expect([replayed.status, replayed.headers.get('location')]).toEqual([303, '/callbacks']);
    // An address that is left empty stays.
    await desk.ask('/callbacks', { form: { url: '', format: 'json' } });
    expect(callbacks.options).toEqual({ url: set.url, format: 'json' });
    expect((await desk.ask('/callbacks/stop', { form: {} })).status).toBe(303);
    expect(callbacks.options).toBeUndefined();
    expect(desk.flushed).toBe(4);
    await callbacks.close();
  });

  test.each(['', 'example.com', 'ftp://example.com', 'http://user:hush@example.com/'])(
    'are not taken with the address %j',
    async (url) => {
      const desk = new Desk();
      const answer = await desk.ask('/callbacks', { form: { url, format: 'xml' } });
      expect(answer.status).toBe(422);
      const page = await answer.text();
      expect(wrongIn(page)).toEqual(['url']);
      expect(valuesOf(page)).toMatchObject({ format: 'xml' });
      expect(desk.site.callbacks.options).toBeUndefined();
    },
  );
});

test.each([
  ['/senders?done=added', 'Added.'],
  ['/senders?page=1&done=removed', 'Deleted.'],
  ['/callbacks?done=saved', 'Saved.'],
  ['/?done=message', 'The message is deleted.'],
  ['/senders', undefined],
  ['/senders?done=', undefined],
  ['/senders?done=constructor', undefined],
  ['/senders?done=You%20won', undefined],
])('%s says that it is done: %j', async (path, said) => {
  const page = await new Desk().page(path);
  const elements = elementsOf(page);
  expect(elements.filter(({ tagName }) => tagName === 'h1')).toHaveLength(1);
  const notices = elements.filter((one) => attribute(one, 'data-done') !== undefined);
  expect(notices.map((one) => textOf(one))).toEqual(said === undefined ? [] : [said]);
  for (const notice of notices) {
    expect(attribute(notice, 'role')).toBe('status');
    // It can have the focus, and has it.
    expect([attribute(notice, 'tabindex'), attribute(notice, 'autofocus')]).toEqual(['-1', '']);
  }
  // In the other language it is not said once more.
  const languages = elements.filter((one) => attribute(one, 'hreflang') !== undefined);
  expect(languages.filter((one) => /done=/.test(attribute(one, 'href') ?? ''))).toEqual([]);
  expect(page).not.toContain('You won');
});

test('the page of senders has the address in its field that it was asked for, and adds nothing', async () => {
  const desk = new Desk();
  const page = await desk.page('/senders?address=new%40example.com');
  expect(valuesOf(page)).toEqual({ address: 'new@example.com' });
  expect(desk.site.platform.senders.size).toBe(1);
});

test('what is no form changes nothing, and does no harm', async () => {
  const desk = new Desk();
  for (const path of ['/senders', '/plans', '/callbacks', '/unsubscribed']) {
    const answer = await desk.app.request(`http://localhost${path}`, {
      method: 'POST',
      headers: { host: 'localhost', 'content-type': 'multipart/form-data; boundary=x' },
      body: 'no form at all',
    });
    expect(answer.status, path).toBe(422);
  }
  expect(desk.site.platform.senders.size).toBe(1);
  expect(desk.flushed).toBe(0);
});

test('a form of another site is refused', async () => {
  const desk = new Desk();
  const answer = await desk.ask('/senders', {
    form: { address: 'evil@example.com' },
    headers: { origin: 'https://evil.example' },
  });
  expect(answer.status).toBe(403);
  expect(desk.site.platform.senders.size).toBe(1);
});
