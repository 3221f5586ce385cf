import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { junitReport } from '../../src/report/junit.ts';
import { COUNTS, HOSTILE, LONG, madeReport, SHOWN, UNSEEN } from './runs.ts';

type Attributes = Readonly<Record<string, string>>;
interface Element {
  readonly '@': Attributes;
  readonly '#text'?: string;
}
interface TestCase {
  readonly '@': Attributes;
  readonly failure?: readonly Element[];
  readonly error?: readonly Element[];
  readonly skipped?: readonly Element[];
  readonly 'system-out'?: readonly (Element | string)[];
}
interface Suite {
  readonly '@': Attributes;
  readonly testcase: readonly TestCase[];
}

function parsed(xml: string): { '@': Attributes; testsuite: readonly Suite[] } {
  expect(XMLValidator.validate(xml, { allowBooleanAttributes: false })).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributesGroupName: '@',
    attributeNamePrefix: '',
    parseAttributeValue: false,
    parseTagValue: false,
    trimValues: false,
    isArray: (name) => name !== '?xml' && name !== 'testsuites' && name !== '@',
  });
  const { testsuites } = parser.parse(xml) as { testsuites: ReturnType<typeof parsed> };
  return testsuites;
}

const report = madeReport();
const suites = parsed(junitReport(report));
const tests = suites.testsuite.flatMap(({ testcase }) => testcase);
/** The element of each test, by the verdict that the report has. */
const of = (verdict: string): TestCase[] =>
  tests.filter((_, index) => report.cases[index]?.verdict === verdict);
const total = (name: string): number =>
  suites.testsuite.reduce((sum, suite) => sum + Number(suite['@'][name]), 0);

describe('the JUnit report', () => {
  test('has a test for each case in each delivery, under its group', () => {
    expect(tests.map((one) => one['@']['name'])).toEqual(
      report.cases.map(({ id, title, delivery }) => `${id} ${title} [${delivery}]`),
    );
    for (const suite of suites.testsuite)
      for (const one of suite.testcase) expect(one['@']['classname']).toBe(suite['@']['name']);
    expect(suites['@']['name']).toBe('mine 1.0.0');
  });

  test('FAIL is a failure, ERROR an error, SKIP and XFAIL are skipped, WARN and INFO are output', () => {
    const kinds = (verdict: string): string[] =>
      of(verdict).map((one) =>
        Object.keys(one)
          .filter((key) => key !== '@' && key !== '#text')
          .join(),
      );
    const all = (verdict: keyof typeof COUNTS, kind: string): void =>
      expect(kinds(verdict)).toEqual(new Array(COUNTS[verdict]).fill(kind));
    all('PASS', '');
    all('FAIL', 'failure');
    all('ERROR', 'error');
    all('SKIP', 'skipped');
    all('XFAIL', 'skipped');
    all('WARN', 'system-out');
    all('INFO', 'system-out');
  });

  test('counts what it holds: for each group, and in all', () => {
    const count = (cases: readonly TestCase[], kind: keyof TestCase): string =>
      String(cases.filter((one) => kind in one).length);
    for (const suite of suites.testsuite)
      expect(suite['@']).toMatchObject({
        tests: String(suite.testcase.length),
        failures: count(suite.testcase, 'failure'),
        errors: count(suite.testcase, 'error'),
        skipped: count(suite.testcase, 'skipped'),
      });
    for (const name of ['tests', 'failures', 'errors', 'skipped'])
      expect(Number(suites['@'][name])).toBe(total(name));
    expect([total('tests'), total('failures'), total('errors'), total('skipped')]).toEqual([
      report.cases.length,
      COUNTS.FAIL,
      COUNTS.ERROR,
      COUNTS.SKIP + COUNTS.XFAIL,
    ]);
  });

  test('has times in seconds, and a timestamp without a zone, as its schema has it', () => {
    for (const { '@': about } of [suites, ...suites.testsuite, ...tests])
      expect(about['time']).toMatch(/^\d+\.\d{3}$/);
    expect(suites['@']['time']).toBe('1.235');
    for (const suite of suites.testsuite)
      expect(suite['@']['timestamp']).toBe('2026-10-01T12:00:00');
  });

  test('a failure says what is expected and what was, and has the wire of the play that failed', () => {
    const failure = of('FAIL')[0]?.failure?.[0];
    expect(failure?.['@']['message']).toBe(
      `first ${SHOWN}: expected a text ${SHOWN}, got ${SHOWN}`,
    );
    expect(failure?.['@']['type']).toBe(
      report.cases.find(({ verdict }) => verdict === 'FAIL')?.level,
    );
    const text = failure?.['#text'] ?? '';
    expect(text.split('\n')).toContain(`first ${SHOWN}: expected a text ${SHOWN}, got ${SHOWN}`);
    expect(text).toContain(LONG);
    expect(text).toContain('tls C: MAIL FROM:<a@example.com> # ]]>\n');
    expect(text).toContain('S: 250-caf\\xe9 \\x1b[2J\\x00\\n\n');
    expect(text).toContain('S: 250-Привет\n');
    expect(text).toContain(`the handshake failed: ${SHOWN}`);
    expect(text.match(/^connection 1$/gm)).toHaveLength(1);
  });

  test('an unexpected pass, a skip and an error say why', () => {
    expect(of('FAIL').at(-1)?.failure?.[0]?.['@']['message']).toBe(
      'it passes, and is known to fail: #12',
    );
    expect(of('SKIP')[0]?.skipped?.[0]?.['@']['message']).toBe(`mine has no dsn ${SHOWN}`);
    expect(of('XFAIL')[0]?.skipped?.[0]?.['@']['message']).toBe(`known: ${SHOWN}`);
    expect(of('ERROR')[0]?.error?.[0]?.['#text']).toMatch(
      /\nthe harness failed: Error: x\n {4}at y\n/,
    );
    expect(of('WARN')[0]?.['system-out']).toEqual(['WARN: expected QUIT # here, got none']);
    expect(of('INFO')[0]?.['system-out']).toEqual([`INFO: noted: ${SHOWN}`]);
  });

  test('is well formed with hostile text in every place, which comes back as text', () => {
    const hostile = madeReport(true);
    const xml = junitReport(hostile);
    expect(xml).not.toMatch(UNSEEN);
    expect(xml).not.toContain('<script');
    const again = parsed(xml);
    expect(again['@']['name']).toBe(`mine ${SHOWN} ${SHOWN}`);
    const [one] = again.testsuite.flatMap(({ testcase }) => testcase);
    expect(one?.['@']['name']).toBe(
      `${hostile.cases[0]?.id} ${hostile.cases[0]?.title.replace(HOSTILE, '')}${SHOWN} [whole]`,
    );
    expect(one?.['@']['classname']).toMatch(/no characters/);
  });

  test('of nothing is still a report', () => {
    const none = parsed(junitReport({ ...report, cases: [] }));
    expect(none['@']).toMatchObject({ tests: '0', failures: '0', errors: '0', skipped: '0' });
  });
});
