/** The edges of the rules and of what is kept: what is no address, what is a file, who leaves, who waits. */
import { describe, expect, test } from 'vitest';
import type { SandboxOptions } from '../../src/index.ts';
import { base64, FROM, mail, sleep, TAGS, TO, until, useBench } from '../support.ts';

const { start, knock, talk } = useBench();

describe.concurrent('a login', () => {
  test('that comes as commands is in no transcript', async () => {
    const sandbox = await start();
    const dialogue = await knock(sandbox, 'plain');
    await dialogue.reply();
    const lines = ['EHLO a', 'AUTH LOGIN', base64('1website'), base64('topsecret'), 'PASS hidden'];
    for (const line of lines) await dialogue.ask(line);
    await dialogue.ask(' AUTH PLAIN AHgAeQ==');
    await dialogue.ask('MAIL FROM:<x@example.com>');
    const told = JSON.stringify([sandbox.refused, sandbox.troubles]);
    for (const secret of [base64('topsecret'), 'hidden', 'AHgAeQ'])
      expect(told).not.toContain(secret);
    expect(told).toContain('<not a command>');
  });

  test('by XOAUTH2 has the token of its name', async () => {
    const sandbox = await start({ authMethods: ['XOAUTH2'], credentials: { shop: 'token' } });
    const auth = (token: string): string =>
      `AUTH XOAUTH2 ${base64(`user=shop\u0001auth=Bearer ${token}\u0001\u0001`)}`;
    const dialogue = await talk(sandbox, { login: false });
    expect(await dialogue.ask(auth('other'))).toMatch(/^535 /);
    expect(await dialogue.ask(auth('token'))).toMatch(/^235 /);
    expect(sandbox.refused[0]).toMatchObject({ stage: 'auth', user: 'shop' });
  });
});

describe.concurrent('an address that is none', () => {
  test.each(['foo', 'ivan@@example.com', 'ivan@example..com', 'ivan petrov@example.com'])(
    'RCPT TO:<%s> is told so by the provider',
    async (to) => {
      const sandbox = await start();
      const dialogue = await talk(sandbox);
      await dialogue.ask(`MAIL FROM:<${FROM}>`);
      expect(await dialogue.ask(`RCPT TO:<${to}>`)).toBe(`554 Invalid recipient address: ${to}`);
      expect(sandbox.refused[0]).toMatchObject({ stage: 'rcpt', to: [to], from: FROM });
      expect(sandbox.troubles).toEqual([]);
      expect(await dialogue.ask(`RCPT TO:<${TO}>`)).toBe('250 Accepted');
    },
  );

  test('MAIL FROM as well, behind the login; out of order it is told that', async () => {
    const sandbox = await start();
    const anonymous = await talk(sandbox, { login: false });
    expect(await anonymous.ask('MAIL FROM:<noreplay>')).toBe(
      '554 Must authenticate before sending mail',
    );
    expect(await anonymous.ask('RCPT TO:<foo>')).toMatch(/^50[13] /);
    const dialogue = await talk(sandbox);
    expect(await dialogue.ask('MAIL FROM:<noreplay>')).toBe(
      '554 Disallowed source address: noreplay',
    );
    expect(sandbox.refused[0]).toMatchObject({ stage: 'mail', from: 'noreplay' });
  });

  test('a fault that is due there strikes first, as before any rule', async () => {
    const sandbox = await start({ faults: [{ at: 'rcpt', action: { code: 451, text: 'Later' } }] });
    const dialogue = await talk(sandbox);
    await dialogue.ask(`MAIL FROM:<${FROM}>`);
    expect(await dialogue.ask('RCPT TO:<foo>')).toBe('451 Later');
    expect(await dialogue.ask('RCPT TO:<foo>')).toBe('554 Invalid recipient address: foo');
    expect(sandbox.refused).toHaveLength(1);
  });

  test('a value of any length is cut: a reply line has an end', async () => {
    const dialogue = await talk(await start());
    await dialogue.ask(`MAIL FROM:<${FROM}>`);
    const reply = await dialogue.ask(`RCPT TO:<${'x'.repeat(2_000)}>`);
    expect(reply).toMatch(/^554 Invalid recipient address: x{254}…$/);
  });
});

describe.concurrent('files', () => {
  const withPart = (fields: string): string =>
    mail(
      `--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${TAGS}\r\n--b\r\n${fields}\r\n\r\nx\r\n--b--`,
      'Content-Type: multipart/mixed; boundary=b',
    );
  const last = async (options: SandboxOptions, fields: string): Promise<string | undefined> =>
    (await (await talk(await start(options))).send(withPart(fields))).at(-1);

  test.each<[string, SandboxOptions, string, string]>([
    ['a text with a name', {}, 'Content-Type: text/plain; name=price.txt', 'txt'],
    [
      'a text that is shown',
      { profile: '2016' },
      'Content-Type: text/plain\r\nContent-Disposition: inline; filename=a.vbs',
      'vbs',
    ],
    ['a message in it', {}, 'Content-Type: message/rfc822', 'rfc822'],
    [
      'a dot behind the name',
      { profile: '2016' },
      'Content-Type: image/png\r\nContent-Disposition: attachment; filename="evil.exe. "',
      'exe',
    ],
    [
      'capitals in the option',
      { attachments: ['.EXE'] },
      'Content-Type: image/png; name=a.exe',
      'exe',
    ],
  ])('%s', async (_, options, fields, extension) => {
    expect(await last(options, fields)).toBe(`554 Not allowed attachement type ${extension}`);
  });

  test('a second text without a name is none', async () => {
    expect(await last({}, 'Content-Type: text/html; charset=utf-8')).toMatch(/^250 /);
  });
});

describe.concurrent('charset', () => {
  const warned = async (content: string | Uint8Array): Promise<string | undefined> => {
    const sandbox = await start();
    await (await talk(sandbox)).send(content);
    return sandbox.inbox.messages[0]?.verdicts.find(({ rule }) => rule === 'charset')?.detail;
  };
  const octets = (charset: string): Buffer =>
    Buffer.concat([
      Buffer.from(mail(TAGS, `Content-Type: text/plain${charset}`)),
      Buffer.from('cff0e8e2e5f2', 'hex'),
      Buffer.from('\r\n'),
    ]);

  test('octets count, not only what is said of them', async () => {
    expect(await warned(octets('; charset=utf-8'))).toBe(
      'a part is not in UTF-8, though it says utf-8',
    );
    expect(await warned(octets(''))).toBe('a part is not in UTF-8, though it says nothing');
  });

  test('a field, another name of UTF-8, and an empty one', async () => {
    const koi = mail().replace('Subject: Test from smtp', 'Subject: =?koi8-r?B?8NLJ18XU?=');
    expect(await warned(koi)).toBe('the field subject is in koi8-r, not in UTF-8');
    const text = (name: string): string =>
      mail(TAGS, `Content-Type: text/plain; charset="${name}"`);
    expect(await warned(text('unicode-1-1-utf-8'))).toBe('UTF-8');
    expect(await warned(text(''))).toBe('UTF-8');
    expect(await warned(text('no-such-charset'))).toMatch(/^a part is in no-such-charset/);
  });
});

describe.concurrent('content that is to exhaust', () => {
  test.each([
    ['parts', '--b\r\n\r\n'.repeat(2_000), 'more than 1000 parts'],
    ['fields', 'a:\r\n'.repeat(2_000), ''],
    ['a long header', `a: ${'b'.repeat(990)}\r\n`.repeat(140), ''],
  ])('%s: a fault of the server, with a verdict', async (_, body, why) => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const content = mail(body, 'Content-Type: multipart/mixed; boundary=b');
    const fields = content.replace('\r\n\r\n', `\r\n${body}\r\n\r\n`);
    const reply = (await dialogue.send(why ? content : fields)).at(-1);
    expect(reply).toMatch(/^554 Internal server error \(/);
    expect(reply).toContain(why);
    const mime = sandbox.refused[0]?.verdicts.find(({ rule }) => rule === 'mime');
    expect(mime).toMatchObject({ outcome: 'refuse', reply });
  });

  test('more than 1,000 recipients', async () => {
    const dialogue = await talk(await start());
    await dialogue.ask(`MAIL FROM:<${FROM}>`);
    const lines = Array.from({ length: 1_001 }, (_, at) => `RCPT TO:<a${at}@example.com>\r\n`);
    dialogue.write(lines.join(''));
    for (let at = 0; at < 1_000; at += 1) expect(await dialogue.reply()).toBe('250 Accepted');
    expect(await dialogue.reply()).toBe('452 Too many recipients');
  });
});

describe.concurrent('who waits and who leaves', () => {
  test('who waited before a message sees what who waits behind it sees', async () => {
    const sandbox = await start();
    const before = sandbox.inbox.waitFor();
    await (await talk(sandbox)).send();
    expect((await before).state).toBe('Delivered');
    expect((await before).events).toHaveLength(2);
  });

  test('the dialogue of a client that left is kept', async () => {
    const sandbox = await start({ faults: [{ at: 'final-dot', action: { stall: 100 } }] });
    const dialogue = await talk(sandbox);
    for (const line of [`MAIL FROM:<${FROM}>`, `RCPT TO:<${TO}>`, 'DATA']) await dialogue.ask(line);
    dialogue.write(`${mail()}.\r\n`);
    await sleep(20);
    dialogue.destroy();
    const { transcript } = await sandbox.inbox.waitFor();
    expect(transcript.map(({ text }) => text)).toContain('EHLO client.example');
  });

  test('a message that stalls while all is forgotten does not come back', async () => {
    const sandbox = await start({ faults: [{ at: 'final-dot', action: { stall: 100 } }] });
    const dialogue = await talk(sandbox);
    const sending = dialogue.send();
    await until(() => sandbox.faults.length === 0, 'The fault');
    await sandbox.reset();
    expect((await sending).at(-1)).toMatch(/^554 Internal server error/);
    expect(sandbox.inbox.messages).toEqual([]);
  });

  test('a list that was read does not change', async () => {
    const sandbox = await start();
    const { events } = sandbox;
    await (await talk(sandbox)).send();
    expect(events).toEqual([]);
    expect(sandbox.events).toHaveLength(2);
  });
});

describe.concurrent('one message uses up one fault', () => {
  test('a stall before one that closes', async () => {
    const sandbox = await start({
      faults: [
        { at: 'final-dot', action: { stall: 1 } },
        { at: 'final-dot', action: 'accept-then-close-before-reply' },
      ],
    });
    const dialogue = await talk(sandbox);
    expect((await dialogue.send()).at(-1)).toMatch(/^250 /);
    expect(sandbox.faults).toHaveLength(1);
  });

  test('a rate bucket hides nothing that stands behind it', async () => {
    const sandbox = await start({
      faults: [
        { at: 'final-dot', action: { limit: 9, per: 1_000, code: 451, text: 'x' } },
        { at: 'final-dot', action: 'accept-then-close-before-reply' },
      ],
    });
    expect((await (await talk(sandbox)).send()).at(-1)).toBeUndefined();
    expect(sandbox.inbox.messages).toHaveLength(1);
  });
});

describe.concurrent('verdicts', () => {
  test('only what was refused carries the reply', async () => {
    const sandbox = await start({ stages: { 'sender-not-confirmed': 'data' } });
    const dialogue = await talk(sandbox);
    await dialogue.ask('MAIL FROM:<x@example.com>');
    await dialogue.ask('RCPT TO:<a@b.invalid>');
    const replied = sandbox.refused[0]?.verdicts.filter(({ reply }) => reply !== undefined);
    expect(replied?.map(({ rule }) => rule)).toEqual(['recipient']);
  });

  test('what rests on no words of the page is a guess', async () => {
    const grades = async (options: SandboxOptions): Promise<Record<string, string>> => {
      const sandbox = await start(options);
      await (await talk(sandbox)).send();
      const verdicts = sandbox.inbox.messages[0]?.verdicts ?? [];
      for (const { grade, quotation } of verdicts)
        if (grade === 'documented') expect(quotation).toBeDefined();
      return Object.fromEntries(verdicts.map(({ rule, grade }) => [rule, grade]));
    };
    expect(await grades({})).toMatchObject({
      auth: 'documented',
      size: 'documented',
      tags: 'guess',
    });
    expect(await grades({ maxSize: 5_000 })).toMatchObject({ size: 'guess' });
    expect(await grades({ profile: '2016' })).toMatchObject({ auth: 'guess', recipient: 'guess' });
    expect(await grades({ profile: 'successor' })).toMatchObject({ tags: 'documented' });
  });
});

test('SIZE follows the settings', async () => {
  const sandbox = await start({ announceSize: true });
  const ehlo = async (): Promise<string | undefined> =>
    (await talk(sandbox, { login: false })).ask('EHLO client.example');
  expect(await ehlo()).toContain('SIZE 512000');
  const { status } = await fetch(`${sandbox.url}/api/settings`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ maxSize: 2_000_000 }),
  });
  expect(status).toBe(200);
  expect(await ehlo()).toContain('SIZE 2000000');
});

test('a slash behind publicUrl is left out', async () => {
  expect((await start({ publicUrl: 'https://mail.example/box/' })).url).toBe(
    'https://mail.example/box',
  );
});

test('a login in publicUrl is in no error', async () => {
  await expect(start({ publicUrl: 'http://u:topsecret@h/' })).rejects.toThrow(
    'Cannot use this as publicUrl: it has to be an http or https address, without a login in it',
  );
});
