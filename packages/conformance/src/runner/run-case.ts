/** Plays one case with one client: a server for each play, the task, and the verdict. */
import type { Case, Level, Play } from '../case.ts';
import { Wire } from '../judge/claims.ts';
import { type Assertion, judge, type VerdictName, verdictOf, worst } from '../judge/judge.ts';
import { CREDENTIALS } from '../server/credentials.ts';
import { createSituations, type Situations } from '../server/situations.ts';
import { type PlayServer, startServer } from '../server/start-server.ts';
import type { Delivery, WireEvent } from '../server/wire-log.ts';
import type { ClientTask, Feature, MessageOutcome, Subject, TaskOutcome } from '../task.ts';
import { AbsentError } from './absent-error.ts';
import { needsOf } from './needs.ts';
import { outcomeOf, wordsOf } from './outcome.ts';

export { CREDENTIALS };

/** Who writes to whom, and what, where a play says nothing else. */
export const SENDER = 'sender@example.com';
export const RECIPIENT = 'recipient@example.org';
export const MESSAGE: string = [
  `From: <${SENDER}>`,
  `To: <${RECIPIENT}>`,
  'Subject: A test',
  'Date: Thu, 01 Oct 2026 12:00:00 +0000',
  'Message-ID: <1@example.com>',
  '',
  'Hello.',
  '',
].join('\r\n');

/** How long a client has, in ms, before it is said to hang. */
export const DEADLINE = 10_000;
/** How long connections are waited for when the client is done. */
const LAST_WORDS = 500;

/** What became of one play. */
export interface PlayResult {
  readonly title: string | undefined;
  readonly verdict: VerdictName;
  readonly assertions: readonly Assertion[];
  /** What the client said of the messages. */
  readonly outcome: readonly MessageOutcome[];
  /** ms until the client was done. */
  readonly took: number;
  /** Each connection's record. */
  readonly transcript: readonly (readonly WireEvent[])[];
  /** Why it was skipped, or what is wrong with the harness. */
  readonly why?: string;
}

/** What became of a case. */
export interface CaseResult {
  readonly id: string;
  readonly level: Level;
  readonly delivery: Delivery;
  readonly verdict: VerdictName;
  /** What is broken, or noted, or why it was not played: one sentence each. */
  readonly reasons: readonly string[];
  readonly plays: readonly PlayResult[];
  readonly took: number;
}

/** How a case is played. */
export interface RunCaseOptions {
  /** How replies are cut; default 'whole'. */
  readonly delivery?: Delivery;
  /** Every deadline and wait is so many times as long; default 1. */
  readonly slow?: number;
  /** Made before, for several cases; default: made for this one. */
  readonly situations?: Situations;
  /** Gives up: what is running is ended. */
  readonly signal?: AbortSignal;
}

/**
 * Plays a case with a client.
 *
 * @param asked - one of `cases`
 * @param subject - the client; a client that can block its process belongs in a process of its own
 * @returns the verdict with everything that was looked at; it does not throw for what a client does
 * @throws AbsentError where there is no client: its program cannot be started
 *
 * @example
 * ```ts
 * import { type Case, cases, runCase, type Subject } from '@posthorn/conformance';
 *
 * const lazy: Subject = {
 *   name: 'lazy',
 *   version: '1.0.0',
 *   features: [],
 *   reports: [],
 *   // Says that all was sent, and does not even connect.
 *   run: async (task) => ({
 *     outcome: 'done',
 *     messages: task.messages.map(() => ({ outcome: 'resolve' as const })),
 *   }),
 * };
 * const { id, verdict } = await runCase(cases[0] as Case, lazy);
 * console.log(id, verdict); // GRE-01 FAIL
 * ```
 */
export async function runCase(
  asked: Case,
  subject: Subject,
  options: RunCaseOptions = {},
): Promise<CaseResult> {
  const started = performance.now();
  const { delivery = 'whole' } = options;
  const done = (plays: readonly PlayResult[], why?: string): CaseResult => {
    const verdict = worst(plays.map((play) => play.verdict));
    return {
      id: asked.id,
      level: asked.level,
      delivery,
      verdict,
      reasons: why === undefined ? reasonsOf(verdict, plays) : [why],
      plays,
      took: performance.now() - started,
    };
  };
  const lacking =
    missing(asked.requires, asked.requiresAny, subject) ??
    // Where no play can be played, the first says why.
    (asked.plays.every((play) => lack(play, subject)) ? lack(asked.plays[0], subject) : undefined);
  if (lacking) return done([], lacking);
  const situations = options.situations ?? (await createSituations());
  try {
    const plays: PlayResult[] = [];
    for (const play of asked.plays) {
      options.signal?.throwIfAborted();
      const lacks = lack(play, subject);
      plays.push(
        lacks
          ? skipped(play, lacks)
          : await runPlay(asked, play, subject, { ...options, delivery, situations }),
      );
    }
    return done(plays);
  } finally {
    if (!options.situations) await situations.close();
  }
}

const skipped = (play: Play, why: string): PlayResult => ({
  title: play.title,
  verdict: 'SKIP',
  assertions: [],
  outcome: [],
  took: 0,
  transcript: [],
  why,
});

/** Why a play cannot be played with the subject. */
function lack(play: Play, subject: Subject): string | undefined {
  const [all, any] = needsOf(play.task ?? {});
  return missing([...(play.requires ?? []), ...all], any[0] && any, subject);
}

/** The sentence that says which feature the subject lacks. */
function missing(
  all: readonly Feature[] | undefined,
  any: readonly Feature[] | undefined,
  { features, name }: Subject,
): string | undefined {
  const lacks = all?.filter((feature) => !features.includes(feature)) ?? [];
  if (lacks.length > 0) return `${name} has no ${lacks.join(', ')}`;
  if (any && !any.some((feature) => features.includes(feature)))
    return `${name} has none of ${any.join(', ')}`;
  return undefined;
}

function reasonsOf(verdict: VerdictName, plays: readonly PlayResult[]): string[] {
  return plays.flatMap((play) => {
    const title = play.title && plays.length > 1 ? `${play.title}: ` : '';
    if (play.why && play.verdict === verdict) return [`${title}${play.why}`];
    const broken = play.assertions
      .filter(({ holds }) => !holds)
      .map(({ expected, actual }) => `${title}expected ${expected}, got ${actual}`);
    if (broken.length === 0 && verdict === 'INFO') return [`${title}noted: ${noted(play)}`];
    return broken;
  });
}

/** What a client did, in a few words. */
function noted({ outcome, transcript }: PlayResult): string {
  const said = new Wire(transcript).verbs.join(' ');
  const came = outcome
    .map(({ outcome: how, kind, code }) => [how, kind, code].filter(Boolean).join(' '))
    .join('; ');
  return `${came || 'no outcome'}; said ${said || 'nothing'}`;
}

async function runPlay(
  asked: Case,
  play: Play,
  subject: Subject,
  options: RunCaseOptions & { readonly delivery: Delivery; readonly situations: Situations },
): Promise<PlayResult> {
  const { delivery, situations, slow = 1 } = options;
  let server: PlayServer | undefined;
  const controller = new AbortController();
  const give = (): void => controller.abort();
  options.signal?.addEventListener('abort', give);
  try {
    server = await startServer(play.server, {
      delivery,
      credentials: CREDENTIALS,
      slow,
      tls: situations.tls,
    });
    const task = taskOf(play, server.port, situations, slow);
    const deadline = (play.deadline ?? DEADLINE) * slow;
    await subject.prepare?.(controller.signal);
    options.signal?.throwIfAborted();
    const begun = performance.now();
    const run = saidBy(subject, task, controller.signal).then(
      (outcome) => ({ ended: 'in-time' as const, outcome, crash: undefined }),
      (error: unknown) => {
        if (error instanceof AbsentError) throw error;
        return {
          ended: 'crash' as const,
          outcome: undefined,
          crash: wordsOf(error).slice(0, 500),
        };
      },
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<{ ended: 'hang'; outcome: undefined; crash: undefined }>((resolve) => {
      const over = (): void => resolve({ ended: 'hang', outcome: undefined, crash: undefined });
      timer = setTimeout(over, deadline);
      // A client that does not care about its signal is not waited for.
      controller.signal.addEventListener('abort', over);
    });
    const { ended, outcome, crash } = await Promise.race([run, late]).finally(() =>
      clearTimeout(timer),
    );
    const took = performance.now() - begun;
    controller.abort();
    options.signal?.throwIfAborted();
    await eventually(() => server?.open === 0, LAST_WORDS * slow);
    const transcript = server.logs.map(({ events }) => [...events]);
    if (outcome?.outcome === 'unimplemented')
      return { ...skipped(play, outcome.why ?? 'not implemented'), transcript, took };
    const [error] = server.errors;
    if (error !== undefined)
      return {
        ...skipped(play, `the harness failed: ${String((error as Error).stack ?? error)}`),
        verdict: 'ERROR',
        transcript,
        took,
      };
    const assertions = judge(asked, play, {
      task,
      wire: new Wire(transcript),
      findings: [...server.findings],
      outcome: complete(outcome, task),
      ended,
      ...(crash === undefined ? {} : { crash }),
      took,
      deadline,
      reports: subject.reports,
      slow,
    });
    return {
      title: play.title,
      verdict: verdictOf(asked.level, assertions),
      assertions,
      outcome: outcome?.messages ?? [],
      took,
      transcript,
    };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof AbsentError) throw error;
    return {
      ...skipped(play, `the harness failed: ${String((error as Error).stack ?? error)}`),
      verdict: 'ERROR',
    };
  } finally {
    options.signal?.removeEventListener('abort', give);
    controller.abort();
    await server?.close();
  }
}

/** What a client says of a task of its own, so that to change it changes no other. */
async function saidBy(
  subject: Subject,
  task: ClientTask,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  return outcomeOf(await subject.run(structuredClone(task), signal));
}

/** One outcome for each message; a client that says less than it was asked fails for the others. */
function complete(outcome: TaskOutcome | undefined, task: ClientTask): TaskOutcome | undefined {
  if (!outcome) return undefined;
  const last = outcome.messages.at(-1) ?? { outcome: 'reject' as const, text: 'it said nothing' };
  return { ...outcome, messages: task.messages.map((_, at) => outcome.messages[at] ?? last) };
}

function taskOf(play: Play, port: number, situations: Situations, slow: number): ClientTask {
  const { timeouts, ...plan } = play.task ?? {};
  const scaled =
    timeouts && Object.fromEntries(Object.entries(timeouts).map(([name, ms]) => [name, ms * slow]));
  return {
    host: '127.0.0.1',
    tls: 'off',
    protocol: 'smtp',
    messages: [{ from: SENDER, to: [RECIPIENT], content: { octets: MESSAGE } }],
    ...plan,
    ...(scaled ? { timeouts: scaled } : {}),
    port,
    ca: situations.ca,
    caFile: situations.caFile,
  };
}

async function eventually(holds: () => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (!holds() && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 5));
}
