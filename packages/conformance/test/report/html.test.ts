import { type DefaultTreeAdapterMap, parse } from 'parse5';
import { describe, expect, test } from 'vitest';
import { htmlReport } from '../../src/report/html.ts';
import type { Report } from '../../src/report/report.ts';
import { HOSTILE, LONG, madeReport, SHOWN, UNSEEN } from './runs.ts';

type Node = DefaultTreeAdapterMap['node'];
type Element = DefaultTreeAdapterMap['element'];

const isElement = (node: Node): node is Element => 'tagName' in node;
const within = (node: Node): Element[] =>
  'childNodes' in node
    ? node.childNodes.flatMap((child) => (isElement(child) ? [child, ...within(child)] : []))
    : [];
const attribute = (element: Element, name: string): string | undefined =>
  element.attrs.find((one) => one.name === name)?.value;
const textOf = (node: Node): string =>
  'value' in node ? node.value : 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
const words = (node: Node | undefined): string =>
  node ? textOf(node).replace(/\s+/g, ' ').trim() : '';
const classes = (element: Element): string[] => (attribute(element, 'class') ?? '').split(' ');

interface Page {
  readonly html: string;
  readonly all: readonly Element[];
  readonly byId: ReadonlyMap<string, Element>;
  tags(name: string, inside?: Element): Element[];
  of(name: string, inside?: Element): Element[];
}

function open(reports: readonly Report[]): Page {
  const html = htmlReport(reports);
  const wrong: string[] = [];
  const document = parse(html, {
    sourceCodeLocationInfo: true,
    onParseError: ({ code, startLine, startCol }) =>
      wrong.push(`${code} at ${startLine}:${startCol}`),
  });
  expect(wrong).toEqual([]);
  const all = within(document);
  const ids = all.flatMap((element) => attribute(element, 'id') ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  return {
    html,
    all,
    byId: new Map(all.map((element) => [attribute(element, 'id') ?? '', element])),
    tags: (name, inside) =>
      (inside ? within(inside) : all).filter(({ tagName }) => tagName === name),
    of: (name, inside) =>
      (inside ? within(inside) : all).filter((one) => classes(one).includes(name)),
  };
}

const report = madeReport();
const hostile = madeReport(true);
/** A client of which there is only one case, and a second run of the first one. */
const other: Report = {
  ...report,
  client: { name: 'other', version: '' },
  cases: report.cases.slice(0, 1),
};
const pages = {
  plain: open([report]),
  hostile: open([hostile]),
  several: open([report, other, report]),
};

describe('the HTML report', () => {
  test.each(Object.entries(pages))(
    '%s: runs nothing, loads nothing, and sends nothing',
    (_, page) => {
      const names = new Set(page.all.map(({ tagName }) => tagName));
      for (const name of [
        'script',
        'iframe',
        'object',
        'embed',
        'img',
        'form',
        'base',
        'svg',
        'video',
      ])
        expect([...names]).not.toContain(name);
      for (const { name, value } of page.all.flatMap(({ attrs }) => attrs)) {
        expect(name).not.toMatch(/^on|^(src|srcset|action|formaction|ping|background)$/);
        if (name === 'href') expect(value).toMatch(/^(#[\w-]+|data:,)$/);
        if (name === 'style') expect(value).toMatch(/^flex-grow:\d+$/);
      }
      const [style] = page.tags('style');
      expect(words(style)).not.toMatch(/url\(|@import|https?:|expression|<\//);
      const policy = page
        .tags('meta')
        .find((one) => attribute(one, 'http-equiv') === 'Content-Security-Policy');
      expect(attribute(policy as Element, 'content')).toMatch(
        /^default-src 'none'; style-src 'unsafe-inline';/,
      );
    },
  );

  test.each(Object.entries(pages))('%s: every link leads to what is there', (_, page) => {
    const links = page.tags('a').map((one) => attribute(one, 'href') ?? '');
    expect(links.length).toBeGreaterThan(20);
    for (const link of links) expect(page.byId.has(link.slice(1))).toBe(true);
  });

  test('shows hostile text as text, in every place', () => {
    const page = pages.hostile;
    expect(page.html).not.toMatch(UNSEEN);
    const [first] = hostile.cases;
    expect(words(page.tags('title')[0])).toBe(`SMTP client conformance: mine ${SHOWN} ${SHOWN}`);
    expect(words(page.tags('h4')[0])).toBe(`${first?.id} ${first?.title.replace(HOSTILE, SHOWN)}`);
    expect(words(page.of('clause')[0])).toBe(SHOWN);
    expect(words(page.of('wanted')[0])).toBe(`Expected ${SHOWN}`);
    expect(
      page
        .of('violation')
        .filter(({ tagName }) => tagName === 'dd')
        .map(words),
    ).toContain(SHOWN);
    expect(page.tags('h5').map(words)).toContain(`first ${SHOWN}`);
    expect(page.tags('dd').map(words)).toContain(LONG);
    const lines = page.tags('code').map(textOf);
    for (const line of [
      'EHLO <script>',
      '250-caf\\xe9 \\x1b[2J\\x00\\n',
      '250-Привет',
      `the handshake failed: ${SHOWN}`,
    ])
      expect(lines).toContain(line);
    expect(lines).toContain('250 no end (no line end)');
  });

  test('tells escapes from text that looks like one', () => {
    const actual = pages.plain.of('violation').find((one) => words(one) === SHOWN) as Element;
    const escapes = pages.plain.tags('s', actual).map(textOf);
    expect(escapes).toContain('\\x1b');
    expect(escapes).toContain('\\u202e');
    expect(escapes).not.toContain('\\\\');
  });

  test('has a matrix: a row for each case, a column for each client, each cell a link to its result', () => {
    const page = pages.several;
    const [table] = page.tags('table');
    const heads = page.tags('thead', table).flatMap((head) => page.tags('th', head));
    expect(heads.map(words)).toEqual(['Case', 'mine 1.0.0', 'other', 'mine 1.0.0 (2)']);
    const ids = [...new Set(report.cases.map(({ id }) => id))];
    for (const [index, id] of ids.entries()) {
      const row = page.byId.get(`row-${id}`) as Element;
      const article = page.byId.get(id) as Element;
      expect(words(page.tags('a', row)[0])).toBe(id);
      const cells = page.tags('td', row);
      expect(cells).toHaveLength(3);
      for (const [column, cell] of cells.entries()) {
        const [link] = page.tags('a', cell);
        if (column === 1 && index > 0) {
          expect([link, words(cell)]).toEqual([undefined, '·']);
          continue;
        }
        const target = page.byId.get(attribute(link as Element, 'href')?.slice(1) ?? '') as Element;
        expect(within(article)).toContain(target);
        const name = words(heads[column + 1]);
        const [verdict] = /[A-Z]+$/.exec(words(link)) ?? [];
        expect(attribute(target, 'aria-label')).toBe(`${name}: ${verdict}`);
      }
    }
  });

  test('shows the worst of the deliveries, and which it was', () => {
    const [warned] = report.cases.filter(({ verdict }) => verdict === 'WARN');
    const page = pages.plain;
    const [cell] = page.tags('td', page.byId.get(`row-${warned?.id}`) as Element);
    expect(words(cell)).toBe('! WARN whole, line');
    const result = page.byId.get(`${warned?.id}-1`) as Element;
    expect(page.of('delivery', result).map(words)).toEqual([
      'whole ! WARN',
      'line ! WARN',
      'byte ✓ PASS',
    ]);
    // A wire log for each way in which it came out, not for each delivery.
    expect(page.tags('summary', result).map(words)).toEqual([
      'Wire log, replies by whole',
      'Wire log, replies by byte',
    ]);
  });

  test('says of each case its clause, what is expected, and what was broken', () => {
    const page = pages.plain;
    const failed = report.cases.find(({ verdict }) => verdict === 'FAIL');
    const article = page.byId.get(failed?.id ?? '') as Element;
    expect(words(page.of('clause', article)[0])).toBe(failed?.clause);
    expect(words(page.of('wanted', article)[0])).toBe(`Expected ${failed?.requirement}`);
    const [reasons] = page.of('reasons', article);
    const level = failed?.level === 'MUST' ? '' : 'MUST ';
    expect(page.tags('dd', reasons).map(words)).toEqual([
      `${level}a text ${SHOWN}`,
      SHOWN,
      'SHOULD QUIT',
      'none',
      `${level}nothing long`,
      LONG,
      `${level}no such path`,
      '"MAIL FROM:<a@example.com> # ]]>", "NOOP \\u0001\\n"',
    ]);
    expect(page.tags('summary', article).map(words)).toEqual([
      `Wire log: first ${SHOWN} ✗ FAIL`,
      'Wire logs of 2 plays, which did not fail',
    ]);
    expect(words(page.of('said', article)[0])).toMatch(
      /^The client reports failure \(protocol, 554, 5\.7\.1, delivery: unknown, EPROTOCOL\): <script>/,
    );
    expect(page.of('said', article).map(words)).toContain('mine has no dsn');
  });

  test('marks who said what, what was inside TLS, and the line that was wrong', () => {
    const page = pages.plain;
    const failed = report.cases.find(({ verdict }) => verdict === 'FAIL');
    const [wire] = page.of('wire', page.byId.get(failed?.id ?? ''));
    const lines = page
      .tags('li', wire)
      .map((line) => [
        attribute(line, 'class'),
        ...page.tags('b', line).map(words),
        words(page.tags('code', line)[0]),
      ]);
    expect(lines.slice(0, 9)).toEqual([
      ['s', 'S', '220 mail.example.com ESMTP'],
      ['c', 'C', 'EHLO <script>'],
      ['c', 'C', 'STARTTLS'],
      ['s', 'S', '220 2.0.0 go ahead'],
      ['n', '–', 'TLS handshake'],
      ['n t', '– tls', 'TLS: TLSv1.3, server name none'],
      ['c t violation', 'C tls', 'MAIL FROM:<a@example.com> # ]]>'],
      ['c t violation', 'C tls', 'NOOP \\x01\\n'],
      ['s t', 'S tls', '250-caf\\xe9 \\x1b[2J\\x00\\n'],
    ]);
    const marked = page.of('violation').filter(({ tagName }) => tagName === 'li');
    // Where it failed, and not in the plays and cases that say the same and passed.
    expect(marked).toHaveLength(2);
  });

  test('counts: for each client, and for each of its groups', () => {
    const page = pages.several;
    expect(page.of('counts').map(words)).toEqual([
      '6 ✗ FAIL 2 ! WARN 3 ? ERROR 3 × XFAIL 4 ✓ PASS 3 i INFO 3 – SKIP',
      '6 ✗ FAIL 2 ! WARN 3 ? ERROR 3 × XFAIL 4 ✓ PASS 3 i INFO 3 – SKIP',
      '6 ✗ FAIL 2 ! WARN 3 ? ERROR 3 × XFAIL 4 ✓ PASS 3 i INFO 3 – SKIP',
    ]);
    const [group] = page.of('group');
    // Of eight cases one is not judged and one not played.
    expect(page.tags('td', group).map(words)).toEqual(['1/6', '1/1', '1/6']);
  });

  test("has ids for cases whose own are no ids, and for those that would be the page's", () => {
    const [one] = report.cases;
    if (!one) throw new Error('there is no case');
    const ids = [
      'matrix',
      'row-row-A',
      'cases-title',
      'show-FAIL',
      'a b',
      'a-b',
      '"><b>',
      '',
      'A',
      'A-1',
      'constructor',
    ];
    const page = open([{ ...report, cases: ids.map((id) => ({ ...one, id })) }]);
    for (const link of page.tags('a'))
      expect(page.byId.has(attribute(link, 'href')?.slice(1) ?? '')).toBe(true);
    expect(page.tags('article')).toHaveLength(ids.length);
  });

  test('of nothing is still a page', () => {
    expect(words(open([{ ...report, cases: [] }]).tags('h1')[0])).toBe('SMTP client conformance');
    expect(open([]).tags('table')).toHaveLength(1);
  });

  test('grows as the runs do, and no faster than they', () => {
    const many = (times: number): Report => ({
      ...report,
      cases: Array.from({ length: times }, (_, index) =>
        report.cases.map((one) => ({ ...one, id: `${one.id}-${index}` })),
      ).flat(),
    });
    const size = (times: number): number => htmlReport([many(times)]).length;
    expect(size(20) / size(10)).toBeLessThan(2.1);
  });
});
