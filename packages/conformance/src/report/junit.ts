/** JUnit's XML, as CI systems read it: FAIL is a failure, ERROR an error, SKIP is skipped, WARN stands in system-out. */
import { create } from 'xmlbuilder2';
import { type Report, type ReportedCase, transcriptText } from './report.ts';

/** What XML 1.0 cannot hold, by whatever way it is written. */
const NOT_XML = /[^\P{Cc}\t\n\r]|[\ufffe\uffff]|\p{Cs}/gu;

const clean = (text: string): string => text.replace(NOT_XML, '\ufffd');
const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

/** The text of a JUnit report: one suite for each group. */
export function junitReport(report: Report): string {
  const groups = new Map<string, ReportedCase[]>();
  for (const one of report.cases) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  const count = (cases: readonly ReportedCase[], pattern: RegExp): number =>
    cases.filter(({ verdict }) => pattern.test(verdict)).length;
  const totals = (cases: readonly ReportedCase[]): Record<string, string | number> => ({
    tests: cases.length,
    failures: count(cases, /^FAIL$/),
    errors: count(cases, /^ERROR$/),
    skipped: count(cases, /^(SKIP|XFAIL)$/),
    time: seconds(cases.reduce((sum, { took }) => sum + took, 0)),
  });
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', {
    name: clean([report.client.name, report.client.version].filter(Boolean).join(' ')),
    ...totals(report.cases),
    time: seconds(report.took),
  });
  for (const [group, cases] of groups) {
    const suite = root.ele('testsuite', {
      name: group,
      timestamp: report.started,
      ...totals(cases),
    });
    for (const one of cases) {
      const test = suite.ele('testcase', {
        classname: group,
        name: clean(`${one.id} ${one.title} [${one.delivery}]`),
        time: seconds(one.took),
      });
      const reasons = clean(one.reasons.join('\n'));
      const first = clean(one.reasons[0] ?? '');
      const details = (): string =>
        clean(
          [
            `${one.level} ${one.clause}: ${one.requirement}`,
            ...one.reasons,
            '',
            ...one.plays
              .filter(({ verdict }) => verdict !== 'PASS')
              .map(({ transcript }) => transcriptText(transcript)),
          ].join('\n'),
        );
      if (one.verdict === 'FAIL')
        test.ele('failure', { message: first, type: one.level }).txt(details());
      else if (one.verdict === 'ERROR') test.ele('error', { message: first }).txt(details());
      else if (one.verdict === 'SKIP' || one.verdict === 'XFAIL')
        test.ele('skipped', { message: first });
      else if (one.verdict === 'WARN' || one.verdict === 'INFO')
        test.ele('system-out').txt(`${one.verdict}: ${reasons}`);
    }
  }
  return `${root.end({ prettyPrint: true })}\n`;
}
