/** The Python program of docs/sandbox.md, run as its reader runs it; and what the page says of signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBuilt } from '../built.ts';
import { until, within } from '../dialogue.ts';
import { installed, run, useFolders } from './clients/run.ts';
import { FREE } from './served.ts';

const LARGE = process.env['LARGE'] !== undefined;

describe.skipIf(!LARGE)('docs/sandbox.md', () => {
  const built = useBuilt();
  const folderOf = useFolders();
  const text = readFileSync(new URL('../../../../docs/sandbox.md', import.meta.url), 'utf8');
  const [, name = '', program = ''] = /^```python ([\w-]+\.py)\n(.*?)^```/ms.exec(text) ?? [];

  let place = '';
  beforeAll(() => {
    place = folderOf();
    mkdirSync(join(place, 'node_modules/.bin'), { recursive: true });
    chmodSync(built.file('cli.js'), 0o755);
    symlinkSync(built.file('cli.js'), join(place, 'node_modules/.bin/smtp-conformance'));
    writeFileSync(join(place, name), program);
  });

  /** What runs in that folder. */
  const running = (): string[] =>
    readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === place;
      } catch {
        return false;
      }
    });

  test.skipIf(!installed('python3'))('its program runs, and leaves nothing behind', async () => {
    const { code, output } = await run(place, ['python3', name]);
    expect([code, output]).toEqual([0, 'ok test_it_is_read\nok test_a_missing_link_is_refused\n']);
    expect(running()).toEqual([]);
  });

  test.skipIf(!installed('python3'))('its program fails where a test does', async () => {
    const wrong = program.replace('"--tags", "reject"', '"--tags", "off"');
    expect(wrong).not.toBe(program);
    writeFileSync(join(place, 'wrong.py'), wrong);
    const { code, output } = await run(place, ['python3', 'wrong.py']);
    expect(code).toBe(1);
    expect(output).toContain('AssertionError: It was taken');
    expect(running()).toEqual([]);
  });

  test('of what npx started, the pid of the line ends it', async () => {
    const child: ChildProcess = spawn('npx', ['smtp-conformance', 'serve', '--json', ...FREE], {
      cwd: place,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let pid = 0;
    afterAll(() => {
      child.kill('SIGKILL');
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    });
    if (!child.stdout) throw new Error('There is no output');
    const [line] = await within(once(createInterface({ input: child.stdout }), 'line'), 'npx');
    expect(running()).not.toEqual([]);
    ({ pid } = JSON.parse(String(line)) as { readonly pid: number });
    process.kill(pid, 'SIGTERM');
    await until(() => child.exitCode !== null, 'npx ends with it');
    expect(child.exitCode).toBe(0);
    expect(running()).toEqual([]);
  });
});
