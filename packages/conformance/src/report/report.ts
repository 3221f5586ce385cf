/** A run as plain data: what JSON holds, and what every other report is made of. */
import type { Case, Level } from '../case.ts';
import { groups } from '../cases/index.ts';
import type { VerdictName } from '../judge/judge.ts';
import type { SuiteResult } from '../runner/run-suite.ts';
import type { Delivery } from '../server/wire-log.ts';
import type { MessageOutcome } from '../task.ts';
import { printable } from './text.ts';
import { type ReportedEvent, recorded } from './transcript.ts';

/** What the format is called, with its version. */
export const FORMAT = 'smtp-client-conformance/1';

/** One thing that was broken. */
export interface ReportedFault {
  readonly level: Level;
  readonly expected: string;
  readonly actual: string;
}

/** One play of a case, as it came out. */
export interface ReportedPlay {
  readonly title?: string;
  readonly verdict: VerdictName;
  /** How many things were looked at. */
  readonly checked: number;
  readonly faults: readonly ReportedFault[];
  /** What the client said of each message. */
  readonly outcome: readonly MessageOutcome[];
  /** Why it was not played, or what is wrong with the harness. */
  readonly why?: string;
  /** Each connection's record. */
  readonly transcript: readonly (readonly ReportedEvent[])[];
}

/** One case in one delivery, as it came out. */
export interface ReportedCase {
  readonly id: string;
  readonly group: string;
  readonly level: Level;
  readonly title: string;
  readonly requirement: string;
  readonly clause: string;
  readonly tags: readonly string[];
  readonly delivery: Delivery;
  readonly verdict: VerdictName;
  readonly reasons: readonly string[];
  /** ms */
  readonly took: number;
  readonly plays: readonly ReportedPlay[];
}

/** What `--report json` writes. Its schema is `report.schema.json`, which the package exports. */
export interface Report {
  readonly format: typeof FORMAT;
  readonly client: { readonly name: string; readonly version: string };
  readonly runtime: string;
  readonly started: string;
  /** ms */
  readonly took: number;
  readonly strict: boolean;
  readonly deliveries: readonly Delivery[];
  /** One plain message to a good server, before all cases and behind them. */
  readonly sanity: SuiteResult['sanity'];
  readonly counts: Readonly<Record<VerdictName, number>>;
  readonly exitCode: number;
  readonly cases: readonly ReportedCase[];
}

/** The report of a run. */
export function reportOf(run: SuiteResult): Report {
  const about = new Map<string, { readonly one: Case; readonly group: string }>(
    groups.flatMap(({ cases, title }) => cases.map((one) => [one.id, { one, group: title }])),
  );
  return {
    format: FORMAT,
    client: run.client,
    runtime: `Node ${process.versions.node}`,
    started: run.started,
    took: Math.round(run.took),
    strict: run.strict,
    deliveries: run.deliveries,
    sanity: run.sanity,
    counts: run.counts,
    exitCode: run.exitCode,
    cases: run.results.map((result) => {
      const { one, group = '' } = about.get(result.id) ?? {};
      return {
        id: result.id,
        group,
        level: result.level,
        title: one?.title ?? '',
        requirement: one?.requirement ?? '',
        clause: one?.clause ?? '',
        tags: one?.tags ?? [],
        delivery: result.delivery,
        verdict: result.verdict,
        reasons: result.reasons,
        took: Math.round(result.took),
        plays: result.plays.map((play) => ({
          ...(play.title === undefined ? {} : { title: play.title }),
          verdict: play.verdict,
          checked: play.assertions.length,
          faults: play.assertions
            .filter(({ holds }) => !holds)
            .map(({ level, expected, actual = '' }) => ({ level, expected, actual })),
          outcome: play.outcome.map(plain),
          ...(play.why === undefined ? {} : { why: play.why }),
          transcript: play.transcript.map(recorded),
        })),
      };
    }),
  };
}

/** The keys of an outcome. Whatever else a driver adds is none of the format. */
const TOLD: Readonly<Record<keyof MessageOutcome, true>> = {
  outcome: true,
  kind: true,
  code: true,
  enhanced: true,
  replyText: true,
  text: true,
  temporary: true,
  delivery: true,
  accepted: true,
  rejected: true,
  reason: true,
  stage: true,
  address: true,
  extension: true,
  native: true,
};

/** Of a text in an outcome no more characters are reported: some clients repeat all that a server has said. */
const TEXT = 2_000;

const shortened = (value: unknown): unknown =>
  typeof value === 'string' && value.length > TEXT
    ? `${value.slice(0, TEXT)}… ${value.length - TEXT} more characters`
    : value;

/** An outcome without what is undefined, which JSON does not know. */
function plain(outcome: MessageOutcome): MessageOutcome {
  const told = Object.entries(outcome)
    .filter(([key, value]) => key in TOLD && value !== undefined)
    .map(([key, value]) => [key, shortened(value)]);
  const all = Object.fromEntries(told) as unknown as MessageOutcome;
  if (!outcome.rejected) return all;
  return {
    ...all,
    rejected: outcome.rejected.map(({ address, code }) =>
      code === undefined ? { address } : { address, code },
    ),
  };
}

/** The client with its version, as a report is headed. */
export const clientOf = ({ client }: Report): string =>
  [client.name, client.version].filter(Boolean).join(' ');

/** A sentence of a case's reasons, with the fault that it tells of where it does. */
export interface Reason {
  readonly text: string;
  readonly fault?: ReportedFault;
  /** The title of the play, where there are several. */
  readonly play?: string;
}

/** The reasons of a case, each beside its fault. A reason without one is a note, or says why the verdict is another. */
export function reasonsOf(one: ReportedCase): Reason[] {
  const told = new Map<string, Reason>();
  for (const play of one.plays) {
    const title = play.title && one.plays.length > 1 ? play.title : undefined;
    for (const fault of play.faults) {
      // As run-case.ts words them.
      const text = `${title ? `${title}: ` : ''}expected ${fault.expected}, got ${fault.actual}`;
      told.set(text, { text, fault, ...(title ? { play: title } : {}) });
    }
  }
  return one.reasons.map((text) => told.get(text) ?? { text });
}

/** A reason as lines that can be shown: a stack trace has several; whatever else a text holds, it is one. */
export const reasonLines = ({ verdict }: ReportedCase, reason: string): string[] =>
  (verdict === 'ERROR' ? reason.split(/\r?\n/) : [reason]).map(printable);

export { printable };
