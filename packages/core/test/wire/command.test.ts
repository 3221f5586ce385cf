import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandLine, unusable } from '../../src/wire/command.ts';
import { octetsOf } from './cuts.ts';

/**
 * What has ended a line, or has been made into a line end, somewhere: real line ends, what Unicode calls
 * one, half surrogate pairs, and characters whose lower octet is CR or LF.
 */
const HOSTILE = [
  '\r',
  '\n',
  '\r\n',
  '\n\r',
  '\0',
  '\t',
  '\v',
  '\f',
  '\x1b',
  '\x7f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ud800',
  '\udbff',
  '\udc0a',
  '\udfff',
  '\u010a',
  '\u010d',
  '\u760a',
  '\u760d',
  '\u0a0d',
  '\u0d0a',
  '\ufeff',
  '👋',
  ' ',
  '<',
  '>',
  'DATA',
  'RSET',
  'a@b.example',
] as const;

const hostile = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 3 })), {
    maxLength: 8,
  })
  .map((pieces) => pieces.join(''));

/** The octets of what `write` gives, or undefined where it throws TypeError. */
function attempt(write: () => string): Uint8Array | undefined {
  try {
    return octetsOf(write());
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return undefined;
  }
}

function expectOneLine(octets: Uint8Array): void {
  expect([...octets.subarray(-2)]).toEqual([13, 10]);
  for (const octet of octets.subarray(0, -2)) {
    expect(octet > 31 && octet !== 127).toBe(true);
  }
}

describe('commandLine()', () => {
  test('commandLine() throws TypeError or gives exactly one CRLF when the text is hostile', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const octets = attempt(() => commandLine(text));
        if (octets) expectOneLine(octets);
      }),
      { numRuns: 3_000 },
    );
  });

  test('commandLine() throws TypeError exactly when there is a control character or half a surrogate pair', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        let refused = false;
        for (const character of text) {
          const point = character.codePointAt(0) as number;
          refused ||=
            point < 32 || (point > 126 && point < 160) || (point >= 0xd800 && point <= 0xdfff);
        }
        expect(attempt(() => commandLine(text)) === undefined).toBe(refused);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each(HOSTILE.map((text) => [JSON.stringify(text), text]))(
    'commandLine() cannot be made two lines when there is %s',
    (_name, text) => {
      for (const given of [text, `NOOP${text}`, `NOOP${text}QUIT`, `${text}NOOP`]) {
        const octets = attempt(() => commandLine(given));
        if (octets) expectOneLine(octets);
      }
    },
  );

  test('commandLine() is checked octet for octet when every character of the first plane is tried', () => {
    for (let point = 0; point < 65_536; point += 1) {
      const text = `a${String.fromCharCode(point)}b`;
      let written: string | undefined;
      try {
        written = commandLine(text);
      } catch {
        continue;
      }
      const octets = octetsOf(written);
      const ends = octets.reduce((count, octet) => count + Number(octet === 10 || octet === 13), 0);
      if (ends !== 2) expect.fail(`U+${point.toString(16)} makes ${ends} CR and LF`);
    }
  });

  test('commandLine() keeps the text when there is nothing to refuse', () => {
    expect(commandLine('EHLO mail.example.com')).toBe('EHLO mail.example.com\r\n');
    expect(commandLine('')).toBe('\r\n');
  });
});

describe('unusable()', () => {
  test('unusable() names the value without control characters when it is hostile', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
        expect(unusable(text, 'a name').message).not.toMatch(/[\0-\x1f]/);
      }),
    );
  });

  test('unusable() is bounded when the value is long', () => {
    expect(unusable('x'.repeat(100_000), 'a name').message.length).toBeLessThan(400);
  });

  test('unusable() gives a TypeError when there is no value', () => {
    expect(unusable(undefined, 'a name')).toBeInstanceOf(TypeError);
  });
});
