import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodyHash, canonicalField } from '../src/dkim/canonical.ts';
import {
  cut,
  ed25519Key,
  naiveBody,
  octets,
  prepare,
  rsaKey,
  sha256,
  signed,
  signerOf,
  sourceOf,
  text,
  verdict,
  verifies,
} from './dkim-support.ts';

const RUNS = { numRuns: 200 };
const KEYS = [rsaKey(1024), rsaKey(2048), ed25519Key()] as const;

const algorithm = fc.constantFrom('relaxed', 'simple');
const sizes = fc
  .array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 })
  .filter((all) => all.some((size) => size > 0));

/** Bodies of line ends, halves of them, white space, and little else. */
const hostile = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', 'a', '\xff', '\0', '.'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          ' '.repeat(70),
          '\r\n'.repeat(9_000),
          'x'.repeat(16_380),
          '\r'.repeat(99),
        ),
      },
      { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => text(octets(parts.join(''))));

const fieldName = fc.stringMatching(/^[A-Za-z][A-Za-z\d-]{0,20}$/);
/** No line of it is white space alone, as RFC 5322 §3.2.2 asks of who writes. */
const fieldValue = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'word',
        ' ',
        '  ',
        '\t',
        ':',
        ';',
        'é',
        '\u{1f600}',
        '\u00a0',
        'b=x',
        '=?utf-8?Q?x?=',
      ),
      fc.constantFrom('x\r\n y', 'x\r\n\ty', 'x \r\n  y'),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
const field = fc
  .tuple(
    fc.oneof(fc.constantFrom('To', 'Subject', 'Cc', 'List-Id', 'References'), fieldName),
    fieldValue,
  )
  .map(([name, value]) => `${name}: x${value}\r\n`);
const head = fc
  .tuple(fc.array(field, { maxLength: 12 }), fc.array(field, { maxLength: 12 }))
  .map(([before, after]) => [...before, 'From: a@example.com\r\n', ...after].join(''));

/** Of the SHA-256 of a body, in hexadecimal. */
async function hashed(chunks: Iterable<Uint8Array>, name: string): Promise<string> {
  return Buffer.from(await bodyHash([sourceOf(chunks)], name === 'simple')).toString('hex');
}

const sha256Of = (message: Uint8Array): string =>
  createHash('sha256').update(message).digest('hex');

describe('createSha256()', () => {
  test('agrees with node:crypto on any cutting into blocks', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 700 }),
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 }),
        (message, cuts) => {
          const chunks = cut(
            message,
            cuts.map((blocks) => blocks * 64 || 64),
          );
          expect(sha256(chunks)).toBe(sha256Of(message));
        },
      ),
      RUNS,
    );
  });
});

describe('bodyHash()', () => {
  test('agrees with what the RFC says of the whole body, on any cutting', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, algorithm, sizes, async (body, name, cuts) => {
        const expected = sha256Of(octets(naiveBody(body, name)));
        expect(await hashed([octets(body)], name)).toBe(expected);
        expect(await hashed(cut(octets(body), cuts), name)).toBe(expected);
      }),
      RUNS,
    );
  });

  test('the CRLF that SMTP puts at the end of a body changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, algorithm, async (body, name) => {
        const ended = await hashed([octets(`${body}\r\n`)], name);
        expect(await hashed([octets(body)], name)).toBe(ended);
      }),
      RUNS,
    );
  });

  test('changes nothing that is canonical already', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, algorithm, async (body, name) => {
        const once = naiveBody(body, name);
        expect(await hashed([octets(once)], name)).toBe(sha256Of(octets(once)));
      }),
      RUNS,
    );
  });
});

describe('canonicalField()', () => {
  test('relaxed knows no folds and no runs of white space', () => {
    fc.assert(
      fc.property(field, (one) => {
        const result = canonicalField(one, false);
        expect(result).toMatch(/^[a-z\d-]+:([^ \t\r\n]+( [^ \t\r\n]+)*)?\r\n$/);
        expect(result.replace(/\s/g, '').toLowerCase()).toBe(one.replace(/\s/g, '').toLowerCase());
        expect(canonicalField(result, false)).toBe(result);
      }),
      RUNS,
    );
  });
});

describe('dkim()', () => {
  const options = fc.record({
    canonicalization: fc
      .tuple(algorithm, algorithm)
      .map(([header, body]) => `${header}/${body}` as const),
    domain: fc.stringMatching(/^[a-z\d]{1,60}\.[a-z]{2,60}$/),
    selector: fc.stringMatching(/^[a-z\d]{1,63}$/),
    key: fc.constantFrom(...KEYS),
  });

  test('size is the octets of the field, and no line is white space alone or longer than it has to be', async () => {
    await fc.assert(
      fc.asyncProperty(options, head, hostile, async ({ key, ...others }, fields, body) => {
        const prepared = prepare(signerOf(key, others), fields);
        const result = await prepared.sign([octets(body)]);
        expect(Buffer.byteLength(result)).toBe(prepared.size);
        const [first = '', ...lines] = result.slice(0, -2).split('\r\n');
        expect(first).toMatch(/^DKIM-Signature: \S/);
        for (const line of lines) expect(line).toMatch(/^ \S/);
        for (const line of [first, ...lines])
          expect(/^ [ds]=/.test(line) ? 0 : line.length).toBeLessThanOrEqual(78);
      }),
      { numRuns: 100 },
    );
  });

  test('any message verifies, and none with another octet in its body', async () => {
    await fc.assert(
      fc.asyncProperty(options, head, hostile, async ({ key, canonicalization }, fields, body) => {
        const signer = signerOf(key, { canonicalization });
        const message = await signed(signer, fields, octets(body));
        expect(verifies(message, key)).toBe(true);
        expect(verifies(Buffer.concat([message, octets('.')]), key)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test('mailauth verifies any message without what it cannot judge', async () => {
    const lines = hostile.map((body) => `${body.replace(/\r(?!\n)|(?<!\r)\n/g, '')}\r\n`);
    const plain = head.filter((fields) => !Buffer.from(fields).includes(0xa0));
    await fc.assert(
      fc.asyncProperty(options, plain, lines, async ({ key, canonicalization }, fields, body) => {
        const message = await signed(signerOf(key, { canonicalization }), fields, octets(body));
        expect(await verdict(message, key)).toBe('pass');
      }),
      { numRuns: 80 },
    );
  });
});
