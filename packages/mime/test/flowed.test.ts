import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../test/growth.ts';
import { flowed } from '../src/flowed.ts';

interface Paragraph {
  readonly depth: number;
  readonly text: string;
}

/** Quote depth and content of one line (RFC 3676 §4.5, §4.4): the marks counted, the space behind them removed. */
function readLine(line: string): Paragraph {
  let depth = 0;
  while (line[depth] === '>') depth += 1;
  return { depth, text: line.slice(line[depth] === ' ' ? depth + 1 : depth) };
}

/**
 * A reader of format=flowed, DelSp=no (RFC 3676 §4.1), that forgives nothing: what readers treat differently is an error.
 */
function readFlowed(text: string): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let open: Paragraph | undefined;
  for (const line of text.split('\r\n')) {
    if (/[\r\n]/.test(line)) throw new Error('a bare CR or LF');
    if (line.startsWith('From ')) throw new Error('a line that mailbox files quote');
    const { depth, text: content } = readLine(line);
    // RFC 3676 §4.3: it is fixed, though it ends with a space.
    const signature = content === '-- ';
    if (open !== undefined && signature) throw new Error('a signature separator in a paragraph');
    if (open !== undefined && open.depth !== depth) throw new Error('two quote depths in one');
    open = { depth, text: (open?.text ?? '') + content };
    if (line.endsWith(' ') && !signature) {
      if (content === '') throw new Error('a line of nothing that may flow or not');
      continue;
    }
    paragraphs.push(open);
    open = undefined;
  }
  if (open !== undefined) throw new Error('the last line flows into nothing');
  return paragraphs;
}

/** What flowed() promises that the reader gets, said of the input. */
function paragraphsOf(input: string): Paragraph[] {
  return input
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n')
    .split('\n')
    .map((line) => {
      const { depth, text } = readLine(line);
      // Without a quote, what is in front of the text is part of it.
      const content = depth > 0 ? text : line;
      let end = content.length;
      while (content[end - 1] === ' ') end -= 1;
      return { depth, text: content === '-- ' ? content : content.slice(0, end) };
    });
}

const lines = (...all: string[]): string => all.join('\r\n');
const x = (length: number): string => 'x'.repeat(length);

describe('flowed()', () => {
  test.each([
    ['', ''],
    ['a', 'a'],
    ['a\n', 'a\r\n'],
    ['a\n\n', 'a\r\n\r\n'],
    ['a\nb\rc\r\nd', 'a\r\nb\r\nc\r\nd'],
    ['\r\n\r', '\r\n\r\n'],
    ['a\n\rb', 'a\r\n\r\nb'],
    ['a\u2028b\u2029 c\u0085d\ve', 'a\u2028b\u2029 c\u0085d\ve'],
  ])('has for each line of %j one with CRLF, and no other at the end', (text, expected) => {
    expect(flowed(text)).toBe(expected);
  });

  test.each([
    ['a ', 'a'],
    ['a   \nb', 'a\r\nb'],
    ['   ', ''],
    ['a\t ', 'a\t'],
    ['a\t', 'a\t'],
    ['a\u00a0 ', 'a\u00a0'],
    ['a  b  ', 'a  b'],
    ['> ', '>'],
    ['>> a  ', '>> a'],
  ])('removes the spaces at the end of a line of %j', (text, expected) => {
    expect(flowed(text)).toBe(expected);
  });

  test.each([
    ['-- ', '-- '],
    ['a\n-- \nb', 'a\r\n-- \r\nb'],
    ['> -- ', '> -- '],
    ['>>-- ', '>>-- '],
    // None of these is one.
    ['--', '--'],
    ['--  ', '--'],
    ['- ', '-'],
    ['--- ', '---'],
    ['a-- ', 'a--'],
    ['-- -- ', '-- --'],
    [' -- ', '  --'],
    ['>  -- ', '>  --'],
    ['> > -- ', '> > --'],
  ])('keeps the space of a signature separator only: %j', (text, expected) => {
    expect(flowed(text)).toBe(expected);
  });

  test.each([
    [' a', '  a'],
    ['  a', '   a'],
    ['From a', ' From a'],
    [' > a', '  > a'],
    ['From', 'From'],
    ['From ', 'From'],
    ['From:', 'From:'],
    ['from a', 'from a'],
    ['\ta', '\ta'],
    ['\u00a0a', '\u00a0a'],
    ['.', '.'],
  ])('stuffs %j with a space where it begins with one or with "From "', (text, expected) => {
    expect(flowed(text)).toBe(expected);
  });

  test.each(['>', '>a', '> a', '>> a', '> > a', '>  a', '>From a', '> From a'])(
    'leaves the quoted line %j as it is',
    (text) => {
      expect(flowed(text)).toBe(text);
    },
  );

  test.each([
    ['76 characters, which are one line', `${x(70)} ${x(5)}`, [`${x(70)} ${x(5)}`]],
    ['77 characters', `${x(70)} ${x(6)}`, [`${x(70)} `, x(6)]],
    ['words', 'word '.repeat(30), ['word '.repeat(15), `${'word '.repeat(14)}word`]],
    ['a word of 76', `a ${x(76)} b`, ['a ', `${x(76)} `, 'b']],
    ['a word of 998', `a ${x(998)} b`, ['a ', `${x(998)} `, 'b']],
    ['one long word', x(1_000), [x(1_000)]],
    ['spaces at its end', `${x(76)}   `, [x(76)]],
    ['many spaces inside', `a${' '.repeat(100)}b`, [`a${' '.repeat(74)}`, `${' '.repeat(27)}b`]],
    ['76 and stuffing', ` ${x(70)} ${x(4)}`, [`  ${x(70)} `, x(4)]],
    ['">" after the break', `${x(74)} > a`, [`${x(74)} `, ' > a']],
    ['">>" after the break', `${x(74)} >>a`, [`${x(74)} `, ' >>a']],
    ['"From " after the break', `${x(74)} From a`, [`${x(74)} `, ' From a']],
    ['"From" after the break', `${x(75)} From`, [`${x(75)} `, 'From']],
    ['a space after the break', `${x(76)}  a`, [`${x(76)} `, '  a']],
    ['tabs', `${'a\t'.repeat(40)}b`, [`${'a\t'.repeat(40)}b`]],
    ['U+2028', 'a\u2028 '.repeat(30), ['a\u2028 '.repeat(25), `${'a\u2028 '.repeat(4)}a\u2028`]],
    ['emoji', `${'😀'.repeat(50)} 😀`, [`${'😀'.repeat(50)} `, '😀']],
  ])('breaks a paragraph after a space: %s', (_, text, expected) => {
    expect(flowed(text)).toBe(lines(...expected));
  });

  test.each([
    ['> ', `> ${'word '.repeat(20)}`, [`> ${'word '.repeat(14)}`, `> ${'word '.repeat(5)}word`]],
    ['>> ', `>> ${x(70)} ${x(6)}`, [`>> ${x(70)} `, `>> ${x(6)}`]],
    ['>', `>${x(70)} ${x(6)}`, [`> ${x(70)} `, `> ${x(6)}`]],
    ['> >', `> > ${x(70)} ${x(6)}`, [`> > ${x(70)} `, `> ${x(6)}`]],
    ['>  ', `>  ${x(70)} ${x(6)}`, [`>  ${x(70)} `, `> ${x(6)}`]],
    ['> and then >', `> ${x(70)} > ${x(6)}`, [`> ${x(70)} > `, `> ${x(6)}`]],
    ['> and a break before >', `> ${x(73)} > a`, [`> ${x(73)} `, '> > a']],
    ['> and a break before From', `> ${x(73)} From a`, [`> ${x(73)} `, '> From a']],
    ['> and a long word', `> a ${x(100)} b`, ['> a ', `> ${x(100)} `, '> b']],
  ])('quotes each line of a paragraph that begins with %j', (_, text, expected) => {
    expect(flowed(text)).toBe(lines(...expected));
  });

  test.each([
    ['first', `-- ${x(73)} a`, [`-- ${x(73)} `, 'a']],
    ['in the middle', `${x(74)} -- ${x(80)} a`, [`${x(74)} `, `-- ${x(80)} `, 'a']],
    ['quoted', `> -- ${x(80)} a`, [`> -- ${x(80)} `, '> a']],
    ['last', `${x(76)} --`, [`${x(76)} `, '--']],
    ['twice', `-- -- ${x(80)}`, ['-- -- ', x(80)]],
    ['with room', `-- ${x(40)} ${x(40)}`, [`-- ${x(40)} `, x(40)]],
  ])('lets no soft break make a signature separator: %s', (_, text, expected) => {
    expect(flowed(text)).toBe(lines(...expected));
  });

  test('breaks text quoted 37 deep, and none deeper', () => {
    const deep = (depth: number): string => `${'>'.repeat(depth)} ${x(30)} ${x(30)}`;
    expect(flowed(deep(37))).toBe(lines(deep(37).slice(0, -30), `${'>'.repeat(37)} ${x(30)}`));
    expect(flowed(deep(38))).toBe(deep(38));
  });
});

describe('any text', () => {
  const token = fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[a-z]{1,12}$/) },
    fc.integer({ min: 1, max: 90 }).map((length) => ' '.repeat(length)),
    fc.constantFrom('>', '> ', '>>', 'From ', 'From', '-- ', '--', '-', '\t', '\u00a0', '.', ' '),
    fc.constantFrom('\u2028', '\u2029', '\u0085', '\v', '\f', '\0', '😀', 'é', '\ud800', '\udc00'),
    fc.integer({ min: 60, max: 80 }).map(x),
    fc.constantFrom(x(998), '😀'.repeat(40), '>'.repeat(36), '>'.repeat(40)),
  );
  /** Tokens with spaces or nothing between. */
  const line = fc
    .array(fc.tuple(token, fc.constantFrom('', ' ')), { maxLength: 25 })
    .map((tokens) => tokens.flat().join(''));
  const ending = fc.constantFrom('\n', '\r', '\r\n');
  const text = fc
    .tuple(line, fc.array(fc.tuple(ending, line), { maxLength: 4 }))
    .map(([first, rest]) => [first, ...rest.flat()].join(''));
  const runs = { numRuns: process.env['LARGE'] ? 1_500 : 150 };

  test('is read back as it was, but for spaces at the end of its lines', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (input) => {
        expect(readFlowed(flowed(input))).toEqual(paragraphsOf(input));
      }),
      runs,
    );
  });

  test('has no line of more than 76 characters, but one word, or what is quoted very deep', () => {
    fc.assert(
      fc.property(text, (input) => {
        for (const each of flowed(input).split('\r\n')) {
          const { depth, text: content } = readLine(each);
          if (each.length > 76 && depth <= 37) expect(content).toMatch(/^(-- )?[^ ]+ ?$/);
        }
      }),
      runs,
    );
  });

  test('is broken no more than needed: the next word would not have fitted', () => {
    fc.assert(
      fc.property(text, (input) => {
        const all = flowed(input).split('\r\n');
        all.slice(1).forEach((next, at) => {
          const before = all[at] as string;
          if (!before.endsWith(' ') || readLine(before).text === '-- ') return;
          const [word = ''] = /^ ?[^ ]* ?/.exec(readLine(next).text) ?? [];
          // A column may be lost to stuffing that was not needed.
          expect(before.length + word.length).toBeGreaterThanOrEqual(76);
        });
      }),
      runs,
    );
  });

  test('gives the same with other line ends, and without the spaces at the end of its lines', () => {
    fc.assert(
      fc.property(text, (input) => {
        const output = flowed(input);
        expect(flowed(input.replaceAll(/\r\n?/g, '\n'))).toBe(output);
        const trimmed = paragraphsOf(input).map(
          ({ depth, text: content }) =>
            '>'.repeat(depth) + (depth > 0 && content !== '' ? ' ' : '') + content,
        );
        expect(readFlowed(flowed(trimmed.join('\n')))).toEqual(readFlowed(output));
      }),
      runs,
    );
  });

  test('is left alone when nothing in it is long, stuffed or followed by spaces', () => {
    const plain = fc.array(fc.stringMatching(/^([a-z>.-]|[a-z] [a-z]){0,25}$/), { maxLength: 5 });
    fc.assert(
      fc.property(plain, (all) => {
        expect(flowed(all.join('\n'))).toBe(lines(...all));
        expect(flowed(flowed(all.join('\n')))).toBe(lines(...all));
      }),
    );
  });

  test('is the paragraphs one by one', () => {
    fc.assert(
      fc.property(line, line, (first, second) => {
        expect(flowed(`${first}\n${second}`)).toBe(lines(flowed(first), flowed(second)));
      }),
    );
  });
});

describe('time grows with size, not with its square', () => {
  const LINEAR = 1.6;
  const sizes = [10_000, 20_000, 40_000, 80_000];

  test.each([
    'a',
    ' ',
    'a ',
    `${x(80)} `,
    `${x(80)}  `,
    `a ${x(80)} `,
    '>',
    '> ',
    '>\n',
    '-- ',
    `-- ${x(80)} `,
    'From ',
    `${x(74)} > `,
    '\r',
    '\n',
    'a\n',
    ' \n',
    `${x(76)}${' '.repeat(100)}\n`,
    '😀',
  ])('%j', (unit) => {
    const exponent = growthExponent(
      (size) => {
        const filled = unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
        const half = filled.slice(0, size / 2);
        const quotes = '>'.repeat(size / 2);
        const works = [
          filled,
          `${filled}x`,
          `x${filled}x`,
          `> ${filled}x`,
          `${'>'.repeat(37)}${filled}x`,
          `${quotes} ${half}x`,
          `x${' '.repeat(size / 2)}${half}x`,
        ];
        return () => {
          for (const work of works) flowed(work);
        };
      },
      sizes,
      LINEAR,
    );
    expect(exponent).toBeLessThan(LINEAR);
  });

  test('and so does the result, however deep the quote', () => {
    for (const depth of [0, 1, 20, 37, 38, 100, 1_000, 50_000]) {
      const text = `${'>'.repeat(depth)} ${'a '.repeat(50_000)}`;
      expect(flowed(text).length).toBeLessThan(3 * text.length);
    }
  });

  test('and a word, or a run of spaces, of 16 MB exhausts no stack', () => {
    const size = 16_000_000;
    expect(flowed(x(size)).length).toBe(size);
    expect(flowed(`a ${x(size)}`).length).toBe(size + 4);
    expect(flowed(' '.repeat(size))).toBe('');
    expect(flowed('>'.repeat(size)).length).toBe(size);
  });
});
