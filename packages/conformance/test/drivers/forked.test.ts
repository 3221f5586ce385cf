/** Clients in processes of their own: what they do to themselves is a verdict, and no end of the run. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useBuilt } from '../built.ts';
import { outliving, pidsIn } from '../running.ts';

const built = useBuilt();

interface Suite {
  forkSubject(module: string): Promise<{
    readonly name: string;
    run(
      task: object,
      signal: AbortSignal,
    ): Promise<{ readonly memory?: number; readonly outcome: string }>;
    close(): Promise<void>;
  }>;
  readonly cases: readonly object[];
  runCase(
    one: object,
    subject: object,
  ): Promise<{ verdict: string; reasons: readonly string[]; took: number }>;
}
const suite = async (): Promise<Suite> =>
  (await import(/* @vite-ignore */ built.file('index.js'))) as Suite;

/** A module that exports a client whose run() has this body. */
function module(name: string, body: string): string {
  const file = built.file(`${name}.mjs`);
  writeFileSync(
    file,
    `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(built.file('pids'))}, process.pid + '\\n');
    export const subject = { name: ${JSON.stringify(name)}, version: '1', features: [], reports: [], async run(task) { ${body} } };`,
  );
  return file;
}

/** The first case with another deadline. */
async function short(): Promise<object> {
  const [first] = (await suite()).cases as readonly { plays: readonly object[] }[];
  if (!first) throw new Error('there is a case');
  return { ...first, plays: first.plays.map((play) => ({ ...play, deadline: 800 })) };
}

async function played(file: string) {
  const { forkSubject, runCase } = await suite();
  const subject = await forkSubject(file);
  try {
    // Twice: the first may have taken the process with it.
    return [await runCase(await short(), subject), await runCase(await short(), subject)];
  } finally {
    await subject.close();
  }
}

/** The gate (LARGE) has all of them. */
const LARGE = Boolean(process.env['LARGE']);

describe('a client in a process of its own', () => {
  test('is core, and passes', async () => {
    const [first, second] = await played('core');
    expect([first?.verdict, second?.verdict, first?.reasons]).toEqual(['PASS', 'PASS', []]);
  });

  test.each(
    [
      ['hangs', 'await new Promise(() => {});', /is done within 800 ms, got it was not/],
      ['blocks', 'for (;;) {}', /is done within 800 ms, got it was not/],
      ['exits', 'process.exit(7);', /does not crash, got its process ended \(exit code 7\)/],
      [
        'throws-later',
        'setTimeout(() => { throw new Error("oh no"); }); await new Promise(() => {});',
        /does not crash, got its process ended.*oh no/s,
      ],
      ['throws', 'throw new Error("oh no");', /does not crash, got its process ended.*oh no/s],
      ['aborts', 'process.abort();', /does not crash, got its process ended \(SIGABRT\)/],
    ].filter(([name]) => LARGE || name === 'hangs' || name === 'exits') as [
      string,
      string,
      RegExp,
    ][],
  )('that %s fails, and the next play has a process of its own', async (name, body, why) => {
    for (const { verdict, reasons, took } of await played(module(name, body))) {
      expect(verdict).toBe('FAIL');
      expect(reasons.join('\n')).toMatch(why);
      expect(took).toBeLessThan(8_000);
    }
  });

  test.runIf(LARGE)('leaves no process behind, however many were ended on the way', async () => {
    await played(module('hangs', 'await new Promise(() => {});'));
    expect(pidsIn(built.file('pids')).length).toBeGreaterThan(1);
    expect(await outliving(built.file('pids'))).toEqual([]);
  });

  test('that blocks ends with a runner that was killed', async () => {
    const file = module('spins', 'for (;;) {}');
    const before = pidsIn(built.file('pids')).length;
    const runner = spawn(
      process.execPath,
      [built.file('cli.js'), 'run', '--subject', file, '--case', 'GRE-01'],
      { stdio: 'ignore' },
    );
    while (pidsIn(built.file('pids')).length === before && runner.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    // It is asked by then, and hears nothing any more.
    await new Promise((resolve) => setTimeout(resolve, 500));
    runner.kill('SIGKILL');
    expect(await outliving(built.file('pids'))).toEqual([]);
  });

  test('may send messages of its own', async () => {
    const file = module(
      'talks',
      'process.send("ready"); process.send({ is: "done", id: -1 }); return { outcome: "done", messages: [{ outcome: "reject" }] };',
    );
    for (const { reasons } of await played(file)) expect(reasons.join()).not.toMatch(/crash/);
    expect(await outliving(built.file('pids'))).toEqual([]);
  });

  test('that dies when its task is done is blamed in the next, which says so', async () => {
    const { forkSubject } = await suite();
    const subject = await forkSubject(
      module(
        'dies',
        'setTimeout(() => process.exit(9), 50); return { outcome: "done", messages: [{ outcome: "reject" }] };',
      ),
    );
    await subject.run({}, new AbortController().signal);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await expect(subject.run({}, new AbortController().signal)).rejects.toThrow(
      'its process ended behind the task before (exit code 9)',
    );
    await subject.close();
  });

  test.runIf(LARGE)('that can be loaded but once has crashed, and the run goes on', async () => {
    const file = module('once', 'process.exit(7);');
    writeFileSync(
      file,
      `import { existsSync, writeFileSync } from 'node:fs';
      if (existsSync(import.meta.filename + '.lock')) throw new Error('it is locked');
      writeFileSync(import.meta.filename + '.lock', '');
      ${readFileSync(file, 'utf8')}`,
    );
    const [first, second] = await played(file);
    expect(first?.reasons.join()).toMatch(/exit code 7/);
    expect(second?.reasons.join()).toMatch(/does not crash, got it is locked/);
  });

  test.runIf(LARGE)('has the time of its deadline, however long a new process takes', async () => {
    const file = module(
      'loads-long',
      'await new Promise((resolve) => setTimeout(resolve, 20)); process.exit(7);',
    );
    writeFileSync(
      file,
      `await new Promise((resolve) => setTimeout(resolve, 1_000)); ${readFileSync(file, 'utf8')}`,
    );
    for (const { reasons } of await played(file))
      expect(reasons.join('\n')).toMatch(/does not crash, got its process ended \(exit code 7\)/);
  });

  test('tells how much memory it took', async () => {
    const { forkSubject } = await suite();
    const subject = await forkSubject(
      module(
        'hungry',
        'globalThis.kept = Buffer.alloc(64 * 1024 * 1024, 1); await new Promise((r) => setTimeout(r, 50)); return { outcome: "done", messages: [] };',
      ),
    );
    const { memory } = await subject.run({}, new AbortController().signal);
    await subject.close();
    expect(memory).toBeGreaterThan(60 * 1_048_576);
  });

  test.each([
    ['that there is not', () => '/no/such/module.mjs', /Cannot find module/],
    [
      'that exports no client',
      () => module('none', '').replace('none.mjs', 'empty.mjs'),
      /exports no subject|Cannot find/,
    ],
  ])('of a module %s is absent, and says why', async (_name, file, why) => {
    const path = file();
    if (path.endsWith('empty.mjs')) writeFileSync(path, 'export const nothing = 1;');
    const { forkSubject } = await suite();
    await expect(forkSubject(path)).rejects.toThrow(why);
    await expect(forkSubject(path)).rejects.toMatchObject({ name: 'AbsentError' });
  });
});
