import { Parser } from 'tap-parser';
import { describe, expect, test } from 'vitest';
import { tapReport } from '../../src/report/tap.ts';
import { COUNTS, HOSTILE, madeReport, SHOWN, UNSEEN } from './runs.ts';

type Event = ReturnType<typeof Parser.parse>[number];
interface Assertion {
  readonly ok: boolean;
  readonly id: number;
  readonly name: string;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly diag?: {
    readonly clause: string;
    readonly verdict: string;
    readonly reasons: readonly string[];
  };
}
interface Results {
  readonly ok: boolean;
  readonly count: number;
  readonly pass: number;
  readonly fail: number;
  readonly skip: number;
  readonly todo: number;
  readonly failures: readonly { readonly tapError?: string }[];
}

function parsed(text: string): { assertions: Assertion[]; results: Results; events: Event[] } {
  const events = Parser.parse(text, { strict: true });
  const assertions = events
    .filter(([kind]) => kind === 'assert')
    .map(([, one]) => one as unknown as Assertion);
  const results = events.find(([kind]) => kind === 'complete')?.[1] as unknown as Results;
  return { assertions, results, events };
}

const report = madeReport();
const { assertions, results, events } = parsed(tapReport(report));
const of = (verdict: string): Assertion[] =>
  assertions.filter((_, index) => report.cases[index]?.verdict === verdict);

describe('the TAP report', () => {
  test('is version 13, with the plan in front, and nothing in it that is no TAP', () => {
    expect(tapReport(report)).toMatch(
      /^TAP version 13\n1\.\.24\nok 1 - [\s\S]*\n# client: mine 1\.0\.0\n$/,
    );
    expect(events.filter(([kind]) => kind === 'extra' || kind === 'child')).toEqual([]);
    expect(results.failures.filter((one) => one.tapError)).toEqual([]);
  });

  test('counts: WARN and XFAIL are todo, SKIP is skip, FAIL and ERROR are not ok', () => {
    expect(results).toMatchObject({
      ok: false,
      count: report.cases.length,
      skip: COUNTS.SKIP,
      todo: COUNTS.WARN + COUNTS.XFAIL,
      pass: COUNTS.PASS + COUNTS.INFO + COUNTS.SKIP,
      fail: COUNTS.FAIL + COUNTS.ERROR + COUNTS.WARN + COUNTS.XFAIL,
    });
    expect(assertions.map(({ id }) => id)).toEqual(report.cases.map((_, index) => index + 1));
    for (const verdict of ['PASS', 'INFO', 'SKIP'])
      expect(of(verdict).every(({ ok }) => ok)).toBe(true);
    for (const verdict of ['FAIL', 'ERROR', 'WARN', 'XFAIL'])
      expect(of(verdict).some(({ ok }) => ok)).toBe(false);
    for (const verdict of ['PASS', 'INFO', 'FAIL', 'ERROR'])
      expect(of(verdict).some(({ skip, todo }) => skip || todo)).toBe(false);
  });

  test('passes as a whole where only a SHOULD is broken', () => {
    const mild = report.cases.filter(({ verdict }) => verdict !== 'FAIL' && verdict !== 'ERROR');
    expect(parsed(tapReport({ ...report, cases: mild })).results).toMatchObject({ ok: true });
  });

  test('says why: in the directive, and as YAML', () => {
    expect(of('WARN')[0]?.todo).toBe('expected QUIT # here, got none');
    expect(of('XFAIL')[0]?.todo).toMatch(/^known: <script>/);
    expect(of('SKIP')[0]?.skip).toMatch(/^mine has no dsn <script>/);
    expect(of('FAIL')[0]?.diag).toMatchObject({ clause: report.cases[3]?.clause, verdict: 'FAIL' });
    expect(of('FAIL')[0]?.diag?.reasons[0]).toBe(
      `first ${SHOWN}: expected a text ${SHOWN}, got ${SHOWN}`,
    );
    expect(of('ERROR')[0]?.diag?.reasons).toEqual(['the harness failed: Error: x\\n    at y']);
    expect(of('PASS').some(({ diag }) => diag)).toBe(false);
  });

  test('keeps hostile text as text: names, directives and YAML come back, and nothing is forged', () => {
    const hostile = madeReport(true);
    const text = tapReport(hostile);
    expect(text).not.toMatch(UNSEEN);
    const again = parsed(text);
    expect(again.events.filter(([kind]) => kind === 'extra' || kind === 'child')).toEqual([]);
    expect(again.results).toMatchObject({ count: report.cases.length, skip: COUNTS.SKIP });
    for (const [index, { id, title, delivery }] of hostile.cases.entries())
      expect(again.assertions[index]?.name).toBe(
        `${id} ${title.replace(HOSTILE, SHOWN)} [${delivery}]`,
      );
    expect(again.assertions[3]?.diag?.clause).toBe(SHOWN);
    // The brace that would open a subtest is no longer the last of its line.
    expect(again.assertions.find(({ skip }) => skip)?.skip).toBe(`mine has no dsn ${SHOWN}.`);
  });

  test('of nothing is a plan of nothing', () => {
    expect(parsed(tapReport({ ...report, cases: [] })).results).toMatchObject({
      ok: true,
      count: 0,
    });
  });
});
