/** Test Anything Protocol, version 13: WARN is a TODO, SKIP a SKIP. */
import { printable, type Report, type ReportedCase } from './report.ts';

/** The text of a TAP report. */
export function tapReport(report: Report): string {
  const lines = ['TAP version 13', `1..${report.cases.length}`];
  for (const [index, one] of report.cases.entries()) {
    lines.push(
      `${passes(one) ? 'ok' : 'not ok'} ${index + 1} - ${described(one)}${directive(one)}`,
    );
    if (one.verdict !== 'PASS' && one.verdict !== 'SKIP' && one.reasons.length > 0)
      lines.push(
        '  ---',
        `  clause: ${JSON.stringify(one.clause)}`,
        `  verdict: ${one.verdict}`,
        '  reasons:',
        ...one.reasons.map((reason) => `    - ${JSON.stringify(printable(reason))}`),
        '  ...',
      );
  }
  return `${lines.join('\n')}\n`;
}

const passes = ({ verdict }: ReportedCase): boolean => /^(PASS|INFO|SKIP)$/.test(verdict);

/** `#` would begin a directive. */
const clean = (text: string): string =>
  printable(text).replaceAll('\\', '\\\\').replaceAll('#', '\\#');

const described = ({ id, title, delivery }: ReportedCase): string =>
  clean(`${id} ${title} [${delivery}]`);

function directive({ verdict, reasons }: ReportedCase): string {
  const why = clean(reasons[0] ?? '');
  if (verdict === 'SKIP') return ` # SKIP ${why}`;
  return verdict === 'WARN' || verdict === 'XFAIL' ? ` # TODO ${why}` : '';
}
