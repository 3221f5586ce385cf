import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { cases, type Report, reportOf, runSuite, type Subject, select } from '../../src/index.ts';
import { reasonsOf } from '../../src/report/report.ts';
import { COUNTS, LONG, madeReport, runOf } from './runs.ts';

const schema = JSON.parse(
  readFileSync(new URL('../../report.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: false }).compile(
  schema,
);

const written = (report: Report): unknown => JSON.parse(JSON.stringify(report, null, 2));
/** What is wrong with a report, in the words of the validator. */
function wrong(report: unknown): string {
  if (validate(report)) return '';
  return (validate.errors ?? [])
    .map(({ instancePath, message }) => `${instancePath} ${message}`)
    .join('\n');
}

describe('the JSON report', () => {
  test('keeps to its schema, with every verdict and every kind of event', () => {
    const report = madeReport();
    expect(report.counts).toEqual(COUNTS);
    const events = report.cases
      .flatMap(({ plays }) => plays)
      .flatMap(({ transcript }) => transcript.flat());
    expect(new Set(events.map(({ who }) => who))).toEqual(
      new Set(['client', 'server', 'handshake', 'tls', 'tls-failed', 'end']),
    );
    expect(wrong(written(report))).toBe('');
    expect(wrong(written(madeReport(true)))).toBe('');
  });

  test('comes back as it was: nothing in it is undefined, and every text is whole', () => {
    for (const report of [madeReport(), madeReport(true)])
      expect(written(report)).toStrictEqual(report);
  });

  test('holds an event for events that were too many', () => {
    const run = runOf(['whole']);
    const [first] = run.results;
    const [play] = first?.plays ?? [];
    if (!first || !play) throw new Error('there is no case');
    const talk = Array.from({ length: 1_000 }, (_, at) =>
      at % 2 === 0
        ? ({ at, who: 'client', secure: false, text: `NOOP ${'n'.repeat(400)}\r\n` } as const)
        : ({ at, who: 'server', secure: false, text: '250 ok\r\n' } as const),
    );
    const report = reportOf({
      ...run,
      results: [{ ...first, plays: [{ ...play, transcript: [talk] }] }],
    });
    expect(wrong(written(report))).toBe('');
    const events = report.cases[0]?.plays[0]?.transcript[0] ?? [];
    const omitted = events.find(({ who }) => who === 'omitted');
    expect(omitted).toMatchObject({ who: 'omitted' });
    expect(JSON.stringify(events).length).toBeLessThan(50_000);
    expect(events.at(-1)).toMatchObject({ at: 999, text: '250 ok\r\n' });
  });

  test('holds of an outcome what the format knows, and no more', () => {
    const run = runOf(['whole']);
    const [first] = run.results;
    const [play] = first?.plays ?? [];
    if (!first || !play) throw new Error('there is no case');
    const outcome = [
      { outcome: 'reject' as const, socket: {}, native: 'EOOPS', code: undefined, text: LONG },
    ];
    const report = reportOf({ ...run, results: [{ ...first, plays: [{ ...play, outcome }] }] });
    expect(report.cases[0]?.plays[0]?.outcome).toStrictEqual([
      { outcome: 'reject', native: 'EOOPS', text: `${LONG.slice(0, 2_000)}… 8000 more characters` },
    ]);
  });

  test('of a real run keeps to the schema, and each reason that tells of a fault is told as one', async () => {
    const mute: Subject = {
      name: 'mute',
      version: '',
      features: ['client-name'],
      reports: ['kind', 'text'],
      run: async (task) => ({
        outcome: 'done',
        messages: task.messages.map(() => ({ outcome: 'reject', kind: 'other', text: 'no' })),
      }),
    };
    const run = await runSuite(() => mute, { cases: select(cases, 'GRE-01,EHL-07') });
    const report = reportOf(run);
    expect(wrong(written(report))).toBe('');
    expect(written(report)).toStrictEqual(report);
    for (const one of report.cases) {
      expect(one.verdict).toBe('FAIL');
      expect(reasonsOf(one).every(({ fault }) => fault)).toBe(true);
    }
    expect(report.cases.some((one) => reasonsOf(one).some(({ play }) => play))).toBe(true);
  });
});

describe('the schema refuses', () => {
  type Loose = Record<string, unknown>;
  interface Draft extends Loose {
    client: Loose;
    counts: Loose;
    cases: (Loose & { plays: (Loose & { outcome: Loose[]; transcript: Loose[][] })[] })[];
  }
  /** The case that failed. */
  const failed = (report: Draft): Draft['cases'][number] =>
    report.cases.find(({ verdict }) => verdict === 'FAIL') as Draft['cases'][number];
  const played = (report: Draft): Draft['cases'][number]['plays'][number] =>
    failed(report).plays[0] as Draft['cases'][number]['plays'][number];
  const first = (events: Loose[][]): Loose => events[0]?.[0] as Loose;

  test.each<[string, (report: Draft) => void, RegExp]>([
    ['another format', (r) => (r['format'] = 'smtp-client-conformance/2'), /^\/format /],
    ['what it does not know', (r) => (r['extra'] = 1), /additional properties/],
    ['a client without a name', (r) => delete r.client['name'], /^\/client .*'name'/],
    ['a verdict of its own', (r) => (failed(r)['verdict'] = 'OK'), /verdict/],
    ['a level of its own', (r) => (failed(r)['level'] = 'MAY'), /level/],
    ['a count that is none', (r) => (r.counts['PASS'] = -1), /counts\/PASS/],
    ['a count that is missing', (r) => delete r.counts['XFAIL'], /'XFAIL'/],
    ['an exit code of its own', (r) => (r['exitCode'] = 3), /exitCode/],
    ['a delivery twice', (r) => (r['deliveries'] = ['byte', 'byte']), /deliveries/],
    ['a time that is none', (r) => (r['started'] = 'yesterday'), /started/],
    ['fractions of ms', (r) => (r['took'] = 1.5), /took/],
    ['a reason that is no text', (r) => (failed(r)['reasons'] = [1]), /reasons\/0/],
    ['a kind of its own', (r) => ((played(r).outcome[0] as Loose)['kind'] = 'magic'), /kind/],
    [
      'an outcome that is none',
      (r) => ((played(r).outcome[0] as Loose)['outcome'] = 'maybe'),
      /outcome/,
    ],
    ['what a driver adds', (r) => ((played(r).outcome[0] as Loose)['socket'] = {}), /additional/],
    [
      'characters that are no octets',
      (r) => (first(played(r).transcript)['text'] = 'П'),
      /transcript/,
    ],
    ['an event of its own', (r) => (first(played(r).transcript)['who'] = 'proxy'), /transcript/],
    ['no omitted octets', (r) => (first(played(r).transcript)['omitted'] = 0), /transcript/],
    ['no cases', (r) => delete (r as Loose)['cases'], /'cases'/],
  ])('%s', (_, spoil, why) => {
    const report = written(madeReport()) as Draft;
    spoil(report);
    expect(wrong(report)).toMatch(why);
  });
});
