/** The set-ups of the set-up page: what they say, and that each works as it stands when it is copied. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCertificateAuthority, type Sandbox, type SandboxOptions } from '../../src/index.ts';
import { double, js, php, shell } from '../../src/sandbox/http/pages/set-up/quoted.ts';
import {
  type Place,
  type Snippet,
  snippets,
} from '../../src/sandbox/http/pages/set-up/snippets.ts';
import { FROM, TO, useBench } from '../support.ts';
import {
  installed,
  MONO,
  type Ran,
  type Running,
  run,
  shell as runShell,
  useFolders,
} from './clients/run.ts';

const LARGE = Boolean(process.env['LARGE']);

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const authority = await createCertificateAuthority();
const PLACE: Place = {
  host: 'localhost',
  smtp: 2587,
  smtps: 2465,
  ca: authority.ca,
  url: 'http://localhost:8025',
  login: '1website',
  password: 'test',
};

function find(id: string, place: Place = PLACE): Snippet {
  const found = snippets(place).find((snippet) => snippet.id === id);
  if (!found) throw new Error(`There is no set-up ${id}`);
  return found;
}

const IDS = snippets(PLACE).map(({ id }) => id);

describe('the set-ups', () => {
  test('are for the clients that people have', () => {
    expect(IDS).toEqual([
      'dotnet',
      'outlook',
      'posthorn',
      'nodemailer',
      'phpmailer',
      'python',
      'curl',
      'swaks',
      's-nail',
    ]);
  });

  test.each(IDS)('%s says it in both languages', (id) => {
    const { title, note } = find(id);
    expect(note.ru).toMatch(/\p{Script=Cyrillic}/u);
    expect(note.en).not.toMatch(/\p{Script=Cyrillic}/u);
    expect(title.ru.length * title.en.length).toBeGreaterThan(0);
  });

  test.each(IDS)('%s names the host, both ports, and where the CA is', (id) => {
    const { code } = find(id);
    for (const part of ['localhost', '2587', 'curl -o ca.pem http://localhost:8025/ca.pem'])
      expect(code).toContain(part);
    // .NET has no TLS from the first octet.
    expect(code.includes('2465')).toBe(id !== 'dotnet');
  });

  test.each(IDS)('%s shows no password but the one on the page', (id) => {
    expect(find(id).code).toMatch(/\btest\b(?!@| from)/i);
    const { code, note } = find(id, { ...PLACE, login: 'shop', password: undefined });
    expect(code).toContain('shop');
    expect(code).not.toContain('1website');
    expect(code.replaceAll(TO, '').replaceAll('Test from smtp', '')).not.toMatch(/\btest\b/);
    expect(code.includes('SMTP_PASSWORD')).toBe(id !== 'outlook');
    for (const text of [note.ru, note.en])
      expect(text.includes('SMTP_PASSWORD')).toBe(id !== 'outlook');
  });

  test("dotnet is the page's program, but for host and port", () => {
    const program = readFileSync(path('./clients/Program.cs'), 'utf8')
      .replace('integrationapi.net', 'localhost')
      .replace('Port = 587', 'Port = 2587')
      .replace(/^ {16}/gm, '');
    const { code } = find('dotnet');
    expect(code).toContain(program);
    const [before = '', behind = ''] = code.split(program);
    expect(
      before
        .trimEnd()
        .split('\n')
        .every((line) => line.startsWith('//')),
    ).toBe(true);
    expect(behind).toContain('class SmtpClient : System.Net.Mail.SmtpClient { }');
  });

  test('those on Windows say what Windows asks about', () => {
    for (const id of ['dotnet', 'outlook'])
      for (const note of Object.values(find(id).note)) expect(note).toMatch(/ [0-9a-f]{40}[).]/);
  });
});

describe('a login stays one literal, whatever is in it', () => {
  const logins = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''));

  test('of JavaScript', () => {
    fc.assert(
      fc.property(logins, (login) => {
        expect(new Function(`return ${js(login)}`)()).toBe(login);
      }),
    );
  });

  test('of Python and C#, which escape as JSON does', () => {
    fc.assert(
      fc.property(logins, (login) => {
        expect(JSON.parse(double(login))).toBe(login);
      }),
    );
  });

  test('of a shell, and of PHP', () => {
    expect(shell('plain-1.2@x')).toBe('plain-1.2@x');
    expect(shell("it's $HOME")).toBe("'it'\\''s $HOME'");
    expect(shell('')).toBe("''");
    expect(php("it's \\ $x")).toBe("'it\\'s \\\\ $x'");
  });
});

const { start } = useBench();
const folder = useFolders();

/** The text of a set-up, in a file of a folder where it is run after the CA was downloaded as it says. */
async function prepare(
  id: string,
  name: string,
  { login, ...options }: SandboxOptions & { readonly login?: string } = {},
): Promise<{ readonly sandbox: Sandbox; readonly place: string; readonly code: string }> {
  const sandbox = await start(options);
  const shown = login === undefined ? { login: '1website', password: 'test' } : { login };
  const { code } = find(id, { ...sandbox, ...shown });
  const place = folder();
  writeFileSync(join(place, name), code);
  const [download = 'false'] = /curl -o ca\.pem \S+/.exec(code) ?? [];
  const { code: exit, output } = await runShell(place, download.replace('curl', 'curl -fsS'));
  expect([exit, output]).toEqual([0, '']);
  return { sandbox, place, code };
}

/** Debian's. */
const PHPMAILER = '/usr/share/php/libphp-phpmailer/autoload.php';

/** Runs the text of each as it stands. */
const RUNS: Readonly<
  Record<
    string,
    {
      readonly here: boolean;
      readonly name: string;
      readonly play: (place: string, running: Running, code: string) => Promise<Ran>;
    }
  >
> = {
  dotnet: {
    here: installed('mcs', 'mono', 'openssl'),
    name: 'Program.cs',
    async play(place, running, code) {
      const [, mono = ''] = code.split('// Mono');
      const lines = [...mono.matchAll(/^\/\/ {3}(.*)$/gm)].map(([, line]) => line);
      expect(lines).toHaveLength(4);
      const { code: exit = 0, output } = await runShell(place, lines.join('\n'), {
        ...running,
        ...MONO,
      });
      return { code: exit, output };
    },
  },
  posthorn: {
    here: true,
    name: 'send.mjs',
    async play(place, running) {
      // As if it were installed: its sources, which have to be compiled first.
      await build({
        entryPoints: [join(place, 'send.mjs')],
        outfile: join(place, 'bundled.mjs'),
        bundle: true,
        platform: 'node',
        format: 'esm',
        alias: {
          '@posthorn/core': path('../../../core/src/index.ts'),
          '@posthorn/mime': path('../../../mime/src/index.ts'),
        },
      });
      return run(place, ['node', 'bundled.mjs'], running);
    },
  },
  nodemailer: {
    here: true,
    name: 'send.mjs',
    play(place, running) {
      symlinkSync(path('../../node_modules'), join(place, 'node_modules'), 'dir');
      return run(place, ['node', 'send.mjs'], running);
    },
  },
  phpmailer: {
    here: installed('php') && existsSync(PHPMAILER),
    name: 'send.php',
    play(place, running) {
      // Debian's package has its loader elsewhere than Composer.
      mkdirSync(join(place, 'vendor'));
      writeFileSync(join(place, 'vendor/autoload.php'), `<?php require '${PHPMAILER}';`);
      return run(place, ['php', 'send.php'], running);
    },
  },
  python: {
    here: installed('python3'),
    name: 'send.py',
    play: (place, running) => run(place, ['python3', 'send.py'], running),
  },
  curl: {
    here: installed('curl'),
    name: 'send.sh',
    play: (place, running) => run(place, ['sh', '-e', 'send.sh'], running),
  },
  swaks: {
    here: installed('swaks', 'curl'),
    name: 'send.sh',
    play: (place, running) => run(place, ['sh', '-e', 'send.sh'], running),
  },
  's-nail': {
    here: installed('s-nail', 'curl'),
    name: 'send.sh',
    play: (place, running) => run(place, ['sh', '-e', 'send.sh'], running),
  },
};

/** What the provider's rules say of each message: only the page's own lacks the tags. */
const warnings = (sandbox: Sandbox): string[] =>
  sandbox.inbox.messages.flatMap(({ verdicts }) =>
    verdicts.filter(({ outcome }) => outcome !== 'pass').map(({ rule }) => rule),
  );

describe.skipIf(!LARGE || !installed('curl')).concurrent('each works as it stands', () => {
  for (const [id, { here, name, play }] of Object.entries(RUNS)) {
    const one = test.skipIf(!here);
    // Only Mono needs it; the others do not mind.
    const options: SandboxOptions = { legacyTls: id === 'dotnet' };

    one(`${id}, with the page's login`, { timeout: 60_000 }, async () => {
      const { sandbox, place, code } = await prepare(id, name, options);
      const ran = await play(place, {}, code);
      expect(ran.code, ran.output).toBe(0);
      expect(sandbox.refused).toEqual([]);
      expect(sandbox.inbox.messages).toMatchObject([
        { from: FROM, to: [TO], subject: 'Test from smtp', secure: true, user: '1website' },
      ]);
      const [message] = sandbox.inbox.messages;
      expect(`${message?.html ?? message?.text}`).toContain(
        'Привет! <a href="http://www.devinotele.com">Кликни меня</a>',
      );
      expect(warnings(sandbox)).toEqual(id === 'dotnet' ? ['tags', 'tags'] : []);
    });

    one(`${id}, with a login and a password that are awkward`, { timeout: 60_000 }, async () => {
      const login = `o'shop "$x" \\n`;
      const SMTP_PASSWORD = `p'a"s $s\\n %40`;
      const { sandbox, place, code } = await prepare(id, name, {
        ...options,
        login,
        credentials: { [login]: SMTP_PASSWORD },
      });
      const ran = await play(place, { env: { SMTP_PASSWORD } }, code);
      expect(ran.code, ran.output).toBe(0);
      expect(sandbox.inbox.messages).toMatchObject([{ user: login }]);
    });
  }

  test('all are tried, but the one that is no program', () => {
    expect(Object.keys(RUNS)).toEqual(IDS.filter((id) => id !== 'outlook'));
  });
});
