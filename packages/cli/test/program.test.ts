/** The program as a process: its names, its signals, pipes that close, memory, and what PHP and mail readers make of it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { steps } from '@posthorn/conformance';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Built, buildCli } from './built.ts';
import { useFolder, useSandbox, useScripts, written } from './support.ts';

const used = useSandbox();
const scripts = useScripts();
const folder = useFolder();
let built: Built;
let sendmail = '';
const children: ChildProcess[] = [];

beforeAll(async () => {
  built = await buildCli();
  mkdirSync(join(folder.path, 'bin'));
  sendmail = join(folder.path, 'bin', 'sendmail');
  symlinkSync(built.file, sendmail);
}, 60_000);
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  built?.remove();
});

/** No settings of the machine that runs the tests. */
const clean = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: folder.path,
  TMPDIR: folder.path,
});

function start(
  file: string,
  words: readonly string[],
  env: Record<string, string> = {},
): ChildProcess {
  const child = spawn(process.execPath, [file, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...clean(), ...env },
  });
  children.push(child);
  return child;
}

async function ended(
  child: ChildProcess,
  stdin?: string,
): Promise<{ code: number | null; out: string; err: string }> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (octets) => {
    out += octets;
  });
  child.stderr?.on('data', (octets) => {
    err += octets;
  });
  child.stdin?.on('error', () => {});
  if (stdin !== undefined) child.stdin?.end(stdin);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

test('posthorn sends what comes by a pipe', async () => {
  const child = start(
    built.file,
    ['send', '--from', 'a@example.com', '--to', 'b@example.net', '--text-file', '-'],
    used.env,
  );
  const { code, out, err } = await ended(child, 'from a process');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^Accepted for b@example.net: 250 /);
  expect(used.sandbox.inbox.messages.at(-1)?.text?.trim()).toBe('from a process');
});

test('sendmail is the same program by another name', async () => {
  const child = start(sendmail, ['-i', '-f', 'a@example.com', 'b@example.net'], used.env);
  expect(await ended(child, 'Subject: by its other name\n\nHi\n.\n')).toEqual({
    code: 0,
    out: '',
    err: '',
  });
  const message = used.sandbox.inbox.messages.at(-1);
  expect([message?.subject, message?.text?.trim()]).toEqual(['by its other name', 'Hi\n.']);
});

test('TERM ends it, and tells what became of the message', async () => {
  const served = await scripts.serve({ dot: steps.delay(60_000) });
  const child = start(
    built.file,
    ['send', '--from', 'a@example.com', '--to', 'b@example.net', '--json'],
    served.env,
  );
  const end = ended(child);
  while (!written(served.server).includes('\r\n.\r\n'))
    await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill('SIGTERM');
  const { code, out } = await end;
  expect([code, JSON.parse(out)]).toMatchObject([76, { delivery: 'unknown', exit: 76 }]);
});

test('a reader that has seen enough is no error', async () => {
  const file = folder.file('large.bin');
  truncateSync(file, 3_000_000);
  const child = start(built.file, [
    'send',
    '--print',
    '--from',
    'a@example.com',
    '--to',
    'b@example.net',
    '--attach',
    file,
  ]);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const { code, err } = await new Promise<{ code: number | null; err: string }>((resolve) => {
    let text = '';
    child.stderr?.on('data', (octets) => {
      text += octets;
    });
    child.on('close', (exit) => resolve({ code: exit, err: text }));
  });
  expect([code, err]).toEqual([0, '']);
});

test('a large file is never in memory as a whole', async () => {
  const file = folder.file('huge.bin');
  // Without an octet on the disk.
  truncateSync(file, 120_000_000);
  const report = folder.file(
    'report.mjs',
    "process.on('exit', () => console.error(process.resourceUsage().maxRSS));\n",
  );
  const words = [
    '--import',
    report,
    built.file,
    'send',
    '--print',
    '--from',
    'a@example.com',
    '--to',
    'b@example.net',
    '--attach',
    file,
  ];
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: clean(),
  });
  children.push(child);
  const { code, err } = await ended(child);
  expect(code).toBe(0);
  // In KiB. The program alone has 60 MB; what is read and encoded at a time comes to it.
  expect(Number(err)).toBeLessThan(150_000);
}, 60_000);

const php = spawnSync('php', ['-r', 'echo PHP_OS_FAMILY;'], { encoding: 'utf8' }).stdout;

describe.skipIf(!php)(`mail() of PHP${php ? '' : ' (skipped: there is no php here)'}`, () => {
  const mail = async (
    code: string,
    env: Record<string, string> = used.env,
  ): Promise<{ out: string; err: string }> => {
    const path = `"${process.execPath}" "${built.file}" sendmail -t -i`;
    const child = spawn('php', ['-n', '-d', `sendmail_path='${path}'`, '-r', code], {
      env: { ...clean(), ...env },
    });
    children.push(child);
    return ended(child);
  };

  test('sends, with its headers, parameters and texts', async () => {
    const { out } = await mail(
      `var_dump(mail('Jane <jane@example.net>, bob@example.net', '=?utf-8?B?' . base64_encode('Тест') . '?=', "Привет\\n.\\nконец", ['From' => 'Shop <shop@example.com>', 'Bcc' => 'hidden@example.net', 'Content-Type' => 'text/plain; charset=utf-8'], '-fbounce@example.com'));`,
    );
    expect(out).toContain('bool(true)');
    const message = used.sandbox.inbox.messages.at(-1);
    expect(message?.from).toBe('bounce@example.com');
    expect(message?.to).toEqual(['jane@example.net', 'bob@example.net', 'hidden@example.net']);
    expect(message?.subject).toBe('Тест');
    expect(message?.text?.trim().split(/\r?\n/)).toEqual(['Привет', '.', 'конец']);
    expect(Buffer.from(message?.raw ?? []).toString()).not.toContain('hidden@');
  });

  test('is told when nothing was sent', async () => {
    const { out, err } = await mail(
      `var_dump(mail('b@example.net', 'x', 'y', 'From: a@example.com'));`,
      {
        ...used.env,
        POSTHORN_PASS: 'wrong',
      },
    );
    expect(out).toContain('bool(false)');
    expect(err).toContain('Cannot authenticate: PLAIN: server replied 535');
  });
});

const nail = spawnSync('s-nail', ['--version'], { encoding: 'utf8' }).status === 0;

test.skipIf(!nail)(
  `s-nail uses it as its MTA${nail ? '' : ' (skipped: there is no s-nail here)'}`,
  async () => {
    // A program that is started by its path alone.
    const words = [
      '-:/',
      '-S',
      'sendwait',
      '-S',
      `mta=${sendmail}`,
      '-S',
      'v15-compat',
      '-r',
      'a@example.com',
      '-s',
      'by a mail reader',
      'b@example.net',
    ];
    const child = spawn('s-nail', words, {
      env: {
        ...clean(),
        ...used.env,
        PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
      },
    });
    children.push(child);
    const { code } = await ended(child, 'Hi\n');
    expect([code, used.sandbox.inbox.messages.at(-1)?.subject]).toEqual([0, 'by a mail reader']);
  },
);
