import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { saslPrep } from '../../src/sasl/saslprep.ts';

const shown = (text: string): string =>
  [...text].map((character) => `U+${character.codePointAt(0)?.toString(16)}`).join(' ');

describe('saslPrep()', () => {
  test.each([
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
  ])('saslPrep() gives the output of RFC 4013 §3 when it is given %j', (given, prepared) => {
    expect(saslPrep(given)).toBe(prepared);
  });

  test('saslPrep() throws TypeError as RFC 4013 §3 says when it is given U+0007', () => {
    expect(() => saslPrep('\u0007')).toThrow(TypeError);
  });

  test('saslPrep() leaves the check of RFC 4013 §2.4 to the server when text runs from right to left', () => {
    expect(saslPrep('\u0627\u0031')).toBe('\u0627\u0031');
  });

  // RFC 3454 C.1.2, each of them.
  test.each(
    [
      0xa0,
      0x1680,
      0x202f,
      0x205f,
      0x3000,
      ...Array.from({ length: 12 }, (_, at) => 0x2000 + at),
    ].map((code) => [shown(String.fromCodePoint(code)), code] as const),
  )('saslPrep() gives a space when it is given %s', (_name, code) => {
    expect(saslPrep(`a${String.fromCodePoint(code)}b`)).toBe('a b');
  });

  // RFC 3454 B.1, each of them but U+200B, which is a space.
  test.each(
    [
      ...[0xad, 0x34f, 0x1806, 0x180b, 0x180c, 0x180d, 0x200c, 0x200d, 0x2060, 0xfeff],
      ...Array.from({ length: 16 }, (_, at) => 0xfe00 + at),
    ].map((code) => [shown(String.fromCodePoint(code)), code] as const),
  )('saslPrep() gives nothing when it is given %s', (_name, code) => {
    expect(saslPrep(`a${String.fromCodePoint(code)}b`)).toBe('ab');
  });

  // RFC 3454 C.2.1 to C.9, the first and the last of each range.
  test.each(
    [
      ...[0x0, 0x1f, 0x7f, 0x80, 0x9f, 0x6dd, 0x70f, 0x180e, 0x2028, 0x2029, 0x2061, 0x2063],
      ...[0x206a, 0x206f, 0xfff9, 0xfffc, 0x1d173, 0x1d17a, 0xe000, 0xf8ff, 0xf0000, 0xffffd],
      ...[0x100000, 0x10fffd, 0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x10ffff, 0xd800, 0xdfff],
      ...[0xfffd, 0x2ff0, 0x2ffb, 0x200e, 0x200f, 0x202a, 0x202e, 0xe0001, 0xe0020, 0xe007f],
    ].map((code) => [shown(String.fromCodePoint(code)), code] as const),
  )('saslPrep() throws TypeError when it is given %s', (_name, code) => {
    expect(() => saslPrep(`a${String.fromCodePoint(code)}b`)).toThrow(TypeError);
  });

  test.each([
    ['one half, NFKC and not NFC', '\u00bd', '1\u20442'],
    ['an acute accent, NFKC and not NFC', '\u00b4', ' \u0301'],
    ['NFD', 'e\u0301', '\u00e9'],
    ['U+0340, which is prohibited as it stands', '\u0340', '\u0300'],
    ['an emoji that is joined', '👩\u200d💻', '👩💻'],
    ['an unassigned code point', '\u0378', '\u0378'],
    [
      'printable ASCII',
      ' !"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~',
      ' !"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~',
    ],
  ])('saslPrep() normalizes when it is given %s', (_name, given, prepared) => {
    expect(shown(saslPrep(given))).toBe(shown(prepared));
  });

  test.each([
    ['nothing', ''],
    ['what is mapped to nothing', '\u00ad\u200d'],
    ['undefined', undefined as unknown as string],
    ['a number', 42 as unknown as string],
  ])('saslPrep() throws TypeError when it is given %s', (_name, given) => {
    expect(() => saslPrep(given)).toThrow(TypeError);
  });

  test('saslPrep() changes nothing more when its output is prepared again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }), (given) => {
        let prepared: string;
        try {
          prepared = saslPrep(given);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        expect(shown(saslPrep(prepared))).toBe(shown(prepared));
      }),
    );
  });
});
