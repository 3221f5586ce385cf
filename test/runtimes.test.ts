/** The runtime matrix without its runtimes: how it reads what was said, what it is told, and what it is documented by. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Sandbox, startSandbox } from '@posthorn/conformance';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runtime } from '../packages/core/test/workers/sockets.ts';
import { importBlock } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

vi.mock('cloudflare:sockets', () => import('../packages/core/test/workers/sockets.ts'));

const load = (name: string) =>
  import(/* @vite-ignore */ pathToFileURL(join(root, 'runtimes', name)).href);

describe('the worker of docs/runtimes.md', () => {
  interface Worker {
    fetch(request: Request, env: Record<string, string>): Promise<Response>;
  }
  let sandbox: Sandbox;
  let worker: Worker;
  beforeAll(async () => {
    sandbox = await startSandbox({ http: false });
    runtime.ca = sandbox.ca;
    const block = await importBlock('docs/runtimes.md', 'worker.ts');
    worker = (block as { default: Worker }).default;
  });
  afterAll(() => sandbox.close());

  const ask = async (pass: string) => {
    const request = new Request('http://localhost/', { method: 'POST', body: 'Hello' });
    const response = await worker.fetch(request, {
      SMTP_HOST: sandbox.host,
      SMTP_PORT: String(sandbox.smtp),
      SMTP_USER: '1website',
      SMTP_PASS: pass,
    });
    return { status: response.status, body: await response.json() };
  };

  it('sends what it is given', async () => {
    expect(await ask('test')).toMatchObject({ status: 200, body: { reply: /./ } });
    expect(sandbox.inbox.messages.map(({ text }) => text?.trim())).toEqual(['Hello']);
  });

  it('says what went wrong', async () => {
    expect(await ask('wrong')).toEqual({
      status: 502,
      body: { code: 'ERR_SMTP_AUTH', delivery: 'not-sent' },
    });
  });
});

it('docs/runtimes.md has a row for each scenario', async () => {
  const { scenarios } = await load('scenarios.mjs');
  const text = readFileSync(join(root, 'docs/runtimes.md'), 'utf8');
  for (const { name } of scenarios) expect(text).toContain(`\n| ${name} | `);
});

describe('what a server has read', () => {
  it.each([
    ['by DATA, with its dots', 'DATA\r\n..\r\na\r\n.\r\n', '.\r\na\r\n', true],
    ['by DATA, empty', 'DATA\r\n.\r\n', '', true],
    ['by DATA, cut off', 'DATA\r\na\r\n', 'a\r\n', false],
    ['by BDAT', 'BDAT 3\r\na\r\nBDAT 2 LAST\r\n.\n', 'a\r\n.\n', true],
    ['by BDAT, without its last chunk', 'BDAT 3\r\na\r\n', 'a\r\n', false],
    ['by BDAT, cut off', 'BDAT 3 LAST\r\na', 'a', false],
  ])('%s', async (_how, said, content, complete) => {
    const { dialogueOf } = await load('deliveries.mjs');
    const begun = 'EHLO a\r\nAUTH LOGIN\r\nMAILbase64\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n';
    const envelope = ['MAIL FROM:<a@b>', 'RCPT TO:<c@d>'];
    const { messages, commands } = dialogueOf(begun + said + (complete ? 'QUIT\r\n' : ''));
    expect(messages).toEqual([{ envelope, content, complete }]);
    expect(commands.slice(0, 4)).toEqual(['EHLO a', 'AUTH LOGIN', ...envelope]);
    expect(commands.at(-1) === 'QUIT').toBe(complete);
  });
});

describe('the command', () => {
  const matrix = (...args: string[]) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(root, 'runtimes/run.mjs'), ...args],
      { encoding: 'utf8' },
    );
    return { status, stderr };
  };

  it.each([
    [['--runtime', 'netscape'], 'There is no runtime netscape: there are node-20, '],
    [['--scenario', 'telepathy'], 'There is no scenario with telepathy in its name.'],
    [['--quietly'], "Unknown option '--quietly'"],
  ])('%j is told so', (args, said) => {
    const { status, stderr } = matrix(...args);
    expect(stderr).toContain(said);
    expect(status).toBe(2);
  });
});
