import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Report, reportOf } from '../../src/report/report.ts';
import { terminalReport } from '../../src/report/terminal.ts';
import { LONG, madeReport, runOf, SHOWN, UNSEEN } from './runs.ts';

const report = madeReport();
const whole = reportOf(runOf(['whole']));
const lines = terminalReport(whole).split('\n');
/** The lines of one case: its own, and those that are indented behind it. */
function block(id: string | undefined, all: readonly string[] = lines): string[] {
  const start = all.findIndex((line) => line.includes(` ${id} `));
  const end = all.findIndex((line, index) => index > start && !line.startsWith('    '));
  return all.slice(start, end);
}
const idOf = (verdict: string, of: Report = whole): string | undefined =>
  of.cases.find((one) => one.verdict === verdict)?.id;

describe('the terminal report', () => {
  test('says of each case that failed what was expected and what was, under its title', () => {
    const one = whole.cases.find(({ verdict }) => verdict === 'FAIL');
    const level = one?.level === 'MUST' ? '' : '(MUST) ';
    expect(block(one?.id)).toEqual([
      `✗ FAIL ${one?.id} ${one?.title} ${one?.level}, ${one?.clause}`,
      `    expected ${level}first ${SHOWN}: a text ${SHOWN}`,
      `    actual   ${SHOWN}`,
      `    expected (SHOULD) first ${SHOWN}: QUIT`,
      '    actual   none',
      `    expected ${level}first ${SHOWN}: nothing long`,
      `    actual   ${LONG}`,
      `    expected ${level}first ${SHOWN}: no such path`,
      '    actual   "MAIL FROM:<a@example.com> # ]]>", "NOOP \\u0001\\n"',
    ]);
  });

  test('says why of what is noted, known, unexpected, or could not be run', () => {
    expect(block(idOf('INFO'))[1]).toBe(`    noted: ${SHOWN}`);
    expect(block(idOf('XFAIL'))[1]).toBe(`    known: ${SHOWN}`);
    expect(block(idOf('XFAIL'))[2]).toMatch(/^ {4}expected .*QUIT # here$/);
    expect(block(idOf('ERROR')).slice(1)).toEqual([
      '    the harness failed: Error: x',
      '        at y',
    ]);
    expect(block(whole.cases.at(-1)?.id).slice(1)).toEqual([
      '    it passes, and is known to fail: #12',
    ]);
  });

  test('is silent of what passed and what was not played; verbose shows both, and the wire', () => {
    for (const verdict of ['PASS', 'SKIP'])
      expect(lines.some((line) => line.includes(` ${idOf(verdict)} `))).toBe(false);
    const verbose = terminalReport(whole, { verbose: true }).split('\n');
    for (const verdict of ['PASS', 'SKIP'])
      expect(verbose.some((line) => line.includes(`${verdict} ${idOf(verdict)} `))).toBe(true);
    const failed = block(idOf('FAIL'), verbose);
    expect(failed).toContain('          10 ms tls C: MAIL FROM:<a@example.com> # ]]>');
    // Two connections of the play that failed; the one that passed is not shown.
    expect(failed.filter((line) => / -- TLS handshake$/.test(line))).toHaveLength(2);
  });

  test('ends with the counts, and a line end', () => {
    expect(lines.slice(-2)).toEqual([
      'mine 1.0.0: 1 PASS, 2 FAIL, 1 WARN, 1 INFO, 1 SKIP, 1 ERROR, 1 XFAIL (8 results, 1.2 s)',
      '',
    ]);
  });

  test('names the delivery where there are several', () => {
    expect(terminalReport(report)).toMatch(/^✗ FAIL \S+ .* \[byte\] /m);
    expect(terminalReport(whole)).not.toContain('[whole]');
  });

  test('has colours only where they are asked for, and nothing but colours', () => {
    for (const verbose of [false, true]) {
      const plain = terminalReport(madeReport(true), { verbose });
      expect(plain).not.toMatch(UNSEEN);
      const painted = terminalReport(madeReport(true), { verbose, color: true });
      expect(painted).not.toBe(plain);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour is a control sequence
      expect(painted.replaceAll(/\x1b\[\d+m/g, '')).toBe(plain);
      expect(stripVTControlCharacters(painted)).toBe(plain);
    }
  });

  test('forges no line: whatever a text holds stands in its own, indented', () => {
    const text = terminalReport(madeReport(true), { verbose: true });
    expect(text.split('\n').some((line) => line.startsWith('not ok'))).toBe(false);
  });
});
