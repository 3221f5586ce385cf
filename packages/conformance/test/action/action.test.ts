/** The action for CI: its script, as a runner would start it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { useBuilt } from '../built.ts';

const built = useBuilt();
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-action-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Action {
  readonly inputs: Readonly<
    Record<string, { readonly description: string; readonly default: string }>
  >;
  readonly runs: {
    readonly using: string;
    readonly steps: readonly {
      readonly run?: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly uses?: string;
    }[];
  };
}
const action = parse(
  readFileSync(new URL('../../action/action.yml', import.meta.url), 'utf8'),
) as Action;
const [step] = action.runs.steps;

/** Runs the script with the action's defaults, but for what is given. */
function run(given: Readonly<Record<string, string>>): { code: number | null; out: string } {
  const values = Object.entries(action.inputs).map(([name, input]) => [
    name.toUpperCase(),
    given[name] ?? String(input.default),
  ]);
  const { status, stdout } = spawnSync('bash', ['-e', '-c', step?.run ?? 'exit 9'], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      ...Object.fromEntries(values),
      COMMAND: `${process.execPath} ${built.file('cli.js')}`,
    },
  });
  return { code: status, out: stdout };
}

test('every input is a variable of the script, and none is text in it', () => {
  expect(action.runs.using).toBe('composite');
  expect(step?.env).toEqual(
    Object.fromEntries(
      Object.keys(action.inputs).map((name) => [name.toUpperCase(), `\${{ inputs.${name} }}`]),
    ),
  );
  expect(step?.run).not.toContain('${{');
  for (const { description } of Object.values(action.inputs)) expect(description).not.toBe('');
});

// It starts the suite seven times: the gate (LARGE) does.
test.runIf(process.env['LARGE'])(
  'reports are kept, with the exit code of the run',
  { timeout: 60_000 },
  () => {
    const fine = run({ subject: 'core', case: 'GRE-01', folder: 'fine' });
    expect(fine.code).toBe(0);
    expect(fine.out).toMatch(/core \S+: 1 PASS, 0 FAIL/);
    for (const name of ['report.json', 'report.xml', 'report.html'])
      expect(existsSync(join(folder, 'fine', name))).toBe(true);
    const failing = run({
      client: 'true $(touch oops) `touch oops`',
      case: 'GRE-01',
      folder: 'bad',
    });
    expect(failing.code).toBe(1);
    expect(failing.out).toMatch(/FAIL GRE-01/);
    expect(existsSync(join(folder, 'oops'))).toBe(false);
    expect(run({ folder: 'none' }).code).toBe(3);
  },
);
