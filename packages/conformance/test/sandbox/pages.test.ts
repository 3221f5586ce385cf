/** The pages as they are sent: what they show, in which language, and that hostile text stays text. */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { FROM, TO } from '../dialogue.ts';
import { attribute, Desk, type Element, elementsOf, textOf } from './desk.ts';
import { letter } from './letters.ts';

const BREAKOUT = `"'></title></textarea></pre><script>window.hit=1</script><img src=x onerror=hit()>`;

/** A desk with hostile text wherever others can put text, and something on each page. */
async function hostileDesk(): Promise<{ desk: Desk; paths: string[] }> {
  const desk = new Desk({ callback: { url: 'http://127.0.0.1:9/?secret=hush' } });
  const { platform, plan, callbacks } = desk.site;
  callbacks.set(undefined);
  const address = `"${BREAKOUT.replaceAll('"', '')}"@example.com`;
  const message = await desk.accept(
    `X-${'a'.repeat(5)}: ${BREAKOUT}\r\n${letter({
      subject: `Subject ${BREAKOUT}`,
      text: `${BREAKOUT} javascript:hit() https://a.example/"onmouseover=hit()`,
      html: `${BREAKOUT}<a href='javascript:hit()'>x</a><a href='https://a.example/?"onclick="hit()'>y</a>`,
    })}`,
    { from: address, to: [address, address] },
  );
  platform.record(message.id, 'CLICKED', { url: `https://a.example/${BREAKOUT}` });
  platform.unsubscribe(message.id, 'page', BREAKOUT);
  platform.hardBounced.put({ address, at: 0, reason: 'bad-mailbox' });
  platform.senders.put({ address });
  platform.refuse({
    stage: 'rcpt',
    code: 554,
    text: `Invalid recipient address: ${address}`,
    from: address,
    to: [address],
    user: BREAKOUT,
    remoteAddress: '127.0.0.1',
    secure: false,
    size: undefined,
    verdicts: message.verdicts.map((one) => ({ ...one, reply: BREAKOUT, detail: BREAKOUT })),
    transcript: [{ direction: 'client', text: BREAKOUT, secure: false }],
  });
  plan.add({ at: 'rcpt', action: { code: 451, text: BREAKOUT } });
  const query = encodeURIComponent(BREAKOUT);
  return {
    desk,
    paths: [
      `/?to=${query}&subject=${query}&state=${query}&page=${query}`,
      `/?subject=Subject`,
      `/messages/${message.id}?x=${query}`,
      '/refused',
      `/refused/${platform.refused[0]?.id}`,
      `/statistics?from=${query}&to=${query}`,
      `/statistics?preset=${query}`,
      '/unsubscribed',
      '/hard-bounces',
      '/senders',
      '/plans',
      '/callbacks',
      '/setup',
      `/u/${message.token}`,
      `/messages/${query}`,
    ],
  };
}

/** What would run, or lead somewhere, because of others. */
function dangers(elements: readonly Element[]): string[] {
  return elements.flatMap((element) =>
    [
      element.tagName === 'script' && !/^\/assets\//.test(attribute(element, 'src') ?? ''),
      element.tagName === 'style',
      element.tagName === 'img',
      ...element.attrs.map(
        ({ name, value }) =>
          /^on/.test(name) ||
          name === 'style' ||
          (/^(href|src|action|formaction)$/.test(name) && !/^(\/|#|https?:)/.test(value)),
      ),
    ].some(Boolean)
      ? [`${element.tagName} ${JSON.stringify(element.attrs)}`]
      : [],
  );
}

describe('pages', () => {
  test('hostile text stays text, on every page and in both languages', async () => {
    const { desk, paths } = await hostileDesk();
    for (const language of ['en', 'ru'])
      for (const path of paths) {
        const elements = elementsOf(
          await desk.page(path, { headers: { 'accept-language': language } }),
        );
        expect({ path, found: dangers(elements) }).toEqual({ path, found: [] });
        // It is the page, and not what a broken one left of it.
        expect(
          elements.filter(({ tagName }) => tagName === 'main'),
          path,
        ).toHaveLength(1);
        expect(
          elements.filter(({ tagName }) => tagName === 'h1'),
          path,
        ).toHaveLength(1);
      }
  });

  test('what is hostile is shown all the same', async () => {
    const { desk, paths } = await hostileDesk();
    const shown = async (path: string | undefined): Promise<string> =>
      elementsOf(await desk.page(path ?? ''))
        .filter(({ tagName }) => tagName === 'main')
        .map((main) => textOf(main))
        .join();
    expect(await shown(paths[1])).toContain(`Subject ${BREAKOUT}`);
    expect(await shown(paths[2])).toContain(`Subject ${BREAKOUT}`);
    expect(await shown(paths[4])).toContain(BREAKOUT);
    expect(await shown('/plans')).toContain(`451 ${BREAKOUT}`);
    expect(await shown('/unsubscribed')).toContain(BREAKOUT);
  });

  test('a field of a form keeps what is hostile as its value', async () => {
    const { desk } = await hostileDesk();
    const page = await desk.page('/senders', { form: { address: BREAKOUT } });
    expect(dangers(elementsOf(page))).toEqual([]);
    const field = elementsOf(page).find((one) => attribute(one, 'name') === 'address');
    expect(field && attribute(field, 'value')).toBe(BREAKOUT);
  });

  test('no GET changes anything', async () => {
    const { desk, paths } = await hostileDesk();
    const { platform, plan, callbacks } = desk.site;
    const state = (): string =>
      JSON.stringify([
        platform.inbox.messages.map(({ id, state: at, events }) => [id, at, events]),
        platform.events,
        platform.statistics.counts(),
        platform.unsubscribed.all,
        platform.hardBounced.all,
        platform.senders.all,
        plan.due,
        callbacks.options,
      ]);
    const before = state();
    const [message] = platform.inbox.messages;
    for (const path of [
      ...paths,
      `/messages/${message?.id}/html`,
      `/messages/${message?.id}/delete`,
      `/w/${message?.token}`,
      `/u/${message?.token}?reason=other&action=unsubscribe&List-Unsubscribe=One-Click`,
      '/senders/remove?address=noreplay@devinotele.com',
      '/plans/clear',
      '/callbacks/stop',
    ])
      await desk.page(path);
    expect(state()).toBe(before);
  });

  test('the policy is that of a page without scripts of others, but for what others wrote', async () => {
    const desk = new Desk();
    const message = await desk.accept();
    for (const path of ['/', `/messages/${message.id}`, `/u/${message.token}`, '/assets/style.css'])
      expect((await desk.ask(path)).headers.get('content-security-policy')).toMatch(
        /^default-src 'none';.*script-src 'self';.*frame-ancestors 'none'$/,
      );
    const policy = (await desk.ask(`/messages/${message.id}/html`)).headers.get(
      'content-security-policy',
    );
    expect(policy).toBe(
      "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    );
    const alone = (await desk.ask(`/w/${message.token}`)).headers.get('content-security-policy');
    expect(alone).toBe(policy?.replace("ancestors 'self'", "ancestors 'none'"));
  });

  test('HTML of others: links open beside it, no relative one is left, own images are in it', async () => {
    const desk = new Desk({ attachments: 'any' });
    const image = 'iVBORw0KGgo=';
    const { id } = await desk.accept(
      [
        `From: <${FROM}>`,
        `To: <${TO}>`,
        'MIME-Version: 1.0',
        'Content-Type: multipart/related; boundary=r',
        '',
        '--r',
        'Content-Type: text/html; charset=utf-8',
        '',
        '<base href="http://evil.example/"><meta http-equiv="refresh" content="0;url=/plans">',
        '<noscript><meta http-equiv="refresh" content="0;url=/plans"></noscript>',
        '<a id=a href="/plans" target=_top>a</a> <a id=b href="https://b.example/" target=_self>b</a>',
        '<a id=c href="#there">c</a> <a id=d href=" javascript:hit()">d</a> <a id=e href="[Unsubscribe]">e</a>',
        '<img id=f src="cid:logo@x"><img id=g src="https://far.example/pixel.gif" srcset="x.gif 2x"><iframe src="/api/messages"></iframe>',
        '--r',
        'Content-Type: image/png',
        'Content-ID: <logo@x>',
        'Content-Disposition: inline',
        'Content-Transfer-Encoding: base64',
        '',
        image,
        '--r--',
        '',
      ].join('\r\n'),
    );
    const page = await desk.page(`/messages/${id}/html`);
    expect(page).not.toContain('http-equiv');
    const elements = elementsOf(page);
    const of = (name: string): Record<string, string> =>
      Object.fromEntries(
        elements
          .filter((one) => attribute(one, 'id') === name)
          .flatMap(({ attrs }) => attrs.map((one) => [one.name, one.value])),
      );
    const { token } = desk.site.platform.inbox.messages[0] ?? { token: '' };
    const beside = { target: '_blank', rel: 'noopener noreferrer' };
    expect(of('a')).toEqual({ id: 'a', ...beside });
    expect(of('b')).toEqual({ id: 'b', href: `http://localhost/c/${token}/0`, ...beside });
    expect(of('c')).toEqual({ id: 'c', href: '#there' });
    expect(of('d')).toEqual({ id: 'd', ...beside });
    expect(of('e')).toEqual({ id: 'e', href: `http://localhost/u/${token}`, ...beside });
    expect(of('f')).toEqual({ id: 'f', src: `data:image/png;base64,${image}` });
    expect(of('g')).toEqual({ id: 'g' });
    expect(
      elements.filter(({ tagName }) => ['base', 'meta', 'iframe', 'script'].includes(tagName)),
    ).toEqual([]);
  });

  test.each([
    ['nested without end', '<div>'.repeat(20_000)],
    [
      'opened again without end',
      Array.from({ length: 2_000 }, (_, at) => `<p><i class=c${at}>`).join(''),
    ],
  ])('HTML that is %s is shown all the same, behind the same walls', async (_, html) => {
    const desk = new Desk();
    const { id } = await desk.accept(letter({ html }));
    const answer = await desk.ask(`/messages/${id}/html`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toMatch(/^sandbox allow-popups/);
    const text = await answer.text();
    expect(text.slice(0, 40)).toMatch(
      /^(<base target="_blank"><p>|<html><head><\/head><body><div>)/,
    );
    expect(text.length).toBeLessThan(3 * html.length);
  });

  test('scripts can be read by an engine, and assets are kept by the name of their content', async () => {
    const desk = new Desk();
    const scripts = new Set(
      (await Promise.all(['/', '/setup', '/statistics'].map((path) => desk.page(path)))).flatMap(
        (page) =>
          elementsOf(page).flatMap(
            (one) => (one.tagName === 'script' && attribute(one, 'src')) || [],
          ),
      ),
    );
    expect([...scripts].map((url) => url.replace(/\?.*/, '')).sort()).toEqual(
      ['page', 'live', 'copy', 'chart', 'statistics'].map((name) => `/assets/${name}.js`).sort(),
    );
    for (const url of scripts) {
      const answer = await desk.ask(url);
      expect(answer.headers.get('content-type'), url).toBe('text/javascript; charset=utf-8');
      expect(answer.headers.get('cache-control'), url).toMatch(/immutable$/);
      const source = await answer.text();
      expect(() => runInNewContext(`() => {${source}\n}`), url).not.toThrow();
    }
    expect((await desk.ask('/assets/style.css?v=old')).headers.get('cache-control')).toBe(
      'no-cache',
    );
    expect((await desk.ask('/assets/constructor')).status).toBe(404);
  });

  test('an inbox of many takes no longer than one of few, and a filter no longer than it has to', async () => {
    const asked = ['/', '/?subject=%D0%97%D0%90%D0%9A%D0%90%D0%97'] as const;
    const times = async (messages: number): Promise<number[]> => {
      const desk = new Desk({ deliver: 'manual' });
      const sample = await desk.accept();
      const { inbox } = desk.site.platform;
      for (let at = 1; at < messages; at += 1)
        inbox.add({ ...sample, id: `m${at}`, token: `t${at}` });
      const best = asked.map(() => Infinity);
      for (let run = 0; run < 7; run += 1)
        for (const [at, path] of asked.entries()) {
          const begun = performance.now();
          const page = await desk.page(path);
          best[at] = Math.min(best[at] ?? Infinity, performance.now() - begun);
          expect(page.match(/class="letter"/g)).toHaveLength(50);
        }
      return best;
    };
    const [few, many] = [await times(500), await times(8_000)];
    const [plain = 9, filtered = 9] = many.map(
      (time, at) => Math.log(time / (few[at] ?? 0)) / Math.log(16),
    );
    expect(plain).toBeLessThan(0.6);
    expect(filtered).toBeLessThan(1.4);
  });
});
