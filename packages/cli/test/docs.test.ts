/** docs/command-line.md and README.md of the package: what they show is run, and what there is, they name. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSettings } from '../src/settings/read-settings.ts';
import { optionName, SETTING_NAMES } from '../src/settings/settings.ts';
import { type Built, buildCli } from './built.ts';
import { run, useFolder, useSandbox } from './support.ts';

const PAGES = ['docs/command-line.md', 'packages/cli/README.md'];
const textOf = (page: string): string =>
  readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
const blocks = (kind: string): { page: string; code: string }[] =>
  PAGES.flatMap((page) =>
    [...textOf(page).matchAll(new RegExp(`^\`\`\`${kind}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
      ([, code = '']) => ({ page, code }),
    ),
  );

const used = useSandbox({ credentials: { shop: 'secret' } });
const folder = useFolder();
let built: Built;

beforeAll(async () => {
  built = await buildCli();
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  // The server that the page names is the sandbox.
  for (const [name, command] of [
    ['posthorn', ''],
    ['sendmail', 'sendmail'],
  ] as const)
    writeFileSync(
      join(bin, name),
      `#!/bin/bash\nexec "${process.execPath}" "${built.file}" ${command} "\${@/mail.example.com/localhost}"\n`,
      { mode: 0o755 },
    );
  folder.file('message.eml', 'From: a@example.com\nTo: b@example.net\nSubject: Hi\n\nHello\n');
  folder.file('news.html', '<p>News <img src="cid:logo"></p>');
  folder.file('password.txt', 'secret\n');
  for (const name of ['report.pdf', 'logo.png']) folder.file(name, 'x');
}, 60_000);
afterAll(() => built?.remove());

describe('each command that is shown', () => {
  // Installation and other programs' settings are theirs.
  const shown = blocks('sh').filter(({ code }) =>
    /^(echo .*\| )?(export|posthorn|sendmail) ?/m.test(code),
  );

  test.concurrent.each(shown)('$page: $code', async ({ code }) => {
    const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', code], {
      cwd: folder.path,
      env: {
        PATH: `${join(folder.path, 'bin')}:${process.env['PATH']}`,
        HOME: folder.path,
        TMPDIR: folder.path,
        POSTHORN_HOST: 'localhost',
        POSTHORN_PORT: String(used.sandbox.smtp),
        POSTHORN_CA: used.env['POSTHORN_CA'],
        POSTHORN_USER: 'shop',
        POSTHORN_PASS: 'secret',
        POSTHORN_FROM: 'Shop <shop@example.com>',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (octets) => {
      said += octets;
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, said }).toEqual({ status: 0, said: '' });
  });

  test('there are some', () => {
    expect(shown.length).toBeGreaterThan(7);
  });
});

test.each(blocks('json'))('the settings that are shown can be used: $code', async ({ code }) => {
  const file = folder.file('shown.json', code);
  expect(Object.keys(await readSettings({}, file, { env: {}, home: '' }))).toEqual(
    Object.keys(JSON.parse(code)),
  );
});

test('each setting is in the table, and each option of send on the page or in its help', async () => {
  const page = textOf('docs/command-line.md');
  const rows = page.split('\n').filter((line) => /^\| `/.test(line));
  for (const name of SETTING_NAMES)
    expect([name, rows.some((row) => row.includes(`\`${name}\``))]).toEqual([name, true]);
  const { out } = await run(['send', '--help']);
  const options = Array.from(
    out.matchAll(/^ {2}(?:-v, )?(--[\w-]+)/gm),
    ([, option = '']) => option,
  );
  const known = [...SETTING_NAMES].map(optionName);
  expect(options.length).toBeGreaterThan(60);
  for (const option of options)
    expect([option, known.includes(option) || page.includes(option)]).toEqual([option, true]);
});
