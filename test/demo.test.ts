/** `scripts/demo.mjs` on the sources: what it tells, and what it says when it cannot. */
import { rootCertificates } from 'node:tls';
import { format } from 'node:util';
import { type Sandbox, startSandbox } from '@posthorn/conformance';
import { devino } from '@posthorn/core/devino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TemporaryTree, temporaryTree } from './temporary-tree.ts';

const SCRIPT: string = '../scripts/demo.mjs';
const { argv } = process;

afterEach(() => {
  process.argv = argv;
  process.exitCode = undefined;
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Runs it as `npm run demo -- …args`. */
const demo = async (...args: string[]) => {
  const stdout = vi.spyOn(console, 'log').mockImplementation(() => {});
  const stderr = vi.spyOn(console, 'error').mockImplementation(() => {});
  process.argv = ['node', 'demo.mjs', ...args];
  vi.resetModules();
  await import(/* @vite-ignore */ SCRIPT);
  process.stdout.removeAllListeners('error');
  const text = ({ mock }: typeof stdout): string =>
    mock.calls.map((args) => `${format(...args)}\n`).join('');
  const said = { stdout: text(stdout), stderr: text(stderr), code: Number(process.exitCode ?? 0) };
  vi.restoreAllMocks();
  return said;
};

it('tells the story of the page in lines that fit', async () => {
  const { stdout, stderr, code } = await demo();
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const sizes = [...stdout.matchAll(/size predicted (\d+), received (\d+): equal\n/g)];
  expect(sizes).toHaveLength(2);
  for (const [, predicted, received] of sizes) expect(received).toBe(predicted);
  expect(stdout.match(/^ {2}received: Привет! <a href/gm)).toHaveLength(2);
  for (const { text, reason } of devino.refusals) {
    expect(stdout).toContain(`S: 554 ${text}`);
    expect(stdout).toMatch(new RegExp(`^  .* ${reason}\\b.* (fix-first|later|never)$`, 'm'));
  }
  expect(stdout).toContain('C: AUTH PLAIN ***\n');
  expect(stdout).not.toContain('\x1b');
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

it('names the inbox, and closes it at its end', async () => {
  const { stdout } = await demo();
  const [, url = ''] =
    /^ {2}(http:\/\/localhost:\d+)\/ is its inbox, while this runs/m.exec(stdout) ?? [];
  await expect(fetch(`${url}/api/messages`)).rejects.toThrow('fetch failed');
  expect(stdout).toMatch(/^ {2}Протарифицировано +2 +40 %\n/m);
  expect(stdout).toMatch(/^ {2}Отклонено +3 +60 %\n/m);
});

it('leaves it open until Ctrl-C with --keep', async () => {
  const once = vi.spyOn(process, 'once').mockReturnThis();
  const stopped = (): unknown => once.mock.calls.find(([signal]) => signal === 'SIGINT')?.[1];
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  process.argv = ['node', 'demo.mjs', '--keep'];
  vi.resetModules();
  const ended = import(/* @vite-ignore */ SCRIPT);
  await vi.waitFor(() => expect(stopped()).toBeTypeOf('function'), 10_000);
  const text = log.mock.calls.flat().join('\n');
  const [, url = ''] =
    /The inbox is open at (http:\/\/localhost:\d+)\/ until Ctrl-C/.exec(text) ?? [];
  const messages = await (await fetch(`${url}/api/messages`)).json();
  expect(JSON.stringify(messages)).toContain('Test from smtp');
  (stopped() as () => void)();
  await ended;
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  process.stdout.removeAllListeners('error');
});

describe('a command line that cannot be meant ends in one sentence', () => {
  const to = ['--from', 'a@example.com', '--to', 'b@example.net'];
  it.each([
    [['--host', 'localhost', '--to', 'b@example.net'], '--host needs --from ADDRESS.'],
    [['--host', 'localhost', '--from', 'a@example.com'], '--host needs --to ADDRESS.'],
    [to, 'Options need --host HOST.'],
    [['--host', '', ...to], '--host needs a value.'],
    [['--host', 'localhost', '--port', 'abc', ...to], '--port has to be a whole number'],
    [['--host', 'localhost', '--port', '65536', ...to], '--port has to be a whole number'],
    [['--host', 'localhost', '--tls', 'off', ...to], '--tls is implicit or starttls.'],
    [['--host', 'localhost', '--user', 'u', ...to], '--user needs --pass PASS, or POSTHORN_PASS'],
    [['--host', 'localhost', '--pass', 's3cret', ...to], '--pass needs --user USER.'],
    [['--host', 'localhost', '--ca', 'no/such.pem', ...to], '--ca cannot be read: ENOENT'],
    [['--host', 'localhost', '--ca', 'package.json', ...to], 'certificates in PEM.'],
    [['--host', 'localhost', ...to, '--keep'], '--keep is for the sandbox'],
    [['--nonsense'], "Unknown option '--nonsense'\n"],
    [['--user', 'u', '--pass', 'a', 's3cret'], 'Every argument needs its option'],
  ])('%j', async (args, sentence) => {
    const { stdout, stderr, code } = await demo(...args);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('\n\nUsage: npm run demo\n');
    expect(stderr).not.toMatch(/s3cret|^ +at /m);
  });
});

describe('against a server', () => {
  let sandbox: Sandbox;
  let tree: TemporaryTree;
  let ca: string;
  let other: string;

  beforeEach(async () => {
    sandbox = await startSandbox({ credentials: { shop: 's3cret' } });
    tree = temporaryTree();
    ca = tree.write('ca.pem', sandbox.ca);
    other = tree.write('other.pem', rootCertificates[0] ?? '');
  });

  afterEach(async () => {
    tree.remove();
    await sandbox.close();
  });

  const sendTo = (port: number, ...args: string[]) =>
    demo(
      ...['--host', 'localhost', '--port', `${port}`, '--user', 'shop'],
      ...['--from', 'noreplay@devinotele.com', '--to', 'test@devinotele.com', ...args],
    );

  it('sends, by either way to TLS', async () => {
    const starttls = await sendTo(sandbox.smtp, '--pass', 's3cret', '--ca', ca);
    expect(starttls).toMatchObject({ stderr: '', code: 0 });
    vi.stubEnv('POSTHORN_PASS', 's3cret');
    const implicit = await sendTo(sandbox.smtps, '--tls', 'implicit', '--ca', ca);
    expect(implicit).toMatchObject({ stderr: '', code: 0 });
    expect(sandbox.inbox.messages).toHaveLength(2);
    expect(starttls.stdout + implicit.stdout).not.toContain('s3cret');
  });

  it.each([
    [
      'a wrong password',
      ['--pass', 'wr0ng'],
      '535 Authentication failure; check --user and --pass',
    ],
    ['an unknown authority', ['--ca', 'other.pem'], 'to trust it, use --ca FILE'],
    ['TLS where STARTTLS is', ['--tls', 'implicit'], 'use --tls starttls'],
    ['another sender', ['--from', 'a@b.example'], 'use a confirmed sender as --from'],
    ['a bad recipient', ['--to', 'a@shop.invalid'], '; check --to'],
    ['no address', ['--to', 'a b'], 'to: invalid'],
  ])('names the cure for %s', async (_what, args, cure) => {
    // Of an option that is there twice, the second counts.
    const { stdout, stderr, code } = await sendTo(
      sandbox.smtp,
      ...['--pass', 's3cret', '--ca', ca],
      ...args.map((arg) => (arg === 'other.pem' ? other : arg)),
    );
    expect(code).toBe(1);
    expect(stderr).toContain(cure);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(stdout + stderr).not.toMatch(/s3cret|wr0ng|^ +at /m);
  });

  it('says where nobody listens', async () => {
    const { smtp } = sandbox;
    await sandbox.close();
    const { stderr, code } = await sendTo(smtp, '--pass', 's3cret');
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERR_SMTP_CONNECT: .*; check --host, --port and the network\n/);
  });
});
