/**
 * The pages in Russian against the English ones: the same parts in the same order, the same code, names, links and figures,
 * section by section. So what is changed in one and forgotten in the other fails. Knows no Russian but the letters.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents, isTranslation, originalOf } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

const read = (document: string): string => readFileSync(join(root, document), 'utf8');

const translations = [...readdirSync(root), ...documents].filter(
  (name) => name.endsWith('.md') && isTranslation(name),
);
const translationOf = new Map(translations.map((name) => [originalOf(name), name]));

interface Section {
  /** What there is, in its order: `##`, `paragraph`, `code`, `list of 6`, `table of 4, 4, 4`: cells of each row. */
  readonly parts: readonly string[];
  readonly code: readonly string[];
  /** Paragraphs, items and rows. */
  readonly prose: readonly string[];
}

const FENCED = /^```[\s\S]*?^```$/gm;
const withoutCode = (text: string): string => text.replace(/`[^`]*`/g, '`');

function partOf(block: string): string {
  if (/^#+ /.test(block)) return block.replace(/ [\s\S]*/, '');
  if (block === '```') return 'code';
  if (block.startsWith('- ')) return `list of ${block.match(/^- /gm)?.length}`;
  if (!block.startsWith('|')) return 'paragraph';
  const cells = block.split('\n').map((row) => withoutCode(row).split('|').length - 2);
  return `table of ${cells.join(', ')}`;
}

/** Each begins with a heading. */
function sectionsOf(document: string): Section[] {
  const text = read(document);
  const fenced = text.match(FENCED) ?? [];
  const blocks = text
    .replace(FENCED, '\n\n```\n\n')
    .trim()
    .split(/\n{2,}/);
  const sections: string[][] = [];
  for (const block of blocks) {
    if (partOf(block).startsWith('#')) sections.push([]);
    sections.at(-1)?.push(block);
  }
  return sections.map((own) => ({
    parts: own.map(partOf),
    code: own.flatMap((block) => (block === '```' ? (fenced.shift() ?? '') : [])),
    prose: own
      .filter((block) => block !== '```')
      .flatMap((block) => block.split(/\n(?=[-|])/))
      .map((piece) => piece.replace(/\s*\n\s*/g, ' ')),
  }));
}

/** What an expression finds in the prose of each section. A sentence may put it in another order. */
const inSections = (
  document: string,
  found: (prose: string) => readonly (string | undefined)[],
): string[] =>
  sectionsOf(document).map(({ prose }) => found(prose.join('\n')).toSorted().join('\n'));

const names = (prose: string) => prose.match(/`[^`]+`/g) ?? [];

const targets = (prose: string) => [...prose.matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to);

const withoutTargets = (prose: string): string => withoutCode(prose).replace(/\]\([^)]+\)/g, ']');

/** English groups its digits by a comma, Russian by a space that does not break. */
const figures = (prose: string) =>
  withoutTargets(prose)
    .replace(/(?<=\d)[,\u00a0](?=\d{3}(?!\d))/g, '')
    .match(/\d+(?:\.\d+)*/g) ?? [];

/** Where a link leads, from the root. A heading of a translated page has another anchor: `npm run docs` looks for it. */
function placeOf(document: string, link = ''): string {
  if (/^\w+:/.test(link)) return link;
  const [path = '', anchor] = link.split('#');
  const place = path ? join(dirname(document), path) : document;
  const translated = isTranslation(place) || translationOf.has(place);
  return anchor === undefined ? place : `${place}#${translated ? '' : anchor}`;
}

/** The page in the other language, where there is one. */
function mirrored(place: string): string {
  const [, path = '', anchor = ''] = /^([^#]*)(.*)$/.exec(place) ?? [];
  return `${isTranslation(path) ? originalOf(path) : (translationOf.get(path) ?? path)}${anchor}`;
}

it('README.md and the first steps are in Russian too', () => {
  expect(translations).toEqual(
    expect.arrayContaining(['README.ru.md', 'docs/ru/getting-started.md']),
  );
});

describe.each(translations)('%s', (document) => {
  const original = originalOf(document);

  it('has an English page, and each leads to the other below its title', () => {
    expect(existsSync(join(root, original))).toBe(true);
    for (const page of [document, original]) {
      const switching = sectionsOf(page)[0]?.prose[1] ?? '';
      expect(targets(switching).map((link) => placeOf(page, link))).toEqual([mirrored(page)]);
    }
  });

  it('has the headings, paragraphs, lists and tables of the English page', () => {
    const parts = sectionsOf(document).map((section) => section.parts);
    expect(parts).toEqual(sectionsOf(original).map((section) => section.parts));
  });

  it('has its blocks of code', () => {
    const code = sectionsOf(document).map((section) => section.code);
    expect(code).toEqual(sectionsOf(original).map((section) => section.code));
  });

  it('has what stands as code in its sentences', () => {
    expect(inSections(document, names)).toEqual(inSections(original, names));
  });

  it('leads where it leads, to a page in Russian where there is one', () => {
    expect(
      inSections(document, (prose) => targets(prose).map((link) => placeOf(document, link))),
    ).toEqual(
      inSections(original, (prose) =>
        targets(prose).map((link) => mirrored(placeOf(original, link))),
      ),
    );
  });

  it('has its figures', () => {
    expect(inSections(document, figures)).toEqual(inSections(original, figures));
  });

  it('is in Russian', () => {
    const prose = sectionsOf(document).flatMap((section) => section.prose.map(withoutTargets));
    // A title may be a name, and a row of a table be made of them.
    const said = prose.filter((piece) => !/^[#|]/.test(piece));
    expect(said.filter((piece) => !/[а-яё]/i.test(piece))).toEqual([]);
    // Quotation marks are «these», a dash is — this.
    expect(prose.filter((piece) => /["“”„]|[^|-] --? /.test(piece))).toEqual([]);
  });
});

it('README.ru.md shows each budget', () => {
  const rows = [...read('README.ru.md').matchAll(/^\| `(.*)` из `(.*)` \| (\d+) \|$/gm)];
  const budgets: { import: string; from: string | string[]; maxGzip: number }[] = JSON.parse(
    read('budgets.json'),
  );
  expect(rows.map(([, name, from, octets]) => [name, from, Number(octets)])).toEqual(
    budgets.map((budget) => [budget.import, [budget.from].flat().join(', '), budget.maxGzip]),
  );
});
