import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../../test/growth.ts';
import { MAX_TEXT_LINE } from '../../src/wire/limits.ts';
import { concatenate } from '../../src/wire/octets.ts';
import { createTransparency } from '../../src/wire/transparency.ts';
import {
  binary,
  CUTS,
  type Cut,
  join,
  latin1,
  octetsOf,
  perOctet,
  randomCut,
  whole,
} from './cuts.ts';

interface Sent {
  /** The mail data, one character for each octet, without the end of data. */
  readonly data: string;
  readonly octets: number;
}

/** What is sent of the content; undefined where it is refused. */
function send(content: Uint8Array, cut: Cut): Sent | undefined {
  const out: Uint8Array[] = [];
  // What is given out must not change afterwards: it is copied when it is compared, not before.
  const transparency = createTransparency('DATA', (piece) => out.push(piece));
  try {
    for (const chunk of cut(content)) transparency.push(chunk);
    transparency.end();
  } catch (error) {
    expect((error as Error).message).toBe('NUL or a line over 998 octets');
    return undefined;
  }
  return { data: binary(join(out)), octets: transparency.octets };
}

/** The reference: octet by octet, in the words of RFC 5321 §2.3.8 and §4.5.2. Undefined where it is refused. */
function reference(content: Uint8Array): { canonical: string; stuffed: string } | undefined {
  const lines: string[] = [];
  let line = '';
  let open = false;
  for (let at = 0; at < content.length; at += 1) {
    const octet = content[at] as number;
    if (octet === 0) return undefined;
    if (octet === 13 || octet === 10) {
      if (octet === 13 && content[at + 1] === 10) at += 1;
      lines.push(line);
      line = '';
      open = false;
    } else {
      line += String.fromCharCode(octet);
      open = true;
    }
  }
  if (open) lines.push(line);
  if (lines.some((one) => one.length > 998)) return undefined;
  const text = (all: readonly string[]): string => all.map((one) => `${one}\r\n`).join('');
  return {
    canonical: text(lines),
    stuffed: text(lines.map((one) => (one.charAt(0) === '.' ? `.${one}` : one))),
  };
}

/** The receiver of RFC 5321 §4.5.2: the content, and what was left behind the end of data. */
function receive(wire: string): { content: string; rest: string } | undefined {
  let content = '';
  let at = 0;
  for (;;) {
    const end = wire.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const line = wire.slice(at, end);
    at = end + 2;
    if (line === '.') return { content, rest: wire.slice(at) };
    content += `${line.charAt(0) === '.' ? line.slice(1) : line}\r\n`;
  }
}

const content = fc
  .array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.constantFrom('.', '\r', '\n', '\r\n', 'a', '..', '\r\n.', '.\r\n'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom('\r\n.\r\n', '\n.\n', '\r.\r', '.\n', 'QUIT', '\xe9'),
      },
      {
        weight: 1,
        arbitrary: fc.string({ maxLength: 4 }).map((text) => text.replaceAll('\0', '')),
      },
    ),
    { maxLength: 24 },
  )
  .map((pieces) => latin1(pieces.join('')));

describe('Transparency', () => {
  const cases: readonly [name: string, content: string, data: string][] = [
    ['is empty', '', ''],
    ['is one line', 'a\r\n', 'a\r\n'],
    ['lacks its last CR LF', 'a', 'a\r\n'],
    ['is a dot', '.', '..\r\n'],
    ['is a dot line', '.\r\n', '..\r\n'],
    ['is two dots', '..\r\n', '...\r\n'],
    ['begins with a dot', '.a\r\n', '..a\r\n'],
    ['has a dot line inside', 'a\r\n.\r\nb\r\n', 'a\r\n..\r\nb\r\n'],
    ['has a dot behind a bare LF', 'a\n.\nb', 'a\r\n..\r\nb\r\n'],
    ['has a dot behind a bare CR', 'a\r.\rb', 'a\r\n..\r\nb\r\n'],
    ['has LF dot CR LF', 'a\n.\r\nb', 'a\r\n..\r\nb\r\n'],
    ['has CR LF dot LF', 'a\r\n.\nb', 'a\r\n..\r\nb\r\n'],
    ['has CR LF dot CR', 'a\r\n.\rb', 'a\r\n..\r\nb\r\n'],
    ['has CR CR LF', 'a\r\r\n.', 'a\r\n\r\n..\r\n'],
    ['has LF CR', 'a\n\r.', 'a\r\n\r\n..\r\n'],
    ['ends with CR', 'a\r', 'a\r\n'],
    ['ends with LF', 'a\n', 'a\r\n'],
    ['is CR', '\r', '\r\n'],
    ['is LF', '\n', '\r\n'],
    ['is CR LF', '\r\n', '\r\n'],
    ['has dots inside a line', 'a.b..\r\n', 'a.b..\r\n'],
    ['has empty lines', '\r\n\r\n.', '\r\n\r\n..\r\n'],
    ['has NEL in UTF-8', 'a\xc2\x85.\r\n', 'a\xc2\x85.\r\n'],
    ['has vertical TAB and form feed', 'a\v.\f.\r\n', 'a\v.\f.\r\n'],
  ];

  describe.each(CUTS)('cut %s', (_, cut) => {
    test.each(cases)('Transparency gives mail data when the content %s', (_name, given, data) => {
      const sent = send(latin1(given), cut);
      const canonical = reference(latin1(given))?.canonical;
      expect(sent).toEqual({ data, octets: canonical?.length });
    });

    test('Transparency accepts a line when it has 998 octets', () => {
      const line = 'x'.repeat(998);
      expect(send(latin1(`${line}\r\n${line}\n${line}\r${line}`), cut)?.octets).toBe(4_000);
    });

    test('Transparency does not count the duplicated dot when a line has 998 octets', () => {
      const line = `.${'x'.repeat(997)}`;
      expect(send(latin1(line), cut)).toEqual({ data: `.${line}\r\n`, octets: 1_000 });
    });

    test.each(['', 'a\r\n', 'a\n', 'a\r'])(
      'Transparency throws when a line has 999 octets behind %j',
      (before) => {
        const line = 'x'.repeat(999);
        for (const after of ['', '\r\n', '\n', '\r', '\r\nb']) {
          expect(send(latin1(before + line + after), cut)).toBeUndefined();
        }
      },
    );

    test.each(['\0', 'a\0', '\0\r\n', 'a\r\n\0', '\r\0', '.\0'])(
      'Transparency throws when there is NUL in %j',
      (given) => {
        expect(send(latin1(given), cut)).toBeUndefined();
      },
    );
  });

  test('Transparency has the documented bound when it is read', () => {
    expect(MAX_TEXT_LINE).toBe(998);
  });

  test('Transparency equals a reference written octet by octet when content and cuts are random', () => {
    fc.assert(
      fc.property(content, randomCut, (octets, cut) => {
        const expected = reference(octets);
        for (const way of [whole, perOctet, cut]) {
          expect(send(octets, way)).toEqual(
            expected && { data: expected.stuffed, octets: expected.canonical.length },
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('Transparency is undone by an independent receiver when the content is hostile', () => {
    fc.assert(
      fc.property(content, randomCut, (octets, cut) => {
        const data = send(octets, cut)?.data ?? '';
        expect(receive(`${data}.\r\nNEXT`)).toEqual({
          content: reference(octets)?.canonical,
          rest: 'NEXT',
        });
      }),
      { numRuns: 2_000 },
    );
  });

  test('Transparency gives no end of data and no bare CR or LF when the content is hostile', () => {
    fc.assert(
      fc.property(content, randomCut, (octets, cut) => {
        const data = send(octets, cut)?.data ?? '';
        expect(`\r\n${data}`).not.toContain('\r\n.\r\n');
        expect(data.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        expect(data === '' || data.endsWith('\r\n')).toBe(true);
        for (const line of data.split('\r\n')) expect(line.length).toBeLessThanOrEqual(999);
      }),
      { numRuns: 2_000 },
    );
  });

  test('Transparency agrees on the limits when lines are about 998 octets long', () => {
    const nearly = fc.tuple(
      fc.integer({ min: 990, max: 1_004 }),
      fc.constantFrom('', '.', '..'),
      fc.constantFrom('\r\n', '\n', '\r', ''),
    );
    const long = fc
      .array(nearly, { minLength: 1, maxLength: 4 })
      .map((lines) =>
        latin1(
          lines
            .map(([length, start, end]) => start + 'x'.repeat(length - start.length) + end)
            .join(''),
        ),
      );
    fc.assert(
      fc.property(long, randomCut, (octets, cut) => {
        const expected = reference(octets);
        for (const way of [whole, perOctet, cut]) {
          expect(send(octets, way)?.data).toBe(expected?.stuffed);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('Transparency copies nothing when nothing had to change', () => {
    const chunk = octetsOf('Subject: a\r\n\r\nb\r\n');
    const out: Uint8Array[] = [];
    createTransparency('DATA', (piece) => out.push(piece)).push(chunk);
    expect([out.length, out[0]?.buffer]).toEqual([1, chunk.buffer]);
  });

  test('Transparency leaves the chunk as it was when something had to change', () => {
    const chunk = latin1('.a\n.\r\n');
    createTransparency('DATA', () => {}).push(chunk);
    expect(binary(chunk)).toBe('.a\n.\r\n');
  });

  test.each<[name: string, line: string]>([
    ['every line begins with a dot', '.\r\n'],
    ['every octet is LF', '\n'],
    ['every octet is CR', '\r'],
    ['no line end is bare but one', 'x'.repeat(70).concat('\r\n')],
    ['CR comes without LF', `${'x'.repeat(70)}\r`],
    ['LF comes without CR', `${'x'.repeat(70)}\n`],
  ])('Transparency takes time in proportion when %s', (_name, line) => {
    const exponent = growthExponent(
      (size) => {
        const octets = latin1(line.repeat(size / line.length));
        return () => createTransparency('DATA', () => {}).push(octets);
      },
      [2 ** 16, 2 ** 17, 2 ** 18, 2 ** 19],
      1.6,
    );
    expect(exponent).toBeLessThan(1.6);
  });

  test('Transparency takes time in proportion when content comes octet by octet', () => {
    const exponent = growthExponent(
      (size) => {
        const chunks = perOctet(latin1('.a line of text\r\n'.repeat(size / 16)));
        return () => {
          const transparency = createTransparency('DATA', () => {});
          for (const chunk of chunks) transparency.push(chunk);
        };
      },
      [2 ** 16, 2 ** 17, 2 ** 18],
      1.6,
    );
    expect(exponent).toBeLessThan(1.6);
  });
});

describe('concatenate()', () => {
  test('concatenate() gives the pieces as one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 5 }), { minLength: 1, maxLength: 6 }),
        (pieces) => {
          expect([...concatenate(pieces)]).toEqual(pieces.flatMap((piece) => [...piece]));
        },
      ),
    );
  });
});
