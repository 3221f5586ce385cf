/** A run as plain data: what JSON holds, and what every other report is made of. */
import type { Case, Level } from '../case.ts';
import { groups } from '../cases/index.ts';
import type { VerdictName } from '../judge/judge.ts';
import type { SuiteResult } from '../runner/run-suite.ts';
import type { Delivery, WireEvent } from '../server/wire-log.ts';
import type { MessageOutcome } from '../task.ts';

/** What the format is called, with its version. */
export const FORMAT = 'smtp-client-conformance/1';

/** One thing that was broken. */
export interface ReportedFault {
  readonly level: Level;
  readonly expected: string;
  readonly actual: string;
}

export interface ReportedPlay {
  readonly title?: string;
  readonly verdict: VerdictName;
  /** How many things were looked at. */
  readonly checked: number;
  readonly faults: readonly ReportedFault[];
  /** What the client said of each message. */
  readonly outcome: readonly MessageOutcome[];
  /** Each connection's record. */
  readonly transcript: readonly (readonly WireEvent[])[];
}

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
  readonly counts: Readonly<Record<VerdictName, number>>;
  readonly exitCode: number;
  readonly cases: readonly ReportedCase[];
}

/** Of one write in a transcript no more than this is reported. */
const SHOWN = 1_000;
/** Of one connection no more than so many events. */
const EVENTS = 200;

/** Texts are cut, since a flood of 64 MB is told of, not repeated. */
function shortened(events: readonly WireEvent[]): WireEvent[] {
  const kept =
    events.length > EVENTS ? [...events.slice(0, EVENTS - 20), ...events.slice(-20)] : [...events];
  return kept.map((event) => {
    if (event.who !== 'client' && event.who !== 'server') return event;
    const omitted = Math.max(0, event.text.length - SHOWN) + (event.omitted ?? 0);
    const { omitted: _, ...rest } = event;
    return { ...rest, text: event.text.slice(0, SHOWN), ...(omitted > 0 ? { omitted } : {}) };
  });
}

/** Writes that follow each other in one direction are one. */
function joined(events: readonly WireEvent[]): WireEvent[] {
  const all: WireEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (
      last &&
      (event.who === 'client' || event.who === 'server') &&
      last.who === event.who &&
      last.secure === event.secure &&
      last.text.length < SHOWN
    ) {
      const omitted = (last.omitted ?? 0) + (event.omitted ?? 0);
      all[all.length - 1] = {
        ...last,
        text: last.text + event.text,
        ...(omitted > 0 ? { omitted } : {}),
      };
    } else all.push(event);
  }
  return all;
}

/** The report of a run. */
export function reportOf(run: SuiteResult): Report {
  const about = new Map<string, Case>(
    groups.flatMap(({ cases }) => cases).map((one) => [one.id, one]),
  );
  return {
    format: FORMAT,
    client: run.client,
    runtime: `Node ${process.versions.node}`,
    started: run.started,
    took: Math.round(run.took),
    strict: run.strict,
    deliveries: run.deliveries,
    counts: run.counts,
    exitCode: run.exitCode,
    cases: run.results.map((result) => {
      const one = about.get(result.id);
      return {
        id: result.id,
        group: groups.find(({ cases }) => cases.some(({ id }) => id === result.id))?.title ?? '',
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
          outcome: play.outcome,
          transcript: play.transcript.map((events) => shortened(joined(events))),
        })),
      };
    }),
  };
}

/** A text in which what is no printable character is written as an escape. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (character) =>
    character === '\r'
      ? '\\r'
      : character === '\n'
        ? '\\n'
        : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

/** One line of a transcript. */
export interface TranscriptLine {
  readonly at: number;
  readonly who: 'client' | 'server' | 'note';
  readonly secure: boolean;
  readonly text: string;
}

/** A connection's record as lines that people read. */
export function linesOf(events: readonly WireEvent[]): TranscriptLine[] {
  const lines: TranscriptLine[] = [];
  let secure = false;
  for (const event of events) {
    const note = (text: string): void => {
      lines.push({ at: event.at, who: 'note', secure, text });
    };
    switch (event.who) {
      case 'client':
      case 'server': {
        for (const line of event.text.match(/[^\n]*\n|[^\n]+$/g) ?? [])
          lines.push({
            at: event.at,
            who: event.who,
            secure: event.secure,
            // An ordinary line end is not worth showing.
            text: printable(line.replace(/\r\n$/, '')),
          });
        if (event.omitted) note(`… ${event.omitted} more octets`);
        break;
      }
      case 'handshake':
        note('TLS handshake');
        break;
      case 'tls':
        secure = true;
        note(`TLS: ${event.protocol ?? 'some version'}, server name ${event.servername ?? 'none'}`);
        break;
      case 'tls-failed':
        note(`the handshake failed: ${printable(event.text)}`);
        break;
      case 'end':
        note(`the ${event.by} ${event.reset ? 'resets' : 'ends'} the connection`);
    }
  }
  return lines;
}

/** A transcript as text, one line for each. */
export const transcriptText = (transcript: ReportedPlay['transcript']): string =>
  transcript
    .map((events, index) => {
      const mark = { client: 'C:', server: 'S:', note: '--' };
      const lines = linesOf(events).map(
        ({ at, who, secure, text }) =>
          `${at.toFixed(0).padStart(6)} ms ${secure ? 'tls ' : '    '}${mark[who]} ${text}`,
      );
      return [...(transcript.length > 1 ? [`connection ${index + 1}`] : []), ...lines].join('\n');
    })
    .join('\n');
