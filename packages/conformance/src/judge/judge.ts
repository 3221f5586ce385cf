/** Holds what was seen and what the client said against what is expected: the verdict of one play. */
import type { Case, Level, OneOf, OutcomeExpectation, Play } from '../case.ts';
import type { Finding } from '../server/play-script.ts';
import type { ClientTask, MessageOutcome, Report, TaskOutcome } from '../task.ts';
import type { Wire } from './claims.ts';
import type { Offence } from './dialogue.ts';

/** How a play, or a case, came out. */
export type VerdictName = 'PASS' | 'FAIL' | 'WARN' | 'INFO' | 'SKIP' | 'ERROR' | 'XFAIL';

/** One thing that was looked at. */
export interface Assertion {
  readonly level: Level;
  readonly expected: string;
  /** What was seen, where it does not hold. */
  readonly actual?: string;
  readonly holds: boolean;
}

/** What is known of a play when it is over. */
export interface PlayFacts {
  readonly task: ClientTask;
  readonly wire: Wire;
  readonly findings: readonly Finding[];
  /** undefined: it came to none. */
  readonly outcome: TaskOutcome | undefined;
  /** Why there is no outcome. */
  readonly ended: 'in-time' | 'hang' | 'crash';
  readonly crash?: string;
  /** ms until the client was done. */
  readonly took: number;
  readonly deadline: number;
  readonly reports: readonly Report[];
  readonly slow: number;
}

/** What each offence breaks. RFC 5321 where no other is named. */
const RULES: Readonly<Record<Offence['rule'], readonly [Level, string]>> = {
  'before-greeting': ['MUST', 'nothing is said before the greeting (RFC 5321 §4.3.1)'],
  'before-handshake': ['MUST', 'nothing is said between STARTTLS and the handshake (RFC 3207 §4)'],
  'command-line': ['MUST', 'every command is one line that ends with CR LF (RFC 5321 §2.3.8)'],
  'command-length': [
    'MUST',
    'a command line is no longer than its extensions allow (RFC 5321 §4.5.3.1.4)',
  ],
  group: ['MUST', 'what ends a group is the last of it (RFC 2920 §3.1)'],
  pipelining: [
    'MUST',
    'one command for each reply, where PIPELINING is not offered (RFC 2920 §3.1)',
  ],
  content: [
    'MUST',
    'lines of mail data end with CR LF, and their first dots are doubled (RFC 5321 §2.3.8, §4.5.2)',
  ],
  'line-length': ['SHOULD', 'a line of mail data has 998 octets at most (RFC 5321 §4.5.3.1.6)'],
  nul: ['SHOULD', 'there is no NUL in mail data (RFC 5321 §4.1.1.4)'],
  endless: ['MUST', 'no more than 64 MiB are written on one connection'],
};

const listed = <T>(value: OneOf<T>): readonly T[] => (Array.isArray(value) ? value : [value as T]);
const told = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));

/** Everything that is looked at in a play, in an order that does not change. */
export function judge(asked: Case, { expect }: Play, facts: PlayFacts): Assertion[] {
  const found: Assertion[] = [];
  const look = (level: Level, expected: string, holds: true | string): void => {
    found.push(
      holds === true
        ? { level, expected, holds: true }
        : { level, expected, actual: holds, holds: false },
    );
  };
  const { outcome, wire, slow } = facts;
  // A client that hangs or dies is at fault whatever the case is about.
  look(
    'MUST',
    `the client is done within ${facts.deadline} ms`,
    facts.ended !== 'hang' || 'it was not',
  );
  look('MUST', 'the client does not crash', facts.ended !== 'crash' || (facts.crash ?? 'it did'));
  for (const [rule, [level, expected]] of Object.entries(RULES)) {
    const broken = wire.dialogues
      .flatMap(({ offences }) => offences)
      .filter((offence) => offence.rule === rule);
    const [first, ...more] = broken;
    look(level, expected, !first || `${first.actual}${more[0] ? ` and ${more.length} more` : ''}`);
  }
  for (const { expected, actual } of facts.findings) look(asked.level, expected, actual);
  for (const claim of expect.wire ?? [])
    look(claim.level ?? asked.level, claim.says, claim.holds(wire, { task: facts.task, outcome }));
  if (!outcome) return found;
  const several: readonly OutcomeExpectation[] | undefined = Array.isArray(expect.client)
    ? expect.client
    : undefined;
  for (const [index, message] of outcome.messages.entries()) {
    const wanted = several ? several[index] : (expect.client as OutcomeExpectation);
    if (!wanted) continue;
    const which = outcome.messages.length > 1 ? `message ${index + 1}: ` : '';
    const usual = wanted.level ?? asked.level;
    judgeOutcome(message, wanted, facts.reports, usual, (expected, holds, level) =>
      look(level ?? usual, `${which}${expected}`, holds),
    );
  }
  if (expect.within !== undefined)
    look(
      asked.level,
      `done within ${expect.within} ms`,
      facts.took <= expect.within * slow || `${Math.round(facts.took)} ms`,
    );
  if (
    expect.memory !== undefined &&
    facts.reports.includes('memory') &&
    outcome.memory !== undefined
  )
    look(
      asked.level,
      `at most ${Math.round(expect.memory / 1_048_576)} MiB more memory`,
      outcome.memory <= expect.memory || `${Math.round(outcome.memory / 1_048_576)} MiB`,
    );
  if (expect.logNot && facts.reports.includes('log'))
    look(
      asked.level,
      'no secret in the log',
      !expect.logNot.test(outcome.log ?? '') || 'there is one',
    );
  return found;
}

function judgeOutcome(
  message: MessageOutcome,
  wanted: OutcomeExpectation,
  reports: readonly Report[],
  usual: Level,
  look: (expected: string, holds: true | string, level?: Level) => void,
): void {
  const native = message.native ? ` (${message.native})` : '';
  const seen = `${message.outcome}${native}${message.text ? `: ${message.text.slice(0, 200)}` : ''}`;
  if (wanted.outcome !== 'settle')
    look(
      wanted.outcome === 'resolve' ? 'the client reports success' : 'the client reports failure',
      message.outcome === wanted.outcome || seen,
    );
  const one = <
    K extends
      | 'kind'
      | 'code'
      | 'enhanced'
      | 'replyText'
      | 'delivery'
      | 'reason'
      | 'stage'
      | 'address'
      | 'extension',
  >(
    name: K,
    report: Report,
    level?: Level,
  ): void => {
    if (!(name in wanted) || !reports.includes(report)) return;
    const allowed = listed(wanted[name] as OneOf<unknown>);
    look(
      `${name}: ${allowed.map(told).join(' or ')}`,
      allowed.includes(message[name]) || `${told(message[name])}${native}`,
      level,
    );
  };
  one('kind', 'kind', wanted.kindLevel);
  one('code', 'code');
  one('enhanced', 'enhanced');
  one('replyText', 'reply-text');
  one('delivery', 'delivery');
  for (const name of ['reason', 'stage', 'address', 'extension'] as const) one(name, 'reason');
  if (wanted.temporary !== undefined && reports.includes('temporary'))
    look(
      wanted.temporary ? 'reported as temporary' : 'reported as permanent',
      message.temporary === wanted.temporary || `temporary: ${told(message.temporary)}${native}`,
    );
  const text = message.text ?? '';
  // One that tells no codes is a program: what it prints is not all that it was told, and it may print nothing.
  const program = !reports.includes('code');
  if (wanted.text && reports.includes('text') && !(program && message.text === ''))
    look(
      `a text like ${wanted.text}`,
      wanted.text.test(text) || JSON.stringify(text.slice(0, 200)),
      program && usual === 'MUST' ? 'SHOULD' : undefined,
    );
  if (wanted.textNot && reports.includes('text'))
    look(
      `no text like ${wanted.textNot}`,
      !wanted.textNot.test(text) || JSON.stringify(text.slice(0, 200)),
    );
  if (wanted.accepted && reports.includes('accepted')) {
    const got = message.accepted ?? [];
    look(
      `accepted: ${wanted.accepted.join(', ') || 'none'}`,
      [...got].sort().join() === [...wanted.accepted].sort().join() || got.join(', ') || 'none',
    );
  }
  if (wanted.rejected && reports.includes('rejected')) {
    const line = (all: readonly { address: string; code?: number | undefined }[]): string =>
      all
        .map(({ address, code }) => `${address} ${code ?? ''}`.trim())
        .sort()
        .join(', ') || 'none';
    // A code is held against the addresses alone for which one is wanted.
    const coded = wanted.rejected.filter(({ code }) => code !== undefined);
    const compared = (message.rejected ?? []).map((one) =>
      coded.some(({ address }) => address === one.address) ? one : { address: one.address },
    );
    look(
      `refused: ${line(wanted.rejected)}`,
      line(compared) === line(wanted.rejected) || line(compared),
    );
  }
}

/** The verdict that the assertions of a play come to. */
export function verdictOf(level: Level, assertions: readonly Assertion[]): VerdictName {
  const broken = assertions.filter(({ holds }) => !holds);
  if (broken.some((assertion) => assertion.level === 'MUST')) return 'FAIL';
  if (broken.some((assertion) => assertion.level === 'SHOULD')) return 'WARN';
  return level === 'INFO' ? 'INFO' : 'PASS';
}

/** Every verdict, worst first. */
export const VERDICTS: readonly VerdictName[] = [
  'ERROR',
  'FAIL',
  'WARN',
  'XFAIL',
  'INFO',
  'PASS',
  'SKIP',
];

export const worst = (verdicts: readonly VerdictName[]): VerdictName =>
  VERDICTS.find((verdict) => verdicts.includes(verdict)) ?? 'SKIP';
