import { describe, expect, test } from 'vitest';
import type { Case } from '../../src/case.ts';
import { AbsentError } from '../../src/runner/absent-error.ts';
import { runSuite, type SuiteOptions } from '../../src/runner/run-suite.ts';
import { good, script } from '../../src/server/plan.ts';
import { delay, expect as line, send } from '../../src/server/steps.ts';
import { subject as core } from '../../src/subjects/core.ts';
import type { MessageOutcome, Subject, TaskOutcome } from '../../src/task.ts';

const make = (id: string, level: Case['level'], outcome: 'resolve' | 'reject'): Case => ({
  id,
  level,
  title: id,
  requirement: 'any',
  clause: 'none',
  tags: [],
  plays: [{ server: good(), expect: { client: { outcome } } }],
});

/** Connects to nothing, and says what it is told to. */
const saying = (
  outcome: MessageOutcome['outcome'],
  answer: TaskOutcome['outcome'] = 'done',
): Subject => ({
  name: 'saying',
  version: '1.0.0',
  features: [],
  reports: [],
  run: async () => ({ outcome: answer, messages: [{ outcome }], why: 'not this' }),
});

const MUST = make('AAA-01', 'MUST', 'resolve');
const SHOULD = make('AAA-02', 'SHOULD', 'resolve');
const OTHER = make('AAA-03', 'MUST', 'reject');

const run = (outcome: MessageOutcome['outcome'], options: SuiteOptions) =>
  runSuite(() => saying(outcome), { jobs: 2, sanity: false, ...options });

describe('runSuite()', () => {
  test('counts verdicts, and a MUST that fails makes exit code 1', async () => {
    const { counts, exitCode, results } = await run('reject', { cases: [MUST, SHOULD, OTHER] });
    expect(results.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'AAA-01 FAIL',
      'AAA-02 WARN',
      'AAA-03 PASS',
    ]);
    expect(counts).toMatchObject({ FAIL: 1, WARN: 1, PASS: 1, ERROR: 0 });
    expect(exitCode).toBe(1);
  });

  test('a SHOULD that is broken is a failure under strict alone', async () => {
    expect((await run('reject', { cases: [SHOULD] })).exitCode).toBe(0);
    const { exitCode, counts } = await run('reject', { cases: [SHOULD], strict: true });
    expect([exitCode, counts.FAIL]).toEqual([1, 1]);
  });

  test('what is known to fail is no failure; what is known to fail and passes is one', async () => {
    const known = { 'AAA-01': 'issue 1' };
    const failing = await run('reject', { cases: [MUST], known });
    expect(failing.results[0]).toMatchObject({ verdict: 'XFAIL' });
    expect(failing.results[0]?.reasons[0]).toBe('known: issue 1');
    expect(failing.exitCode).toBe(0);
    const passing = await run('resolve', { sanity: false, cases: [MUST], known });
    expect(passing.results[0]).toMatchObject({
      verdict: 'FAIL',
      reasons: ['it passes, and is known to fail: issue 1'],
    });
  });

  test('every case is played in every delivery, and the results are in their order', async () => {
    const seen: string[] = [];
    const { results } = await run('resolve', {
      cases: [MUST, SHOULD],
      deliveries: ['whole', 'line', 'byte'],
      jobs: 4,
      onResult: ({ id, delivery }, done, total) => seen.push(`${done}/${total} ${id} ${delivery}`),
    });
    expect(results.map(({ id, delivery }) => `${id} ${delivery}`)).toEqual([
      'AAA-01 whole',
      'AAA-01 line',
      'AAA-01 byte',
      'AAA-02 whole',
      'AAA-02 line',
      'AAA-02 byte',
    ]);
    expect(seen).toHaveLength(6);
    expect(seen.at(-1)).toMatch(/^6\/6 /);
  });

  test('one plain message is sent before all others and behind them, and what came of it is told', async () => {
    const seen: string[] = [];
    const client: Subject = {
      ...saying('resolve'),
      run: async ({ port }) => {
        seen.push(String(port));
        return { outcome: 'done', messages: [{ outcome: 'resolve' }] };
      },
    };
    const { sanity, results } = await runSuite(() => client, { cases: [MUST] });
    // It says that it has sent, and has not even connected.
    expect(sanity).toEqual({ first: 'FAIL', last: 'FAIL' });
    expect([results.length, new Set(seen).size]).toEqual([1, 3]);
    expect((await runSuite(() => core, { cases: [MUST] })).sanity).toEqual({
      first: 'PASS',
      last: 'PASS',
    });
  });

  test('what a client cannot do is skipped, with the reason', async () => {
    const { results, exitCode } = await runSuite(() => saying('reject', 'unimplemented'), {
      sanity: false,
      cases: [MUST, { ...MUST, id: 'AAA-04', requires: ['dsn'] }],
    });
    expect(results.map(({ verdict, reasons }) => [verdict, reasons])).toEqual([
      ['SKIP', ['not this']],
      ['SKIP', ['saying has no dsn']],
    ]);
    expect(exitCode).toBe(0);
  });

  test('a fault of the harness is an ERROR, and exit code 2', async () => {
    const broken: Case = {
      ...MUST,
      plays: [
        {
          server: { engine: 'scripted', scripts: [[null as never]] },
          expect: { client: { outcome: 'settle' } },
        },
      ],
    };
    const connecting: Subject = {
      ...saying('resolve'),
      run: async ({ port }) => {
        const { connect } = await import('node:net');
        await new Promise<void>((resolve) =>
          connect(port)
            .on('close', () => resolve())
            .on('error', () => {}),
        );
        return { outcome: 'done', messages: [{ outcome: 'resolve' }] };
      },
    };
    const { results, exitCode } = await runSuite(() => connecting, {
      sanity: false,
      cases: [broken],
    });
    expect(results[0]?.verdict).toBe('ERROR');
    expect(results[0]?.reasons[0]).toMatch(/^the harness failed: TypeError/);
    expect(exitCode).toBe(2);
  });

  test('a client that says less than it was asked has failed for the rest', async () => {
    const { results } = await runSuite(
      () => ({ ...saying('resolve'), run: async () => ({ outcome: 'done', messages: [] }) }),
      { sanity: false, cases: [MUST] },
    );
    expect(results[0]?.verdict).toBe('FAIL');
    expect(results[0]?.reasons[0]).toMatch(/it said nothing/);
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /run\(\) gave undefined in place of an outcome/],
    ['null', null, /run\(\) gave null in place of an outcome/],
    ['no word of its end', { messages: [] }, /whose outcome is undefined/],
    ['no messages', { outcome: 'done' }, /whose messages is undefined/],
    [
      'what is no message',
      { outcome: 'done', messages: ['sent'] },
      /whose messages is \[ 'sent' \]/,
    ],
    [
      'another word',
      { outcome: 'done', messages: [{ outcome: 'sent' }] },
      /whose messages\[0\]\.outcome is 'sent'/,
    ],
    [
      'an error as its text',
      { outcome: 'done', messages: [{ outcome: 'reject', text: new Error('no') }] },
      /whose messages\[0\]\.text is Error: no/,
    ],
    [
      'recipients that are none',
      { outcome: 'done', messages: [{ outcome: 'resolve', rejected: ['a@b'] }] },
      /whose messages\[0\]\.rejected is \[ 'a@b' \]/,
    ],
  ])('a client that gives %s has crashed', async (_what, said, why) => {
    const settles: Case = {
      ...MUST,
      plays: [{ server: good(), expect: { client: { outcome: 'settle' } } }],
    };
    const { results, exitCode } = await runSuite(
      () => ({ ...saying('resolve'), run: async () => said as TaskOutcome }),
      { sanity: false, cases: [settles] },
    );
    expect(results[0]?.verdict).toBe('FAIL');
    expect(results[0]?.reasons[0]).toMatch(why);
    expect(exitCode).toBe(1);
  });

  test('what a client does not say may be null', async () => {
    const said = {
      outcome: 'done',
      messages: [{ outcome: 'resolve', text: null, accepted: null }],
    };
    const { exitCode } = await runSuite(
      () => ({ ...saying('resolve'), run: async () => said as unknown as TaskOutcome }),
      { sanity: false, cases: [MUST] },
    );
    expect(exitCode).toBe(0);
  });

  test.each<[string, unknown, string]>([
    ['an error', new Error('oh no'), 'oh no'],
    ['a text', 'oh no', 'oh no'],
    ['nothing', undefined, 'undefined'],
    ['what cannot be a text', Object.create(null), '[Object: null prototype] {}'],
  ])(
    'a client that throws %s before it promises anything has crashed',
    async (_what, thrown, why) => {
      const run_ = (): never => {
        throw thrown;
      };
      const { results } = await runSuite(() => ({ ...saying('resolve'), run: run_ }), {
        sanity: false,
        cases: [MUST],
      });
      expect(results[0]?.reasons).toEqual([`expected the client does not crash, got ${why}`]);
    },
  );

  test('a client that changes its task changes no other', async () => {
    const asked: Case = {
      ...MUST,
      plays: [
        {
          ...MUST.plays[0],
          task: { messages: [{ from: 'a@b', to: ['c@d'], content: { octets: '' } }] },
        },
      ],
    };
    const seen: unknown[] = [];
    const greedy: Subject = {
      ...saying('resolve'),
      run: async ({ messages }) => {
        const to = messages[0]?.to as string[];
        seen.push([...to]);
        to.push('e@f');
        return { outcome: 'done', messages: [{ outcome: 'resolve' }] };
      },
    };
    await runSuite(() => greedy, { sanity: false, cases: [asked, asked], jobs: 1 });
    expect(seen).toEqual([['c@d'], ['c@d']]);
  });

  test('what prepares a client takes none of its time', async () => {
    const asked: Case = {
      ...MUST,
      plays: [
        {
          ...MUST.plays[0],
          deadline: 200,
          expect: { client: { outcome: 'resolve' }, within: 200 },
        },
      ],
    };
    const { results } = await runSuite(
      () => ({
        ...saying('resolve'),
        prepare: () => new Promise((resolve) => setTimeout(resolve, 300)),
      }),
      { sanity: false, cases: [asked] },
    );
    expect(results[0]?.reasons).toEqual([]);
  });

  test('what a caller throws ends every job before anything is cleared away', async () => {
    let running = 0;
    let closed = 0;
    const busy: Subject = {
      ...saying('resolve'),
      run: async () => {
        running += 1;
        await new Promise((resolve) => setTimeout(resolve, running === 1 ? 20 : 200));
        running -= 1;
        return { outcome: 'done', messages: [{ outcome: 'resolve' }] };
      },
      close: async () => {
        closed += 1;
      },
    };
    const played: string[] = [];
    await expect(
      runSuite(() => busy, {
        sanity: false,
        cases: [MUST, OTHER, SHOULD, MUST, OTHER, SHOULD],
        jobs: 2,
        onResult: ({ id }) => {
          played.push(id);
          throw new Error('enough');
        },
      }),
    ).rejects.toThrow('enough');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([played.length, closed, running]).toEqual([1, 2, 0]);
  });

  test.each([0, -1, Number.NaN])('%d jobs are none', async (jobs) => {
    await expect(run('resolve', { sanity: false, cases: [MUST], jobs })).rejects.toThrow(
      RangeError,
    );
  });

  test('a client that does not hear its signal is not waited for', async () => {
    const controller = new AbortController();
    const deaf: Subject = { ...saying('resolve'), run: () => new Promise(() => {}) };
    setTimeout(() => controller.abort(new Error('enough')), 50);
    const begun = performance.now();
    await expect(
      runSuite(() => deaf, { sanity: false, cases: [MUST], signal: controller.signal }),
    ).rejects.toThrow('enough');
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('a signal ends a run at once, and every client is closed', async () => {
    const controller = new AbortController();
    let closed = 0;
    let given = 0;
    const waiting: Subject = {
      ...saying('resolve'),
      run: (_task, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            given += 1;
            reject(new Error('given up'));
          });
          setTimeout(() => controller.abort(new Error('enough')), 50);
        }),
      close: async () => {
        closed += 1;
      },
    };
    const begun = performance.now();
    await expect(
      runSuite(() => waiting, {
        sanity: false,
        cases: [MUST, OTHER],
        jobs: 2,
        signal: controller.signal,
      }),
    ).rejects.toThrow('enough');
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect([given, closed]).toEqual([2, 2]);
  });

  test('a client that is not here ends the run, and no deadline goes on behind it', async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const absent: Subject = {
      ...saying('resolve'),
      run: async () => {
        throw new AbsentError('there is no such program');
      },
    };
    await expect(runSuite(() => absent, { cases: [MUST] })).rejects.toThrow(AbsentError);
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test('what a client does that its script does not expect is held against it', async () => {
    const asked: Case = {
      ...MUST,
      plays: [
        {
          server: script(send('220 hello'), line(/^EHLO /), delay(10)),
          expect: { client: { outcome: 'settle' } },
        },
      ],
    };
    const rude: Subject = {
      ...saying('reject'),
      run: async ({ port }) => {
        const { connect } = await import('node:net');
        await new Promise<void>((resolve) => {
          const socket = connect(port, '127.0.0.1');
          socket.once('data', () => socket.write('NOOP\r\n')).on('close', () => resolve());
        });
        return { outcome: 'done', messages: [{ outcome: 'reject' }] };
      },
    };
    const { results } = await runSuite(() => rude, { sanity: false, cases: [asked] });
    expect(results[0]?.reasons).toEqual(['expected a line like /^EHLO /, got NOOP']);
  });
});
