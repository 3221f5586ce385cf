/** Settings: where they come from, which hold, what is refused, and that no secret is told. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectionOf } from '../src/connection.ts';
import { readSettings } from '../src/settings/read-settings.ts';
import {
  environmentName,
  SETTING_NAMES,
  SETTINGS,
  type Settings,
} from '../src/settings/settings.ts';
import { run, surroundingsOf, useFolder } from './support.ts';

const folder = useFolder();
const read = (
  options: Settings,
  config: string | undefined | false,
  env: Record<string, string> = {},
  home = '',
): Promise<Settings> => readSettings(options, config, { env, home });
const json = (name: string, value: unknown, mode?: number): string =>
  folder.file(name, JSON.stringify(value), mode);

test('options go before the environment, and that before the file', async () => {
  const file = json('all.json', {
    name: 'file',
    domain: 'file',
    maxSize: 3,
    timeout: { connect: 1, tls: 1 },
  });
  const env = {
    POSTHORN_NAME: 'env',
    POSTHORN_DOMAIN: 'env',
    POSTHORN_TIMEOUT: 'tls=2,rcpt=2',
    POSTHORN_PORT: '',
  };
  expect(await read({ name: 'option', timeout: { rcpt: 3 } }, file, env)).toEqual({
    name: 'option',
    domain: 'env',
    maxSize: 3,
    timeout: { connect: 1, tls: 2, rcpt: 3 },
  });
});

test('a login belongs to its server, and there is one secret', async () => {
  const file = json('server.json', {
    host: 'one',
    port: 2525,
    user: 'u',
    pass: 'p',
    ca: 'ca.pem',
    from: 'a@b',
  });
  expect(await read({}, file)).toEqual({
    host: 'one',
    port: 2525,
    user: 'u',
    pass: 'p',
    ca: join(folder.path, 'ca.pem'),
    from: 'a@b',
  });
  expect(await read({ host: 'two' }, file)).toEqual({ host: 'two', from: 'a@b' });
  expect(await read({ socket: '/s' }, file)).toEqual({ socket: '/s', from: 'a@b' });
  expect(await read({ host: 'one' }, file)).toMatchObject({ user: 'u', pass: 'p' });
  expect(await read({}, file, { POSTHORN_PASS_FILE: '/f' })).toMatchObject({
    user: 'u',
    passFile: '/f',
  });
  expect(await read({}, file, { POSTHORN_PASS_FILE: '/f' })).not.toHaveProperty('pass');
  await expect(read({ pass: 'a', passCommand: 'b' }, false)).rejects.toThrow(
    'There are pass and passCommand in one place',
  );
  const without = json('login.json', { user: 'u', passFile: 'secret' });
  expect(await read({}, without, { POSTHORN_HOST: 'two' })).toEqual({
    host: 'two',
    user: 'u',
    passFile: join(folder.path, 'secret'),
  });
});

test('the file is the one that is named, else the first of the usual places', async () => {
  const home = join(folder.path, 'home');
  const xdg = join(folder.path, 'xdg');
  for (const path of [join(home, '.config'), xdg]) mkdirSync(path, { recursive: true });
  json('home/.config/posthorn.json', { name: 'home' });
  json('xdg/posthorn.json', { name: 'xdg' });
  const named = json('named.json', { name: 'named' });
  expect(await read({}, undefined, {}, home)).toEqual({ name: 'home' });
  expect(await read({}, undefined, { XDG_CONFIG_HOME: xdg }, home)).toEqual({ name: 'xdg' });
  expect(await read({}, undefined, { XDG_CONFIG_HOME: 'relative' }, home)).toEqual({
    name: 'home',
  });
  expect(await read({}, undefined, { POSTHORN_CONFIG: named, XDG_CONFIG_HOME: xdg }, home)).toEqual(
    { name: 'named' },
  );
  expect(await read({}, named, { POSTHORN_CONFIG: '/no/such' }, home)).toEqual({ name: 'named' });
  expect(await read({}, false, { POSTHORN_CONFIG: named }, home)).toEqual({});
  await expect(read({}, '/no/such.json')).rejects.toThrow(
    'Cannot read the settings /no/such.json: there is no such file',
  );
});

test.each([
  ['an unknown key', { hots: 'x' }, /there is no setting "hots": there are profile, host/],
  ['a value of another kind', { port: '25' }, /port: it has to be a whole number from 1 to 65535/],
  ['an unknown choice', { tls: 'yes' }, /tls: there are implicit, starttls, opportunistic, off/],
  ['a flag in quotes', { lmtp: 'true' }, /lmtp: it has to be true or false, without quotes/],
  ['an unknown deadline', { timeout: { lunch: 1 } }, /timeout: there are connect/],
  ['a deadline that is none', { timeout: { connect: 0 } }, /timeout: it has to be a whole number/],
  ['a list', ['host'], /it has to be an object/],
  ['a list of numbers', { ignoreExtension: [1] }, /ignoreExtension: it has to be a text/],
  ['aliases that are a text', { aliases: 'root' }, /aliases: it has to be an object/],
])('%s in the file is refused', async (_, value, why) => {
  const ended = await run(['send'], {
    stdin: '',
    env: { POSTHORN_CONFIG: json('bad.json', value) },
  });
  expect([ended.code, ended.err]).toEqual([78, expect.stringMatching(why)]);
});

test('what is no JSON is not shown: it may be a password', async () => {
  const file = folder.file('text.json', '{ "pass": "hunter2", }');
  await expect(read({}, file)).rejects.toThrow(`Cannot use the settings ${file}: it is no JSON`);
});

test.each([
  ['POSTHORN_PORT', 'many', /Cannot use POSTHORN_PORT: it has to be a whole number/],
  ['POSTHORN_VERIFY', 'perhaps', /Cannot use POSTHORN_VERIFY: it has to be true or false/],
  ['POSTHORN_TIMEOUT', 'connect', /it has to be name=value/],
])('%s=%s is refused', async (name, value, why) => {
  await expect(read({}, false, { [name]: value })).rejects.toThrow(why);
});

test('each setting has a name in the environment, if it may stand there', async () => {
  expect(environmentName('clientKeyPassFile')).toBe('POSTHORN_CLIENT_KEY_PASS_FILE');
  for (const name of SETTING_NAMES) {
    const [sample] = [
      'text',
      '7',
      'true',
      'off',
      'TLSv1.3',
      'plain',
      'connect=5',
      'abort',
      'drop',
      'devino',
      'overlap',
    ].filter((text) => {
      try {
        SETTINGS[name].kind.fromText(text);
        return true;
      } catch {
        return false;
      }
    });
    const found = await read({}, false, { [environmentName(name)]: sample as string });
    expect([name, Object.keys(found)]).toEqual([name, name === 'aliases' ? [] : [name]]);
  }
});

describe.skipIf(process.platform === 'win32')('permissions', () => {
  test('a password in a file that everybody may read is refused, and so is a file that everybody may write', async () => {
    for (const [mode, ok] of [
      [0o600, true],
      [0o640, true],
      [0o644, false],
      [0o604, false],
    ] as const) {
      const file = json('mode.json', { pass: 'hunter2' });
      chmodSync(file, mode);
      const settled = await read({}, file).then(
        () => true,
        (error: Error) => error.message,
      );
      expect([mode, settled]).toEqual([
        mode,
        ok || expect.stringMatching(/everybody may read it: chmod o-r.*passFile/),
      ]);
      expect(String(settled)).not.toContain('hunter2');
    }
    const open = json('open.json', { host: 'x' });
    chmodSync(open, 0o644);
    expect(await read({}, open)).toEqual({ host: 'x' });
    chmodSync(open, 0o666);
    await expect(read({}, open)).rejects.toThrow('everybody may write it');
  });

  test('a file with a password alone is warned of', async () => {
    const secret = folder.file('secret', 'hunter2\nmore\n');
    const { surroundings, said } = surroundingsOf();
    const settings = { host: 'x', user: 'u', passFile: secret, mechanism: ['CRAM-MD5'] } as const;
    chmodSync(secret, 0o644);
    await connectionOf(settings, surroundings);
    expect(said.err).toBe(
      `posthorn: warning: everybody on this machine may read ${secret}: chmod o-r\n`,
    );
    chmodSync(secret, 0o640);
    await connectionOf(settings, surroundings);
    expect(said.err.split('\n')).toHaveLength(2);
  });
});

describe('secrets', () => {
  const connection = async (settings: Settings) => {
    const { surroundings, said } = surroundingsOf({ env: { PATH: process.env['PATH'] ?? '' } });
    const { auth } = await connectionOf({ host: 'x', user: 'u', ...settings }, surroundings);
    return { names: [auth ?? []].flat().map((one) => 'name' in one && one.name), said };
  };

  test('come from a command, whose errors are shown and whose output is not', async () => {
    expect((await connection({ passCommand: 'echo hunter2' })).names).toEqual(['PLAIN', 'LOGIN']);
    for (const passCommand of [
      'echo hunter2; exit 3',
      'true',
      'no-such-command-here hunter2 2>/dev/null',
    ]) {
      const { surroundings, said } = surroundingsOf({ env: { PATH: process.env['PATH'] ?? '' } });
      const failed = connectionOf({ host: 'x', user: 'u', passCommand }, surroundings);
      await expect(failed).rejects.toThrow(
        /^Cannot (get|use) the password: its command (ended with \d+|gives none)$/,
      );
      expect(said.err).not.toContain('hunter2');
    }
  });

  test('decide the mechanisms where none is named', async () => {
    expect((await connection({ oauthToken: 't' })).names).toEqual(['XOAUTH2', 'OAUTHBEARER']);
    expect((await connection({ mechanism: ['EXTERNAL'] })).names).toEqual(['EXTERNAL']);
    expect((await connection({ pass: 'p', mechanism: ['SCRAM-SHA-256', 'PLAIN'] })).names).toEqual([
      'SCRAM-SHA-256',
      'PLAIN',
    ]);
    await expect(connection({})).rejects.toThrow(
      'There is a user and no password: set POSTHORN_PASS',
    );
    await expect(connection({ mechanism: ['PLAIN'] })).rejects.toThrow('PLAIN needs a password');
    await expect(connection({ pass: 'p', mechanism: ['XOAUTH2'] })).rejects.toThrow(
      'XOAUTH2 needs an access token',
    );
    await expect(connection({ pass: 'hunter2\0' })).rejects.toThrow(
      /^Cannot use the login for PLAIN: Cannot use credentials$/,
    );
  });

  test('are in no file that is missing, empty or no PEM', async () => {
    await expect(connection({ passFile: '/no/such' })).rejects.toThrow(
      'Cannot read the password from /no/such: ENOENT',
    );
    await expect(connection({ passFile: folder.file('empty') })).rejects.toThrow('gives none');
    // A device tells no size, and has no end.
    await expect(connection({ passFile: '/dev/zero' })).rejects.toThrow(
      'Cannot read the password from /dev/zero: it is too large to be one',
    );
    await expect(readSettings({}, '/dev/zero', { env: {}, home: folder.path })).rejects.toThrow(
      'it is too large to be one',
    );
    await expect(connection({ pass: 'p', ca: folder.file('no.pem', 'x') })).rejects.toThrow(
      'it is no PEM',
    );
    await expect(connection({ pass: 'p', ca: '/no/such' })).rejects.toThrow(
      'Cannot read ca /no/such: ENOENT',
    );
    await expect(connection({ pass: 'p', clientKey: 'x' })).rejects.toThrow(
      'clientCert and clientKey go together',
    );
  });
});

test('--config may stand before the command and behind it', async () => {
  const file = json('both.json', { host: '127.0.0.1', port: 1, from: 'a@example.com' });
  const words = ['--dry-run', '--to', 'b@example.com'];
  for (const line of [
    ['--config', file, 'send', ...words],
    ['send', ...words, '--config', file],
  ]) {
    // So that nothing else names one.
    const { out } = await run(line, {
      env: { XDG_CONFIG_HOME: folder.path, POSTHORN_CONFIG: '/no/such' },
    });
    expect(out).toContain('Server      127.0.0.1:1');
  }
});

test('no server is an error that says where to name one', async () => {
  const ended = await run(['send', '--from', 'a@example.com', '--to', 'b@example.com']);
  expect([ended.code, ended.err]).toEqual([
    78,
    expect.stringContaining('give --host, set POSTHORN_HOST'),
  ]);
});

test('options of connect() that core refuses are settings that are wrong', async () => {
  const words = [
    'send',
    '--from',
    'a@example.com',
    '--to',
    'b@example.com',
    '--host',
    '127.0.0.1',
    '--name',
    'a_b',
  ];
  const ended = await run(words);
  expect([ended.code, ended.err]).toEqual([
    78,
    expect.stringContaining('Cannot use "a_b" as name'),
  ]);
});
