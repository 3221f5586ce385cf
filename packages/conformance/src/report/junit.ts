/** JUnit's XML, as CI systems read it: FAIL is a failure, ERROR an error, SKIP is skipped, WARN stands in system-out. */
import { create } from 'xmlbuilder2';
import type { VerdictName } from '../judge/judge.ts';
import { clientOf, type Report, type ReportedCase, reasonLines } from './report.ts';
import { printable } from './text.ts';
import { transcriptText } from './transcript.ts';

/** The writer leaves what looks like a reference as it is: "&#0;" would be no XML, and "&lt;" would come back as "<". */
const escaped = (text: string): string => text.replaceAll('&', '&amp;');
const shown = (text: string): string => escaped(printable(text));
const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

/** The text of a JUnit report: one suite for each group. XML 1.0 can hold no ESC and no NUL: those are escapes. */
export function junitReport(report: Report): string {
  const groups = new Map<string, ReportedCase[]>();
  for (const one of report.cases) {
    const group = groups.get(one.group);
    if (group) group.push(one);
    else groups.set(one.group, [one]);
  }
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele('testsuites', {
    name: shown(clientOf(report)),
    ...totals(report.cases),
    time: seconds(report.took),
  });
  for (const [group, cases] of groups) {
    const suite = root.ele('testsuite', {
      name: shown(group),
      // The schema that CI systems share has UTC without a zone, and no fractions.
      timestamp: shown(report.started.slice(0, 19)),
      ...totals(cases),
    });
    for (const one of cases) {
      const { tag, attributes, text } = resultOf(one);
      const test = suite.ele('testcase', {
        classname: shown(group),
        name: shown(`${one.id} ${one.title} [${one.delivery}]`),
        time: seconds(one.took),
      });
      if (tag === undefined) continue;
      const result = test.ele(tag, attributes ?? {});
      if (text) result.txt(escaped(text));
    }
  }
  return `${root.end({ prettyPrint: true })}\n`;
}

function totals(cases: readonly ReportedCase[]): Record<string, string | number> {
  const count = (...verdicts: readonly VerdictName[]): number =>
    cases.filter(({ verdict }) => verdicts.includes(verdict)).length;
  return {
    tests: cases.length,
    failures: count('FAIL'),
    errors: count('ERROR'),
    skipped: count('SKIP', 'XFAIL'),
    time: seconds(cases.reduce((sum, { took }) => sum + took, 0)),
  };
}

/** The element in which a case tells how it came out; none where it passed. */
function resultOf(one: ReportedCase): {
  readonly tag?: 'failure' | 'error' | 'skipped' | 'system-out';
  readonly attributes?: Readonly<Record<string, string>>;
  readonly text?: string;
} {
  const message = shown(one.reasons[0] ?? '');
  switch (one.verdict) {
    case 'FAIL':
      return { tag: 'failure', attributes: { message, type: one.level }, text: details(one) };
    case 'ERROR':
      return { tag: 'error', attributes: { message, type: 'ERROR' }, text: details(one) };
    case 'SKIP':
    case 'XFAIL':
      return { tag: 'skipped', attributes: { message } };
    case 'WARN':
    case 'INFO':
      return { tag: 'system-out', text: `${one.verdict}: ${reasonsOf(one).join('\n')}` };
    default:
      return {};
  }
}

const reasonsOf = (one: ReportedCase): string[] =>
  one.reasons.flatMap((reason) => reasonLines(one, reason));

const details = (one: ReportedCase): string =>
  [
    printable(`${one.level} ${one.clause}: ${one.requirement}`),
    ...reasonsOf(one),
    ...one.plays
      .filter(({ verdict, transcript }) => verdict !== 'PASS' && transcript.length > 0)
      .flatMap(({ title, transcript }) => [
        '',
        ...(title && one.plays.length > 1 ? [printable(title)] : []),
        transcriptText(transcript),
      ]),
  ].join('\n');
