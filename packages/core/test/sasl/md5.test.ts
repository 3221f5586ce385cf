import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hmacMd5, md5 } from '../../src/sasl/md5.ts';
import { octetsOf } from '../wire/cuts.ts';

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

describe('md5()', () => {
  test.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    [
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
      'd174ab98d277d9f5a5611c2c9f419d9f',
    ],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      '57edf4a22be3c955ac49da2e2107b67a',
    ],
  ])('md5() gives the digest of RFC 1321 §A.5 when it is given %j', (text, digest) => {
    expect(hex(md5(octetsOf(text)))).toBe(digest);
  });

  test('md5() agrees with Node when the length is anything up to three blocks', () => {
    for (let length = 0; length <= 200; length++) {
      const octets = Uint8Array.from({ length }, (_, at) => at * 31 + length);
      expect(hex(md5(octets)), `${length}`).toBe(createHash('md5').update(octets).digest('hex'));
    }
  });
});

describe('hmacMd5()', () => {
  // RFC 2202 §2, cases 1, 2 and 6.
  test.each([
    ['\x0b'.repeat(16), 'Hi There', '9294727a3638bb1c13f48ef8158bfc9d'],
    ['Jefe', 'what do ya want for nothing?', '750c783e6ab0b503eaa86e310a5db738'],
  ])('hmacMd5() gives the digest of RFC 2202 when the key is %j', (key, text, digest) => {
    expect(hex(hmacMd5(octetsOf(key), octetsOf(text)))).toBe(digest);
  });

  test('hmacMd5() hashes the key first when it is longer than 64 octets', () => {
    const key = new Uint8Array(80).fill(0xaa);
    const text = octetsOf('Test Using Larger Than Block-Size Key - Hash Key First');
    expect(hex(hmacMd5(key, text))).toBe('6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd');
  });

  test('hmacMd5() agrees with Node when key and text are random', () => {
    const octets = fc.uint8Array({ maxLength: 140 });
    fc.assert(
      fc.property(octets, octets, (key, text) => {
        expect(hex(hmacMd5(key, text))).toBe(createHmac('md5', key).update(text).digest('hex'));
      }),
    );
  });

  test.each([63, 64, 65])('hmacMd5() agrees with Node when the key has %d octets', (length) => {
    const key = new Uint8Array(length).fill(0xf0);
    const text = octetsOf('<1896.697170952@postoffice.reston.mci.net>');
    expect(hex(hmacMd5(key, text))).toBe(createHmac('md5', key).update(text).digest('hex'));
  });
});
