/** LIMITS (RFC 9422) as the pool reads them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limitOf } from '../../src/pool/limit.ts';
import { parseCapabilities } from '../../src/wire/extension.ts';
import { replyOf } from '../wire/cuts.ts';

const NAMES = ['RCPTMAX', 'MAILMAX', 'RCPTDOMAINMAX', 'XRCPTMAX'];

/** The limits that there are. */
function limitsOf(lines: readonly string[]): object {
  const capabilities = parseCapabilities(replyOf(250, ['mail.example.com', ...lines]));
  const limits = NAMES.map((name) => [name, limitOf(capabilities, name)] as const);
  return Object.fromEntries(limits.filter(([, value]) => value < Infinity));
}

describe('limitOf()', () => {
  // RFC 9422 §3: a limit is a name, `=` and a value; what is not known, or not of its form, is ignored.
  test.each<[lines: string[], limits: object]>([
    [[], {}],
    [['LIMITS'], {}],
    [['LIMITS RCPTMAX=20'], { RCPTMAX: 20 }],
    [
      ['LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=1'],
      { RCPTMAX: 20, MAILMAX: 5, RCPTDOMAINMAX: 1 },
    ],
    [['limits rcptmax=20 MailMax=5'], { RCPTMAX: 20, MAILMAX: 5 }],
    [['LIMITS  RCPTMAX=20   MAILMAX=5 '], { RCPTMAX: 20, MAILMAX: 5 }],
    [['LIMITS MAILMAX=1', 'LIMITS RCPTMAX=2'], { MAILMAX: 1, RCPTMAX: 2 }],
    [['LIMITS RCPTMAX=999999'], { RCPTMAX: 999_999 }],
    [['LIMITS RCPTMAX=9 RCPTMAX=7 RCPTMAX=x'], { RCPTMAX: 7 }],
    [['LIMITS RCPTMAX=0 MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS RCPTMAX= MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS RCPTMAX MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS RCPTMAX=-1 MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS RCPTMAX=1e3 MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS RCPTMAX=0x10 MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS RCPTMAX=5x MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS RCPTMAX=1.5 MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS RCPTMAX = 5 MAILMAX=2'], { MAILMAX: 2 }],
    [['LIMITS XRCPTMAX=5'], { XRCPTMAX: 5 }],
    [['XLIMITS RCPTMAX=5'], {}],
    [['RCPTMAX=5'], {}],
    [['LIMITS=RCPTMAX=5'], {}],
  ])('limitOf() gives the limits when the lines are %j', (lines, limits) => {
    expect(limitsOf(lines)).toEqual(limits);
  });

  test.each([
    ['limits that nobody asks for', ' A=1'.repeat(15_000)],
    ['names without a value', ' RCPTMAX='.repeat(6_000)],
    ['one long value', ` RCPTMAX=${'1'.repeat(60_000)}x`],
  ])('limitOf() takes no time for a line of %s', (_, text) => {
    const before = performance.now();
    expect(limitsOf([`LIMITS${text}`])).not.toHaveProperty('RCPTMAX');
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test('limitOf() gives whole numbers over 0 when the line is random', () => {
    const token = fc.stringMatching(/^(RCPTMAX|MAILMAX)?=?[-+.\dA-Fa-fx]{0,8}$/);
    fc.assert(
      fc.property(fc.array(token, { maxLength: 5 }), (tokens) => {
        for (const value of Object.values(limitsOf([`LIMITS ${tokens.join(' ')}`])))
          expect(Number.isInteger(value) && (value as number) > 0).toBe(true);
      }),
    );
  });
});
