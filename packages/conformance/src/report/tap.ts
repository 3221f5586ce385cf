/** Test Anything Protocol, version 13: WARN and XFAIL are TODO, SKIP is SKIP. */
import { clientOf, type Report, type ReportedCase } from './report.ts';
import { printable } from './text.ts';

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
        `  clause: ${quoted(one.clause)}`,
        `  verdict: ${one.verdict}`,
        '  reasons:',
        ...one.reasons.map((reason) => `    - ${quoted(reason)}`),
        '  ...',
      );
  }
  // With a word in front: '# Subtest' has a meaning.
  lines.push(`# client: ${printable(clientOf(report))}`);
  return `${lines.join('\n')}\n`;
}

const passes = ({ verdict }: ReportedCase): boolean => /^(PASS|INFO|SKIP)$/.test(verdict);

/** A string of JSON is one of YAML too, once what cannot be shown is no longer in it. */
const quoted = (text: string): string => JSON.stringify(printable(text));

/** `#` would begin a directive. `\` escapes it, and itself. */
const clean = (text: string): string =>
  printable(text).replaceAll('\\', '\\\\').replaceAll('#', '\\#');

const described = ({ id, title, delivery }: ReportedCase): string =>
  clean(`${id} ${title} [${delivery}]`);

/** A brace at the end of the line would begin a subtest for some readers: a full stop keeps it from being the last. */
function directive({ verdict, reasons }: ReportedCase): string {
  const why = clean(reasons[0] ?? '').replace(/\{\s*$/, '{.');
  if (verdict === 'SKIP') return ` # SKIP ${why}`.trimEnd();
  return verdict === 'WARN' || verdict === 'XFAIL' ? ` # TODO ${why}`.trimEnd() : '';
}
