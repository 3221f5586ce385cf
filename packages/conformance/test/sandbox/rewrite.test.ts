import fc from 'fast-check';
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse, serialize } from 'parse5';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../../test/growth.ts';
import type { CapturedMessage } from '../../src/index.ts';
import { type Rewritten, rewrite } from '../../src/sandbox/rewrite.ts';
import { parseMessage } from '../../src/sandbox/structure.ts';

const URL_BASE = 'http://sandbox.test:8025';
const TOKEN = '0123456789abcdef';
const UNSUBSCRIBE = `${URL_BASE}/u/${TOKEN}`;
const WEB_VERSION = `${URL_BASE}/w/${TOKEN}`;
const PIXEL = `<img src="${URL_BASE}/o/${TOKEN}.gif" width="1" height="1" alt="">`;
const CLICK = new RegExp(`${URL_BASE}/c/${TOKEN}/(\\d+)`, 'g');
const click = (number: number): string => `${URL_BASE}/c/${TOKEN}/${number}`;

interface Text {
  readonly type: 'text/plain' | 'text/html';
  readonly text: string;
}

const asPart = ({ type, text }: Text): string =>
  `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(text).toString('base64')}\r\n`;

async function captured(raw: string, token = TOKEN): Promise<CapturedMessage> {
  const { named: _named, ...parsed } = await parseMessage(Buffer.from(raw));
  return {
    ...parsed,
    id: 'id',
    from: '',
    to: ['a@example.com'],
    notSentTo: [],
    raw: new Uint8Array(),
    size: 0,
    verdicts: [],
    secure: true,
    user: undefined,
    receivedAt: new Date(0),
    remoteAddress: '127.0.0.1',
    transcript: [],
    token,
    state: 'NotSent',
    events: [],
  };
}

/** What becomes of a message of these parts. */
async function rewritten(
  texts: readonly Text[],
  kind = 'mixed',
  url = URL_BASE,
): Promise<Rewritten> {
  const [only] = texts;
  const raw =
    only && texts.length === 1
      ? asPart(only)
      : `Content-Type: multipart/${kind}; boundary=b\r\n\r\n${texts.map((one) => `--b\r\n${asPart(one)}`).join('')}--b--\r\n`;
  return rewrite(await captured(raw), url);
}

const empty = await captured('');

/** A message that is this HTML, to the letter. */
function messageOf(html: string): CapturedMessage {
  return {
    ...empty,
    html,
    structure: { ...empty.structure, contentType: 'text/html', text: html },
  };
}

const ofHtml = (text: string, url?: string): Promise<Rewritten> =>
  rewritten([{ type: 'text/html', text }], 'mixed', url);

describe('tags', () => {
  test('become addresses in each part, wherever they stand', async () => {
    const { parts, text, html } = await rewritten(
      [
        { type: 'text/plain', text: 'Off: [Unsubscribe], web: [WebVersion][WebVersion]' },
        {
          type: 'text/html',
          text: '<!-- [WebVersion] --><a href="[Unsubscribe]">x</a><p title=[WebVersion]>[Unsubscribe]</p>',
        },
      ],
      'alternative',
    );
    const plain = `Off: ${UNSUBSCRIBE}, web: ${WEB_VERSION}${WEB_VERSION}`;
    const rich = `<!-- ${WEB_VERSION} --><a href="${UNSUBSCRIBE}">x</a><p title=${WEB_VERSION}>${UNSUBSCRIBE}</p>${PIXEL}`;
    expect(parts).toEqual([
      { contentType: 'text/plain', text: plain },
      { contentType: 'text/html', text: rich },
    ]);
    expect([text, html]).toEqual([plain, rich]);
  });

  test('are matched by case, and links to them are not counted', async () => {
    const { parts, links } = await ofHtml(
      '<a href="[unsubscribe]">[UNSUBSCRIBE] [Webversion]</a><a href="[WebVersion]#top">x</a>',
    );
    expect(parts[0]?.text).toBe(
      `<a href="[unsubscribe]">[UNSUBSCRIBE] [Webversion]</a><a href="${WEB_VERSION}#top">x</a>${PIXEL}`,
    );
    expect(links).toEqual([]);
  });

  test('inside of a link of somebody else are replaced, and the link is counted', async () => {
    const { html, links } = await ofHtml('<a href="https://a.example/?back=[WebVersion]">x</a>');
    expect(html).toBe(`<a href="${click(0)}">x</a>${PIXEL}`);
    expect(links).toEqual([`https://a.example/?back=${WEB_VERSION}`]);
  });

  test('break out of nothing, whatever the public address is', async () => {
    const url = `http://a.example/'">&<i `;
    const { html, unsubscribeUrl, links } = await ofHtml(
      '<a href=[Unsubscribe]>x</a><a href="[Unsubscribe]">[Unsubscribe]</a><a href=\'http://b.example/\'>y</a>',
      url,
    );
    const page = parse(html ?? '');
    const found = elements(page);
    expect(found.filter(({ name }) => name === 'i')).toEqual([]);
    expect(found.filter(({ name }) => name === 'a').map(({ attributes }) => attributes)).toEqual([
      { href: unsubscribeUrl },
      { href: unsubscribeUrl },
      { href: `${url}/c/${TOKEN}/0` },
    ]);
    expect(links).toEqual(['http://b.example/']);
  });

  test('the header fields lead off the list with one click', async () => {
    const { headers, unsubscribeUrl, webVersionUrl, pixelUrl, html, text } = await rewritten([]);
    expect(headers).toEqual([
      { name: 'List-Unsubscribe', value: `<${UNSUBSCRIBE}>` },
      { name: 'List-Unsubscribe-Post', value: 'List-Unsubscribe=One-Click' },
    ]);
    expect([unsubscribeUrl, webVersionUrl]).toEqual([UNSUBSCRIBE, WEB_VERSION]);
    expect(PIXEL).toContain(pixelUrl);
    expect([html, text]).toEqual([undefined, undefined]);
  });
});

describe('links', () => {
  test.each([
    ['<a href="http://a.example/">x</a>', 'http://a.example/'],
    [`<A class=b HREF = 'https://a.example/?a=1&amp;b=2' id=c>x</A>`, 'https://a.example/?a=1&b=2'],
    ['<a href=http://a.example/x/>x</a>', 'http://a.example/x/'],
    ['<map><area shape=rect href="http://a.example/"></map>', 'http://a.example/'],
    ['<a href="&#x68;ttps&colon;//a.example/">x</a>', 'https://a.example/'],
    ['<a href="HTTP://A.example/%D0%B0">x</a>', 'HTTP://A.example/%D0%B0'],
    ['<a href="http://пример.рф/путь">x</a>', 'http://пример.рф/путь'],
    ['<a href=" \n http://a.example/ b\t">x</a>', 'http://a.example/%20b'],
    ['<a href="http://a.example/ b">x</a>', 'http://a.example/%20b'],
    ['<p><a href="http://a.example/">x<p>y<p>z', 'http://a.example/'],
    [
      '<svg><a xlink:href="http://b.example/" href="http://a.example/">x</a></svg>',
      'http://a.example/',
    ],
    ['<a href="ht\ntp://a.example/">x</a>', 'http://a.example/'],
    ['<a href="http:a.example">x</a>', 'http://a.example/'],
    ['<a href="http://a.example/1" href="http://a.example/2">x</a>', 'http://a.example/1'],
    ['<noscript><a href="http://a.example/">x</a></noscript>', 'http://a.example/'],
    ['<table><a href="http://a.example/">x</a><tr></table>', 'http://a.example/'],
    ['<template><a href="http://a.example/">x</a></template>', 'http://a.example/'],
    ['<svg><a href="http://a.example/">x</a></svg>', 'http://a.example/'],
    ['\u{FEFF}\r\n<b>😀<p>\r<a\r\nhref\r\n=\r\n"http://a.example/">x', 'http://a.example/'],
  ])('%j is counted', async (html, link) => {
    const { parts, links } = await ofHtml(html);
    expect(links).toEqual([link]);
    expect(parts[0]?.text).toContain(click(0));
  });

  test.each([
    'mailto:a@example.com',
    'tel:+70000000000',
    '#top',
    '/path',
    'path?http://a.example/',
    '//a.example/',
    'javascript:location="http://a.example/"',
    'data:text/html,http://a.example/',
    'ftp://a.example/',
    'http://[',
    'http://',
    '',
    UNSUBSCRIBE,
    `${UNSUBSCRIBE}?a`,
    WEB_VERSION,
    click(7),
  ])('to %j stay as they are', async (href) => {
    const html = `<a href="${href.replaceAll('"', '&quot;')}">x</a>`;
    const { parts, links } = await ofHtml(html);
    expect([parts[0]?.text, links]).toEqual([html + PIXEL, []]);
  });

  test.each([
    '<!-- <a href="http://a.example/">x</a> -->',
    '<script>"<a href=\'http://a.example/\'>"</script>',
    '<style><a href="http://a.example/"></style>',
    '<title><a href="http://a.example/"></title>',
    '<svg><![CDATA[<a href="http://a.example/">]]></svg>',
    '<textarea><a href="http://a.example/"></textarea>',
    '<link href="http://a.example/"><base href="http://a.example/"><img src="http://a.example/">',
    '<math><a href="http://a.example/">x</a></math>',
    '<svg><a xlink:href="http://a.example/">x</a></svg>',
    '<a data-href="http://a.example/" name=href>x</a>',
    '<a href="http://a.example/',
    '</a href="http://a.example/">',
    '<a href>x</a><a href=>x</a>',
  ])('that are none stay as they are: %s', async (html) => {
    const { parts, links } = await ofHtml(html);
    expect([parts[0]?.text, links]).toEqual([html + PIXEL, []]);
  });

  test('of another message, and of pages beside it, are counted', async () => {
    const hrefs = [`${URL_BASE}/u/other`, `${UNSUBSCRIBE}0`, `${URL_BASE}/`];
    const { links } = await ofHtml(hrefs.map((href) => `<a href="${href}">x</a>`).join(''));
    expect(links).toEqual(hrefs);
  });

  test('have the same numbers in the parts and in what is joined of them', async () => {
    const link = (path: string): string => `<a href="http://a.example/${path}">x</a>`;
    const { parts, html, links } = await rewritten([
      { type: 'text/html', text: `<html><body>${link('1')}${link('2')}</body></html>` },
      { type: 'text/plain', text: 'http://a.example/plain' },
      { type: 'text/html', text: `<html><body>${link('2')}${link('3')}</body></html>` },
    ]);
    expect(links).toEqual(['1', '2', '2', '3'].map((path) => `http://a.example/${path}`));
    expect(parts.map(({ text }) => text)).toEqual([
      `<html><body><a href="${click(0)}">x</a><a href="${click(1)}">x</a></body></html>`,
      'http://a.example/plain',
      `<html><body><a href="${click(2)}">x</a><a href="${click(3)}">x</a>${PIXEL}</body></html>`,
    ]);
    expect(html).toBe(`${parts[0]?.text}\n<div>http://a.example/plain</div>\n${parts[2]?.text}`);
  });

  test('of a message inside of it have numbers behind those of its parts', async () => {
    const inner = `Content-Type: message/rfc822\r\n\r\nSubject: x\r\n${asPart({ type: 'text/html', text: '<a href="http://inner.example/">x</a>' })}`;
    const outer = asPart({ type: 'text/html', text: '<a href="http://outer.example/">x</a>' });
    const raw = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${inner}\r\n--b\r\n${outer}\r\n--b--\r\n`;
    const { html, links, parts } = rewrite(await captured(raw), URL_BASE);
    expect(links).toEqual(['http://outer.example/', 'http://inner.example/']);
    expect(parts).toEqual([
      { contentType: 'text/html', text: `<a href="${click(0)}">x</a>${PIXEL}` },
    ]);
    expect(html?.indexOf(click(1))).toBeGreaterThan(0);
    expect(html?.indexOf(click(0))).toBeGreaterThan(html?.indexOf(click(1)) ?? 0);
  });

  test('a file is no text of the message', async () => {
    const file = `Content-Disposition: attachment\r\n${asPart({ type: 'text/html', text: '[Unsubscribe]' })}`;
    const raw = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${asPart({ type: 'text/plain', text: 'x' })}--b\r\n${file}--b--\r\n`;
    expect(rewrite(await captured(raw), URL_BASE).parts).toEqual([
      { contentType: 'text/plain', text: 'x' },
    ]);
  });
});

describe('the pixel', () => {
  test.each([
    ['<html><body>x|</body></html>\r\n'],
    ['x|</BODY >'],
    ['<body>x</body>y|</body>z'],
    ['<body>x|</body><!-- </body> -->'],
    ['<body>x<script>"</body>"</script>|'],
    ['<body><table><tr><td>x</body>|'],
    ['x|'],
    ['|'],
  ])('is where the bar is: %s', async (marked) => {
    const { parts } = await ofHtml(marked.replace('|', ''));
    // A part without content has no text.
    expect(parts[0]?.text ?? PIXEL).toBe(marked.replace('|', PIXEL));
  });

  test('is before the last links, where they are behind the body', async () => {
    const { html } = await ofHtml(
      '<body><a href="http://a.example/">x</a></body><!-- --><a href="http://b.example/">y</a></html>',
    );
    // HTML Standard, "after body": what comes there is put into the body again, and the tag that closed it counts.
    expect(html).toBe(
      `<body><a href="${click(0)}">x</a>${PIXEL}</body><!-- --><a href="${click(1)}">y</a></html>`,
    );
  });
});

interface Found {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly at: number;
}

/** All elements that tags opened, by parse5's own tree: no recursion, since hostile HTML is deep. */
function elements(
  root: DefaultTreeAdapterTypes.Document,
  change?: (element: Found) => string | undefined,
): Found[] {
  const found = new Map<number, Found>();
  const left: DefaultTreeAdapterTypes.Node[] = [root];
  for (let node = left.pop(); node; node = left.pop()) {
    if ('content' in node) left.push(node.content);
    if ('childNodes' in node) for (const child of node.childNodes) left.push(child);
    if (!('tagName' in node)) continue;
    const attributes = Object.fromEntries(
      node.attrs.filter(({ prefix }) => !prefix).map(({ name, value }) => [name, value]),
    );
    const at = node.sourceCodeLocation?.startOffset ?? -found.size - 1;
    const one = { name: node.namespaceURI.endsWith('MathML') ? '' : node.tagName, attributes, at };
    found.set(at, one);
    const href = change?.(one);
    for (const attribute of node.attrs)
      if (attribute.name === 'href' && !attribute.prefix && href !== undefined)
        attribute.value = href;
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}

const isLink = ({ name }: Found): boolean => name === 'a' || name === 'area';
const read = (html: string): DefaultTreeAdapterTypes.Document =>
  parse(html, {
    treeAdapter: defaultTreeAdapter,
    sourceCodeLocationInfo: true,
    scriptingEnabled: false,
  });

const SHARDS =
  `<a href=|<a href="|<a href='|<area href=|<A HREF = "|"|'|>|/>|</a>| |\t|\r\n|\r|=|&amp;|&#x68;ttp://|http://a.example/|https://b.example/?x=1&y=2|HTTP:c|mailto:x|javascript:|[Unsubscribe]|[WebVersion]|[unsubscribe]|<!--|-->|--!>|<script>|</script>|<style>|</style>|<title>|</title>|<textarea>|</textarea>|<plaintext>|<noscript>|</noscript>|<svg>|</svg>|<math>|<mtext>|<foreignObject>|<desc>|<![CDATA[|]]>|<table>|<tr>|<td>|</table>|<select>|<option>|<template>|</template>|<frameset>|<body>|</body>|<html>|</html>|<head>|<p>|</p>|<b x=1>|</b>|<div>|<form>|</form>|<!doctype html>|<?|</|<|\0|\u{FEFF}|😀|x`.split(
    '|',
  );

/** HTML that nobody would write but to do harm. */
const hostile = fc
  .array(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...SHARDS) }, fc.string({ unit: 'binary' })),
    {
      maxLength: 40,
    },
  )
  .map((shards) => shards.join(''));

const tagged = (text: string): string =>
  text.split('[Unsubscribe]').join(UNSUBSCRIBE).split('[WebVersion]').join(WEB_VERSION);

describe('whatever the HTML is', () => {
  test('no tag is left in any part, and each link has an address', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { maxLength: 3 }), async (htmls) => {
        const result = await rewritten(htmls.map((text) => ({ type: 'text/html', text })));
        const all = [result.html ?? '', ...result.parts.map(({ text }) => text)];
        for (const text of all) expect(text).not.toMatch(/\[(Unsubscribe|WebVersion)\]/);
        for (const link of result.links) expect(new URL(link).protocol).toMatch(/^https?:$/);
        const numbers = new Set(all.flatMap((text) => [...text.matchAll(CLICK)].map(([, n]) => n)));
        for (const number of result.links.keys()) expect(numbers).toContain(String(number));
      }),
      { numRuns: 200 },
    );
  });

  test('its links are those that a reader finds', () => {
    fc.assert(
      fc.property(hostile, (html) => {
        const result = rewrite(messageOf(html), URL_BASE);
        const source = tagged(html);
        const before = elements(read(source)).filter(isLink);
        const after = elements(read((result.html ?? '').replace(PIXEL, ''))).filter(isLink);
        expect(after.length).toBe(before.length);
        let number = 0;
        for (const [index, { attributes }] of before.entries()) {
          const now = after[index]?.attributes['href'];
          if (now === attributes['href']) continue;
          expect(now).toBe(click(number));
          expect(new URL(result.links[number] ?? '').href).toBe(
            new URL(attributes['href'] ?? '').href,
          );
          number += 1;
        }
        expect(number).toBe(result.links.length);
      }),
      { numRuns: 200 },
    );
  });

  test('nothing but the values of links changes, and the page is the same', () => {
    fc.assert(
      fc.property(hostile, (html) => {
        const { html: out = '', links } = rewrite(messageOf(html), URL_BASE);
        const source = tagged(html);
        const bare = out.replace(PIXEL, '');
        expect(out.length - bare.length).toBe(PIXEL.length);
        // The pieces between the links are all there, in order.
        const own = new Set(links.keys());
        const pieces: string[] = [];
        let from = 0;
        for (const { 0: match, 1: number, index } of bare.matchAll(CLICK))
          if (own.delete(Number(number))) {
            pieces.push(bare.slice(from, index));
            from = index + match.length;
          }
        pieces.push(bare.slice(from));
        expect(own.size).toBe(0);
        let at = 0;
        for (const piece of pieces) {
          const next = source.indexOf(piece, at);
          expect(next).toBeGreaterThanOrEqual(at);
          at = next + piece.length;
        }
        expect(source.startsWith(pieces[0] ?? '')).toBe(true);
        expect(source.endsWith(pieces.at(-1) ?? '')).toBe(true);
        // And so is the tree, once the links are what they were.
        const [then, now] = [read(source), read(bare)];
        const before = elements(then).filter(isLink);
        let index = 0;
        const hrefs = new Map(
          elements(now)
            .filter(isLink)
            .map(({ at: place }) => [place, before[index++]?.attributes['href']]),
        );
        elements(now, ({ at: place }) => hrefs.get(place));
        expect(serialize(now)).toBe(serialize(then));
      }),
      { numRuns: 200 },
    );
  });

  test('what is between links is the same to the octet', async () => {
    const between = fc.constantFrom(
      ' ',
      '\r\n',
      '\r',
      'Привет!',
      '&nbsp;',
      '<br>',
      '<p>x</p>',
      '<!-- " -->',
      '😀',
    );
    const link = fc.record({
      lead: fc.array(between).map((all) => all.join('')),
      tag: fc.constantFrom('<a class="b" href', "<AREA title='>' HRef", '<a\nhref'),
      equals: fc.constantFrom('=', ' = ', '=\r\n'),
      quote: fc.constantFrom('"', "'", ''),
      url: fc
        .webUrl({ withQueryParameters: true, withFragments: true })
        .filter((url) => !/["'`<>=]/.test(url)),
      counts: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(link), async (all) => {
        let number = 0;
        const write = (how: (url: string, counts: boolean) => string): string =>
          all
            .map(({ lead, tag, equals, quote, url, counts }) => {
              const value = how(url, counts);
              return `${lead}${tag}${equals}${quote}${value}${quote} id=c>x</a>`;
            })
            .join('');
        const given = write((url, counts) => (counts ? '' : 'x:') + url.replaceAll('&', '&amp;'));
        const wanted = write((url, counts) =>
          counts ? click(number++) : `x:${url.replaceAll('&', '&amp;')}`,
        );
        const { html, links } = await ofHtml(given);
        expect(html ?? '').toBe(given === '' ? '' : wanted + PIXEL);
        expect(links).toEqual(all.filter(({ counts }) => counts).map(({ url }) => url));
      }),
      { numRuns: 100 },
    );
  });

  test('100,000 elements inside each other exhaust no stack, and their links are counted', () => {
    const { links } = rewrite(
      messageOf(`${'<div>'.repeat(100_000)}<a href=http://a.example/>`),
      URL_BASE,
    );
    expect(links).toEqual(['http://a.example/']);
  });

  test('where a short text asks for millions of elements, its links stay as they are', async () => {
    const html = Array.from(
      { length: 500 },
      (_, n) => `<p><b a=${n}><a href=http://a.example/>`,
    ).join('');
    const { html: out, links } = await ofHtml(`${html}[Unsubscribe]</body>`);
    expect(links).toEqual([]);
    expect(out).toBe(`${html}${UNSUBSCRIBE}</body>${PIXEL}`);
  });
});

const LINEAR = 1.6;

function repeated(unit: string, times: number): string {
  return Array.from({ length: times }, (_, n) => unit.replace('#', String(n))).join('');
}

describe('time grows as the text does', () => {
  test.each([
    ['links', '<a href="http://a.example/">x</a>'],
    ['nested elements', '<div>'],
    ['nested links', '<a href=http://a.example/><div>'],
    ['elements that are opened again', '<p><b a="#">'],
    ['tables that hold what they must not', '<table><a href=http://a.example/>x'],
    ['tags', '[Unsubscribe]<a href="[WebVersion]">'],
    ['what is almost a tag', '[Unsubscribe['],
    ['quotes', '<a href="'],
    ['links without an address', '<a href>x</a>'],
    ['blanks', '<a href=                   '],
    ['comments', '<!--'],
  ])('%s', (_name, unit) => {
    const exponent = growthExponent(
      (size) => {
        const message = messageOf(repeated(unit, size));
        return () => rewrite(message, URL_BASE);
      },
      [500, 2_000, 8_000],
      LINEAR,
    );
    expect(exponent).toBeLessThan(LINEAR);
  });
});
