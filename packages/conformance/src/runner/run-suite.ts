/** Plays many cases: several at a time, each with a client of its own, and says what it all comes to. */
import type { Case } from '../case.ts';
import { cases as all } from '../cases/index.ts';
import type { VerdictName } from '../judge/judge.ts';
import { createSituations } from '../server/situations.ts';
import type { Delivery } from '../server/wire-log.ts';
import type { Subject } from '../task.ts';
import { type CaseResult, runCase } from './run-case.ts';

/** What a run is told. */
export interface SuiteOptions {
  /** Default: every case. */
  readonly cases?: readonly Case[];
  /** Default: whole replies only. */
  readonly deliveries?: readonly Delivery[];
  /** Clients at a time, 1 or more; default 4. */
  readonly jobs?: number;
  /** Every deadline and wait is so many times as long; default 1. */
  readonly slow?: number;
  /** A SHOULD that is broken is a failure. */
  readonly strict?: boolean;
  /** Cases that are known to fail, each with its reason: those count as XFAIL, and to pass is a failure. */
  readonly known?: Readonly<Record<string, string>>;
  /** Plays the first case of all before the others and behind them; default true. */
  readonly sanity?: boolean;
  readonly signal?: AbortSignal;
  /** Told of each case as it is done. */
  readonly onResult?: (result: CaseResult, done: number, total: number) => void;
}

/** What a run came to. */
export interface SuiteResult {
  readonly client: { readonly name: string; readonly version: string };
  readonly started: string;
  /** ms */
  readonly took: number;
  readonly deliveries: readonly Delivery[];
  readonly strict: boolean;
  /** In the order of the catalogue, each case in the order of the deliveries. */
  readonly results: readonly CaseResult[];
  /**
   * What came of the first case of all, one plain message to a good server, before and behind all others. Where it is
   * not PASS, the other verdicts say little: the client does not even send, or it did and does no longer.
   */
  readonly sanity: { readonly first: VerdictName; readonly last: VerdictName };
  /** How many came out each way. */
  readonly counts: Readonly<Record<VerdictName, number>>;
  /** 0: no failure; 1: some; 2: something could not be run. */
  readonly exitCode: 0 | 1 | 2;
}

/**
 * Plays cases with a client.
 *
 * @param makeSubject - makes one client for each of the jobs
 * @throws RangeError for less than one job; AbsentError where there is no client; the reason of the signal
 *
 * @example
 * ```ts
 * import { cases, runSuite, select, type Subject } from '@posthorn/conformance';
 *
 * const idle: Subject = {
 *   name: 'idle',
 *   version: '1.0.0',
 *   features: [],
 *   reports: [],
 *   run: async () => ({ outcome: 'unimplemented', messages: [], why: 'it does nothing' }),
 * };
 * const { counts, exitCode } = await runSuite(() => idle, { cases: select(cases, 'GRE-0*') });
 * console.log(counts.SKIP > 0, exitCode); // true 0
 * ```
 */
export async function runSuite(
  makeSubject: () => Subject | Promise<Subject>,
  options: SuiteOptions = {},
): Promise<SuiteResult> {
  const { cases = all, deliveries = ['whole'], jobs = 4, slow = 1, known = {} } = options;
  if (!(jobs >= 1)) throw new RangeError(`jobs: ${jobs}, a number from 1 is meant`);
  // One job that fails ends the others, so that none goes on with what is cleared away.
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const started = new Date();
  const begun = performance.now();
  const work = cases.flatMap((one) => deliveries.map((delivery) => ({ one, delivery })));
  const results: CaseResult[] = new Array(work.length);
  const situations = await createSituations();
  let next = 0;
  let done = 0;
  const subjects: Subject[] = [];
  const sane = async (subject: Subject | undefined): Promise<VerdictName> => {
    const [one] = all;
    if (!one || !subject || options.sanity === false) return 'SKIP';
    return (await runCase(one, subject, { slow, situations, signal })).verdict;
  };
  const sanity: { first: VerdictName; last: VerdictName } = { first: 'SKIP', last: 'SKIP' };
  const worker = async (subject: Subject): Promise<void> => {
    for (let at = next++; at < work.length; at = next++) {
      signal.throwIfAborted();
      const { one, delivery } = work[at] as (typeof work)[number];
      const played = await runCase(one, subject, {
        delivery,
        slow,
        situations,
        signal,
      });
      const result = graded(played, known[one.id], options.strict ?? false);
      results[at] = result;
      done += 1;
      options.onResult?.(result, done, work.length);
    }
  };
  try {
    for (let job = 0; job < Math.min(jobs, work.length); job += 1)
      subjects.push(await makeSubject());
    sanity.first = await sane(subjects[0]);
    const working = subjects.map((subject) =>
      worker(subject).catch((error: unknown) => {
        stop.abort(error);
        throw error;
      }),
    );
    await Promise.allSettled(working);
    await Promise.all(working);
    sanity.last = await sane(subjects[0]);
  } finally {
    await Promise.allSettled(subjects.map((subject) => subject.close?.()));
    await situations.close();
  }
  const counts = { PASS: 0, FAIL: 0, WARN: 0, INFO: 0, SKIP: 0, ERROR: 0, XFAIL: 0 };
  for (const { verdict } of results) counts[verdict] += 1;
  const [subject] = subjects;
  return {
    client: { name: subject?.name ?? 'none', version: subject?.version ?? '' },
    started: started.toISOString(),
    took: performance.now() - begun,
    deliveries,
    strict: options.strict ?? false,
    sanity,
    results,
    counts,
    exitCode: counts.ERROR > 0 ? 2 : counts.FAIL > 0 ? 1 : 0,
  };
}

/** The verdict as the run is told to see it. */
function graded(result: CaseResult, known: string | undefined, strict: boolean): CaseResult {
  const { verdict, reasons } = result;
  const broken = verdict === 'FAIL' || verdict === 'WARN';
  if (known !== undefined && broken)
    return { ...result, verdict: 'XFAIL', reasons: [`known: ${known}`, ...reasons] };
  if (known !== undefined && verdict === 'PASS')
    return {
      ...result,
      verdict: 'FAIL',
      reasons: [`it passes, and is known to fail: ${known}`, ...reasons],
    };
  return strict && verdict === 'WARN' ? { ...result, verdict: 'FAIL' } : result;
}
