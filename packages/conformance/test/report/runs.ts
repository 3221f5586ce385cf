/** A run as no client has made it: every verdict, several plays and deliveries, and text that no report may trip over. */
import { cases } from '../../src/cases/index.ts';
import type { Assertion, VerdictName } from '../../src/judge/judge.ts';
import { type Report, reportOf } from '../../src/report/report.ts';
import type { CaseResult, PlayResult } from '../../src/runner/run-case.ts';
import type { SuiteResult } from '../../src/runner/run-suite.ts';
import type { Delivery, WireEvent } from '../../src/server/wire-log.ts';

/** What means something to HTML, XML, TAP, YAML, terminals or people who read from right to left. */
export const HOSTILE: string = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '" onmouseover="alert(1)" \' `',
  ']]>',
  '<!-- -->',
  '&amp; &#0;',
  'https://evil.example/',
  '# TODO # SKIP \\# \\\\ \\',
  '\x1b[31mred\x1b[0m \x1b]0;title\x07',
  'NUL \0',
  'C1 \x9b2J',
  'lone \ud800 and \udc00 surrogates',
  'CR LF\r\nnot ok 1 - forged',
  'Привет',
  '\u{1f40e}',
  'bidi \u202e \u2066',
  'line \u2028 separator',
  'soft\xadhyphen, no\xa0break',
  'no characters \ufffe \ufdd0 \u{1ffff}',
  '{',
].join(' ');

/** The same as reports show it. */
export const SHOWN: string = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '" onmouseover="alert(1)" \' `',
  ']]>',
  '<!-- -->',
  '&amp; &#0;',
  'https://evil.example/',
  '# TODO # SKIP \\# \\\\ \\',
  '\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07',
  'NUL \\x00',
  'C1 \\u009b2J',
  'lone \\ud800 and \\udc00 surrogates',
  'CR LF\\r\\nnot ok 1 - forged',
  'Привет',
  '\u{1f40e}',
  'bidi \\u202e \\u2066',
  'line \\u2028 separator',
  'soft\\u00adhyphen, no\\u00a0break',
  'no characters \\ufffe \\ufdd0 \\u{1ffff}',
  '{',
].join(' ');

export const LONG: string = 'x'.repeat(10_000);

/** What stands for itself in no report but JSON; line ends are between the lines of a report. */
export const UNSEEN: RegExp = /(?!\n)\p{Cc}|[\p{Cf}\p{Cs}\u00a0\u2028\ufdd0\ufffe]/u;

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Plain text, TLS, octets that are no text, a flood, and an end. */
export const WIRE: readonly WireEvent[] = [
  { at: 0.4, who: 'server', secure: false, text: '220 mail.example.com ESMTP\r\n' },
  { at: 1.2, who: 'client', secure: false, text: 'EHLO <script>\r\nSTART' },
  { at: 1.3, who: 'client', secure: false, text: 'TLS\r\n' },
  { at: 2, who: 'server', secure: false, text: '220 2.0.0 go ahead\r\n' },
  { at: 2.1, who: 'handshake' },
  { at: 9.9, who: 'tls', servername: undefined, protocol: 'TLSv1.3' },
  { at: 10, who: 'client', secure: true, text: 'MAIL FROM:<a@example.com> # ]]>\r\nNOOP \x01\n' },
  { at: 11, who: 'server', secure: true, text: '250-caf\xe9 \x1b[2J\0\n' },
  { at: 12, who: 'server', secure: true, text: `${utf8('250-Привет')}\r\n250 `, omitted: 70_000 },
  { at: 13, who: 'client', secure: true, text: `${LONG}\r\n.\r\n` },
  { at: 14, who: 'server', secure: true, text: '250 no end' },
  { at: 15, who: 'end', by: 'client', reset: true },
];
const FAILED: readonly WireEvent[] = [
  { at: 1, who: 'client', secure: false, text: '\x16\x03\x01' },
  { at: 2, who: 'handshake' },
  { at: 3, who: 'tls-failed', text: HOSTILE },
  { at: 4, who: 'end', by: 'server' },
];

const holds = (expected: string): Assertion => ({ level: 'MUST', expected, holds: true });
const broken = (level: Assertion['level'], expected: string, actual: string): Assertion => ({
  level,
  expected,
  actual,
  holds: false,
});

const play = (verdict: VerdictName, more: Partial<PlayResult> = {}): PlayResult => ({
  title: undefined,
  verdict,
  assertions: [holds('it is there')],
  outcome: [{ outcome: 'resolve', code: 250, kind: undefined, accepted: ['b@example.org'] }],
  took: 12.3,
  transcript: [WIRE],
  ...more,
});

/** The sentences that runCase makes of what is broken: a test holds this against the real thing. */
const reasonsOf = (plays: readonly PlayResult[]): string[] =>
  plays.flatMap(({ title, assertions }) =>
    assertions
      .filter((one) => !one.holds)
      .map(
        ({ expected, actual }) =>
          `${title && plays.length > 1 ? `${title}: ` : ''}expected ${expected}, got ${actual}`,
      ),
  );

const FAILING: readonly PlayResult[] = [
  play('FAIL', {
    title: `first ${HOSTILE}`,
    assertions: [
      holds('one thing'),
      broken('MUST', `a text ${HOSTILE}`, HOSTILE),
      broken('SHOULD', 'QUIT', 'none'),
      broken('MUST', 'nothing long', LONG),
      broken('MUST', 'no such path', '"MAIL FROM:<a@example.com> # ]]>", "NOOP \\u0001\\n"'),
    ],
    outcome: [
      {
        outcome: 'reject',
        kind: 'protocol',
        code: 554,
        enhanced: '5.7.1',
        replyText: HOSTILE,
        text: HOSTILE,
        temporary: false,
        delivery: 'unknown',
        accepted: [],
        rejected: [
          { address: HOSTILE, code: undefined },
          { address: 'c@example.org', code: 550 },
        ],
        native: 'EPROTOCOL',
      },
    ],
    transcript: [WIRE, FAILED],
  }),
  play('PASS', { title: 'second' }),
  play('SKIP', {
    title: 'third',
    assertions: [],
    outcome: [],
    transcript: [],
    why: 'mine has no dsn',
  }),
];
const WARNING: readonly PlayResult[] = [
  play('WARN', { assertions: [broken('SHOULD', 'QUIT # here', 'none')] }),
];

interface Made {
  readonly verdict: VerdictName;
  readonly plays: readonly PlayResult[];
  readonly reasons?: readonly string[];
}

/** The cases of the run, in the order of the catalogue: each verdict, and a pass that was not expected. */
const MADE: readonly Made[] = [
  { verdict: 'PASS', plays: [play('PASS')] },
  { verdict: 'FAIL', plays: FAILING },
  { verdict: 'WARN', plays: WARNING },
  { verdict: 'INFO', plays: [play('INFO')], reasons: [`noted: ${HOSTILE}`] },
  { verdict: 'SKIP', plays: [], reasons: [`mine has no dsn ${HOSTILE}`] },
  {
    verdict: 'ERROR',
    plays: [play('ERROR', { why: 'the harness failed: Error: x\n    at y' })],
    reasons: ['the harness failed: Error: x\n    at y'],
  },
  { verdict: 'XFAIL', plays: WARNING, reasons: [`known: ${HOSTILE}`, ...reasonsOf(WARNING)] },
  { verdict: 'FAIL', plays: [play('PASS')], reasons: ['it passes, and is known to fail: #12'] },
];

/** What came out, with one delivery that went another way than the others. */
function resultsOf(deliveries: readonly Delivery[]): CaseResult[] {
  return MADE.flatMap(({ verdict, plays, reasons }, index) =>
    deliveries.map((delivery): CaseResult => {
      const { id, level } = cases[index] as (typeof cases)[number];
      const fine = verdict === 'WARN' && delivery === 'byte';
      return {
        id,
        level,
        delivery,
        verdict: fine ? 'PASS' : verdict,
        reasons: fine ? [] : (reasons ?? reasonsOf(plays)),
        plays: fine ? [play('PASS')] : plays,
        took: 20.6,
      };
    }),
  );
}

/** A run of all of them. */
export function runOf(deliveries: readonly Delivery[] = ['whole', 'line', 'byte']): SuiteResult {
  const results = resultsOf(deliveries);
  const counts = { PASS: 0, FAIL: 0, WARN: 0, INFO: 0, SKIP: 0, ERROR: 0, XFAIL: 0 };
  for (const { verdict } of results) counts[verdict] += 1;
  return {
    client: { name: 'mine', version: '1.0.0' },
    started: '2026-10-01T12:00:00.123Z',
    took: 1234.5,
    deliveries,
    strict: false,
    results,
    counts,
    sanity: { first: 'PASS', last: 'PASS' },
    exitCode: 2,
  };
}

/** Its report; hostile: with text in every place that a file of JSON may bring. */
export function madeReport(hostile = false): Report {
  const report = reportOf(runOf());
  if (!hostile) return report;
  return {
    ...report,
    client: { name: `mine ${HOSTILE}`, version: HOSTILE },
    runtime: HOSTILE,
    cases: report.cases.map((one) => ({
      ...one,
      group: `${one.group} ${HOSTILE}`,
      title: `${one.title} ${HOSTILE}`,
      requirement: HOSTILE,
      clause: HOSTILE,
      tags: [...one.tags, HOSTILE],
    })),
  };
}

/** How many cases of the made run came out so. */
export const COUNTS: Readonly<Record<VerdictName, number>> = {
  PASS: 4,
  FAIL: 6,
  WARN: 2,
  INFO: 3,
  SKIP: 3,
  ERROR: 3,
  XFAIL: 3,
};
