/** The report that people read in a terminal. */
import { styleText } from 'node:util';
import type { VerdictName } from '../judge/judge.ts';
import { type Report, type ReportedCase, transcriptText } from './report.ts';

type Style = Parameters<typeof styleText>[0];

const STYLES: Readonly<Record<VerdictName, readonly [symbol: string, style: Style]>> = {
  PASS: ['✓', 'green'],
  FAIL: ['✗', 'red'],
  WARN: ['!', 'yellow'],
  INFO: ['i', 'cyan'],
  SKIP: ['-', 'gray'],
  ERROR: ['E', 'magenta'],
  XFAIL: ['x', 'gray'],
};

export interface TerminalOptions {
  readonly color?: boolean;
  /** Passed and skipped cases too, and a transcript of each that did not pass. */
  readonly verbose?: boolean;
}

/** The text of a terminal report; with a line end at its end. */
export function terminalReport(report: Report, options: TerminalOptions = {}): string {
  const paint = (style: Style, text: string): string =>
    // What decides about colour is the caller, not the stream of this process.
    options.color ? styleText(style, text, { validateStream: false } as never) : text;
  const lines: string[] = [];
  let group = '';
  for (const one of report.cases) {
    if (!options.verbose && /^(PASS|SKIP)$/.test(one.verdict)) continue;
    if (one.group !== group) {
      group = one.group;
      lines.push('', paint('bold', group));
    }
    lines.push(...linesOfCase(one, report, options, paint));
  }
  const { name, version } = report.client;
  const counted = Object.entries(report.counts)
    .filter(([verdict, count]) => count > 0 || verdict === 'PASS' || verdict === 'FAIL')
    .map(([verdict, count]) =>
      paint(count ? STYLES[verdict as VerdictName][1] : 'gray', `${count} ${verdict}`),
    );
  lines.push(
    '',
    `${paint('bold', [name, version].filter(Boolean).join(' '))}: ${counted.join(', ')} (${report.cases.length} results, ${(report.took / 1_000).toFixed(1)} s)`,
  );
  return `${lines.join('\n').trimStart()}\n`;
}

function linesOfCase(
  one: ReportedCase,
  report: Report,
  { verbose }: TerminalOptions,
  paint: (style: Style, text: string) => string,
): string[] {
  const [symbol, style] = STYLES[one.verdict];
  const delivery = report.deliveries.length > 1 ? ` [${one.delivery}]` : '';
  const lines = [
    `${paint(style, `${symbol} ${one.verdict}`)} ${one.id} ${one.title}${paint('gray', `${delivery} ${one.level}, ${one.clause}`)}`,
  ];
  if (/^(FAIL|WARN|XFAIL|ERROR)$/.test(one.verdict)) {
    const faults = one.plays.flatMap((play) =>
      play.faults.map((fault) => ({
        ...fault,
        play: one.plays.length > 1 ? play.title : undefined,
      })),
    );
    if (faults.length === 0) lines.push(...one.reasons.map((reason) => `    ${reason}`));
    else
      for (const { play, expected, actual } of faults)
        lines.push(
          `    ${paint('gray', 'expected')} ${play ? `${play}: ` : ''}${expected}`,
          `    ${paint('gray', 'actual  ')} ${actual}`,
        );
    if (one.verdict === 'XFAIL') lines.push(`    ${one.reasons[0] ?? ''}`);
  } else if (one.verdict !== 'PASS') lines.push(...one.reasons.map((reason) => `    ${reason}`));
  if (verbose && !/^(PASS|SKIP)$/.test(one.verdict))
    for (const { transcript } of one.plays.filter(({ verdict }) => verdict !== 'PASS'))
      lines.push(
        ...transcriptText(transcript)
          .split('\n')
          .map((line) => `      ${line}`),
      );
  return lines;
}
