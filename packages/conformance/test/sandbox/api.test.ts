import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REFUSALS, type Sandbox } from '../../src/index.ts';
import { FROM, mail, mailWithFile, TAGS, TO, until, useBench } from '../support.ts';
import { type Answer, type Asked, ask, hangUp, type Line } from './api-client.ts';

const { start, talk } = useBench();
afterAll(hangUp);

/** Read by all tests; those that change more than they add have their own. */
let sandbox: Sandbox;
const ids: string[] = [];
const HTML = '<p>Привет <a href="https://shop.example/a">a</a> [Unsubscribe] [WebVersion]</p>';

beforeAll(async () => {
  sandbox = await start({ seed: 'api' });
  const dialogue = await talk(sandbox);
  const subject = (text: string, content: string): string =>
    content.replace('Subject: Test from smtp', `Subject: ${text}`);
  const htmlMail = mail(HTML, 'Content-Type: text/html; charset=utf-8');
  for (const [content, ...to] of [
    [subject('First order', mail()), 'anna@example.com'],
    [subject('Second order', htmlMail), 'open@example.com', 'boris@example.com'],
    [subject('Farewell', mail('no tags')), 'bounce+bad-mailbox@example.com'],
  ] as const)
    await dialogue.send(content, { to });
  await dialogue.send(mail(), { from: 'nobody@example.com' });
  await dialogue.send(mailWithFile('a.exe'));
  ids.push(...sandbox.inbox.messages.map(({ id }) => id));
});

const of = (line: Line, asked?: Asked): Promise<Answer> => ask(sandbox, line, asked);

/** The members of a list that is answered. */
async function listed(line: Line, name: string): Promise<Readonly<Record<string, unknown>>[]> {
  const { status, json } = await of(line);
  expect(status).toBe(200);
  return json[name] as Readonly<Record<string, unknown>>[];
}

const idsOf = async (line: Line): Promise<unknown[]> =>
  (await listed(line, 'messages')).map(({ id }) => id);

describe.concurrent('the index', () => {
  test('lists each route, and other methods are told of it', async () => {
    const routes = (await of('GET /api')).json['routes'] as {
      readonly method: string;
      readonly path: string;
    }[];
    expect(routes.length).toBeGreaterThan(40);
    const paths = new Map<string, string[]>();
    for (const { method, path } of routes) paths.set(path, [...(paths.get(path) ?? []), method]);
    for (const [path, methods] of paths)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
        if (methods.includes(method)) continue;
        const { status, headers, text } = await of(`${method} ${path.replaceAll(':', '')}`);
        const allow = headers['allow']?.split(', ').filter((one) => one !== 'HEAD');
        expect([method, path, status, allow]).toEqual([method, path, 405, methods]);
        expect(text).toContain('Cannot do this here: there is ');
      }
  });

  test('status', async () => {
    const { json } = await of('GET /api/status');
    expect(json).toMatchObject({
      host: 'localhost',
      smtp: sandbox.smtp,
      smtps: sandbox.smtps,
      url: sandbox.url,
      profile: '2017-10',
      messages: 3,
      refused: 2,
      clock: { frozen: false },
    });
  });

  test('the certificate of its authority', async () => {
    const { headers, text } = await of('GET /ca.pem');
    expect(text).toBe(sandbox.ca);
    expect(headers['content-disposition']).toBe('attachment; filename="ca.pem"');
  });
});

describe.concurrent('messages', () => {
  test('the latest first, as summaries', async () => {
    const [last, ...rest] = await listed('GET /api/messages', 'messages');
    expect(last).toEqual({
      id: ids[2],
      from: FROM,
      to: ['bounce+bad-mailbox@example.com'],
      subject: 'Farewell',
      size: sandbox.inbox.messages[2]?.size,
      state: 'Bounced',
      receivedAt: sandbox.inbox.messages[2]?.receivedAt.toISOString(),
      warnings: [
        { rule: 'tags', detail: 'the text has no [Unsubscribe]' },
        { rule: 'tags', detail: 'the text has no [WebVersion]' },
      ],
    });
    expect(rest.map(({ id, state }) => [id, state])).toEqual([
      [ids[1], 'Read'],
      [ids[0], 'Delivered'],
    ]);
  });

  test('by recipient, sender, subject and state, in any case', async () => {
    expect(await idsOf('GET /api/messages?to=ANNA')).toEqual([ids[0]]);
    expect(await idsOf('GET /api/messages?to=boris%40example.com')).toEqual([ids[1]]);
    expect(await idsOf('GET /api/messages?subject=ORDER')).toEqual([ids[1], ids[0]]);
    expect(await idsOf('GET /api/messages?subject=second+order')).toEqual([ids[1]]);
    expect(await idsOf('GET /api/messages?state=Bounced')).toEqual([ids[2]]);
    expect(await idsOf(`GET /api/messages?from=${FROM.toUpperCase()}`)).toHaveLength(3);
    expect(await idsOf('GET /api/messages?from=nobody')).toEqual([]);
    expect(await idsOf('GET /api/messages?to=anna&state=Bounced')).toEqual([]);
    expect(await idsOf('GET /api/messages?to=&state=')).toHaveLength(3);
  });

  test('in pages, before one and after one', async () => {
    const { json } = await of('GET /api/messages?limit=2');
    expect(json).toMatchObject({ messages: [{ id: ids[2] }, { id: ids[1] }], more: true });
    expect((await of('GET /api/messages?limit=3')).json['more']).toBe(false);
    expect(await idsOf(`GET /api/messages?before=${ids[1]}`)).toEqual([ids[0]]);
    expect(await idsOf(`GET /api/messages?after=${ids[1]}`)).toEqual([ids[2]]);
    expect(await idsOf(`GET /api/messages?after=${ids[0]}&before=${ids[2]}`)).toEqual([ids[1]]);
    expect(await idsOf('GET /api/messages?after=forgotten')).toHaveLength(3);
    expect(await idsOf('GET /api/messages?before=forgotten')).toEqual([]);
  });

  test('one with all that is known of it', async () => {
    const { json } = await of(`GET /api/messages/${ids[1]}`);
    const { token } = sandbox.inbox.messages[1] ?? {};
    expect(json).toMatchObject({
      id: ids[1],
      from: FROM,
      to: ['open@example.com', 'boris@example.com'],
      notSentTo: ['boris@example.com'],
      subject: 'Second order',
      html: `${HTML}\n`,
      attachments: [],
      structure: { contentType: 'text/html', children: [] },
      secure: true,
      user: '1website',
      state: 'Read',
      rewritten: {
        links: ['https://shop.example/a'],
        unsubscribeUrl: `${sandbox.url}/u/${token}`,
      },
    });
    expect(json['headers']).toContainEqual({ name: 'subject', value: 'Second order' });
    expect(json['verdicts']).toContainEqual(expect.objectContaining({ rule: 'sender' }));
    expect(json['events']).toMatchObject([
      { type: 'SENT' },
      { type: 'DELIVERED' },
      { type: 'OPENED' },
    ]);
    expect(String((json['events'] as { at: unknown }[])[0]?.at)).toMatch(/^20\d\d-.*Z$/);
    expect(json['transcript']).toContainEqual({
      direction: 'client',
      text: 'RCPT TO:<boris@example.com>',
      secure: true,
    });
    expect(JSON.stringify(json['rewritten'])).not.toContain('[Unsubscribe]');
    expect(json).not.toHaveProperty('raw');
  });

  test('its octets as they came', async () => {
    const { headers, octets } = await of(`GET /api/messages/${ids[1]}/raw`);
    expect(octets.equals(sandbox.inbox.messages[1]?.raw ?? Buffer.of())).toBe(true);
    expect(headers).toMatchObject({
      'content-type': 'message/rfc822',
      'content-disposition': `attachment; filename="${ids[1]}.eml"`,
      'content-length': String(octets.length),
    });
  });

  test('its texts as plain text', async () => {
    const html = await of(`GET /api/messages/${ids[1]}/html`);
    expect([html.text, html.headers['content-type']]).toEqual([
      `${HTML}\n`,
      'text/plain; charset=utf-8',
    ]);
    expect((await of(`GET /api/messages/${ids[0]}/text`)).text).toBe(`Hello ${TAGS}\n`);
    expect((await of(`GET /api/messages/${ids[0]}/html`)).status).toBe(404);
    expect((await of(`GET /api/messages/${ids[1]}/text`)).status).toBe(404);
  });

  test('one that there is not', async () => {
    for (const line of [
      'GET /api/messages/none',
      'GET /api/messages/none/raw',
      'GET /api/messages/__proto__',
      'DELETE /api/messages/none',
      'POST /api/messages/none/events',
    ] as const)
      expect([line, (await of(line, { body: { type: 'SENT' } })).status]).toEqual([line, 404]);
  });
});

describe.concurrent('what has happened', () => {
  test('refusals, the latest first; one with its verdicts and its transcript', async () => {
    const refused = await listed('GET /api/refused', 'refused');
    expect(refused).toMatchObject([
      { stage: 'data', code: 554, text: `${REFUSALS['attachment-type'].text} exe` },
      {
        stage: 'mail',
        code: 554,
        text: `${REFUSALS['sender-not-confirmed'].text} nobody@example.com`,
      },
    ]);
    expect(await listed('GET /api/refused?limit=1', 'refused')).toEqual([refused[0]]);
    expect(refused[0]).not.toHaveProperty('transcript');
    const { json } = await of(`GET /api/refused/${refused[0]?.['id']}`);
    expect(json).toMatchObject({ ...refused[0], size: expect.any(Number) });
    expect(json['verdicts']).toContainEqual(
      expect.objectContaining({ rule: 'attachments', outcome: 'refuse' }),
    );
    expect(json['transcript']).toContainEqual(
      expect.objectContaining({ text: `MAIL FROM:<${FROM}>` }),
    );
    expect((await of('GET /api/refused/none')).status).toBe(404);
  });

  test('events, the first first: by type, by message, after one', async () => {
    const events = await listed('GET /api/events', 'events');
    expect(events.map(({ type }) => type)).toEqual(
      sandbox.events.slice(0, events.length).map(({ type }) => type),
    );
    const bounced = await listed('GET /api/events?type=BOUNCED', 'events');
    expect(bounced).toMatchObject([
      {
        messageId: ids[2],
        reason: 'bad-mailbox',
        isHardbounce: true,
        at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(
      (await listed(`GET /api/events?messageId=${ids[0]}`, 'events')).map(({ type }) => type),
    ).toEqual(['SENT', 'DELIVERED']);
    const second = events[1]?.['id'];
    expect(await listed(`GET /api/events?after=${second}&limit=2`, 'events')).toEqual(
      events.slice(2, 4),
    );
    expect(await listed('GET /api/events?limit=1', 'events')).toEqual(events.slice(-1));
  });

  test('statistics, with the rows of the account page', async () => {
    const { json } = await of('GET /api/statistics?preset=today');
    const counts = (json['rows'] as { state: string; count: number }[]).map(({ state, count }) => [
      state,
      count,
    ]);
    expect(counts).toEqual(sandbox.statistics().map(({ state, count }) => [state, count]));
    expect(counts).toContainEqual(['Total', 4]);
    expect(json['hours']).toMatchObject([
      { counts: { Read: 1, Delivered: 1, Bounced: 1, Rejected: 1 } },
    ]);
    const past = await of('GET /api/statistics?from=2017-10-01&to=2017-10-02T00:00:00Z');
    expect(past.json).toMatchObject({ to: '2017-10-02T00:00:00.000Z', hours: [] });
    expect(past.json['rows']).toContainEqual(
      expect.objectContaining({ state: 'Total', count: 0, share: '0 %' }),
    );
  });
});

describe.concurrent('changes', () => {
  /** A sandbox with one message to this recipient, and a way to ask it. */
  async function withMessage(
    to: string,
  ): Promise<{ one: Sandbox; id: string; on: (line: Line, body?: unknown) => Promise<Answer> }> {
    const one = await start({ deliver: 'manual' });
    const dialogue = await talk(one);
    await dialogue.send(mail(), { to: [to] });
    const { id } = one.inbox.messages[0] ?? { id: '' };
    return { one, id, on: (line, body) => ask(one, line, { body }) };
  }

  test('lets things happen to a message', async () => {
    const { one, id, on } = await withMessage('anna@example.com');
    const happen = (body: unknown): Promise<Answer> => on(`POST /api/messages/${id}/events`, body);
    expect((await happen({ type: 'SENT' })).json).toMatchObject({
      events: [{ type: 'SENT', messageId: id, recipient: 'anna@example.com' }],
      state: 'Sent',
    });
    expect((await happen({ type: 'CLICKED', url: 'https://shop.example/' })).json).toMatchObject({
      events: [{ url: 'https://shop.example/' }],
      state: 'Clicked',
    });
    const left = await happen({ type: 'UNSUBSCRIBED', comment: 'too many' });
    expect([left.status, left.json]).toMatchObject([201, { events: [{ comment: 'too many' }] }]);
    expect((await on('GET /api/unsubscribed')).json).toMatchObject({
      unsubscribed: [
        { address: 'anna@example.com', source: 'api', comment: 'too many', messageId: id },
      ],
    });
    const again = await happen({ type: 'UNSUBSCRIBED' });
    expect([again.status, again.json]).toEqual([200, { events: [], state: 'Clicked' }]);
    expect((await happen({ type: 'SUBSCRIBED' })).json).toMatchObject({
      events: [{ type: 'SUBSCRIBED' }],
    });
    expect((await on('GET /api/unsubscribed')).json).toEqual({ unsubscribed: [] });
    expect((await happen({ type: 'COMPLAINED' })).json).toMatchObject({
      events: [{ type: 'COMPLAINED' }, { type: 'UNSUBSCRIBED' }],
    });
    expect(one.events.map(({ type }) => type)).toEqual([
      'SENT',
      'CLICKED',
      'UNSUBSCRIBED',
      'SUBSCRIBED',
      'COMPLAINED',
      'UNSUBSCRIBED',
    ]);
  });

  test('a bounce by hand puts the address on the list', async () => {
    const { one, id, on } = await withMessage('boris@example.com');
    await on(`POST /api/messages/${id}/events`, {
      type: 'BOUNCED',
      reason: 'quota-issues',
      isHardbounce: true,
    });
    expect(one.inbox.messages[0]?.state).toBe('Bounced');
    expect((await on('GET /api/hard-bounces')).json).toMatchObject({
      hardBounces: [{ address: 'boris@example.com', reason: 'quota-issues', messageId: id }],
    });
    expect((await on('DELETE /api/hard-bounces/boris%40example.com')).status).toBe(204);
    expect((await on('GET /api/hard-bounces')).json).toEqual({ hardBounces: [] });
  });

  test('forgets one message, and all', async () => {
    const { one, id, on } = await withMessage('anna@example.com');
    const dialogue = await talk(one);
    await dialogue.send();
    expect((await on(`DELETE /api/messages/${id}`)).status).toBe(204);
    expect(one.inbox.messages.map(({ to }) => to)).toEqual([[TO]]);
    expect((await on(`DELETE /api/messages/${id}`)).status).toBe(404);
    expect((await on('DELETE /api/messages')).status).toBe(204);
    expect(one.inbox.size).toBe(0);
  });

  test('lists of addresses', async () => {
    const one = await start();
    const on = (line: Line, body?: unknown): Promise<Answer> => ask(one, line, { body });
    for (const [path, name, body, entry] of [
      [
        'unsubscribed',
        'unsubscribed',
        { address: 'a/b@example.com', comment: 'why' },
        { source: 'api', comment: 'why' },
      ],
      ['hard-bounces', 'hardBounces', { address: 'a/b@example.com' }, { reason: 'bad-mailbox' }],
      ['senders', 'senders', { address: '@example.com' }, {}],
    ] as const) {
      const before = ((await on(`GET /api/${path}`)).json[name] as unknown[]).length;
      const made = await on(`POST /api/${path}`, body);
      expect([made.status, made.json]).toMatchObject([201, { address: body.address, ...entry }]);
      expect((await on(`GET /api/${path}`)).json[name]).toContainEqual(made.json);
      // The second time it takes the place of the first.
      await on(`POST /api/${path}`, body);
      expect((await on(`GET /api/${path}`)).json[name]).toHaveLength(before + 1);
      const own: Line = `DELETE /api/${path}/${encodeURIComponent(body.address).toUpperCase()}`;
      expect((await on(own.replaceAll('%2F', '%2f') as Line)).status).toBe(204);
      expect((await on(own)).status).toBe(404);
      await on(`POST /api/${path}`, body);
      expect((await on(`DELETE /api/${path}`)).status).toBe(204);
      expect((await on(`GET /api/${path}`)).json[name]).toEqual([]);
    }
  });

  test('a sender that is confirmed by it may send; one that is not any more may not', async () => {
    const one = await start();
    const dialogue = await talk(one);
    const refusal = '554 Disallowed source address: news@example.com';
    expect(await dialogue.ask('MAIL FROM:<news@example.com>')).toBe(refusal);
    await ask(one, 'POST /api/senders', { body: { address: '@example.com' } });
    expect(await dialogue.ask('MAIL FROM:<news@example.com>')).toBe('250 Accepted');
    await dialogue.ask('RSET');
    await ask(one, 'DELETE /api/senders/@example.com');
    expect(await dialogue.ask('MAIL FROM:<news@example.com>')).toBe(refusal);
  });

  test('settings, profile, logins and faults hold from then on; a reset undoes them', async () => {
    const one = await start();
    const on = (line: Line, body?: unknown): Promise<Answer> => ask(one, line, { body });
    const atStart = (await on('GET /api/settings')).json;
    const changed = await on('PATCH /api/settings', {
      tags: 'reject',
      prefix: 'Transaction failed: ',
    });
    expect(changed.json).toMatchObject({ tags: 'reject', prefix: 'Transaction failed: ' });
    expect((await on('PATCH /api/settings', { tags: null })).json).toMatchObject({
      tags: 'warn',
      prefix: 'Transaction failed: ',
    });
    expect((await on('PUT /api/profile', { version: 'successor' })).json).toMatchObject({
      version: 'successor',
      missingTag: 'reject',
      versions: ['2016', '2017-10', 'successor'],
    });
    expect((await on('GET /api/profile')).json).toMatchObject({ version: 'successor' });
    expect((await on('PUT /api/credentials', { shop: 'hidden-words' })).json).toEqual({
      logins: ['shop'],
    });
    await expect(talk(one)).rejects.toThrow('AUTH: 535');
    const planned = await on('POST /api/plans', [
      { at: 'mail', action: { code: 451, text: 'Later' }, times: 2 },
      { at: 'rcpt', action: { limit: 1, per: 1_000, code: 450, text: 'Slowly' } },
    ]);
    expect([planned.status, planned.json]).toEqual([
      201,
      {
        plans: [
          { at: 'mail', action: { code: 451, text: 'Later' }, times: 2, left: 2 },
          { at: 'rcpt', action: { limit: 1, per: 1_000, code: 450, text: 'Slowly' } },
        ],
      },
    ]);
    expect(one.faults).toHaveLength(2);
    await on('POST /api/plans', { at: 'quit', action: 'close' });
    expect((await on('GET /api/plans')).json['plans']).toHaveLength(3);
    // No password is shown, whatever is asked.
    const { routes } = (await on('GET /api')).json as {
      routes: { method: string; path: string }[];
    };
    for (const { method, path } of routes)
      if (method === 'GET' && path !== '/api/stream') {
        const { text } = await on(`GET ${path}`);
        expect([path, text.includes('hidden-words')]).toEqual([path, false]);
      }
    expect((await on('DELETE /api/plans')).status).toBe(204);
    expect(one.faults).toEqual([]);
    await on('POST /api/plans', { at: 'quit', action: 'close' });
    expect((await on('POST /api/reset')).status).toBe(204);
    expect((await on('GET /api/settings')).json).toEqual(atStart);
    expect(one.faults).toEqual([]);
    await talk(one);
  });

  test('the clock', async () => {
    const one = await start();
    const on = (line: Line, body?: unknown): Promise<Answer> => ask(one, line, { body });
    expect((await on('PUT /api/clock', { now: '2017-10-01T12:00:00+03:00' })).json).toEqual({
      now: '2017-10-01T09:00:00.000Z',
      frozen: true,
    });
    expect((await on('POST /api/clock/advance', { ms: 90_000 })).json).toEqual({
      now: '2017-10-01T09:01:30.000Z',
      frozen: true,
    });
    const dialogue = await talk(one);
    await dialogue.send();
    expect(one.inbox.messages[0]?.receivedAt.toISOString()).toBe('2017-10-01T09:01:30.000Z');
    await on('PUT /api/clock', { now: '9999-12-31T23:59:59Z' });
    const far = await on('POST /api/clock/advance', { ms: 2_000 });
    expect([far.status, far.json]).toMatchObject([400, { path: '/ms' }]);
    expect((await on('PUT /api/clock', { now: null })).json).toMatchObject({ frozen: false });
    expect(Date.parse(String((await on('GET /api/clock')).json['now']))).toBeGreaterThan(
      Date.now() - 60_000,
    );
  });

  test('who is told of events', async () => {
    const one = await start();
    const on = (line: Line, body?: unknown): Promise<Answer> => ask(one, line, { body });
    expect((await on('GET /api/callback')).json).toEqual({ callback: null });
    const callback = { url: 'http://127.0.0.1:9/', format: 'xml', events: ['BOUNCED'] };
    expect((await on('PUT /api/callback', callback)).json).toEqual({ callback });
    expect((await on('GET /api/callback')).json).toEqual({ callback });
    expect((await on('DELETE /api/callback')).status).toBe(204);
    expect((await on('GET /api/callback')).json).toEqual({ callback: null });
    expect((await on('GET /api/callbacks')).json).toEqual({ callbacks: [] });
    expect((await on('POST /api/callbacks/none/replay')).status).toBe(404);
  });

  test('tells of an event again, and shows no secret of the address', async () => {
    const told: string[] = [];
    const other = createServer((request, response) => {
      told.push(request.url ?? '');
      request.resume().on('end', () => response.writeHead(204).end());
    });
    try {
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      const { id, on } = await withMessage('anna@example.com');
      await on('PUT /api/callback', { url: `http://127.0.0.1:${port}/events?key=hidden-words` });
      await on(`POST /api/messages/${id}/events`, { type: 'OPENED' });
      await until(() => told.length === 1, 'The event is told');
      let log: unknown = [];
      for (let tries = 0; tries < 100 && !(log as unknown[]).length; tries += 1)
        log = (await on('GET /api/callbacks')).json['callbacks'];
      expect(log).toMatchObject([{ event: { type: 'OPENED' }, status: 204, attempt: 1 }]);
      const [first] = log as { readonly id: string }[];
      const again = await on(`POST /api/callbacks/${first?.id}/replay`);
      expect([again.status, again.json]).toMatchObject([201, { event: { type: 'OPENED' } }]);
      expect(told).toEqual(['/events?key=hidden-words', '/events?key=hidden-words']);
      for (const line of ['GET /api/callback', 'GET /api/callbacks'] as const)
        expect((await on(line)).text).not.toContain('hidden-words');
    } finally {
      other.closeAllConnections();
      other.close();
    }
  });
});
