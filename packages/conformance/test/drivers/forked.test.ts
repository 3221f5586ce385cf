/** Clients in processes of their own: what they do to themselves is a verdict, and no end of the run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useBuilt } from '../built.ts';

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

describe('a client in a process of its own', () => {
  test('is core, and passes', async () => {
    const [first, second] = await played('core');
    expect([first?.verdict, second?.verdict, first?.reasons]).toEqual(['PASS', 'PASS', []]);
  });

  test.each([
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
  ])('that %s fails, and the next play has a process of its own', async (name, body, why) => {
    for (const { verdict, reasons, took } of await played(module(name, body))) {
      expect(verdict).toBe('FAIL');
      expect(reasons.join('\n')).toMatch(why);
      expect(took).toBeLessThan(8_000);
    }
  });

  test('leaves no process behind, however many were ended on the way', async () => {
    const running = (): string[] =>
      readFileSync(built.file('pids'), 'utf8')
        .trim()
        .split('\n')
        .filter((pid) => {
          try {
            return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
          } catch {
            return false;
          }
        });
    await played(module('hangs', 'await new Promise(() => {});'));
    const end = performance.now() + 3_000;
    while (running().length > 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(running()).toEqual([]);
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
