/** The catalogue as tests of vitest or node:test, for authors of SMTP clients. */
import type { Case } from './case.ts';
import { cases, groups } from './cases/index.ts';
import { commandSubject } from './drivers/command.ts';
import { type CaseResult, runCase } from './runner/run-case.ts';
import { select } from './runner/select.ts';
import { createSituations, type Situations } from './server/situations.ts';
import type { Delivery } from './server/wire-log.ts';
import { findSubject } from './subjects/ready.ts';
import type { Subject } from './task.ts';

/** What registers tests: the functions of vitest, of node:test, or of anything like them. */
export interface TestFramework {
  /** Groups the tests that its body registers. */
  readonly describe: (name: string, body: () => void) => unknown;
  /** Registers a test, which fails where its body rejects. */
  readonly test: (name: string, body: (context: TestContext) => Promise<void>) => unknown;
  /** Runs when the tests of this group are done. */
  readonly after: (body: () => Promise<void>) => unknown;
}

/** As much of a test's context as is used: vitest and node:test both have it. */
export interface TestContext {
  /** Ends this test as skipped. */
  skip(why?: string): unknown;
}

/** What is played, and how. */
export interface ConformanceOptions {
  /** As `--case`: 'TLS-*,!level:INFO'. Default: everything. */
  readonly cases?: string;
  /** Default: whole replies. */
  readonly deliveries?: readonly Delivery[];
  /** A SHOULD that is broken fails its test; default false. */
  readonly strict?: boolean;
  /** Cases that are known to fail, each with its reason: their tests pass while they do, and fail when they pass. */
  readonly known?: Readonly<Record<string, string>>;
  /** Every deadline is so many times as long; default 1. */
  readonly slow?: number;
  /** Where tests are registered. Default: vitest where it runs this, else node:test. */
  readonly framework?: TestFramework;
}

/**
 * Registers a test for each case and each delivery.
 *
 * @param client - a subject in this process; the name of a ready one ('nodemailer'), or the path of a module that
 * exports `subject`, each in a process of its own; or `{ command }`, a template as for `--client`
 * @returns when all tests are registered: await it at the top of a test file
 * @throws UsageError for a selection that names nothing, or a command that cannot be read; AbsentError where the
 * client is not here
 *
 * @example
 * ```ts
 * import type { Subject } from '@posthorn/conformance';
 * import { conformance } from '@posthorn/conformance/test-kit';
 *
 * const subject: Subject = {
 *   name: 'mine',
 *   version: '1.0.0',
 *   features: [],
 *   reports: [],
 *   run: async () => ({ outcome: 'unimplemented', messages: [], why: 'not written yet' }),
 * };
 * const names: string[] = [];
 * await conformance(subject, {
 *   cases: 'GRE-01',
 *   framework: {
 *     describe: (_name, body) => body(),
 *     test: (name) => names.push(name),
 *     after: () => {},
 *   },
 * });
 * console.log(names.length); // 1
 * ```
 */
export async function conformance(
  client: Subject | string | { readonly command: string },
  options: ConformanceOptions = {},
): Promise<void> {
  const { deliveries = ['whole'], known = {}, slow = 1 } = options;
  const { describe, test, after } = options.framework ?? (await framework());
  const subject = await subjectOf(client);
  let situations: Promise<Situations> | undefined;
  after(async () => {
    await subject.close?.();
    await (await situations)?.close();
  });
  const all = select(cases, options.cases ?? '');
  for (const group of groups) {
    const selected = all.filter((one) => group.cases.includes(one));
    if (selected.length === 0) continue;
    describe(group.title, () => {
      for (const one of selected)
        for (const delivery of deliveries)
          test(`${one.id} ${one.title}${deliveries.length > 1 ? ` [${delivery}]` : ''}`, async (context) => {
            situations ??= createSituations();
            const result = await runCase(one, subject, {
              delivery,
              slow,
              situations: await situations,
            });
            if (result.verdict === 'SKIP') {
              context.skip(result.reasons[0]);
              return;
            }
            settle(one, result, options.strict ?? false, known[one.id]);
          });
    });
  }
}

/** Throws where the verdict is a failure. */
function settle(
  one: Case,
  { verdict, reasons }: CaseResult,
  strict: boolean,
  known: string | undefined,
): void {
  const failed = verdict === 'FAIL' || verdict === 'ERROR' || (strict && verdict === 'WARN');
  if (known !== undefined) {
    if (verdict === 'PASS') throw new Error(`${one.id} passes, and is known to fail: ${known}`);
    if (verdict !== 'ERROR') return;
  }
  if (failed)
    throw new Error(
      [`${one.id} ${verdict}: ${one.requirement} (${one.clause})`, ...reasons].join('\n  '),
    );
}

async function subjectOf(
  client: Subject | string | { readonly command: string },
): Promise<Subject> {
  if (typeof client === 'string') return (await findSubject(client))();
  return 'command' in client ? commandSubject(client.command) : client;
}

async function framework(): Promise<TestFramework> {
  if (process.env['VITEST']) {
    const { afterAll, describe, test } = await import('vitest');
    const timed = test as unknown as (
      name: string,
      options: { readonly timeout: number },
      body: (context: TestContext) => Promise<void>,
    ) => unknown;
    // A case ends by its own deadlines, which are longer than those of vitest: 0 is none.
    return {
      describe,
      test: (name, body) => timed(name, { timeout: 0 }, body),
      after: afterAll,
    };
  }
  const { after, describe, test } = await import('node:test');
  return { describe, test: test as unknown as TestFramework['test'], after };
}
