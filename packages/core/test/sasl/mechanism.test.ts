import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, toBase64 } from '../../src/sasl/mechanism.ts';

describe('toBase64() and fromBase64()', () => {
  test.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foobar', 'Zm9vYmFy'],
  ])('toBase64() gives the vector of RFC 4648 §10 when it is given %j', (text, encoded) => {
    expect(toBase64(new TextEncoder().encode(text))).toBe(encoded);
    expect(new TextDecoder().decode(fromBase64(encoded))).toBe(text);
  });

  test('toBase64() agrees with Node when the octets are random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        const encoded = toBase64(octets);
        expect(encoded).toBe(Buffer.from(octets).toString('base64'));
        expect([...fromBase64(encoded)]).toEqual([...octets]);
      }),
    );
  });

  test.each(['Zg=', '!', 'Zm9v!', '=', 'a', 'User Name:', 'Zm9v\ufffd'])(
    'fromBase64() throws when it is given %j',
    (text) => {
      expect(() => fromBase64(text)).toThrow();
    },
  );
});
