/** `smtp-conformance serve`, in this process: what its words mean, what it says, and how it ends. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { FAULT_POINTS, type Sandbox, type SandboxOptions } from '../../src/index.ts';
import { MAGIC_NAMES, MAGIC_REFUSALS } from '../../src/sandbox/platform/magic.ts';
import * as sandboxes from '../../src/sandbox/sandbox.ts';
import { type Dialogue, until } from '../support.ts';
import { accepted, FREE, greeted } from './served.ts';

// The same sandbox; what it is started with is seen.
vi.mock(import('../../src/sandbox/sandbox.ts'), async (original) => {
  const actual = await original();
  return { ...actual, startSandbox: vi.fn(actual.startSandbox) };
});
const started = vi.mocked(sandboxes.startSandbox);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn serve '));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllEnvs();
  started.mockClear();
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command, and stops it as Ctrl-C does when it is ready and something has been done with it. */
async function serve(
  words: readonly string[],
  meanwhile: (out: string) => Promise<void> = async () => {},
): Promise<Ended> {
  let [out, err] = ['', ''];
  const controller = new AbortController();
  const stream = (take: (text: string) => void): NodeJS.WriteStream =>
    ({
      isTTY: false,
      write: (text: string, done?: () => void) => {
        take(text);
        done?.();
        return true;
      },
    }) as unknown as NodeJS.WriteStream;
  const running = main(['serve', ...words], '1.2.3', {
    stdout: stream((text) => {
      out += text;
    }),
    stderr: stream((text) => {
      err += text;
    }),
    signal: controller.signal,
  });
  let code: number | undefined;
  const ended = running.then((value) => {
    code = value;
  });
  await until(() => out !== '' || code !== undefined, 'It is ready or has ended');
  try {
    if (code === undefined) await meanwhile(out);
  } finally {
    controller.abort(new Error('stopped by SIGINT'));
    await ended;
  }
  return { code: code ?? -1, out, err };
}

/** The options that the sandbox was started with, ports left out. */
async function optionsOf(...words: readonly string[]): Promise<SandboxOptions> {
  const { code, err } = await serve([...words, ...FREE, '--json']);
  expect([code, err]).toEqual([0, '']);
  const { smtp, smtps, http, ...options } = started.mock.calls.at(-1)?.[0] ?? {};
  expect([smtp, smtps, http]).toEqual([0, 0, 0]);
  return options;
}

async function latest(): Promise<Sandbox> {
  const [result] = started.mock.results.slice(-1);
  return await result?.value;
}

const written = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe('its words', () => {
  const DEFAULTS = { profile: '2017-10', requireAuth: true };

  test('none: the provider of the page', async () => {
    expect(await optionsOf()).toEqual(DEFAULTS);
    expect(await optionsOf('--profile', 'devino')).toEqual(DEFAULTS);
  });

  test('all of them', async () => {
    vi.stubEnv('SMTP_PASSWORD', 'of the environment');
    const faults = [{ at: 'rcpt', action: { code: 451, text: 'Later' }, times: 2 }];
    expect(
      await optionsOf(
        ...['--profile', 'successor', '--legacy-tls', '--public-url', 'https://mail.example/'],
        ...['--login', 'shop:a:b', 'crm', '--sender', 'a@example.com', '--sender', '@b.example'],
        ...['--allow', '127.0.0.1', '::1', '--tags', 'reject', '--charset', 'off'],
        ...['--files', '.EXE, com', '--max-size', '500000', '--further-recipients', 'refuse'],
        ...['--filtered', 'refuse', '--no-auth-required', '--prefix', 'Transaction failed: '],
        ...['--enhanced-status-codes', '--announce-size', '--hide', '8bitmime', 'PIPELINING'],
        ...['--deliver', 'manual', '--seed', 'one', '--retention', '20'],
        ...['--callback', 'http://localhost:1/x', '--callback-format', 'xml'],
        ...['--faults', written('faults.json', JSON.stringify(faults))],
        ...['--stage', 'sender-not-confirmed=data', 'invalid-recipient=data'],
        ...['--bind', '127.0.0.1', '--unsafe-bind'],
      ),
    ).toEqual({
      profile: 'successor',
      legacyTls: true,
      publicUrl: 'https://mail.example',
      credentials: { shop: 'a:b', crm: 'of the environment' },
      confirmedSenders: ['a@example.com', '@b.example'],
      allowedAddresses: ['127.0.0.1', '::1'],
      tags: 'reject',
      charset: 'off',
      attachments: ['exe', 'com'],
      maxSize: 500_000,
      furtherRecipients: 'refuse',
      filtered: 'refuse',
      requireAuth: false,
      prefix: 'Transaction failed: ',
      enhancedStatusCodes: true,
      announceSize: true,
      hide: ['8BITMIME', 'PIPELINING'],
      deliver: 'manual',
      seed: 'one',
      retention: 20,
      callback: { url: 'http://localhost:1/x', format: 'xml' },
      faults,
      stages: { 'sender-not-confirmed': 'data', 'invalid-recipient': 'data' },
      bind: '127.0.0.1',
      unsafeBind: true,
    });
  });

  test('the others', async () => {
    const data = join(folder, 'data');
    expect(
      await optionsOf(
        '--any-sender',
        '--files',
        'any',
        '--callback',
        'http://a.example/',
        '--data',
        data,
      ),
    ).toEqual({
      ...DEFAULTS,
      confirmedSenders: 'any',
      attachments: 'any',
      callback: { url: 'http://a.example/', format: 'json' },
      data,
    });
    expect(await optionsOf('--files', 'none', '--profile', '2016')).toMatchObject({
      profile: '2016',
      attachments: 'none',
    });
  });

  test.each<[readonly string[], RegExp]>([
    [['--frob'], /unknown option '--frob'\n\(smtp-conformance serve --help shows/],
    [['--smtp'], /argument missing\n\(smtp-conformance serve --help shows/],
    [['--profile', '2018'], /Cannot use '2018' as --profile: there are /],
    [['--smtp', 'x'], /--smtp x: a whole number is meant/],
    [
      ['--http', '65536'],
      /Cannot use 65536 as --http: it has to be a whole number from 0 to 65535/,
    ],
    [['--smtps', '2587'], /Cannot use 2587 as --smtps: it is the port of the STARTTLS server/],
    [['--tags', 'maybe'], /Cannot use 'maybe' as --tags: there are 'off', 'warn', 'reject'/],
    [['--further-recipients', 'x'], /as --further-recipients: there are 'ignore', 'refuse'/],
    [['--deliver', 'never'], /Cannot use 'never' as --deliver: /],
    [['--files', 'a,,b'], /--files a,,b: none, any, or extensions to refuse are meant/],
    [['--max-size', '0'], /Cannot use 0 as --max-size: /],
    [['--max-size', '500KB'], /--max-size 500KB: a whole number is meant/],
    [['--allow', 'localhost'], /as --allow: it has to be a list of IP addresses/],
    [['--hide', 'AUTH'], /as --hide: it has to be a list of .*PIPELINING/],
    [
      ['--public-url', 'mail.example'],
      /Cannot use this as --public-url: it has to be an http or https address/,
    ],
    [['--stage', 'sender'], /--stage sender: reason=stage is meant/],
    [['--stage', 'too-large=rcpt'], /as --stage: 'too-large' can be given at 'mail', 'data'/],
    [['--stage', 'late=data'], /as --stage: there is no refusal 'late'/],
    [
      ['--login', 'shop'],
      /--login shop: USER:PASSWORD is meant, or USER with SMTP_PASSWORD in the/,
    ],
    [['--login', ':secret'], /--login : USER:PASSWORD is meant/],
    [
      ['--sender', 'a@b.example', '--any-sender'],
      /--sender and --any-sender contradict each other/,
    ],
    [['--sender', 'foo'], /--sender foo: an address is meant, or @example\.com for a whole domain/],
    [
      ['--sender', 'a@b.example', 'example.com'],
      /--sender example\.com: .*use @example\.com for a whole domain/,
    ],
    [['--sender', '@'], /--sender @: an address is meant, or /],
    [['--callback', 'ftp://a.example'], /as --callback: it has to be an http or https address/],
    [
      ['--callback', 'http://a.example', '--callback-format', 'foo'],
      /Cannot use 'foo' as --callback-format: there are 'json', 'xml'/,
    ],
    [['--callback-format', 'xml'], /--callback-format needs --callback/],
    [['--bind', '0.0.0.0'], /--bind 0\.0\.0\.0: it is not loopback.*--unsafe-bind allows it/],
    [['--seed', 'x', '--data', 'x'], /--seed with --data: names would come twice/],
    [['--faults', '/no/such/file'], /--faults \/no\/such\/file: ENOENT/],
    [['--faults', 'FILE:{'], /--faults .*: .*JSON/],
    [['--faults', 'FILE:{"at":"rcpt"}'], /--faults .*: a list is meant/],
    [
      ['--faults', 'FILE:[{"at":"noon","action":"close"}]'],
      /--faults .*: Cannot plan the fault .*noon/,
    ],
    [
      ['--ca-file', '/no/such/folder/ca.pem', ...FREE],
      /--ca-file \/no\/such\/folder\/ca\.pem: ENOENT/,
    ],
  ])('%j are wrong usage: exit code 3, and a sentence', async (words, why) => {
    vi.stubEnv('SMTP_PASSWORD', undefined);
    const given = words.map((word) =>
      word.startsWith('FILE:') ? written('wrong.json', word.slice(5)) : word,
    );
    const { code, out, err } = await serve(given);
    expect(err).toMatch(why);
    expect(err).not.toMatch(/^ +at /m);
    expect(err).not.toContain('secret');
    expect([code, out]).toEqual([3, '']);
  });
});

describe('when it is ready', () => {
  test('--json is one line, and the file for the certificate is there', async () => {
    const ca = join(folder, 'ca.pem');
    const { code, out, err } = await serve(
      ['--json', ...FREE, '--ca-file', ca, '--no-auth-required'],
      async (line) => {
        const ready = JSON.parse(line);
        const sandbox = await latest();
        const { host, smtp, smtps, http, url } = sandbox;
        expect(ready).toEqual({ host, smtp, smtps, http, url, ca, pid: process.pid });
        expect(readFileSync(ca, 'utf8')).toBe(sandbox.ca);
        const dialogue = await greeted(smtp);
        const id = await accepted(dialogue, 'test@example.com');
        expect(sandbox.inbox.messages.map((message) => message.id)).toEqual([id]);
        dialogue.destroy();
      },
    );
    expect([code, err, out.split('\n').length]).toEqual([0, '', 2]);
  });

  test('it tells a person where all is; a password that was given stays untold', async () => {
    const { code, out, err } = await serve([...FREE], async (told) => {
      const { smtp, smtps, url } = await latest();
      expect(told).toContain(`localhost:${smtp} with STARTTLS, localhost:${smtps} with TLS`);
      expect(told).toContain('1website, with the password test\n');
      for (const page of ['/', '/setup', '/ca.pem']) expect(told).toContain(`${url}${page}\n`);
      expect(told).toContain('noreplay@devinotele.com\n');
      expect(told).toContain('in memory');
      expect(told).toContain('Ctrl-C');
    });
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toMatch(/\p{Cc}(?<!\n)/u);
    const [ca, data] = [join(folder, 'own.pem'), join(folder, 'own')];
    const other = await serve([
      ...[...FREE, '--login', 'shop:geheim', '--any-sender', '--ca-file', ca, '--data', data],
    ]);
    expect(other.out).toMatch(/^Login +shop$/m);
    expect(other.out).toMatch(/^Sender +any$/m);
    expect(other.out).toContain(ca);
    expect(other.out).toContain(data);
    expect(`${other.out}${other.err}`).not.toContain('geheim');
  });

  test('others are let in with a warning only', async () => {
    const { code, out, err } = await serve([
      ...FREE,
      '--json',
      '--bind',
      '0.0.0.0',
      '--unsafe-bind',
    ]);
    expect([code, out.split('\n').length]).toEqual([0, 2]);
    expect(err).toMatch(/^warning: everybody who reaches 0\.0\.0\.0 can send to this sandbox.*\n$/);
  });
});

describe('where it cannot start', () => {
  test.each(['smtp', 'smtps', 'http'])('the port of --%s is taken', async (name) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { code, out, err } = await serve([...FREE, `--${name}`, String(port)]);
    await new Promise((resolve) => other.close(resolve));
    expect(err).toBe(
      `smtp-conformance: Cannot listen at 127.0.0.1:${port}: another program does; --${name} takes another port, 0 a free one\n`,
    );
    expect([code, out]).toEqual([2, '']);
  });

  test('there is no such address', async () => {
    const { code, err } = await serve([...FREE, '--bind', '203.0.113.1', '--unsafe-bind']);
    expect(err).toMatch(/^smtp-conformance: Cannot listen at 203\.0\.113\.1: .*EADDRNOTAVAIL.*\n$/);
    expect(code).toBe(2);
  });

  test('another sandbox uses the folder', async () => {
    const data = join(folder, 'shared');
    await serve([...FREE, '--data', data], async () => {
      const { code, out, err } = await serve([...FREE, '--data', data]);
      expect([code, out]).toEqual([2, '']);
      expect(err).toBe(`smtp-conformance: Cannot use ${data}: another sandbox uses it\n`);
    });
  });
});

describe('docs/sandbox.md', () => {
  const text = readFileSync(new URL('../../../../docs/sandbox.md', import.meta.url), 'utf8');
  const section = (title: string): string =>
    text.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

  test('each command starts, with the files that are shown', async () => {
    const commands = [...text.matchAll(/^npx smtp-conformance serve(.*?)( >.*)?$/gm)];
    expect(commands.length).toBeGreaterThan(5);
    const [, shown = ''] = /```json faults\.json\n(.*?)```/s.exec(text) ?? [];
    const files = [
      written('faults.json', shown),
      join(folder, 'ca.pem'),
      join(folder, 'sandbox-data'),
    ];
    const ended = commands.map(async ([, words = '']) => {
      const given = words.trim().split(' ').filter(Boolean);
      const { code, err } = await serve([
        ...given.map(
          (word) => files.find((file) => file.endsWith(word.replace('./', '/'))) ?? word,
        ),
        ...FREE,
      ]);
      return [words, code, err];
    });
    expect(await Promise.all(ended)).toEqual(commands.map(([, words = '']) => [words, 0, '']));
  });

  test('its table has each option of the command, and no other', async () => {
    const { out } = await serve(['--help']);
    const flags = [...out.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, flag]) => flag);
    expect(flags.length).toBeGreaterThan(20);
    const table = section('Options').matchAll(/^\| (`--[^|]*)\|/gm);
    const shown = [...table].flatMap(([, cell = '']) => cell.match(/--[\w-]+/g) ?? []);
    expect(shown.sort()).toEqual(flags.sort());
    const names = [...section('Options').matchAll(/^\|[^|]*\| `(\w+)` \|/gm)].map(
      ([, name]) => name,
    );
    // A name that there is not is refused by a sentence that names those that there are.
    const refused = await sandboxes
      .startSandbox({ frob: 1 } as object)
      .catch((error: Error) => error);
    const all = /there are (.*)$/.exec((refused as Error).message)?.[1]?.split(', ');
    expect(names.sort()).toEqual(all?.sort());
  });

  test('its tables have each magic recipient, and each place of a fault', () => {
    const magic = section('Magic recipients');
    for (const name of [
      ...MAGIC_NAMES.filter((one) => !one.startsWith('bounce+')),
      'bounce+bad-mailbox',
    ])
      expect(magic).toContain(`| \`${name}@…\` |`);
    for (const name of MAGIC_REFUSALS) expect(magic).toContain(`| \`554+${name}@…\` |`);
    const shown = section('Let something go wrong').matchAll(/^\| ((?:`[\w-]+`(?:, )?)+) \|/gm);
    const points = [...shown].flatMap(([, cell = '']) => cell.match(/[\w-]+/g) ?? []);
    expect(points.filter((point) => point !== 'at' && point !== 'action').sort()).toEqual(
      [...FAULT_POINTS].sort(),
    );
  });
});

test('each command of the package’s README starts', async () => {
  const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const commands = [...text.matchAll(/^npx smtp-conformance serve(.*)$/gm)];
  expect(commands.length).toBeGreaterThan(2);
  for (const [, words = ''] of commands) {
    const { code, err } = await serve([...words.split(' ').filter(Boolean), ...FREE]);
    expect([words, code, err]).toEqual([words, 0, '']);
  }
});

test('it ends within a second or so, with a client that stays', async () => {
  let begun = 0;
  let client: Dialogue | undefined;
  const { code } = await serve([...FREE, '--json'], async (line) => {
    client = await greeted(JSON.parse(line).smtp);
    begun = performance.now();
  });
  expect(code).toBe(0);
  expect(performance.now() - begun).toBeLessThan(1_500);
  await until(() => client?.ended ?? false, 'The client is told');
  expect(client?.unread).toMatch(/^421 /);
  client?.destroy();
});
