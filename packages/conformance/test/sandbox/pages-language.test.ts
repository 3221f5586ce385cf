/** Two languages: which of them a page is in, and that all of it is. */
import { describe, expect, test } from 'vitest';
import { judgeContent } from '../../src/sandbox/content-rules.ts';
import { detailIn } from '../../src/sandbox/http/pages/details.ts';
import { fill, WORDS } from '../../src/sandbox/http/pages/words/index.ts';
import {
  judgeAddress,
  judgeAuthentication,
  judgeFault,
  judgeFilter,
  judgeMalformed,
  judgeMime,
  judgePassword,
  judgeRecipient,
  judgeSender,
  judgeSize,
  judgeTls,
} from '../../src/sandbox/rules.ts';
import { parseMessage } from '../../src/sandbox/structure.ts';
import { mail, mailWithFile, TO } from '../dialogue.ts';
import { attribute, Desk, type Element, elementsOf, textOf } from './desk.ts';
import { letter } from './letters.ts';

const RUSSIAN = { 'accept-language': 'ru' };

/** Names of protocols, of formats and of things that have no Russian name. */
const NAMES = new Set(
  'HTML SMTP TLS STARTTLS MIME IP UTF-8 JSON XML HTTP http https POST CA EML eml To Posthorn English Outlook Node.js nodemailer PHPMailer PHP smtplib Python curl swaks s-nail mailx NET hard bounce Devino Windows POP IMAP DATA cafile SMTPOptions SmtpClient REST Charged NotSent Sent Delivered Read Clicked Bounced Rejected Total'.split(
    ' ',
  ),
);

/** What is shown as others wrote it, or as a program said it. */
const verbatim = (one: Element): boolean =>
  ['code', 'pre', 'samp', 'bdi', 'blockquote', 'option', 'iframe'].includes(one.tagName) ||
  attribute(one, 'translate') === 'no' ||
  attribute(one, 'lang') === 'en';

async function fullDesk(): Promise<{ desk: Desk; paths: string[] }> {
  const desk = new Desk({ legacyTls: true, unsafeBind: true, confirmedSenders: 'any' });
  const { platform, plan } = desk.site;
  await desk.accept(mail('no tags'), { to: ['bounce+bad-mailbox@example.com'] });
  await desk.accept(letter(), { to: ['unsub@example.com'] });
  await desk.accept(letter(), { to: ['complaint@example.com'] });
  for (let count = 0; count < 60; count += 1) await desk.accept(mail());
  const message = await desk.accept(letter(), { to: ['click@example.com', TO] });
  platform.unsubscribe(message.id, 'page', 'too-often: and more');
  platform.refuse({
    stage: 'data',
    code: 554,
    text: 'Internal server error',
    from: undefined,
    to: [],
    user: undefined,
    remoteAddress: '127.0.0.1',
    secure: false,
    size: 1_000_000,
    verdicts: message.verdicts,
    transcript: [],
  });
  plan.add(
    { at: 'connect', action: 'close' },
    { at: 'ehlo', action: { stall: 5 } },
    { at: 'ehlo', action: { slow: 5 } },
    { at: 'final-dot', action: 'accept-then-close-before-reply' },
    { at: 'mail', action: { limit: 1, per: 1_000, code: 451, text: 'Later' } },
  );
  return {
    desk,
    paths: [
      '/',
      '/?to=nobody',
      '/?done=message',
      '/senders?done=added',
      '/plans?done=cleared',
      '/callbacks?done=stopped',
      `/messages/${message.id}`,
      '/refused',
      `/refused/${platform.refused[0]?.id}`,
      '/statistics',
      '/statistics?from=x',
      '/statistics?preset=x',
      '/unsubscribed',
      '/hard-bounces',
      '/senders',
      '/plans',
      '/callbacks',
      '/setup',
      `/u/${message.token}`,
      `/u/${platform.inbox.messages[5]?.token}`,
      '/messages/none',
    ],
  };
}

/** Words in Latin letters that are no names. */
function latin(page: string): string[] {
  const elements = elementsOf(page);
  const texts = [
    ...elements
      .filter(({ tagName }) => tagName === 'body')
      .map((body) => textOf(body, verbatim, ' ')),
    ...elements.flatMap((one) =>
      verbatim(one)
        ? []
        : ['title', 'data-copied', 'data-selected'].flatMap((name) => attribute(one, name) ?? []),
    ),
  ];
  return (
    texts
      .join(' ')
      // Addresses, tags, files, options and names in programs.
      .replace(
        /\S+@\S+|https?:\/\/\S+|\[\w+\]|\.eml|\w+\.[a-z]{2,3}\b|\w*-[\w-]+|\b[a-z]+[A-Z]\w*/g,
        ' ',
      )
      .split(/[\s,.;:()«»·/]+/)
      .filter((word) => /[a-z]{2}/i.test(word) && !/[а-яё\d]/i.test(word) && !NAMES.has(word))
  );
}

describe('the language of pages', () => {
  test.each([
    [{}, 'en'],
    [{ 'accept-language': 'ru-RU,ru;q=0.9,en;q=0.8' }, 'ru'],
    [{ 'accept-language': 'de, en;q=0.5, ru;q=0.4' }, 'en'],
    [{ 'accept-language': 'en;q=0.1, ru;q=0.2' }, 'ru'],
    [{ 'accept-language': 'de' }, 'en'],
    [{ 'accept-language': 'ru', cookie: 'sandbox-language=en' }, 'en'],
    [{ 'accept-language': 'ru', cookie: 'sandbox-language=tlh' }, 'ru'],
  ] as const)('is for %j %s', async (headers, language) => {
    const page = await new Desk().page('/', { headers });
    const [root] = elementsOf(page);
    expect(root && attribute(root, 'lang')).toBe(language);
  });

  test('is what was asked for last, and stays so', async () => {
    const desk = new Desk();
    const asked = await desk.ask('/statistics?lang=ru&preset=week', {
      headers: { 'accept-language': 'en' },
    });
    const cookie = asked.headers.get('set-cookie') ?? '';
    expect(cookie).toBe('sandbox-language=ru; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax');
    const page = await asked.text();
    const links = elementsOf(page).filter((one) => attribute(one, 'hreflang') !== undefined);
    expect(links.map((one) => attribute(one, 'href'))).toEqual([
      '/statistics?lang=en&preset=week',
      '/statistics?lang=ru&preset=week',
    ]);
    const next = await desk.page('/senders', {
      headers: { cookie: cookie.split(';')[0] ?? '', 'accept-language': 'en' },
    });
    expect(next).toContain('<h1>Отправители</h1>');
    expect((await desk.ask('/?lang=tlh')).headers.get('set-cookie')).toBeNull();
  });

  test('is all of a page: no English is left on the Russian ones', async () => {
    const { desk, paths } = await fullDesk();
    for (const path of paths) {
      const page = await desk.page(path, { headers: RUSSIAN });
      expect({ path, left: latin(page) }).toEqual({ path, left: [] });
    }
    for (const [path, form] of [
      ['/senders', { address: 'x' }],
      ['/hard-bounces', { address: 'x' }],
      ['/callbacks', { url: 'x' }],
      ['/plans', { at: 'x', action: 'limit' }],
      ['/plans', { at: 'rcpt', action: 'x' }],
    ] as const) {
      const page = await desk.page(path, { form, headers: RUSSIAN });
      expect({ path, left: latin(page) }).toEqual({ path, left: [] });
      expect(page).toContain('class="error"');
    }
  });

  test('is all of a page: no Russian is left on the English ones', async () => {
    const { desk, paths } = await fullDesk();
    for (const path of paths) {
      const bodies = elementsOf(await desk.page(path)).filter(({ tagName }) => tagName === 'body');
      const text = bodies.map((body) =>
        textOf(body, (one) => verbatim(one) || attribute(one, 'lang') === 'ru'),
      );
      expect({ path, left: /[а-яё]+/i.exec(text.join())?.[0] }).toEqual({ path, left: undefined });
    }
  });

  test('texts have the same places for values in both', () => {
    const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    const uneven = Object.entries(WORDS).filter(
      ([, { en, ru }]) =>
        en.trim() === '' || ru.trim() === '' || places(en).join() !== places(ru).join(),
    );
    expect(uneven).toEqual([]);
    const untranslated = Object.entries(WORDS).filter(
      ([, { en, ru }]) => !/[а-яё]/i.test(ru) || /[а-яё]/i.test(en),
    );
    expect(untranslated.map(([name]) => name)).toEqual(['htmlPart', 'ruleTls']);
    expect(fill('{a} of {b}, {c}', { a: 1, b: 'x' })).toBe('1 of x, {c}');
  });

  test('every sentence of the rules has its Russian', async () => {
    const { rules } = new Desk().site.settings;
    const strict = { ...rules, furtherRecipients: 'refuse', tags: 'reject' } as const;
    const said = [
      judgeAddress('::1', true, rules),
      judgeAddress('192.0.2.1', false, rules),
      judgeTls(true, rules),
      judgeTls(false, rules),
      judgeAuthentication(undefined, rules),
      judgeAuthentication('shop and more', rules),
      judgeSender('', rules),
      judgeSender('', { ...rules, isConfirmed: () => true }),
      judgeSender('a@b', rules),
      judgeSender('noreplay@devinotele.com', rules),
      judgeRecipient('a b@c', 0, rules),
      judgeRecipient('a@b.invalid', 0, rules),
      judgeRecipient('a@b', 1, strict),
      judgeFault('554+size@b', 'a@b', rules),
      judgeSize(1, rules),
      judgePassword(rules),
      judgeMalformed('rcpt', 'a b', rules),
      judgeMime(undefined),
      judgeMime('nested too deep'),
      judgeFilter('a@b', undefined, false, rules),
      judgeFilter('a@b', 'unsubscribed', false, rules),
      judgeFilter('a@b', 'hard-bounced', true, rules),
    ].flatMap((verdict) => verdict ?? []);
    const contents = [
      mail(),
      mail('none'),
      letter({ text: 'none' }),
      mail('x', 'Content-Type: text/plain; charset=koi8-r'),
      mail('x', 'X-Name: =?koi8-r?B?8NLJ18XU?='),
      mailWithFile('a.exe'),
    ];
    for (const content of contents) {
      const parsed = await parseMessage(Buffer.from(content));
      said.push(...judgeContent(parsed, ['a@b'], rules));
      said.push(...judgeContent(parsed, ['a@b', 'c@d'], strict));
      said.push(
        ...judgeContent(parsed, ['a@b'], {
          ...rules,
          profile: { ...rules.profile, attachments: 'any' },
        }),
      );
    }
    expect(new Set(said.map(({ detail }) => detail)).size).toBeGreaterThan(25);
    const foreign = said.filter(({ detail }) => String(detailIn(detail, 'ru')).includes('lang='));
    expect(foreign.map(({ detail }) => detail)).toEqual([]);
    expect(String(detailIn('a@b is not a valid recipient', 'ru'))).toBe(
      'Адрес получателя <bdi translate="no">a@b</bdi> некорректен',
    );
    expect(String(detailIn('<b> is unheard of', 'ru'))).toBe(
      '<span lang="en" translate="no">&lt;b&gt; is unheard of</span>',
    );
  });
});
