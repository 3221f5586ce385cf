/** The report that people read in a terminal. */
import { styleText } from 'node:util';
import type { VerdictName } from '../judge/judge.ts';
import { clientOf, type Report, type ReportedCase, reasonLines, reasonsOf } from './report.ts';
import { printable } from './text.ts';
import { transcriptText } from './transcript.ts';

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

/** What is shown, and how. */
export interface TerminalOptions {
  /** Default false. */
  readonly color?: boolean;
  /** Passed and skipped cases too, and a transcript of each that did not pass; default false. */
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
      lines.push('', paint('bold', printable(group)));
    }
    lines.push(...linesOfCase(one, report, options, paint));
  }
  const counted = Object.entries(report.counts)
    .filter(([verdict, count]) => count > 0 || verdict === 'PASS' || verdict === 'FAIL')
    .map(([verdict, count]) =>
      paint(count ? STYLES[verdict as VerdictName][1] : 'gray', `${count} ${verdict}`),
    );
  lines.push(
    '',
    `${paint('bold', printable(clientOf(report)))}: ${counted.join(', ')} (${report.cases.length} results, ${(report.took / 1_000).toFixed(1)} s)`,
  );
  if (/^(FAIL|ERROR)$/.test(report.sanity.first))
    lines.push(
      'It does not send one plain message to a good server: the other verdicts say little.',
    );
  else if (/^(FAIL|ERROR)$/.test(report.sanity.last))
    lines.push(
      'It sent a plain message at first, and does so no longer: something broke on the way.',
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
  const about = `${delivery} ${one.level}, ${printable(one.clause)}`;
  const lines = [
    `${paint(style, `${symbol} ${one.verdict}`)} ${printable(`${one.id} ${one.title}`)}${paint('gray', about)}`,
  ];
  if (one.verdict !== 'PASS')
    for (const { text, fault, play } of reasonsOf(one)) {
      if (!fault) {
        lines.push(...reasonLines(one, text).map((line) => `    ${line}`));
        continue;
      }
      // A warning in a case that is a MUST has to say what it is.
      const level = fault.level === one.level ? '' : `(${fault.level}) `;
      lines.push(
        `    ${paint('gray', 'expected')} ${level}${printable(`${play ? `${play}: ` : ''}${fault.expected}`)}`,
        `    ${paint('gray', 'actual  ')} ${printable(fault.actual)}`,
      );
    }
  if (verbose && !/^(PASS|SKIP)$/.test(one.verdict))
    for (const { title, transcript } of one.plays.filter(({ verdict }) => verdict !== 'PASS')) {
      if (transcript.length === 0) continue;
      if (title && one.plays.length > 1) lines.push(`      ${paint('gray', printable(title))}`);
      lines.push(
        ...transcriptText(transcript)
          .split('\n')
          .map((line) => `      ${line}`),
      );
    }
  return lines;
}
