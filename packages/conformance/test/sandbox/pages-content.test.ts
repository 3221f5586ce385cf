/** What the pages show of what there is: the inbox, a message, refusals, and how it is set up. */
import { describe, expect, test } from 'vitest';
import type { CapturedMessage } from '../../src/sandbox/inbox.ts';
import { judgeFilter } from '../../src/sandbox/rules.ts';
import { FROM, mail, TO } from '../dialogue.ts';
import { attribute, Desk, type Element, elementsIn, elementsOf, textOf } from './desk.ts';
import { letter } from './letters.ts';

const withClass = (page: string, name: string): Element[] =>
  elementsOf(page).filter((one) => attribute(one, 'class')?.split(' ').includes(name));

describe('the inbox', () => {
  test('says how to begin where nothing is in it', async () => {
    const page = await new Desk().page('/');
    expect(textOf(withClass(page, 'empty')[0] as Element)).toContain('localhost:2525 STARTTLS');
  });

  test('has fifty on a page, the latest first, and keeps its filter from page to page', async () => {
    const desk = new Desk();
    for (let count = 1; count <= 60; count += 1)
      await desk.accept(letter({ subject: `Letter ${count}` }), {
        to: [count % 2 === 0 ? 'Even@example.com' : 'open@example.com'],
      });
    const subjects = async (query: string): Promise<string[]> =>
      withClass(await desk.page(`/${query}`), 'letter').flatMap((one) =>
        one.childNodes.flatMap((node) =>
          'tagName' in node && node.tagName === 'a' ? [textOf(node)] : [],
        ),
      );
    const first = await subjects('');
    expect([first.length, first[0], first[49]]).toEqual([50, 'Letter 60', 'Letter 11']);
    const second = await subjects('?page=2');
    expect([second.length, second[0], second[9]]).toEqual([10, 'Letter 10', 'Letter 1']);
    expect(await subjects('?page=999')).toEqual(second);
    expect(await subjects('?page=x')).toEqual(first);
    expect(await subjects('?subject=TER+3')).toHaveLength(11);
    expect(await subjects('?to=even@&subject=letter+5')).toEqual(
      [58, 56, 54, 52, 50].map((at) => `Letter ${at}`),
    );
    expect(await subjects('?state=Read')).toHaveLength(30);
    expect(await subjects('?state=Bounced')).toEqual([]);
    const page = await desk.page('/?subject=letter&state=');
    const next = elementsOf(page).find((one) => attribute(one, 'rel') === 'next');
    expect(next && attribute(next, 'href')).toBe('/?subject=letter&state=&page=2');
    expect(page).toContain('Messages: 60');
  });

  test('shows the state, and how many warnings there are', async () => {
    const desk = new Desk();
    const { id } = await desk.accept(mail('no tags'), { to: ['bounce+other@example.com'] });
    const page = await desk.page('/', { headers: { 'accept-language': 'ru' } });
    expect(withClass(page, 'outcome-warn').map((one) => attribute(one, 'href'))).toEqual([
      `/messages/${id}#verdicts`,
    ]);
    expect(withClass(page, 'badge').map((one) => textOf(one))).toEqual([
      'Ошибки при доставке',
      'Предупреждений: 2',
    ]);
  });
});

describe('the page of a message', () => {
  test('has each section that it has a link to, and the message in it', async () => {
    const desk = new Desk();
    const message = await desk.accept(letter(), { to: [TO, 'second@example.com'] });
    const page = await desk.page(`/messages/${message.id}`);
    const elements = elementsOf(page);
    const anchors = elements
      .filter(({ tagName }) => tagName === 'a')
      .flatMap((one) => attribute(one, 'href')?.match(/^#(.+)/)?.[1] ?? []);
    const ids = new Set(elements.map((one) => attribute(one, 'id')));
    for (const anchor of [
      'html',
      'text',
      'links',
      'verdicts',
      'events',
      'structure',
      'transcript',
      'source',
    ])
      expect(anchors).toContain(anchor);
    expect(anchors.filter((anchor) => !ids.has(anchor))).toEqual([]);
    const links = elements.map((one) => attribute(one, 'href'));
    for (const link of [
      `/api/messages/${message.id}/raw`,
      `http://localhost/u/${message.token}`,
      `http://localhost/w/${message.token}`,
      `http://localhost/c/${message.token}/0`,
      'https://shop.example/orders/1024?from=mail',
    ])
      expect(links).toContain(link);
    expect((await desk.ask(`/api/messages/${message.id}/raw`)).status).toBe(200);
    const frame = elements.find(({ tagName }) => tagName === 'iframe');
    expect(frame && attribute(frame, 'sandbox')).toBe(
      'allow-popups allow-popups-to-escape-sandbox',
    );
    const text = textOf(elements.find(({ tagName }) => tagName === 'main') as Element);
    for (const part of [
      'second@example.com',
      '2 recipients, 1 in To: only the first is sent to',
      'Не указывать в поле "TO" несколько адресов получателя',
      'multipart/alternative',
      'C: MAIL FROM:<noreplay@devinotele.com>',
      'DELIVERED delivered',
      'Content-Transfer-Encoding: base64',
      'Отписаться: http://localhost/u/',
    ])
      expect(text).toContain(part);
  });

  test('has its header decoded, each address of it', async () => {
    const desk = new Desk();
    const word = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
    const { id } = await desk.accept(
      [
        `From: ${word('Магазин ')}`,
        ` ${word('«Рога»')} <${FROM}>`,
        `To: ${word('Иван, Петров')} <ivan@example.com>, "Quoted, name" <two@example.com>`,
        `Cc: ${word('Команда')}: one@example.com, <other@example.com>;`,
        'Reply-To: =?koi8-r?B?8NLJ18XU?= <reply@example.com>',
        `Subject: ${word('Привет')} =?utf-8?Q?_<b>?=`,
        'Date: Sun, 01 Oct 2017 12:00:00 +0300',
        'X-Other: not shown',
        '',
        'text',
      ].join('\r\n'),
    );
    const page = await desk.page(`/messages/${id}`);
    const [fields] = withClass(page, 'fields');
    const rows = fields?.childNodes.flatMap((row) => ('tagName' in row ? [textOf(row)] : []));
    expect(rows).toEqual([
      `FromМагазин «Рога» <${FROM}>`,
      'Reply-ToПривет <reply@example.com>',
      'ToИван, Петров <ivan@example.com>Quoted, name <two@example.com>',
      'CcКоманда: <one@example.com> <other@example.com>',
      'SubjectПривет <b>',
      'DateSun, 01 Oct 2017 12:00:00 +0300',
    ]);
    const none = await desk.accept('X-Other: 1\r\n\r\ntext');
    expect(await desk.page(`/messages/${none.id}`)).toContain('None of these fields is in it.');
  });

  test('leads from the filter to its list', async () => {
    const desk = new Desk();
    const { verdicts } = await desk.accept();
    for (const [why, list] of [
      ['unsubscribed', '/unsubscribed'],
      ['hard-bounced', '/hard-bounces'],
      [undefined, undefined],
    ] as const) {
      const rules = desk.site.settings.rules;
      const { id } = await desk.site.platform.accept({
        ...(desk.site.platform.inbox.messages[0] as CapturedMessage),
        id: `m-${why}`,
        verdicts: [...verdicts, judgeFilter(TO, why, false, rules)],
      });
      const links = withClass(await desk.page(`/messages/${id}`), 'verdicts').flatMap((section) =>
        elementsIn(section).flatMap((one) => attribute(one, 'href') ?? []),
      );
      expect(links).toEqual(list === undefined ? [] : [list]);
    }
  });

  test('is bounded, however large the message', async () => {
    const desk = new Desk({ maxSize: 10_000_000 });
    const many = Array.from(
      { length: 3_000 },
      (_, at) => `<a href="https://a.example/${at}">x</a>`,
    );
    const parts = Array.from({ length: 500 }, () => 'Content-Type: text/plain\r\n\r\nя');
    const { id, raw } = await desk.accept(
      [
        'Subject: large',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Type: text/html; charset=utf-8',
        '',
        many.join('\r\n'),
        ...parts.flatMap((part) => ['--b', part]),
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'Ж'.repeat(1_000_000),
        '--b--',
        '',
      ].join('\r\n'),
    );
    expect(raw.length).toBeGreaterThan(2_000_000);
    const page = await desk.page(`/messages/${id}`);
    expect(page.length).toBeLessThan(900_000);
    expect(page).toContain('The first 200 kB of');
    expect(page.match(/\/c\/…\//g)).toHaveLength(200);
    expect(page).toContain('And 2800 more.');
  });

  test.each(['', 'x'])(
    'has a source that is cut between characters: %j before them',
    async (before) => {
      const desk = new Desk();
      const { id } = await desk.accept(mail(`${before}${'Ж'.repeat(120_000)}`));
      const [source] = withClass(await desk.page(`/messages/${id}`), 'source');
      const shown = source ? textOf(source) : '';
      expect(shown.slice(-3)).toBe('ЖЖЖ');
      expect(Buffer.byteLength(shown)).toBeGreaterThan(199_900);
    },
  );

  test('is gone when the message is deleted', async () => {
    const desk = new Desk();
    const { id } = await desk.accept();
    const answer = await desk.ask(`/messages/${id}/delete`, { form: {} });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/?done=message']);
    expect(desk.flushed).toBeGreaterThan(1);
    for (const path of [`/messages/${id}`, `/messages/${id}/html`, '/refused/none'])
      expect((await desk.ask(path)).status, path).toBe(404);
    expect((await desk.ask(`/messages/${id}/delete`, { form: {} })).status).toBe(404);
  });
});

describe('what was refused', () => {
  test('is shown with its words, its verdicts and its dialogue', async () => {
    const desk = new Desk();
    const { verdicts } = await desk.accept(mail('no tags'));
    desk.site.platform.refuse({
      stage: 'rcpt',
      code: 554,
      text: 'Invalid recipient address: x@example.invalid',
      from: '',
      to: ['x@example.invalid'],
      user: '1website',
      remoteAddress: '192.0.2.7',
      secure: true,
      size: undefined,
      verdicts: verdicts.map((one) => ({ ...one, reply: '554 Invalid recipient address: x' })),
      transcript: [{ direction: 'client', text: 'RCPT TO:<x@example.invalid>', secure: true }],
    });
    const [refused] = desk.site.platform.refused;
    const list = await desk.page('/refused');
    expect(list).toContain(`href="/refused/${refused?.id}"`);
    expect(textOf(withClass(list, 'letter')[0] as Element)).toContain(
      '554 Invalid recipient address: x@example.invalid',
    );
    const page = textOf(
      elementsOf(await desk.page(`/refused/${refused?.id}`)).find(
        ({ tagName }) => tagName === 'main',
      ) as Element,
    );
    for (const part of [
      'RCPT',
      '<>',
      '192.0.2.7',
      'Answered: 554 Invalid recipient address: x',
      'C: RCPT TO:<x@example.invalid>',
      'a guess',
    ])
      expect(page).toContain(part);
  });
});

describe('the set-up page', () => {
  test('has where the sandbox is, and no password but the published one', async () => {
    const published = await new Desk().page('/setup');
    for (const part of ['2525', '4650', '1website', 'href="/ca.pem"', 'data-copy="code-dotnet"'])
      expect(published).toContain(part);
    const password = (page: string): string[] =>
      elementsOf(page)
        .filter(({ tagName }) => tagName === 'dl')
        .map((one) => textOf(one));
    expect(password(published).join()).toContain('Passwordtest');
    const own = await new Desk({ credentials: { shop: 'hunter2' } }).page('/setup');
    expect(own).toContain('shop');
    expect(own).not.toContain('hunter2');
    expect(password(own).join()).toContain('Passwordas you set it');
  });

  test('says how long its authority lasts, and leads to the REST interface', async () => {
    const page = await new Desk().page('/setup');
    expect(page).toContain('made anew at each start');
    const links = elementsOf(page).filter((one) => attribute(one, 'href') === '/api');
    // Beside the sections, which a narrow window has no room for, and on the page.
    expect(links.map((one) => textOf(one))).toEqual(['REST interface', 'REST interface']);
    const kept = await new Desk({ data: 'somewhere' }).page('/setup');
    expect(kept).toContain('it stays from start to start');
    expect(kept).not.toContain('made anew at each start');
  });
});
