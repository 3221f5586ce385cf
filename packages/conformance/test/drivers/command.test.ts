/** Programs as clients: what their exit codes say, and that none of them outlives its play. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Case } from '../../src/case.ts';
import { commandSubject } from '../../src/drivers/command.ts';
import { AbsentError } from '../../src/runner/absent-error.ts';
import { runCase } from '../../src/runner/run-case.ts';
import { good } from '../../src/server/plan.ts';
import { createSituations, type Situations } from '../../src/server/situations.ts';
import type { ClientTask } from '../../src/task.ts';
import { outliving, pidsIn } from '../running.ts';

let folder = '';
let situations: Situations;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn test '));
  situations = await createSituations();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await situations.close();
});

/** A Node program, as a word of a template. */
function program(code: string): string {
  const file = join(folder, `client ${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(file, code);
  chmodSync(file, 0o755);
  return `"${process.execPath}" "${file}"`;
}

const CASE: Case = {
  id: 'XXX-01',
  level: 'MUST',
  title: 'a good server',
  requirement: 'Send',
  clause: 'none',
  tags: [],
  plays: [{ server: good(), deadline: 5_000, expect: { client: { outcome: 'resolve' } } }],
};
const played = (command: string, one: Case = CASE) =>
  runCase(one, commandSubject(command), { situations });

const TASK: ClientTask = {
  host: '127.0.0.1',
  port: 1,
  tls: 'off',
  ca: '',
  caFile: '/ca.pem',
  protocol: 'smtp',
  messages: [{ from: 'a@b', to: ['c@d', 'e@f'], content: { octets: 'Hi\r\n\xe9' } }],
};
const never = (): AbortSignal => new AbortController().signal;

describe('a program', () => {
  test.each([
    [0, 'PASS', []],
    [1, 'FAIL', [/expected the client reports success, got reject \(exit code 1\): no luck/]],
    [89, 'SKIP', [/^no luck$/]],
  ])('that exits with %i: %s', async (code, verdict, reasons) => {
    const { verdict: got, reasons: why } = await played(
      program(`console.log('no luck'); process.exitCode = ${code};`),
    );
    expect(got).toBe(verdict);
    expect(why).toHaveLength(reasons.length);
    for (const [at, reason] of reasons.entries()) expect(why[at]).toMatch(reason);
  });

  test('that hangs is ended, with what it has started, and fails', async () => {
    const pids = join(folder, 'pids');
    const hanging = program(`
      import { spawn } from 'node:child_process';
      import { appendFileSync } from 'node:fs';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      appendFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid);
      setInterval(() => {}, 1000);
    `);
    const [play] = CASE.plays;
    const { verdict, reasons, took } = await played(hanging, {
      ...CASE,
      plays: [{ ...play, deadline: 1_500 }],
    });
    expect(verdict).toBe('FAIL');
    expect(reasons[0]).toBe('expected the client is done within 1500 ms, got it was not');
    expect(took).toBeLessThan(6_000);
    expect(await outliving(pids)).toEqual([]);
  });

  test('that dies of a signal has crashed', async () => {
    const { verdict, reasons } = await played(program('process.kill(process.pid, "SIGSEGV");'));
    expect(verdict).toBe('FAIL');
    expect(reasons.join()).toMatch(/the client does not crash, got it was ended by SIGSEGV/);
  });

  test.each([
    ['is not there', '/no/such/program {host}', /no\/such\/program ENOENT/],
    ['cannot be run', '/ {host}', /EACCES/],
    ['has no name', '{?auth:x} < {file}', /cannot be started/],
  ])('that %s is absent, and nothing is judged', async (_what, command, why) => {
    await expect(played(command)).rejects.toThrow(AbsentError);
    await expect(played(command)).rejects.toThrow(why);
  });

  test('whose arguments are more than the system takes is not asked', async () => {
    const [message] = TASK.messages;
    if (!message) throw new Error('there is a message');
    const to = Array.from({ length: 20_000 }, (_, at) => `${at}@${'x'.repeat(200)}.example.org`);
    expect(
      await commandSubject('true {to}').run({ ...TASK, messages: [{ ...message, to }] }, never()),
    ).toMatchObject({
      outcome: 'unimplemented',
      why: 'its arguments are longer than this system takes',
    });
  });

  test.each([
    ['and its output', 'inherit', false],
    ['without its output', 'ignore', false],
    ['in a group of its own, with its output', 'inherit', true],
  ] as const)(
    'is not waited for where it leaves another behind %s',
    async (_what, stdio, detached) => {
      const pids = join(folder, `left ${stdio} ${detached}`);
      const leaving = program(`
      import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)'], { stdio: '${stdio}', detached: ${detached} });
      child.unref();
      writeFileSync(${JSON.stringify(pids)}, String(child.pid));
      console.log('sent');
    `);
      const begun = performance.now();
      const { messages } = await commandSubject(leaving).run(TASK, never());
      expect(messages).toEqual([{ outcome: 'resolve', text: 'sent\n', native: 'exit code 0' }]);
      expect(performance.now() - begun).toBeLessThan(8_000);
      // Whoever leaves the group wants to live on.
      if (detached) for (const pid of pidsIn(pids)) process.kill(pid, 'SIGKILL');
      expect(await outliving(pids)).toEqual([]);
    },
  );

  test('is given its values as arguments, its message as a file, and no shell', async () => {
    const told = join(folder, 'told.json');
    const { messages } = await commandSubject(
      `${program(`
        import { readFileSync, writeFileSync } from 'node:fs';
        const [, , from, file, ...more] = process.argv;
        writeFileSync(${JSON.stringify(told)}, JSON.stringify({
          from, more, file: readFileSync(file).toString('latin1'), input: readFileSync(0).toString('latin1'),
        }));
      `)} {from} {file} {to} {ca} $HOME ; < {file}`,
    ).run(TASK, never());
    expect(messages[0]?.outcome).toBe('resolve');
    expect(JSON.parse(readFileSync(told, 'utf8'))).toEqual({
      from: 'a@b',
      more: ['c@d', 'e@f', '/ca.pem', '$HOME', ';'],
      file: 'Hi\r\n\xe9',
      input: 'Hi\r\n\xe9',
    });
  });

  test('that prints without end is read, and not kept', async () => {
    const { messages } = await commandSubject(
      program(`for (let at = 0; at < 300; at += 1) console.log('x'.repeat(10_000));`),
    ).run(TASK, never());
    expect(messages[0]?.text?.length).toBeGreaterThan(100_000);
    expect(messages[0]?.text?.length).toBeLessThan(300_000);
  });

  test('is not asked for what a command cannot do', async () => {
    const subject = commandSubject('true {from}');
    const ask = (change: Partial<ClientTask>) => subject.run({ ...TASK, ...change }, never());
    const [message] = TASK.messages;
    if (!message) throw new Error('there is a message');
    expect(await ask({ messages: [message, message] })).toMatchObject({
      outcome: 'unimplemented',
      why: 'a command sends one message',
    });
    expect(await ask({ messages: [{ ...message, from: 'a\0b' }] })).toMatchObject({
      outcome: 'unimplemented',
      why: 'an argument cannot hold NUL',
    });
    expect(await ask({ messages: [{ ...message, content: { pieces: ['a'] } }] })).toMatchObject({
      outcome: 'unimplemented',
    });
  });

  test('can do what its template shows, and what is said beside it', () => {
    const subject = commandSubject(
      'send {host} {tls=starttls:--tls} {tls=implicit:--ssl} {?auth:{user} {pass}} {?name:{name}} {?timeout:{timeout}}',
      { features: ['dsn'], without: ['auth-login'] },
    );
    expect([...subject.features].sort()).toEqual([
      'auth-plain',
      'client-name',
      'dsn',
      'implicit-tls',
      'starttls',
      'timeouts',
    ]);
    expect(subject.name).toBe('send');
    expect(commandSubject('send {host}').features).toEqual([]);
  });
});
