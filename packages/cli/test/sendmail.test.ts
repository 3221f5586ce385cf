/** The sendmail mode: its arguments, whom a message goes to, what is put into it, and what is never done. */
import type { CapturedMessage } from '@posthorn/conformance';
import { describe, expect, test } from 'vitest';
import { parseSendmailWords } from '../src/sendmail/words.ts';
import { type RunOptions, run, useFolder, useSandbox } from './support.ts';

const used = useSandbox();
const folder = useFolder();

/** Sends by it, and gives what has come. */
async function sendmail(
  words: readonly string[],
  stdin: RunOptions['stdin'],
  env: Record<string, string> = { POSTHORN_FROM: 'Web <web@example.com>' },
  options: RunOptions = {},
): Promise<{
  code: number;
  out: string;
  err: string;
  message: CapturedMessage | undefined;
  text: string;
}> {
  const before = used.sandbox.inbox.messages.length;
  const ended = await run(['sendmail', ...words], {
    ...(stdin !== undefined && { stdin }),
    env: { ...used.env, ...env },
    ...options,
  });
  const { messages } = used.sandbox.inbox;
  const message = messages.length > before ? messages.at(-1) : undefined;
  return { ...ended, message, text: Buffer.from(message?.raw ?? []).toString('utf8') };
}

const MESSAGE = 'From: a@example.com\nTo: b@example.net\nSubject: Hi\n\nHello\n';

describe('arguments', () => {
  test.each([
    ['-t -i', { isFromFields: true, isDotContent: true }],
    ['-ti', { isFromFields: true, isDotContent: true }],
    ['-oi -oem -odb -oi', { isDotContent: true }],
    ['-o i', { isDotContent: true }],
    ['-fa@b c@d', { sender: 'a@b', recipients: ['c@d'] }],
    ['-f a@b c@d', { sender: 'a@b', recipients: ['c@d'] }],
    ['-r a@b', { sender: 'a@b' }],
    ['-itfa@b', { isFromFields: true, isDotContent: true, sender: 'a@b' }],
    [
      '-FCronDaemon -i -B8BITMIME -oem root',
      { fullName: 'CronDaemon', isDotContent: true, recipients: ['root'] },
    ],
    ['-bm -v -- -x@y', { isVerbose: true, recipients: ['-x@y'] }],
    ['a@b -f c@d', { recipients: ['a@b', '-f', 'c@d'] }],
    ['-N success,delay -Rhdrs -V id', { notify: ['SUCCESS', 'DELAY'], ret: 'HDRS', envid: 'id' }],
    ['-Nnever', { notify: 'NEVER' }],
    [
      '-n -d0.1 -q -G -m -Am -Lx -O Timeout=1 -X /tmp/log -p SMTP -h 3',
      { noAliases: true, instead: 'nothing' },
    ],
    ['-bp', { instead: 'print-queue' }],
    ['-bi', { instead: 'nothing' }],
    ['-I', { instead: 'nothing' }],
  ])('%s', (line, expected) => {
    const none = {
      recipients: [],
      isFromFields: false,
      isDotContent: false,
      isVerbose: false,
      noAliases: false,
    };
    expect(parseSendmailWords(line.split(' '))).toEqual({ ...none, ...expected });
  });

  test.each([
    ['-bs', 'no SMTP is spoken on standard input'],
    ['-bd', 'there is no daemon'],
    ['-bv', 'addresses cannot be verified'],
    ['-b?', 'there is no such mode'],
    ['-q15m', 'there is no daemon'],
    ['-f', '-f needs a value'],
    ['-z', 'There is no option -z of sendmail'],
    ['--config x', 'There is no option --config of sendmail'],
    ['-B9BIT', '-B 9BIT: 7BIT or 8BITMIME is meant'],
    ['-Rall', '-R all: full or hdrs is meant'],
    ['-Nnever,success', '-N never,success: never, or some'],
    ['-C/tmp/upload.json', '-C is not taken'],
  ])('%s is refused', async (line, why) => {
    const { code, err, message } = await sendmail(line.split(' '), MESSAGE);
    expect([code, message]).toEqual([64, undefined]);
    expect(err).toContain(why);
  });

  test('--help, --version and a queue that is empty', async () => {
    expect((await sendmail(['--help'], undefined)).out).toContain('Usage: posthorn sendmail [-t]');
    expect((await sendmail(['--version'], undefined)).out).toBe('1.2.3\n');
    expect((await sendmail(['-bp'], undefined)).out).toBe('Mail queue is empty\n');
    expect(await sendmail(['-q'], undefined)).toMatchObject({ code: 0, out: '', err: '' });
    const named = (name: string): ReturnType<typeof run> => run([], { name });
    expect((await named('mailq')).out).toBe('Mail queue is empty\n');
    expect(await named('newaliases')).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('recipients', () => {
  test('are those that are named, and the fields are not asked', async () => {
    const { code, out, err, message } = await sendmail(
      ['-i', 'x@example.net', 'y@example.net, z@example.net'],
      `Bcc: hidden@example.net\n${MESSAGE}`,
    );
    expect([code, out, err]).toEqual([0, '', '']);
    expect(message?.to).toEqual(['x@example.net', 'y@example.net', 'z@example.net']);
    expect(message?.headers.some(({ name }) => name === 'bcc')).toBe(false);
  });

  test('with -t are those of To, Cc and Bcc, and Bcc is taken out', async () => {
    const stdin =
      'From: a@example.com\nTo: Team: b@example.net, "C, D" <c@example.net>;\nCc: d@example.net (a, comment),\n b@example.net\nBCC: e@example.net,\n\tf@example.net\nSubject: x\n\nHi\n';
    const { message, text } = await sendmail(['-t', '-i'], stdin);
    expect(message?.to).toEqual([
      'b@example.net',
      'c@example.net',
      'd@example.net',
      'e@example.net',
      'f@example.net',
    ]);
    expect(text).not.toMatch(/e@example.net|f@example.net|bcc/i);
    expect(text).toContain('To: Team: b@example.net, "C, D" <c@example.net>;\r\n');
  });

  test('with -t and others named are both, each once, as Postfix and msmtp have it', async () => {
    const { message } = await sendmail(
      ['-t', 'x@example.net', 'y@example.net'],
      MESSAGE.replace('Subject', 'Cc: y@example.net\nSubject'),
    );
    expect(message?.to).toEqual(['x@example.net', 'y@example.net', 'b@example.net']);
  });

  test.each([
    [['-t'], 'From: a@example.com\n\nHi\n', 64, /no recipients in To, Cc and Bcc/],
    [[], MESSAGE, 64, /There are no recipients: name them, or .* -t/],
    [
      ['-t'],
      'From: a@example.com\nTo: b@example.net c@example.net\n\nHi\n',
      65,
      /addresses of the field to: two words/,
    ],
    [['two words'], MESSAGE, 65, /addresses of two words/],
    [['root'], MESSAGE, 67, /The recipient root has no domain: set domain or aliases/],
    [['a@b@c'], MESSAGE, 65, /a second @/],
    [['a@-bad-.example'], MESSAGE, 65, /no mailbox/],
  ])('%j is refused', async (words, stdin, code, why) => {
    const ended = await sendmail(words, stdin);
    expect([ended.code, ended.message]).toEqual([code, undefined]);
    expect(ended.err).toMatch(why);
    expect(ended.err).toContain(
      'posthorn: it is kept nowhere: whoever gave it here has to give it again\n',
    );
  });

  test('fields that cannot be read are no trouble where nobody has to read them', async () => {
    const stdin = 'From: two words here\nTo: undisclosed recipients\n\nHi\n';
    const { code, message, text } = await sendmail(['b@example.net'], stdin);
    expect([code, message?.from]).toEqual([0, 'web@example.com']);
    expect(text).toContain('From: two words here\r\nTo: undisclosed recipients\r\n');
  });

  test('names without a domain are aliases, or get the domain', async () => {
    const config = folder.file(
      'aliases.json',
      JSON.stringify({
        aliases: { root: ['ops@example.net', 'Boss <boss@example.net>'], '*': 'all@example.net' },
        domain: 'example.org',
      }),
    );
    const env = { POSTHORN_CONFIG: config, POSTHORN_FROM: 'web@example.com' };
    expect((await sendmail(['Root', 'www', 'x@example.net'], MESSAGE, env)).message?.to).toEqual([
      'ops@example.net',
      'boss@example.net',
      'all@example.net',
      'x@example.net',
    ]);
    expect((await sendmail(['-n', 'root'], MESSAGE, env)).message?.to).toEqual([
      'root@example.org',
    ]);
  });
});

describe('what cron, PHP and shells give', () => {
  test('cron: a header with names that have no domain', async () => {
    const stdin =
      'From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> df\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\n\nдиск полон\n';
    const { message, text } = await sendmail(
      ['-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'root'],
      stdin,
      { POSTHORN_DOMAIN: 'example.com' },
    );
    expect([message?.from, message?.to]).toEqual(['root@example.com', ['root@example.com']]);
    expect(text).toContain('From: root@example.com (Cron Daemon)\r\nTo: root@example.com\r\n');
    expect(message?.text?.trim()).toBe('диск полон');
    expect(message?.transcript.map(({ text: said }) => said).join('\n')).toContain('BODY=8BITMIME');
  });

  test('cron, for a provider that knows one sender: forceFrom', async () => {
    const config = folder.file(
      'force.json',
      JSON.stringify({
        from: 'Сервер <alerts@example.com>',
        forceFrom: true,
        aliases: { root: 'ops@example.net' },
      }),
    );
    const { message, text } = await sendmail(
      ['-FCronDaemon', '-fwww', 'root'],
      'From: root (Cron Daemon)\nTo: root\n\nHi\n',
      { POSTHORN_CONFIG: config },
    );
    expect([message?.from, message?.to]).toEqual(['alerts@example.com', ['ops@example.net']]);
    expect(text).toContain('From: Cron Daemon <alerts@example.com>\r\n');
    expect(text).toContain('To: ops@example.net\r\n');
    expect(text).not.toContain('Reply-To');
    const form = await sendmail(
      ['ops@example.net'],
      'From: "Doe, Jane" <jane@example.org>\nSender: x@example.org\nTo: ops@example.net\n\nHi\n',
      { POSTHORN_CONFIG: config },
    );
    expect(form.text).toContain(
      'From: "Doe, Jane" <alerts@example.com>\r\nReply-To: "Doe, Jane" <jane@example.org>\r\n',
    );
    expect(form.text).not.toContain('Sender');
    const coded = await sendmail(
      ['ops@example.net'],
      'From: =?koi8-r?q?=F3=C5=D2=D7=C5=D2?= <jane@example.org>\n\nHi\n',
      { POSTHORN_CONFIG: config },
    );
    expect(coded.text).toMatch(/^From: =\?utf-8\?b\?0KHQtdGA0LLQtdGA\?= <alerts@example.com>\r\n/i);
    const none = await sendmail(['ops@example.net'], 'Subject: x\n\nHi\n', {
      POSTHORN_CONFIG: config,
    });
    expect(none.text).toMatch(/^From: =\?utf-8\?b\?0KHQtdGA0LLQtdGA\?= <alerts@example.com>\r\n/i);
    expect(
      (await sendmail(['ops@example.net'], MESSAGE, { POSTHORN_FORCE_FROM: 'true' })).code,
    ).toBe(78);
  });

  test('a shell: a text without a header', async () => {
    const { message, text } = await sendmail(['b@example.net'], 'just a line\nand: another\n');
    expect(message?.from).toBe('web@example.com');
    expect(text.split('\r\n\r\n')).toEqual([
      expect.stringMatching(
        /^From: Web <web@example.com>\r\nDate: Tue, 03 Feb 2026 04:05:06 \+0000\r\nMessage-ID: <[\w-]+@example.com>$/,
      ),
      'just a line\r\nand: another\r\n',
    ]);
  });

  test('a shell: 8-bit text without a header is said to be UTF-8, if it is that', async () => {
    const utf8 = await sendmail(['b@example.net'], 'Привет\n');
    expect(utf8.text).toMatch(
      /MIME-Version: 1.0\r\nContent-Type: text\/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nПривет\r\n$/,
    );
    const other = await sendmail(['b@example.net'], Buffer.from('Gr\xfc\xdfe\n', 'latin1'));
    expect(other.text).toContain('charset=unknown-8bit');
    const labelled = await sendmail(
      ['b@example.net'],
      'MIME-Version: 1.0\nContent-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: 8bit\n\nü\n',
    );
    expect(labelled.text.match(/Content-|MIME-/g)).toHaveLength(3);
  });

  test('the sender: -f, else the settings, else the author, else who runs it', async () => {
    const from = async (
      words: readonly string[],
      stdin: string,
      env: Record<string, string>,
    ): Promise<unknown> => (await sendmail([...words, 'b@example.net'], stdin, env)).message?.from;
    const set = { POSTHORN_FROM: 'web@example.com' };
    expect(await from(['-f', 'x@example.org'], MESSAGE, set)).toBe('x@example.org');
    expect(await from(['-f', 'X <x@example.org>'], MESSAGE, set)).toBe('x@example.org');
    expect(await from(['-f', '<>'], MESSAGE, set)).toBe('');
    expect(await from([], MESSAGE, set)).toBe('web@example.com');
    expect(await from([], MESSAGE, {})).toBe('a@example.com');
    expect(await from([], `Sender: s@example.org\n${MESSAGE}`, {})).toBe('s@example.org');
    expect(await from([], 'Hi\n', { POSTHORN_DOMAIN: 'host.example' })).toBe('tester@host.example');
    const nobody = await sendmail(['b@example.net'], 'Hi\n', {});
    expect([nobody.code, nobody.err]).toEqual([
      78,
      expect.stringContaining('The login tester has no domain: set domain, or from with one'),
    ]);
  });

  test('-F is the name of an author that is missing', async () => {
    expect((await sendmail(['-F', 'Doe, Jane', 'b@example.net'], 'Hi\n')).text).toContain(
      'From: "Doe, Jane" <web@example.com>\r\n',
    );
    expect((await sendmail(['-F', 'Jane', 'b@example.net'], MESSAGE)).text).toContain(
      'From: a@example.com\r\n',
    );
  });

  test('a dot ends the message, but not with -i', async () => {
    const stdin = `${MESSAGE}.\nbehind\n`;
    expect((await sendmail(['b@example.net'], stdin)).text).toMatch(/Hello\r\n$/);
    expect((await sendmail(['-i', 'b@example.net'], stdin)).text).toMatch(
      /Hello\r\n\.\r\nbehind\r\n$/,
    );
    expect((await sendmail(['-oi', 'b@example.net'], stdin)).text).toMatch(/behind\r\n$/);
  });

  test('a line that no server takes is encoded, and all of it is there', async () => {
    const html = `<p>${'Привет '.repeat(200)}</p>`;
    const stdin = `To: b@example.net\nSubject: x\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${html}\nend\n`;
    const { code, message, text } = await sendmail(['-t', '-i'], stdin);
    expect(code).toBe(0);
    expect(message?.html).toBe(
      `${html}\r\nend\r\n`.replace(/\r\n/g, message?.html?.includes('\r\n') ? '\r\n' : '\n'),
    );
    expect(text.match(/Content-Transfer-Encoding: .*/g)).toEqual([
      'Content-Transfer-Encoding: base64',
    ]);
    expect(text).toContain('MIME-Version: 1.0\r\n');
    const parts = await sendmail(
      ['-t'],
      `To: b@example.net\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=A\n\n--A\n\n${'x'.repeat(1_000)}\n--A--\n`,
    );
    expect([parts.code, parts.err]).toEqual([
      65,
      expect.stringContaining('line 7 has 1000 octets, and may have 998'),
    ]);
  });

  test('a long list of names that are completed is folded', async () => {
    const names = Array.from({ length: 200 }, (_, at) => `user${at}`);
    const { message, text } = await sendmail(
      ['-t'],
      `From: a@example.com\nTo: ${names.join(', ')}\n\nHi\n`,
      { POSTHORN_DOMAIN: 'example.org' },
    );
    expect(message?.to).toHaveLength(200);
    expect(Math.max(...text.split('\r\n').map((line) => line.length))).toBeLessThan(100);
    expect(message?.headers.find(({ name }) => name === 'to')?.value).toBe(
      names.map((name) => `${name}@example.org`).join(', '),
    );
  });

  test('-v shows the dialogue; else nothing is said', async () => {
    expect((await sendmail(['-v', 'b@example.net'], MESSAGE)).err).toMatch(
      /C: MAIL FROM:<web@example.com>/,
    );
  });

  test('the symlink named sendmail takes the same', async () => {
    const before = used.sandbox.inbox.messages.length;
    const ended = await run(['-t', '-i'], { name: 'sendmail', stdin: MESSAGE, env: used.env });
    expect([ended, used.sandbox.inbox.messages.length]).toEqual([
      { code: 0, out: '', err: '' },
      before + 1,
    ]);
  });
});

test('where the server cannot be reached it is 75, and said that nothing is kept', async () => {
  const { code, out, err } = await sendmail(['b@example.net'], MESSAGE, {
    POSTHORN_PORT: '1',
    POSTHORN_TLS: 'off',
  });
  expect([code, out]).toEqual([75, '']);
  expect(err).toMatch(
    /ECONNREFUSED.*\nposthorn: The message was not sent.\nposthorn: it is kept nowhere: whoever gave it here has to give it again\n$/,
  );
});

test('--config stands before the command, and the profile is held to', async () => {
  const config = folder.file(
    'profile.json',
    JSON.stringify({
      profile: 'devino',
      host: used.env['POSTHORN_HOST'],
      port: used.sandbox.smtp,
      ca: used.env['POSTHORN_CA'],
      user: '1website',
      pass: 'test',
      from: 'web@example.com',
    }),
  );
  const refused = await run(['--config', config, 'sendmail', 'b@example.net', 'c@example.net'], {
    stdin: MESSAGE,
  });
  expect([refused.code, refused.err]).toEqual([
    65,
    expect.stringContaining('The rules of the provider forbid it: recipient-count'),
  ]);
  const sent = await run([`--config=${config}`, 'sendmail', 'b@example.net'], { stdin: MESSAGE });
  expect(sent).toEqual({ code: 0, out: '', err: '' });
  const without = await run(['--no-config', 'sendmail', 'b@example.net'], {
    stdin: MESSAGE,
    env: { POSTHORN_CONFIG: config },
  });
  expect(without.code).toBe(78);
});
