/** What REST says of a message's header, how it finds addresses, and what can happen to a message by hand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { addressHolds } from '../../src/sandbox/http/api/address-part.ts';
import { mail, TAGS, until, useBench } from '../support.ts';
import { type Answer, ask, hangUp, type Line } from './api-client.ts';

const { start, talk } = useBench();
afterAll(hangUp);

const HEADER = `From: =?utf-8?B?0JzQsNCz0LDQt9C40L0=?= <noreplay@devinotele.com>
To: =?utf-8?Q?=D0=90=D0=BD=D0=BD=D0=B0?= <anna@example.com>,
 "Last, First" <boris@example.com>
Cc: Team: c@example.com, =?koi8-r?Q?=E4?= <d@example.com>;
Reply-To: help@example.com
To: e@example.com
Date: Sun, 01 Oct 2017 12:00:00 +0300
Message-ID: <1@example.com>
Subject: =?utf-8?B?0J/RgNC40LLQtdGC?=
Content-Type: text/plain; charset=utf-8

${TAGS}
`.replaceAll('\n', '\r\n');

let sandbox: Sandbox;
let ids: readonly string[] = [];
beforeAll(async () => {
  sandbox = await start();
  const dialogue = await talk(sandbox);
  await dialogue.send(HEADER, { to: ['anna@xn--80a1acny.xn--p1ai'] });
  await dialogue.ask('MAIL FROM:<noreplay@devinotele.com> SMTPUTF8');
  await dialogue.ask('RCPT TO:<boris@Почта.рф>');
  await dialogue.ask('DATA');
  dialogue.write(`Date: yesterday\r\n${mail().replace(/^From: .*\r\n/, '')}`);
  await dialogue.ask('.');
  ids = sandbox.inbox.messages.map(({ id }) => id);
});

const of = (line: Line, body?: unknown): Promise<Answer> => ask(sandbox, line, { body });

describe.concurrent('the header of a message', () => {
  test('is decoded: names, groups, more than one field', async () => {
    const { json } = await of(`GET /api/messages/${ids[0]}`);
    expect(json['parsed']).toEqual({
      from: { name: 'Магазин', address: 'noreplay@devinotele.com' },
      to: [
        { name: 'Анна', address: 'anna@example.com' },
        { name: 'Last, First', address: 'boris@example.com' },
        { name: '', address: 'e@example.com' },
      ],
      cc: [
        { name: '', address: 'c@example.com' },
        { name: 'Д', address: 'd@example.com' },
      ],
      replyTo: [{ name: '', address: 'help@example.com' }],
      date: '2017-10-01T09:00:00.000Z',
      messageId: '<1@example.com>',
    });
    expect(json['subject']).toBe('Привет');
  });

  test('of which something is missing', async () => {
    const { json } = await of(`GET /api/messages/${ids[1]}`);
    expect(json['parsed']).toEqual({
      from: null,
      to: [{ name: '', address: 'test@devinotele.com' }],
      cc: [],
      replyTo: [],
      date: null,
      messageId: null,
    });
  });
});

describe.concurrent('an address is found', () => {
  const found = async (part: string): Promise<unknown[]> => {
    const { json } = await of(`GET /api/messages?to=${encodeURIComponent(part)}`);
    return (json['messages'] as { readonly id: string }[]).map(({ id }) => ids.indexOf(id));
  };

  test.each([
    ['anna@почта.рф', [0]],
    ['ANNA@ПОЧТА.РФ', [0]],
    ['anna@xn--80a1acny.xn--p1ai', [0]],
    ['boris@xn--80a1acny.XN--P1AI', [1]],
    ['boris@почта.рф', [1]],
    ['@почта', [1, 0]],
    ['почта', [1, 0]],
    ['xn--80a1acny', [1, 0]],
    ['рф', [1, 0]],
    ['anna', [0]],
    ['anna@почта.com', []],
    ['anna@example.com', []],
  ])('by %s', async (part, which) => {
    expect(await found(part)).toEqual(which);
  });
});

test.each([
  ['a@xn--80a1acny.xn--p1ai', 'почта', true],
  ['a@xn--80a1acny.xn--p1ai', 'A@ПОЧ', true],
  ['a@почта.рф', 'XN--80A1ACNY', true],
  ['a@почта.рф', 'a@xn--80a1acny', true],
  ['почта@a.example', 'почта', true],
  ['почта@a.example', 'xn--80a1acny', false],
  ['a@[127.0.0.1]', '@[127', true],
  ['a@0.0.0.1', 'a@1', false],
])('addressHolds() of %s and %s is %s', (address, part, holds) => {
  expect(addressHolds(address, part)).toBe(holds);
});

test('what was rejected is no state of a message', async () => {
  const { status, json } = await of('GET /api/messages?state=Rejected');
  expect([status, json]).toEqual([
    400,
    {
      error: 'Cannot use state: there are NotSent, Sent, Delivered, Read, Clicked, Bounced',
      path: '/state',
    },
  ]);
});

describe.concurrent('a click by hand', () => {
  const HTML = '<a href="[Unsubscribe]">x</a> [WebVersion] <a href="https://shop.example/a">a</a>';

  test.each([
    ['with its address', { url: 'http://b.example/?q=1' }, 'http://b.example/?q=1'],
    ['without one: the first link', {}, 'https://shop.example/a'],
  ])('%s', async (_, details, url) => {
    const one = await start();
    const dialogue = await talk(one);
    await dialogue.send(mail(HTML, 'Content-Type: text/html; charset=utf-8'));
    const { id } = one.inbox.messages[0] ?? {};
    const { status, json } = await ask(one, `POST /api/messages/${id}/events`, {
      body: { type: 'CLICKED', ...details },
    });
    expect([status, json]).toMatchObject([
      201,
      { state: 'Clicked', events: [{ type: 'CLICKED', url }] },
    ]);
  });

  test('of a message without links there is no address', async () => {
    const { status, json } = await of(`POST /api/messages/${ids[0]}/events`, { type: 'CLICKED' });
    expect([status, json]).toMatchObject([201, { events: [{ type: 'CLICKED' }] }]);
    expect((json['events'] as object[])[0]).not.toHaveProperty('url');
  });

  test.each(['javascript:alert(1)', 'ftp://a.example/', 'shop', '', 5])(
    'not at %j',
    async (url) => {
      const { status, json } = await of(`POST /api/messages/${ids[0]}/events`, {
        type: 'CLICKED',
        url,
      });
      expect([status, json]).toEqual([
        400,
        {
          error:
            'Cannot use /url: it has to be an http or https address of at most 2000 characters',
          path: '/url',
        },
      ]);
    },
  );
});

describe.concurrent('troubles', () => {
  test('are listed, the latest first', async () => {
    const one = await start();
    expect((await ask(one, 'GET /api/troubles')).json).toEqual({ troubles: [] });
    const dialogue = await talk(one);
    await dialogue.ask('EXPN staff');
    await dialogue.ask('RCPT TO:<a@example.com>');
    await until(() => one.troubles.length === 2, 'They are noted');
    const { json } = await ask(one, 'GET /api/troubles');
    expect(json['troubles']).toMatchObject([
      { kind: 'reply', port: 'implicit', remoteAddress: '127.0.0.1' },
      { kind: 'reply' },
    ]);
    const [last, first] = json['troubles'] as { at: string; transcript: { text: string }[] }[];
    expect(last?.transcript.map(({ text }) => text)).toContain('RCPT TO:<a@example.com>');
    expect(first?.transcript.map(({ text }) => text)).not.toContain('RCPT TO:<a@example.com>');
    expect(last?.at).toMatch(/^20\d\d-.*Z$/);
    const limited = await ask(one, 'GET /api/troubles?limit=1');
    expect(limited.json).toEqual({ troubles: [last] });
    expect((await ask(one, 'GET /api/troubles?limit=0')).json['path']).toBe('/limit');
  });
});
