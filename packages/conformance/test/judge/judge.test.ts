/** What the judge looks at, at which level, and what it comes to. */
import { describe, expect, test } from 'vitest';
import type { Case, Expectation, Level, OutcomeExpectation, Play } from '../../src/case.ts';
import { that, Wire } from '../../src/judge/claims.ts';
import {
  type Assertion,
  judge,
  type PlayFacts,
  type VerdictName,
  verdictOf,
  worst,
} from '../../src/judge/judge.ts';
import type { ClientTask, MessageOutcome, Report, TaskOutcome } from '../../src/task.ts';
import { client, data, open, record, type Said, server } from './record.ts';

const REPORTS: readonly Report[] = [
  'accepted',
  'code',
  'delivery',
  'enhanced',
  'kind',
  'log',
  'memory',
  'reason',
  'rejected',
  'reply-text',
  'temporary',
  'text',
];

const TASK: ClientTask = {
  host: '127.0.0.1',
  port: 25,
  tls: 'off',
  ca: '',
  caFile: '',
  protocol: 'smtp',
  messages: [{ from: 'a@example.com', to: ['b@example.org'], content: { text: 'Hi\r\n' } }],
};

const caseOf = (level: Level): Case => ({
  id: 'AAA-01',
  level,
  title: 'any',
  requirement: 'any',
  clause: 'none',
  tags: [],
  plays: [{ server: { engine: 'none' }, expect: { client: { outcome: 'settle' } } }],
});

interface Seen extends Partial<PlayFacts> {
  readonly said?: readonly (readonly Said[])[];
}

const judged = (expectation: Expectation, seen: Seen = {}, level: Level = 'MUST'): Assertion[] => {
  const play: Play = { server: { engine: 'none' }, expect: expectation };
  const { said = [open()], ...facts } = seen;
  return judge(caseOf(level), play, {
    task: TASK,
    findings: [],
    outcome: { outcome: 'done', messages: [{ outcome: 'resolve' }] },
    ended: 'in-time',
    took: 5,
    deadline: 10_000,
    reports: REPORTS,
    slow: 1,
    wire: new Wire(said.map(record)),
    ...facts,
  });
};

/** What is said of the messages, beside what is said of any play. */
const ofMessages = (
  client_: Expectation['client'],
  messages: readonly MessageOutcome[],
  reports: readonly Report[] = REPORTS,
  level: Level = 'MUST',
): Assertion[] => {
  const outcome: TaskOutcome = { outcome: 'done', messages };
  const usual = judged({ client: { outcome: 'settle' } }, { outcome, reports }, level);
  return judged({ client: client_ }, { outcome, reports }, level).slice(usual.length);
};
const broken = (assertions: readonly Assertion[]): Assertion[] =>
  assertions.filter(({ holds }) => !holds);

describe('judge() of what a client says', () => {
  const rejects: MessageOutcome = { outcome: 'reject' };

  test('its success or failure, with what it says of it', () => {
    const bad: MessageOutcome = { outcome: 'reject', native: 'EAUTH', text: 'no such user' };
    expect(ofMessages({ outcome: 'resolve' }, [{ outcome: 'resolve' }])).toEqual([
      { level: 'MUST', expected: 'the client reports success', holds: true },
    ]);
    expect(ofMessages({ outcome: 'resolve' }, [bad])).toEqual([
      {
        level: 'MUST',
        expected: 'the client reports success',
        actual: 'reject (EAUTH): no such user',
        holds: false,
      },
    ]);
    expect(broken(ofMessages({ outcome: 'reject' }, [{ outcome: 'resolve' }]))).toHaveLength(1);
    expect(broken(ofMessages({ outcome: 'reject' }, [bad]))).toEqual([]);
    for (const outcome of ['resolve', 'reject'] as const)
      expect(ofMessages({ outcome: 'settle' }, [{ outcome }])).toEqual([]);
  });

  type Field = [
    name: string,
    report: Report,
    wanted: Partial<OutcomeExpectation>,
    fits: Partial<MessageOutcome>,
    other: Partial<MessageOutcome>,
  ];
  const fields: Field[] = [
    ['kind', 'kind', { kind: 'tls' }, { kind: 'tls' }, { kind: 'closed' }],
    ['one of kinds', 'kind', { kind: ['tls', 'closed'] }, { kind: 'closed' }, { kind: 'auth' }],
    ['a kind that is not told', 'kind', { kind: 'tls' }, { kind: 'tls' }, {}],
    ['code', 'code', { code: 550 }, { code: 550 }, { code: 551 }],
    ['one of codes', 'code', { code: [550, 554] }, { code: 554 }, { code: 450 }],
    ['no code', 'code', { code: undefined }, {}, { code: 250 }],
    ['no code, or one', 'code', { code: [undefined, 554] }, {}, { code: 250 }],
    ['enhanced', 'enhanced', { enhanced: '5.1.1' }, { enhanced: '5.1.1' }, { enhanced: '5.1.2' }],
    ['no enhanced', 'enhanced', { enhanced: undefined }, {}, { enhanced: '5.1.2' }],
    ['replyText', 'reply-text', { replyText: 'no' }, { replyText: 'no' }, { replyText: 'No' }],
    [
      'delivery',
      'delivery',
      { delivery: 'unknown' },
      { delivery: 'unknown' },
      { delivery: 'rejected' },
    ],
    [
      'reason',
      'reason',
      { reason: 'too-large' },
      { reason: 'too-large' },
      { reason: 'server-error' },
    ],
    ['no reason', 'reason', { reason: undefined }, {}, { reason: 'server-error' }],
    ['stage', 'reason', { stage: 'rcpt' }, { stage: 'rcpt' }, { stage: 'data' }],
    ['address', 'reason', { address: 'a@b' }, { address: 'a@b' }, { address: 'a@c' }],
    ['extension', 'reason', { extension: 'exe' }, { extension: 'exe' }, { extension: 'com' }],
    ['temporary', 'temporary', { temporary: true }, { temporary: true }, { temporary: false }],
    ['permanent', 'temporary', { temporary: false }, { temporary: false }, { temporary: true }],
    ['neither told', 'temporary', { temporary: false }, { temporary: false }, {}],
    ['text', 'text', { text: /refused/ }, { text: 'it was refused' }, { text: 'it was sent' }],
    ['no text', 'text', { text: /refused/ }, { text: 'it was refused' }, {}],
    ['textNot', 'text', { textNot: /secret/ }, { text: 'no' }, { text: 'the secret' }],
    [
      'accepted',
      'accepted',
      { accepted: ['a@b', 'c@d'] },
      { accepted: ['c@d', 'a@b'] },
      { accepted: ['a@b'] },
    ],
    ['none accepted', 'accepted', { accepted: [] }, {}, { accepted: ['a@b'] }],
    [
      'rejected',
      'rejected',
      { rejected: [{ address: 'a@b' }, { address: 'c@d' }] },
      { rejected: [{ address: 'c@d', code: 550 }, { address: 'a@b' }] },
      { rejected: [{ address: 'a@b' }] },
    ],
    [
      'rejected with codes',
      'rejected',
      { rejected: [{ address: 'a@b', code: 550 }] },
      { rejected: [{ address: 'a@b', code: 550 }] },
      { rejected: [{ address: 'a@b', code: 551 }] },
    ],
    [
      'rejected, of which one has to have its code',
      'rejected',
      { rejected: [{ address: 'a@b', code: 550 }, { address: 'c@d' }] },
      {
        rejected: [
          { address: 'c@d', code: 551 },
          { address: 'a@b', code: 550 },
        ],
      },
      {
        rejected: [
          { address: 'c@d', code: 550 },
          { address: 'a@b', code: 551 },
        ],
      },
    ],
    [
      'none rejected',
      'rejected',
      { rejected: [] },
      { rejected: [] },
      { rejected: [{ address: 'a@b' }] },
    ],
  ];

  test.each(fields)('%s: holds, is broken, and is not judged where it is not told', (...field) => {
    const [, report, wanted, fits, other] = field;
    const look = (seen: Partial<MessageOutcome>, reports: readonly Report[]): Assertion[] =>
      ofMessages({ outcome: 'reject', ...wanted }, [{ ...rejects, ...seen }], reports).slice(1);
    expect(look(fits, REPORTS)).toMatchObject([{ level: 'MUST', holds: true }]);
    expect(look(other, REPORTS)).toMatchObject([
      { level: 'MUST', holds: false, actual: expect.stringMatching(/\S/) },
    ]);
    expect(
      look(
        other,
        REPORTS.filter((one) => one !== report),
      ),
    ).toEqual([]);
    // The same without what is wanted: nothing else looks at it.
    expect(ofMessages({ outcome: 'reject' }, [{ ...rejects, ...other }]).slice(1)).toEqual([]);
  });

  test('what was seen stands beside what was wanted', () => {
    const look = (wanted: Partial<OutcomeExpectation>, seen: Partial<MessageOutcome>): unknown =>
      broken(ofMessages({ outcome: 'settle', ...wanted }, [{ ...rejects, ...seen }])).map(
        ({ expected, actual }) => [expected, actual],
      );
    expect(look({ code: [undefined, 554] }, { code: 250, native: 'E' })).toEqual([
      ['code: none or 554', '250 (E)'],
    ]);
    expect(look({ kind: 'tls' }, {})).toEqual([['kind: "tls"', 'none']]);
    expect(look({ temporary: true }, {})).toEqual([['reported as temporary', 'temporary: none']]);
    expect(look({ accepted: ['a@b'] }, {})).toEqual([['accepted: a@b', 'none']]);
    expect(look({ rejected: [{ address: 'a@b', code: 550 }] }, {})).toEqual([
      ['refused: a@b 550', 'none'],
    ]);
    expect(look({ text: /a/ }, { text: 'b"'.repeat(500) })).toEqual([
      ['a text like /a/', JSON.stringify('b"'.repeat(100))],
    ]);
  });

  test('what a program prints: at most a warning, and nothing where it prints nothing', () => {
    const look = (text: string, reports: readonly Report[], level?: Level): Level[] =>
      broken(
        ofMessages(
          { outcome: 'reject', text: /refused/ },
          [{ outcome: 'reject', text }],
          reports,
          level,
        ),
      ).map((one) => one.level);
    expect(look('it failed', ['text', 'code'])).toEqual(['MUST']);
    expect(look('', ['text', 'code'])).toEqual(['MUST']);
    expect(look('it failed', ['text'])).toEqual(['SHOULD']);
    expect(look('it failed', ['text'], 'INFO')).toEqual(['INFO']);
    expect(look('', ['text'])).toEqual([]);
  });

  test('of a program, which tells no codes, a text is a SHOULD, and no text is no matter', () => {
    const program = REPORTS.filter((one) => one !== 'code');
    const look = (text: string, level: Level, reports: readonly Report[]): unknown =>
      ofMessages({ outcome: 'reject', text: /550/ }, [{ ...rejects, text }], reports, level)
        .slice(1)
        .map((one) => [one.level, one.holds]);
    expect(look('failed', 'MUST', program)).toEqual([['SHOULD', false]]);
    expect(look('failed', 'INFO', program)).toEqual([['INFO', false]]);
    expect(look('550 no', 'MUST', program)).toEqual([['SHOULD', true]]);
    expect(look('', 'MUST', program)).toEqual([]);
    expect(look('', 'MUST', REPORTS)).toEqual([['MUST', false]]);
  });

  test("levels: the expectation's before the case's, that of the kind before both", () => {
    const levels = (wanted: Partial<OutcomeExpectation>, level: Level): Level[] =>
      ofMessages(
        { outcome: 'resolve', kind: 'tls', code: 550, ...wanted },
        [rejects],
        REPORTS,
        level,
      ).map((one) => one.level);
    expect(levels({}, 'MUST')).toEqual(['MUST', 'MUST', 'MUST']);
    expect(levels({}, 'INFO')).toEqual(['INFO', 'INFO', 'INFO']);
    expect(levels({ level: 'SHOULD' }, 'MUST')).toEqual(['SHOULD', 'SHOULD', 'SHOULD']);
    expect(levels({ kindLevel: 'INFO' }, 'MUST')).toEqual(['MUST', 'INFO', 'MUST']);
    expect(levels({ kindLevel: 'INFO', level: 'SHOULD' }, 'MUST')).toEqual([
      'SHOULD',
      'INFO',
      'SHOULD',
    ]);
  });

  test('one expectation is that of every message; of several each is that of its own', () => {
    const both: MessageOutcome[] = [{ outcome: 'resolve' }, { outcome: 'reject', code: 550 }];
    expect(broken(ofMessages({ outcome: 'resolve' }, both))).toMatchObject([
      { expected: 'message 2: the client reports success', actual: 'reject' },
    ]);
    expect(
      broken(ofMessages([{ outcome: 'resolve' }, { outcome: 'reject', code: 550 }], both)),
    ).toEqual([]);
    expect(
      broken(ofMessages([{ outcome: 'reject' }, { outcome: 'reject', code: 551 }], both)).map(
        ({ expected }) => expected,
      ),
    ).toEqual(['message 1: the client reports failure', 'message 2: code: 551']);
    // A message of which nothing is expected is not judged.
    expect(ofMessages([{ outcome: 'resolve' }], both)).toHaveLength(1);
  });
});

describe('judge() of a play', () => {
  const SETTLES: Expectation = { client: { outcome: 'settle' } };
  const saying = (seen: Seen, expectation: Expectation = SETTLES, level?: Level): string[] =>
    broken(judged(expectation, seen, level)).map(
      (one) => `${one.level} ${one.expected}: ${one.actual}`,
    );

  test('a good one breaks nothing, and each rule of every play is looked at', () => {
    const all = judged(SETTLES);
    expect(broken(all)).toEqual([]);
    expect(new Set(all.map(({ expected }) => expected)).size).toBe(all.length);
    expect(all.filter(({ expected }) => /RFC \d+ §/.test(expected)).length).toBeGreaterThan(8);
  });

  test('a hang is a MUST in any case, and what was expected of the outcome is not judged', () => {
    for (const level of ['MUST', 'SHOULD', 'INFO'] as const)
      expect(
        saying(
          { ended: 'hang', outcome: undefined, deadline: 700, took: 700 },
          { client: { outcome: 'resolve', code: 1 }, within: 5, memory: 1, logNot: /./ },
          level,
        ),
      ).toEqual(['MUST the client is done within 700 ms: it was not']);
  });

  test('a crash is a MUST in any case, with its reason', () => {
    const crash = { ended: 'crash', outcome: undefined } as const;
    expect(saying({ ...crash, crash: 'no memory' }, SETTLES, 'INFO')).toEqual([
      'MUST the client does not crash: no memory',
    ]);
    expect(saying(crash)).toEqual(['MUST the client does not crash: it did']);
  });

  test('claims are held against the wire all the same when it hangs', () => {
    expect(
      saying(
        { ended: 'hang', outcome: undefined },
        { ...SETTLES, wire: [that('never', () => 'it was')] },
      ),
    ).toContain('MUST never: it was');
  });

  test('each offence has its rule and its level, over all connections; the first stands for all', () => {
    const noisy = [
      server('220 hello\r\n'),
      client('ONE\r\n'),
      server('500 no\r\n'),
      client('TWO\r\n'),
    ];
    expect(saying({ said: [open(), noisy] })).toEqual([
      'MUST every command is one line that ends with CR LF (RFC 5321 §2.3.8): "ONE" is no command and 1 more',
    ]);
    expect(saying({ said: [data('a\0\r\n.\r\n')] }, SETTLES, 'MUST')).toEqual([
      'SHOULD there is no NUL in mail data (RFC 5321 §4.1.1.4): NUL in mail data',
    ]);
    expect(saying({ said: [[client('EHLO a\r\n')]] }, SETTLES, 'INFO')).toEqual([
      'MUST nothing is said before the greeting (RFC 5321 §4.3.1): "EHLO a\\r\\n"',
    ]);
  });

  test('a client that says more than is kept breaks a MUST', () => {
    const events = record([server('220 hello\r\n'), client('QUIT\r\n')]).map((event) =>
      event.who === 'client' ? { ...event, omitted: 5 } : event,
    );
    expect(broken(judged(SETTLES, { wire: new Wire([events]) }, 'INFO'))).toMatchObject([
      {
        level: 'MUST',
        expected: expect.stringContaining('64 MiB'),
        actual: expect.stringContaining('5'),
      },
    ]);
  });

  test('what a script did not expect has the level of the case', () => {
    const findings = [{ expected: 'a line like /^EHLO/', actual: 'HELO a' }];
    expect(saying({ findings }, SETTLES, 'SHOULD')).toEqual(['SHOULD a line like /^EHLO/: HELO a']);
  });

  test('claims have the level of the case, or their own, and see the task and the outcome', () => {
    const seen: unknown[] = [];
    const claim = that('a claim', (wire, { task, outcome }) => {
      seen.push(wire.verbs, task.port, outcome?.outcome);
      return 'no';
    });
    expect(saying({}, { ...SETTLES, wire: [claim] }, 'SHOULD')).toEqual(['SHOULD a claim: no']);
    expect(saying({}, { ...SETTLES, wire: [{ ...claim, level: 'INFO' }] }, 'MUST')).toEqual([
      'INFO a claim: no',
    ]);
    expect(seen.slice(0, 3)).toEqual([['EHLO'], 25, 'done']);
    expect(saying({}, { ...SETTLES, wire: [that('so', () => true)] })).toEqual([]);
  });

  test('within: holds to the ms, and is so many times as long as the run is slow', () => {
    const expectation: Expectation = { ...SETTLES, within: 100 };
    expect(saying({ took: 100 }, expectation)).toEqual([]);
    expect(saying({ took: 100.6 }, expectation)).toEqual(['MUST done within 100 ms: 101 ms']);
    expect(saying({ took: 300, slow: 3 }, expectation)).toEqual([]);
    expect(saying({ took: 301, slow: 3 }, expectation)).toHaveLength(1);
  });

  test('memory: holds to the octet, where it is told', () => {
    const expectation: Expectation = { ...SETTLES, memory: 1_048_576 };
    const holding = (memory?: number): TaskOutcome => ({
      outcome: 'done',
      messages: [],
      ...(memory === undefined ? {} : { memory }),
    });
    expect(saying({ outcome: holding(1_048_576) }, expectation)).toEqual([]);
    expect(saying({ outcome: holding(3_145_728) }, expectation)).toEqual([
      'MUST at most 1 MiB more memory: 3 MiB',
    ]);
    expect(saying({ outcome: holding() }, expectation)).toEqual([]);
    expect(saying({ outcome: holding(9e9), reports: ['kind'] }, expectation)).toEqual([]);
  });

  test('logNot: holds, is broken without the secret itself, and is not judged where there is no log', () => {
    const expectation: Expectation = { ...SETTLES, logNot: /s3cret/ };
    const logging = (log?: string): TaskOutcome => ({ outcome: 'done', messages: [], log });
    expect(saying({ outcome: logging('AUTH PLAIN …') }, expectation)).toEqual([]);
    expect(saying({ outcome: logging() }, expectation)).toEqual([]);
    expect(saying({ outcome: logging('AUTH s3cret') }, expectation)).toEqual([
      'MUST no secret in the log: there is one',
    ]);
    expect(saying({ outcome: logging('AUTH s3cret'), reports: [] }, expectation)).toEqual([]);
  });
});

describe('verdictOf()', () => {
  const at = (level: Level, holds: boolean): Assertion => ({ level, expected: 'any', holds });

  test.each<[VerdictName, Level, Assertion[]]>([
    ['PASS', 'MUST', []],
    ['PASS', 'SHOULD', [at('MUST', true), at('SHOULD', true)]],
    ['PASS', 'MUST', [at('INFO', false)]],
    ['INFO', 'INFO', [at('INFO', false)]],
    ['INFO', 'INFO', []],
    ['WARN', 'MUST', [at('MUST', true), at('SHOULD', false)]],
    ['WARN', 'INFO', [at('SHOULD', false)]],
    ['FAIL', 'SHOULD', [at('SHOULD', false), at('MUST', false)]],
    ['FAIL', 'INFO', [at('MUST', false)]],
  ])('is %s for a case of level %s', (verdict, level, assertions) => {
    expect(verdictOf(level, assertions)).toBe(verdict);
  });
});

describe('worst()', () => {
  const order: VerdictName[] = ['ERROR', 'FAIL', 'WARN', 'XFAIL', 'INFO', 'PASS', 'SKIP'];

  test('is the first of a fixed order, whatever their own is', () => {
    for (const [at, one] of order.entries())
      for (const other of order.slice(at)) {
        expect(worst([one, other])).toBe(one);
        expect(worst([other, one, other])).toBe(one);
      }
  });

  test('of none is SKIP', () => {
    expect(worst([])).toBe('SKIP');
  });
});
