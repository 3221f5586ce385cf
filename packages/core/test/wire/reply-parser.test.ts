import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../../test/growth.ts';
import { MAX_REPLY, MAX_REPLY_LINE } from '../../src/wire/limits.ts';
import { makeReply, type Reply } from '../../src/wire/reply.ts';
import { createReplyParser } from '../../src/wire/reply-parser.ts';
import { CUTS, type Cut, latin1, octetsOf, perOctet, randomCut, whole } from './cuts.ts';

interface Parsed {
  readonly replies: readonly Reply[];
  /** The message of the fault, where one was thrown. */
  readonly fault: string | undefined;
  /** Whether octets are held that have not become a reply: then a server that has to be silent was not. */
  readonly pending: boolean;
}

const NOTHING = new Uint8Array(0);

function parse(chunks: readonly Uint8Array[]): Parsed {
  const next = createReplyParser();
  const replies: Reply[] = [];
  try {
    for (const chunk of chunks) {
      for (let reply = next(chunk); reply !== undefined; reply = next(NOTHING)) {
        replies.push(makeReply(reply));
      }
    }
  } catch (error) {
    return { replies, fault: (error as Error).message, pending: true };
  }
  let pending = false;
  try {
    next(NOTHING, true);
  } catch {
    pending = true;
  }
  return { replies, fault: undefined, pending };
}

const parseText = (text: string, cut: Cut = whole): Parsed => parse(cut(octetsOf(text)));

const REFUSED = /^no reply: "/;

/** The one reply of a text. */
function only(text: string): Reply {
  const { replies, fault, pending } = parse([octetsOf(text)]);
  expect(fault).toBeUndefined();
  expect(pending).toBe(false);
  expect(replies).toHaveLength(1);
  return replies[0] as Reply;
}

describe('ReplyParser accepts what RFC 5321 §4.2 allows', () => {
  const accepted: readonly [name: string, wire: string, code: number, lines: string[]][] = [
    ['a code and text', '250 ok\r\n', 250, ['ok']],
    ['a bare code', '250\r\n', 250, ['']],
    ['a code and a blank', '250 \r\n', 250, ['']],
    ['a multi-line reply', '250-a\r\n250-b\r\n250 c\r\n', 250, ['a', 'b', 'c']],
    ['an empty continuation line', '250-\r\n250 c\r\n', 250, ['', 'c']],
    ['a multi-line reply that ends with a bare code', '250-a\r\n250\r\n', 250, ['a', '']],
    ['text with leading and trailing blanks', '250  a \r\n', 250, [' a ']],
    ['text that looks like a reply', '550 250 ok\r\n', 550, ['250 ok']],
    ['text that begins with a hyphen', '250 -a\r\n', 250, ['-a']],
    ['the lowest code', '200 a\r\n', 200, ['a']],
    ['the highest code', '599 a\r\n', 599, ['a']],
    ['an unknown second digit', '498 a\r\n', 498, ['a']],
    ['an intermediate code', '354 go\r\n', 354, ['go']],
    ['TAB in the text', '250 a\tb\r\n', 250, ['a\tb']],
    ['UTF-8 in the text', '250 Привет 👋\r\n', 250, ['Привет 👋']],
    ['a byte order mark in the text', '250 \ufeffa\r\n', 250, ['\ufeffa']],
  ];

  describe.each(CUTS)('cut %s', (_, cut) => {
    test.each(accepted)('ReplyParser gives one reply when it is %s', (_name, wire, code, lines) => {
      const { replies, fault, pending } = parseText(wire, cut);
      expect({ fault, pending }).toEqual({ fault: undefined, pending: false });
      expect(replies).toEqual([{ code, lines, text: lines.join(' ') }]);
    });

    test.each(accepted)('ReplyParser keeps what follows when it is %s', (_name, wire, code) => {
      const { replies, fault, pending } = parseText(`${wire}354 next\r\n25`, cut);
      expect(fault).toBeUndefined();
      expect(replies.map((reply) => reply.code)).toEqual([code, 354]);
      expect(pending).toBe(true);
    });
  });
});

describe('ReplyParser refuses what is no reply', () => {
  const refused: readonly [name: string, wire: string | Uint8Array][] = [
    ['a bare LF', '250 ok\n'],
    ['a bare LF in front of a whole reply', '250 a\n250 b\r\n'],
    ['LF CR', '250 ok\n\r'],
    ['an empty line', '\r\n'],
    ['a line of blanks', '   \r\n'],
    ['two digits', '25 ok\r\n'],
    ['one digit', '2 ok\r\n'],
    ['four digits', '2500\r\n'],
    ['four digits and text', '2500 ok\r\n'],
    ['a letter for a digit', '25x ok\r\n'],
    ['no code', 'ok\r\n'],
    ['a leading blank', ' 250 ok\r\n'],
    ['a leading TAB', '\t250 ok\r\n'],
    ['a leading hyphen', '-250 ok\r\n'],
    ['a sign', '+250 ok\r\n'],
    ['TAB for the separator', '250\tok\r\n'],
    ['NUL for the separator', '250\0ok\r\n'],
    ['a no-break space for the separator', '250\u00a0ok\r\n'],
    ['a code with a point', '250.1 ok\r\n'],
    ['digits of another script', '\u0662\u0665\u0660 ok\r\n'],
    ['fullwidth digits', '\uff12\uff15\uff10 ok\r\n'],
    ['a code below 200', '199 a\r\n'],
    ['a preliminary code', '100 a\r\n'],
    ['a code above 599', '600 a\r\n'],
    ['three zeros', '000 a\r\n'],
    ['a leading zero', '025 a\r\n'],
    ['a last line of another code', '250-a\r\n550 b\r\n'],
    ['a middle line of another code', '250-a\r\n251-b\r\n250 c\r\n'],
    ['a last line of another code without text', '250-a\r\n251\r\n'],
    ['a continuation line without a code', '250-a\r\ntext\r\n250 b\r\n'],
    ['an empty continuation line without a code', '250-a\r\n\r\n250 b\r\n'],
    ['a leading CR', '\r250 ok\r\n'],
    ['a leading NUL', '\x150 ok\r\n'],
    ['a command', 'EHLO mail.example.com\r\n'],
    ['a TLS alert', Uint8Array.of(21, 3, 3, 0, 2, 2, 10)],
  ];

  describe.each(CUTS)('cut %s', (_, cut) => {
    test.each(refused)('ReplyParser throws when it is %s', (_name, wire) => {
      const octets = typeof wire === 'string' ? octetsOf(wire) : wire;
      const { replies, fault } = parse(cut(octets));
      expect(replies).toEqual([]);
      expect(fault).toMatch(REFUSED);
    });

    test.each(refused)('ReplyParser gives the reply before it when it is %s', (_name, wire) => {
      const octets = typeof wire === 'string' ? octetsOf(wire) : wire;
      const { replies, fault } = parse([...cut(octetsOf('220 before\r\n')), ...cut(octets)]);
      expect(replies.map(({ code }) => code)).toEqual([220]);
      expect(fault).toBeDefined();
    });
  });

  test('ReplyParser names no more than 80 characters of a line when it refuses it', () => {
    const { fault } = parseText(`${'x'.repeat(4_000)}\r\n`);
    expect(fault?.length).toBeLessThan(130);
  });

  test('ReplyParser shows no control character when it refuses a line', () => {
    const { fault } = parseText('\x1b[2J\0\x07 no reply\r\n');
    expect(fault).not.toMatch(/\p{Cc}/u);
  });
});

describe('ReplyParser makes text printable', () => {
  const printable: readonly [name: string, octets: Uint8Array, text: string][] = [
    ['NUL', latin1('250 a\0b\r\n'), 'a\ufffdb'],
    ['ESC', latin1('250 \x1b[31mred\r\n'), '\ufffd[31mred'],
    ['DEL', latin1('250 a\x7fb\r\n'), 'a\ufffdb'],
    ['a bare CR', latin1('250 a\rb\r\n'), 'a\ufffdb'],
    ['two CR before the LF', latin1('250 a\r\r\n'), 'a\ufffd'],
    ['a C1 control in UTF-8', octetsOf('250 a\u009b31mb\r\n'), 'a\ufffd31mb'],
    ['Latin-1', latin1('250 caf\xe9 au lait\r\n'), 'caf\ufffd au lait'],
    ['Latin-1 at the end', latin1('250 caf\xe9\r\n'), 'caf\ufffd'],
    ['an overlong LF', latin1('250 a\xc0\x8ab\r\n'), 'a\ufffd\ufffdb'],
    ['half a character', latin1('250 \xf0\x9f\x98\r\n'), '\ufffd'],
  ];

  describe.each(CUTS)('cut %s', (_, cut) => {
    test.each(printable)('ReplyParser puts U+FFFD when there is %s', (_name, octets, text) => {
      const { replies, fault } = parse(cut(octets));
      expect(fault).toBeUndefined();
      expect(replies).toEqual([{ code: 250, lines: [text], text }]);
    });
  });

  test('ReplyParser decodes UTF-8 when a chunk ends inside a character', () => {
    const { replies } = parseText('550 Ящик 📪 не найден\r\n', perOctet);
    expect(replies[0]?.text).toBe('Ящик 📪 не найден');
  });

  test('ReplyParser never gives a control character but TAB when text is random octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        const text = noise.filter((octet) => octet !== 10);
        for (const { lines } of parse([octetsOf('250 '), text, octetsOf('\r\n')]).replies) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
          expect(lines.join('')).not.toMatch(/[\0-\x08\n-\x1f\x7f-\x9f]/);
        }
      }),
    );
  });
});

describe('ReplyParser and Unicode', () => {
  test.each(CUTS)('line separators of Unicode end no line, cut %s', (_, cut) => {
    const { replies, fault } = parseText('550 a\u2028b\u2029c\u0085d\r\n', cut);
    expect(fault).toBeUndefined();
    expect(replies[0]?.lines).toEqual(['a\u2028b\u2029c\ufffdd']);
  });

  test.each(CUTS)(
    'a BOM is left out before the first line and is no reply before others, cut %s',
    (_, cut) => {
      expect(parseText('\ufeff220 a\r\n250 b\r\n', cut)).toMatchObject({
        replies: [{ code: 220 }, { code: 250 }],
        fault: undefined,
      });
      expect(parseText('220 a\r\n\ufeff250 b\r\n', cut)).toMatchObject({
        replies: [{ code: 220 }],
        fault: expect.stringMatching(REFUSED),
      });
    },
  );
});

describe('ReplyParser is bounded', () => {
  const lineOf = (octets: number): string => `250 ${'x'.repeat(octets - 6)}\r\n`;

  test('ReplyParser has the documented bounds when they are read', () => {
    expect([MAX_REPLY_LINE, MAX_REPLY]).toEqual([12_294, 65_536]);
  });

  test.each(CUTS)('ReplyParser accepts a line when it has 12,294 octets, cut %s', (_, cut) => {
    const { replies, fault } = parseText(lineOf(12_294), cut);
    expect(fault).toBeUndefined();
    expect(replies[0]?.text).toHaveLength(12_288);
  });

  test.each(CUTS)('ReplyParser refuses a line when it has 12,295 octets, cut %s', (_, cut) => {
    expect(parseText(lineOf(12_295), cut)).toMatchObject({
      replies: [],
      fault: expect.stringMatching(REFUSED),
    });
  });

  test('ReplyParser refuses a line when it does not end', () => {
    expect(parseText('x'.repeat(36_882)).fault).toBeUndefined();
    expect(parseText('x'.repeat(36_883)).fault).toMatch(REFUSED);
  });

  test.each(CUTS)('ReplyParser counts characters when the text is UTF-8, cut %s', (_, cut) => {
    const text = 'ж文'.repeat(6_144);
    expect(parseText(`250 ${text}\r\n`, cut).replies[0]?.text).toBe(text);
    expect(parseText(`250 ${text}x\r\n`, cut).fault).toMatch(REFUSED);
  });

  /** A reply of `total` octets in lines of 1,024. */
  function replyOf(total: number): string {
    const lines = total / 1_024;
    const full = `250-${'x'.repeat(1_018)}\r\n`;
    const rest = total - (Math.ceil(lines) - 1) * 1_024;
    return full.repeat(Math.ceil(lines) - 1) + lineOf(rest);
  }

  test.each(CUTS)('ReplyParser accepts a reply when it has 65,536 octets, cut %s', (_, cut) => {
    const { replies, fault } = parseText(replyOf(65_536), cut);
    expect(fault).toBeUndefined();
    expect(replies[0]?.lines).toHaveLength(64);
  });

  test.each(CUTS)('ReplyParser refuses a reply when it has 65,537 octets, cut %s', (_, cut) => {
    expect(parseText(replyOf(65_546), cut)).toMatchObject({
      replies: [],
      fault: expect.stringMatching(REFUSED),
    });
    const longer = replyOf(65_536).replace('250 x', '250 xx');
    expect(parseText(longer, cut)).toMatchObject({
      replies: [],
      fault: expect.stringMatching(REFUSED),
    });
  });

  test('ReplyParser counts each reply anew when many come', () => {
    const { replies, fault } = parseText(replyOf(65_536).repeat(3));
    expect(fault).toBeUndefined();
    expect(replies).toHaveLength(3);
  });

  test('ReplyParser stops holding octets when continuation lines never end', () => {
    expect(parseText('250-x\r\n'.repeat(10_000)).fault).toMatch(REFUSED);
  });

  test('ReplyParser takes time in proportion when a stream comes octet by octet', () => {
    const replies = '250-mail.example.com\r\n250-SIZE 35882577\r\n250 8BITMIME\r\n354 go\r\n';
    const stream = (size: number): Uint8Array[] =>
      perOctet(octetsOf(replies.repeat(Math.ceil(size / replies.length))).subarray(0, size));
    const exponent = growthExponent(
      (size) => {
        const chunks = stream(size);
        return () => void parse(chunks);
      },
      [2 ** 16, 2 ** 17, 2 ** 18, 2 ** 19],
      1.6,
    );
    expect(exponent).toBeLessThan(1.6);
  });

  test('ReplyParser takes time in proportion when a stream comes at once', () => {
    const exponent = growthExponent(
      (size) => {
        const octets = octetsOf('250 ok\r\n'.repeat(size / 8));
        return () => void parse([octets]);
      },
      [2 ** 17, 2 ** 18, 2 ** 19, 2 ** 20],
      1.6,
    );
    expect(exponent).toBeLessThan(1.6);
  });
});

describe('ReplyParser is the same for every cutting', () => {
  const code = fc.constantFrom('250', '354', '550', '421', '25', '199', '2500', '');
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('', '5.1.1 x', '2.0.0', 'a\rb', '\0', 'x'.repeat(4_090), 'я'.repeat(3_000)),
  );
  const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r');
  const separator = fc.constantFrom(' ', ' ', '-', '\t', '');
  const stream = fc
    .array(fc.tuple(code, separator, text, end), { maxLength: 8 })
    .map((lines) => octetsOf(lines.map((line) => line.join('')).join('')));
  const legal = fc
    .array(
      fc.tuple(
        fc.constantFrom('250', '354', '550'),
        fc.array(fc.stringMatching(/^[ -~я]{0,20}$/u), { minLength: 1, maxLength: 5 }),
      ),
      { maxLength: 6 },
    )
    .map((replies) =>
      replies
        .flatMap(([digits, lines]) =>
          lines.map((line, at) => `${digits}${at < lines.length - 1 ? '-' : ' '}${line}\r\n`),
        )
        .join(''),
    );

  test('ReplyParser gives the same replies and the same fault when the cuts are random', () => {
    fc.assert(
      fc.property(stream, randomCut, (octets, cut) => {
        const expected = parse([octets]);
        const { replies, fault } = parse(cut(octets));
        expect(replies).toEqual(expected.replies);
        expect(fault).toEqual(expected.fault);
        const single = parse(perOctet(octets));
        expect(single.replies).toEqual(expected.replies);
        expect(single.fault).toEqual(expected.fault);
      }),
      { numRuns: 300 },
    );
  });

  test('ReplyParser gives every reply when all are legal', () => {
    fc.assert(
      fc.property(legal, randomCut, (wire, cut) => {
        const { replies, fault, pending } = parseText(wire, cut);
        expect({ fault, pending }).toEqual({ fault: undefined, pending: false });
        const again = replies
          .flatMap((reply) =>
            reply.lines.map(
              (line, at) => `${reply.code}${at < reply.lines.length - 1 ? '-' : ' '}${line}\r\n`,
            ),
          )
          .join('');
        expect(again).toBe(wire);
      }),
      { numRuns: 300 },
    );
  });

  test('ReplyParser is pending when octets of an unfinished reply are held', () => {
    const octets = octetsOf('250-a\r\n250 b\r\n');
    for (let length = 0; length <= octets.length; length += 1) {
      const { pending, replies } = parse([octets.subarray(0, length)]);
      expect(pending).toBe(length > 0 && length < octets.length);
      expect(replies).toHaveLength(length === octets.length ? 1 : 0);
    }
  });

  test('ReplyParser throws when the server has to be silent and a whole reply is held', () => {
    const next = createReplyParser();
    expect(next(octetsOf('220 go\r\n250 a\r\n'))).toBe('220 go');
    expect(() => next(NOTHING, true)).toThrow(REFUSED);
  });

  test('ReplyParser gives the text as it stood on the wire, LF between its lines', () => {
    const next = createReplyParser();
    expect(next(octetsOf('250-a\r\n250- b \r\n250\r\n'))).toBe('250-a\n250- b \n250');
  });
});

describe('ReplyParser reads enhanced status codes', () => {
  test.each<[name: string, line: string, enhanced: string]>([
    ['of a refusal', '550 5.1.1 No such user', '5.1.1'],
    ['of a success', '250 2.0.0 Queued', '2.0.0'],
    ['of a transient refusal', '451 4.7.500 Later', '4.7.500'],
    ['without a text', '250 2.1.5', '2.1.5'],
    ['of three digits each', '550 5.999.999 x', '5.999.999'],
  ])('ReplyParser gives it when it is one %s', (_name, line, enhanced) => {
    expect(only(`${line}\r\n`).enhanced).toBe(enhanced);
  });

  test.each<[name: string, line: string]>([
    ['has another class', '550 4.2.1 x'],
    ['has another class of success', '450 2.1.5 x'],
    ['has a detail of four digits', '554 5.7.1234 x'],
    ['is an address', '554 10.1.1.1 listed'],
    ['is an address that begins with the class', '554 5.1.1.1 listed'],
    ['has class 3', '354 3.0.0 go'],
    ['has no detail', '550 5.1 x'],
    ['ends with a point', '550 5.1.1. x'],
    ['is glued to a text', '550 5.1.1x'],
    ['is not at the start', '550 x 5.1.1 y'],
    ['has a blank before it', '550  5.1.1 y'],
  ])('ReplyParser gives none and keeps the text when it %s', (_name, line) => {
    const plain = only(`${line}\r\n`);
    expect(plain.enhanced).toBeUndefined();
    expect(plain.text).toBe(plain.lines.join(' '));
  });

  test('ReplyParser takes it off each line when there are several', () => {
    const wire = '550-5.1.1 No such user\r\n550 5.1.1 here\r\n';
    expect(only(wire)).toEqual({
      code: 550,
      enhanced: '5.1.1',
      lines: ['5.1.1 No such user', '5.1.1 here'],
      text: 'No such user here',
    });
  });

  test('ReplyParser gives none when it is not on the first line', () => {
    expect(only('550-x\r\n550 5.1.1 y\r\n').enhanced).toBeUndefined();
  });

  test('ReplyParser keeps a line without a code when others have one', () => {
    expect(only('550-5.1.1 No such user\r\n550 here\r\n').text).toBe('No such user here');
  });
});
