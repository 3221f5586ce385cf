/** The command line as a person or a CI job has it: a process with arguments, output, an exit code and signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { useBuilt } from '../built.ts';
import { outliving, pidsIn } from '../running.ts';

const built = useBuilt();
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn test '));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(...words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [built.file('cli.js'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
}

function ended(child: ChildProcess): Promise<Ended> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (octets) => {
    out += octets;
  });
  child.stderr?.on('data', (octets) => {
    err += octets;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

const run = (...words: readonly string[]): Promise<Ended> => ended(start(...words));

/** The same in this process, for what starts none. */
async function inside(...words: readonly string[]): Promise<Ended> {
  let [out, err] = ['', ''];
  const stream = (take: (text: string) => void): NodeJS.WriteStream =>
    ({
      isTTY: false,
      write: (text: string, done?: () => void) => {
        take(text);
        done?.();
        return true;
      },
    }) as unknown as NodeJS.WriteStream;
  const code = await main(words, '1.2.3', {
    stdout: stream((text) => {
      out += text;
    }),
    stderr: stream((text) => {
      err += text;
    }),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

/** A client of a few lines, that says that all is well. */
function client(code: string): string {
  const file = join(folder, `client-${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(file, code);
  return `"${process.execPath}" "${file}" {host} {port} {from} {to} {file}`;
}

describe('smtp-conformance', () => {
  test('--help shows the commands, with examples', async () => {
    const { code, out, err } = await inside('--help');
    expect([code, err]).toEqual([0, '']);
    for (const text of ['run', 'list', 'explain', 'report', 'probe', 'Examples:'])
      expect(out).toContain(text);
    const more = await inside('run', '--help');
    expect(more.code).toBe(0);
    for (const text of [
      '--subject',
      '--client',
      '--known',
      '--strict',
      '--jobs',
      '--slow',
      'Examples:',
      'Exit codes',
    ])
      expect(more.out).toContain(text);
  });

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    expect(await run('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['run'], /no client is named/],
    [
      ['run', '--subject', 'nobody'],
      /there is no client "nobody": there are core, nodemailer, curl/,
    ],
    [['run', '--subject', 'core', '--case', 'XYZ-01'], /"XYZ-01" names no case/],
    [['run', '--subject', 'core', '--case', 'GRE-01,!GRE-01'], /nothing is selected/],
    [
      ['run', '--subject', 'core', '--delivery', 'drop'],
      /there is no delivery "drop": there are whole, line, byte, all/,
    ],
    [['run', '--subject', 'core', '--report', 'pdf'], /there is no report "pdf"/],
    [['run', '--subject', 'core', '--jobs', 'none'], /--jobs none: a number/],
    [['run', '--subject', 'core', '--slow', '0.5'], /--slow 0\.5: a number from 1/],
    [
      ['run', '--subject', 'core', '--out', '/no/such/folder/x'],
      /--out \/no\/such\/folder\/x: ENOENT/,
    ],
    [
      ['run', '--client', 'a', '--client', 'b', '--report', 'json'],
      /a report of the kind json is of one client/,
    ],
    [['run', '--subject', 'core', '--known', '/no/such/file'], /--known \/no\/such\/file: ENOENT/],
    [['run', '--client', 'x {nobody}'], /there is no \{nobody\}/],
    [['run', '--client', 'x', '--features', 'telepathy'], /there is no feature "telepathy"/],
    [['run', '--subject', 'core', '--frob'], /unknown option '--frob'/],
    [['explain', 'XYZ-01'], /there is no case "XYZ-01"/],
    [['report', '/no/such/file'], /\/no\/such\/file: ENOENT/],
    [['probe'], /required option '--host <host>'/],
    [['probe', '--host', 'h', '--port', '0'], /--port 0/],
    [['probe', '--host', 'h', '--send'], /--send needs --user, --from and --to/],
  ])('%j is wrong usage: exit code 3, and a sentence', async (words, why) => {
    const { code, out, err } = await inside(...words);
    expect(err).toMatch(why);
    expect(err).not.toMatch(/^ +at /m);
    expect([code, out]).toEqual([3, '']);
  });

  test('list shows every case; --json is JSON', async () => {
    const { code, out } = await inside('list');
    expect(code).toBe(0);
    const shown = [...out.matchAll(/^ {2}([A-Z]{3}-\d\d) /gm)].map(([, id]) => id);
    const json = JSON.parse((await inside('list', '--json')).out) as {
      id: string;
      clause: string;
    }[];
    expect(json.map(({ id }) => id)).toEqual(shown);
    expect(out.trimEnd().split('\n').at(-1)).toBe(`${shown.length} cases`);
    expect((await inside('list', '--case', 'GRE-01')).out).toMatch(/1 cases\n$/);
  });

  test('explain shows the clause, what the server does and what is expected', async () => {
    const { code, out } = await inside('explain', 'gre-03');
    expect(code).toBe(0);
    expect(out).toMatch(/^GRE-03 /);
    expect(out).toMatch(/RFC 5321 §3\.1/);
    expect(out).toMatch(/554 No SMTP service here/);
    expect(out).toMatch(/Client: outcome "reject"/);
    expect(out).toMatch(/Wire \(MUST\): /);
  });

  test('run says what failed, expected and actual, with exit code 1; without colours in a pipe', async () => {
    const { code, out, err } = await run(
      'run',
      '--client',
      client(''),
      '--case',
      'GRE-01,GRE-05',
      '--name',
      'mine',
    );
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^Greeting\n✗ FAIL GRE-01 /);
    expect(out).toMatch(/ {4}expected EHLO is the first command/);
    expect(out).toMatch(/ {4}actual +/);
    expect(out).toMatch(/\nmine: 0 PASS, 2 FAIL \(2 results, /);
    expect(out).toMatch(/\nIt does not send one plain message to a good server/);
    expect(out).not.toContain('\x1b');
  });

  test('run --verbose shows the wire', async () => {
    const { out } = await run(
      'run',
      '--client',
      client(`
        import { connect } from 'node:net';
        const [, , host, port] = process.argv;
        connect(Number(port), host).on('data', function () { this.end('HELO there\\r\\n'); });
      `),
      '--case',
      'GRE-01',
      '--verbose',
    );
    expect(out).toMatch(/ ms {5}S: 220 mail\.example\.com ESMTP/);
    expect(out).toMatch(/ ms {5}C: HELO there/);
  });

  test.runIf(process.env['LARGE'])(
    'run plays with core, and with several clients for one page',
    async () => {
      const core = await run(
        'run',
        '--subject',
        'core',
        '--case',
        'GRE-01,GRE-05',
        '--delivery',
        'all',
      );
      expect(core).toMatchObject({ code: 0, err: '' });
      expect(core.out).toMatch(/^core \S+: 6 PASS, 0 FAIL \(6 results, /);
      const file = join(folder, 'page.html');
      const several = await run(
        'run',
        '--subject',
        'core',
        '--client',
        client(''),
        '--name',
        'mine',
        '--case',
        'GRE-01',
        '--report',
        'html',
        '--out',
        file,
      );
      expect(several).toMatchObject({ code: 1, out: '', err: '' });
      expect(readFileSync(file, 'utf8')).toMatch(
        /<th scope="col">core [^<]+<\/th><th scope="col">mine<\/th>/,
      );
    },
  );

  test('run --known turns a failure into none; --strict a warning into one', async () => {
    const known = join(folder, 'known.json');
    writeFileSync(known, JSON.stringify({ 'GRE-01': 'not written yet' }));
    const { code, out } = await run(
      'run',
      '--client',
      client(''),
      '--case',
      'GRE-01',
      '--known',
      known,
    );
    expect(code).toBe(0);
    expect(out).toMatch(/x XFAIL GRE-01/);
    expect(out).toMatch(/known: not written yet/);
    for (const [text, why] of [
      ['[]', /an object is meant/],
      ['{"XYZ-01":"x"}', /there is no case "XYZ-01"/],
      ['{"GRE-01":""}', /GRE-01 has no reason/],
      ['{', /--known/],
    ] as const) {
      writeFileSync(known, text);
      const wrong = await inside('run', '--client', client(''), '--known', known);
      expect(wrong.code).toBe(3);
      expect(wrong.err).toMatch(why);
    }
  });

  test.runIf(process.env['LARGE'])('a report that was kept becomes another', async () => {
    const json = join(folder, 'kept.json');
    expect(
      (await run('run', '--subject', 'core', '--case', 'GRE-01', '--report', 'json', '--out', json))
        .code,
    ).toBe(0);
    const { code, out } = await run('report', json, '--report', 'tap');
    expect(code).toBe(0);
    expect(out).toMatch(/^TAP version 13\n1\.\.1\nok 1 - GRE-01 /);
    expect((await run('report', json, json)).out).toMatch(/^<!doctype html>/i);
    const whole = readFileSync(json, 'utf8');
    for (const damaged of [
      '{"format":"another"}',
      'null',
      '{"format":"smtp-client-conformance/1","cases":[]}',
      whole.replace('"verdict": "PASS"', '"verdict": "FINE"'),
      whole.replace('"transcript": [', '"transcript": [0,'),
      whole.replace('"plays": [', '"games": ['),
    ]) {
      writeFileSync(json, damaged);
      const { code: refused, err } = await inside('report', json);
      expect(refused).toBe(3);
      expect(err).toMatch(/is no report of the format|is not valid JSON/);
    }
  });

  test('a program that is not here is skipped with a sentence, and nothing was run', async () => {
    const child = spawn(process.execPath, [built.file('cli.js'), 'run', '--subject', 'swaks'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: folder },
    });
    const { code, err } = await ended(child);
    expect(code).toBe(2);
    expect(err).toMatch(
      /^swaks is skipped: `swaks --version` did not tell a version \(ENOENT\)\n$/,
    );
  });

  test('a program that there is not ends the run, before a verdict', async () => {
    const { code, out, err } = await run(
      'run',
      '--client',
      '/no/such/program {host}',
      '--case',
      'GRE-*',
    );
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe('it cannot be run: spawn /no/such/program ENOENT\n');
  });

  test('what a server says moves no cursor', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('220 \x1b[2J\r\n');
      socket.on('data', () => socket.write('550 \x1b]0;title\x07 \xc2\x9b31m no\r\n', 'latin1'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { code, err } = await inside('probe', '--host', '127.0.0.1', '--port', String(port));
    server.close();
    expect(code).toBe(2);
    expect(err).toContain('EHLO was answered 550 \\x1b]0;title\\x07 \\u009b31m no');
    expect(err.trimEnd()).not.toMatch(/\p{Cc}/u);
  });

  test('a server that is not there is told of in one line, with exit code 2', async () => {
    const { code, out, err } = await run('probe', '--host', '127.0.0.1', '--port', '1');
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^smtp-conformance: 127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/);
  });

  test('Ctrl-C ends a run, its clients and what they left', async () => {
    const pids = join(folder, 'pids');
    const child = start(
      'run',
      '--client',
      client(`
        import { appendFileSync } from 'node:fs';
        appendFileSync(${JSON.stringify(pids)}, process.pid + '\\n');
        setInterval(() => {}, 1000);
      `),
      '--case',
      'GRE-*',
      '--jobs',
      '2',
    );
    const end = ended(child);
    while (pidsIn(pids).length < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const begun = performance.now();
    expect((await end).code).toBe(130);
    expect(performance.now() - begun).toBeLessThan(4_000);
    expect(await outliving(pids, 0)).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('smtp-conformance-'))).toEqual([]);
  });

  test('a reader that leaves early is no error', async () => {
    const child = start('list');
    child.stdout?.once('data', () => child.stdout?.destroy());
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(code).toBe(0);
  });
});
