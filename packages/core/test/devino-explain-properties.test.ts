import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { devino, explain } from '../src/devino/index.ts';

const texts = devino.refusals.map(({ text }) => text);
const refusal = fc.constantFrom(...devino.refusals);
const addressed = fc.constantFrom(
  ...devino.refusals.filter(({ reason }) => /recipient|sender/.test(reason)),
);

const atom = fc.stringMatching(/^[a-zA-Z0-9!#$%&*+/=?^_{|}~-]{1,20}$/);
const quoted = fc
  .array(
    fc.constantFrom('a', 'B', '7', ':', ',', '.', '@', '<', '(', 'я', 'x y', '\\"', ...texts),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((pieces) => `"${pieces.join('')}"`);
const domain = fc
  .tuple(
    fc.array(fc.stringMatching(/^[a-z0-9]{1,12}$/), { maxLength: 3 }),
    fc.stringMatching(/^[a-z]{1,12}$/),
  )
  .map(([labels, last]) => [...labels, last].join('.'));
const address = fc.tuple(fc.oneof(atom, quoted), domain).map(([local, host]) => `${local}@${host}`);
const plainAddress = fc.tuple(atom, domain).map(([local, host]) => `${local}@${host}`);

function reply(code: number, lines: readonly string[]): object {
  return { code, lines, text: lines.join(' ') };
}

/** Cuts a text at the given places, counted from its start; no line of it may look as if it had a code of its own. */
function fold(text: string, places: readonly number[]): string[] {
  const cuts = [...new Set(places.map((place) => place % text.length))].sort((a, b) => a - b);
  const lines = [0, ...cuts].map((start, index) => text.slice(start, cuts[index] ?? text.length));
  fc.pre(!lines.some((line) => /^ ?(554[ -]|[245](\.\d{1,3}){2}( |$))/.test(line)));
  return lines;
}

/** The gate (LARGE) runs more. */
const RUNS = { numRuns: process.env['LARGE'] ? 2_000 : 700 };

describe('explain() as a property', () => {
  test('never throws, whatever the reply and the context are', () => {
    const hostile = fc.oneof(
      fc.anything(),
      fc.record(
        {
          code: fc.oneof(fc.integer(), fc.integer({ min: 400, max: 599 }), fc.anything()),
          lines: fc.oneof(fc.array(fc.string({ unit: 'binary' })), fc.anything()),
          text: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
        },
        { requiredKeys: [] },
      ),
    );
    const context = fc.record({ recipients: fc.anything(), sender: fc.anything() });
    fc.assert(
      fc.property(hostile, context, (given, known) => {
        explain(given, known as object);
        explain({ reply: given }, known as object);
      }),
      RUNS,
    );
  });

  test('never throws and keeps the reason, whatever follows a documented text', () => {
    fc.assert(
      fc.property(refusal, fc.string({ unit: 'binary' }), ({ reason, text }, rest) => {
        expect(explain(reply(554, [`${text} ${rest}`]))?.reason).toBe(reason);
        expect(explain(reply(554, [`Transaction failed: ${text}`, rest]))?.reason).toBe(reason);
      }),
      RUNS,
    );
  });

  test('no address changes the reason', () => {
    fc.assert(
      fc.property(addressed, address, fc.nat(3), ({ reason, text }, value, form) => {
        const lines = [
          [`${text} ${value}`],
          [`Transaction failed: ${text} <${value}>`],
          ['5.1.1 Transaction failed', `5.1.1 ${text} ${value}`],
          [`Sorry: ${text} ${value}`],
        ][form] as string[];
        expect(explain(reply(554, lines))?.reason).toBe(reason);
      }),
      RUNS,
    );
  });

  test('no address in an unknown text gives it a reason', () => {
    fc.assert(
      fc.property(address, (value) => {
        expect(explain(reply(550, [`No such user ${value}`]))).toBeUndefined();
        expect(explain(reply(550, [value]))).toBeUndefined();
      }),
    );
  });

  test('returns the address that the text was built from', () => {
    fc.assert(
      fc.property(addressed, address, fc.boolean(), ({ text }, value, brackets) => {
        const line = `${text} ${brackets ? `<${value}>` : value}`;
        expect(explain(reply(554, [line]))?.address).toBe(value);
        expect(explain(reply(554, [`Transaction failed: ${line}.`]))?.address).toBe(value);
      }),
      RUNS,
    );
  });

  test('returns the address of the envelope, folded anywhere', () => {
    fc.assert(
      fc.property(address, fc.array(fc.nat(), { maxLength: 3 }), (value, places) => {
        const lines = fold(` ${value}`, places);
        const first = `Invalid recipient address:${lines[0]}`;
        const found = explain(reply(554, [first, ...lines.slice(1)]), {
          recipients: ['x@y', value],
        });
        expect(found).toMatchObject({ reason: 'invalid-recipient', address: value });
      }),
      RUNS,
    );
  });

  test('returns an unquoted address folded anywhere, without an envelope', () => {
    fc.assert(
      fc.property(plainAddress, fc.array(fc.nat(), { maxLength: 3 }), (value, places) => {
        const lines = fold(` ${value}`, places);
        const found = explain(
          reply(554, [`Invalid recipient address:${lines[0]}`, ...lines.slice(1)]),
        );
        expect(found?.address).toBe(value);
      }),
      RUNS,
    );
  });
});

describe('explain() takes linear time', () => {
  const CEILING = 1.6;
  const hostile: readonly (readonly [string, (octets: number) => string[]])[] = [
    ['blanks', (n) => [' '.repeat(n)]],
    ['blanks behind a text', (n) => [`Invalid recipient address:${' '.repeat(n)}x`]],
    ['quotes', (n) => ['"'.repeat(n)]],
    ['quotes and @', (n) => ['"@'.repeat(n / 2)]],
    ['angle brackets', (n) => [`Invalid recipient address: ${'<'.repeat(n)}`]],
    ['full stops', (n) => [`Invalid recipient address: ${'.'.repeat(n)}`]],
    ['the name again and again', (n) => ['Transaction failed '.repeat(n / 19)]],
    ['the beginnings of a text', (n) => ['internal server '.repeat(n / 16)]],
    ['digits and stops', (n) => ['5.5.5'.repeat(n / 5)]],
    ['a domain of hyphens', (n) => [`Invalid recipient address: a@${'a-'.repeat(n / 2)}`]],
    ['a domain outside ASCII', (n) => [`Invalid recipient address: a@${'я.'.repeat(n / 2)}`]],
    ['lines of one blank', (n) => Array.from({ length: n / 2 }, () => ' ')],
    ['lines of one letter', (n) => Array.from({ length: n / 2 }, () => 'x')],
    ['control characters', (n) => ['\u0000'.repeat(n)]],
    ['letters', (n) => ['x'.repeat(n)]],
    ['a local part', (n) => [`Invalid recipient address: ${'a'.repeat(n - 30)}@b`]],
  ];
  // All of a reply is read up to 4,096 characters, and of a longer one no more than these.
  const SIZES = [
    [500, 1_000, 2_000, 4_000],
    [12_500, 25_000, 50_000, 100_000, 200_000],
  ];

  test.each(hostile)('%s', (_, build) => {
    for (const sizes of SIZES) {
      const points = sizes.map((size) => [Math.log(size), Math.log(fastest(build(size)))] as const);
      expect(slope(points)).toBeLessThan(CEILING);
    }
  });

  /** The shortest of many runs, in ms; at least what the clock can tell. */
  function fastest(lines: readonly string[]): number {
    const given = reply(554, lines);
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 12; run += 1) {
      const start = performance.now();
      explain(given, { recipients: ['a@b'] });
      best = Math.min(best, performance.now() - start);
    }
    return Math.max(best, 0.02);
  }

  function slope(points: readonly (readonly [number, number])[]): number {
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const x = mean(points.map(([value]) => value));
    const y = mean(points.map(([, value]) => value));
    const over = mean(points.map(([px, py]) => (px - x) * (py - y)));
    return over / mean(points.map(([px]) => (px - x) ** 2));
  }
});
