/** `posthorn send` against the sandbox: what is sent, and what is told of it. */
import { readFileSync } from 'node:fs';
import type { CapturedMessage } from '@posthorn/conformance';
import { describe, expect, test } from 'vitest';
import { NOW, type RunOptions, run, useFolder, useSandbox } from './support.ts';

const used = useSandbox();
const folder = useFolder();

/** Sends, and gives what has come. Tests run one after another: the last message is theirs. */
async function send(
  words: readonly string[],
  options: RunOptions = {},
): Promise<{ code: number; out: string; err: string; message: CapturedMessage | undefined }> {
  const before = used.sandbox.inbox.messages.length;
  const ended = await run(['send', ...words], { ...options, env: { ...used.env, ...options.env } });
  const { messages } = used.sandbox.inbox;
  return { ...ended, message: messages.length > before ? messages.at(-1) : undefined };
}

const headerOf = (message: CapturedMessage | undefined, name: string): string | undefined =>
  message?.headers.find((header) => header.name === name)?.value;

const COMPOSED = ['--from', 'Shop <shop@example.com>', '--to', 'jane@example.net'];

describe('a message that is there', () => {
  const EML = [
    'From: Shop <shop@example.com>',
    'To: Jane <jane@example.net>, bob@example.net',
    'Cc: c@example.net',
    'Bcc: hidden@example.net,',
    ' other@example.net',
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
    'X-Odd:   spaces  stay',
    '',
    'Привет',
    '.a dot',
    '',
  ].join('\n');

  test('goes out as it is but for Bcc, to all that its fields name', async () => {
    const { code, out, err, message } = await send([folder.file('a.eml', EML)]);
    expect([code, err]).toEqual([0, '']);
    expect(message?.from).toBe('shop@example.com');
    expect(message?.to).toEqual([
      'jane@example.net',
      'bob@example.net',
      'c@example.net',
      'hidden@example.net',
      'other@example.net',
    ]);
    const raw = Buffer.from(message?.raw ?? []).toString('utf8');
    expect(raw).toBe(EML.replace(/Bcc:.*\n.*\n/, '').replace(/\n/g, '\r\n'));
    expect(out).toContain('Accepted for jane@example.net, bob@example.net');
    expect(out).toContain(`(${message?.size} octets, `);
  });

  test('is streamed with its exact size in MAIL, whatever its line ends are', async () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const file = folder.file('ends.eml', EML.replace(/\n/g, end));
      const { out } = await send(['--dry-run', file]);
      const { message } = await send([file]);
      expect(out).toContain(`Size        ${message?.size} octets\n`);
      expect(out).toContain(`SIZE=${message?.size} BODY=8BITMIME`);
    }
  });

  test('comes by a pipe, and from the line behind "From " of a mailbox file', async () => {
    const { code, message } = await send([], { stdin: `From shop Tue Feb  3 2026\n${EML}` });
    expect(code).toBe(0);
    expect(message?.headers[0]).toEqual({ name: 'from', value: 'Shop <shop@example.com>' });
    const named = await send(['-'], { stdin: EML });
    expect(named.message?.text).toBe(message?.text);
  });

  test('goes to another envelope where that is given, and --keep-bcc keeps Bcc', async () => {
    const file = folder.file('b.eml', EML);
    const words = ['--envelope-from', '', '--envelope-to', 'x@example.org, y@example.org'];
    const { message } = await send([file, ...words, '--keep-bcc']);
    expect(message?.from).toBe('');
    expect(message?.to).toEqual(['x@example.org', 'y@example.org']);
    expect(headerOf(message, 'bcc')).toBe('hidden@example.net, other@example.net');
  });

  test('goes again to those of its last Resent fields alone', async () => {
    const { message } = await send([], {
      stdin: `Resent-From: b@example.org\nResent-To: new@example.org\nResent-Bcc: h@example.org\nResent-From: a@example.org\nResent-To: old@example.org\n${EML}`,
    });
    expect(message?.from).toBe('b@example.org');
    expect(message?.to).toEqual(['new@example.org', 'h@example.org']);
    expect(headerOf(message, 'resent-bcc')).toBeUndefined();
  });

  test.each([
    [
      'no file of that name',
      ['/no/such/file.eml'],
      undefined,
      66,
      /Cannot read \/no\/such\/file.eml: ENOENT: no such file/,
    ],
    ['a folder', ['/'], undefined, 66, /Cannot read \/: it is a folder/],
    ['a text', ['-'], 'Hello there\nand more\n', 65, /line 1 is no header field.*--text-file/],
    ['nothing', ['-'], '', 65, /no message: standard input is empty/],
    [
      'no recipients',
      ['-'],
      'From: a@example.com\n\nHi\n',
      65,
      /no recipients in To, Cc and Bcc: give --envelope-to/,
    ],
    ['no author', ['-'], 'To: a@example.com\n\nHi\n', 65, /has no author: give --envelope-from/],
    [
      'an address that is none',
      ['-'],
      'From: a@example.com\nTo: two words\n\nHi\n',
      65,
      /addresses of the field to: two words/,
    ],
    [
      'a name without a domain',
      ['-'],
      'From: a@example.com\nTo: root\n\nHi\n',
      67,
      /The address root has no domain/,
    ],
    [
      'a long line',
      ['-'],
      `From: a@example.com\nTo: b@example.com\n\nHi\n${'x'.repeat(999)}\n`,
      65,
      /line 5 has 999 octets, and may have 998/,
    ],
    [
      'a NUL',
      ['-'],
      'From: a@example.com\nTo: b@example.com\n\nHi\n\0\n',
      65,
      /line 5 holds a NUL/,
    ],
    [
      'a header in Latin-1',
      ['-'],
      Buffer.from('From: a@example.com\nTo: b@example.com\nSubject: \xfc\n\n', 'latin1'),
      65,
      /field subject is neither ASCII nor UTF-8/,
    ],
    [
      'a header without an end',
      ['-'],
      `From: a@example.com\n${'X: y\n'.repeat(300_000)}`,
      65,
      /its header has more than 1048576 octets/,
    ],
    [
      'options that compose one',
      ['a.eml', '--subject', 'x'],
      undefined,
      64,
      /a.eml is sent as it is, and --subject is for/,
    ],
    [
      'a terminal',
      [],
      undefined,
      64,
      /There is no message: name a file, pipe one in, or compose it/,
    ],
  ] as const)('is refused where it is %s', async (_, words, stdin, code, why) => {
    const ended = await send(words, { ...(stdin !== undefined && { stdin }) });
    expect([ended.code, ended.message]).toEqual([code, undefined]);
    expect(ended.err).toMatch(why);
    expect(ended.out).toBe('');
  });

  test('UTF-8 in its fields asks for SMTPUTF8, or goes as 8BITMIME by choice', async () => {
    const file = folder.file(
      'utf8.eml',
      'From: a@example.com\nTo: b@example.com\nSubject: Grüße\n\nHi\n',
    );
    const strict = await send([file, '--ignore-extension', 'smtputf8']);
    expect(strict.code).toBe(69);
    expect(strict.err).toContain('the server offers no SMTPUTF8');
    const asked = await send([file]);
    expect(asked.message?.transcript.map(({ text }) => text).join()).toMatch(/MAIL .* SMTPUTF8/);
    const dropped = await send([
      file,
      '--ignore-extension',
      'smtputf8',
      '--on-unsupported',
      'drop',
    ]);
    expect(dropped.message?.transcript.map(({ text }) => text).join()).toMatch(
      /BODY=8BITMIME(?!.*SMTPUTF8)/,
    );
  });
});

describe('a message that is composed', () => {
  test('has what its options say', async () => {
    const { code, message } = await send([
      ...COMPOSED,
      '--to',
      'Bob <bob@example.net>, carol@example.net',
      '--cc',
      'cc@example.net',
      '--bcc',
      'bcc@example.net',
      '--reply-to',
      'answers@example.com',
      '--subject',
      'Ваш заказ',
      '--text',
      'Привет!',
      '--html',
      '<p>Привет!</p><img src="cid:logo">',
      '--attach',
      `${folder.file('report.csv', 'a;b\n1;2\n')};type=text/csv; header=present;name=May; June.csv`,
      '--attach',
      folder.file('plain.pdf', '%PDF-'),
      '--inline',
      `${folder.file('logo.png', 'PNG')};cid=logo`,
      '--header',
      'X-Campaign: spring',
      '--list-unsubscribe',
      'https://example.com/u?id=1',
      '--one-click',
      '--auto-submitted',
      'auto-generated',
      '--importance',
      'high',
      '--message-id',
      'one@example.com',
      '--in-reply-to',
      '<zero@example.com>',
      '--references',
      'zero@example.com',
      '--date',
      '2026-01-31T12:00:00+03:00',
    ]);
    expect(code).toBe(0);
    expect(message?.to).toEqual([
      'jane@example.net',
      'bob@example.net',
      'carol@example.net',
      'cc@example.net',
      'bcc@example.net',
    ]);
    expect(message?.subject).toBe('Ваш заказ');
    expect(message?.text?.trim()).toBe('Привет!');
    expect(message?.html).toContain('<p>Привет!</p>');
    expect(
      message?.attachments.map(({ filename, contentType, size }) => [filename, contentType, size]),
    ).toEqual([
      ['logo.png', 'image/png', 3],
      ['May; June.csv', 'text/csv', 8],
      ['plain.pdf', 'application/pdf', 5],
    ]);
    for (const [name, value] of [
      ['from', 'Shop <shop@example.com>'],
      ['reply-to', 'answers@example.com'],
      ['x-campaign', 'spring'],
      ['list-unsubscribe', '<https://example.com/u?id=1>'],
      ['list-unsubscribe-post', 'List-Unsubscribe=One-Click'],
      ['auto-submitted', 'auto-generated'],
      ['importance', 'high'],
      ['message-id', '<one@example.com>'],
      ['in-reply-to', '<zero@example.com>'],
      ['references', '<zero@example.com>'],
      ['date', 'Sat, 31 Jan 2026 09:00:00 +0000'],
    ])
      expect([name, headerOf(message, name as string)]).toEqual([name, value]);
    expect(headerOf(message, 'bcc')).toBeUndefined();
  });

  test('takes its texts from files and from a pipe, and its author from the settings', async () => {
    const { message } = await send(
      [
        '--to',
        'a@example.net',
        '--text-file',
        '-',
        '--html-file',
        folder.file('a.html', '<b>ü</b>'),
      ],
      { stdin: 'From the pipe: ü', env: { POSTHORN_FROM: 'Me <me@example.com>' } },
    );
    expect(message?.from).toBe('me@example.com');
    expect(message?.text?.trim()).toBe('From the pipe: ü');
    expect(message?.html?.trim()).toBe('<b>ü</b>');
    expect(headerOf(message, 'date')).toBe('Tue, 03 Feb 2026 04:05:06 +0000');
    expect(NOW.getTime()).toBe(Date.parse(headerOf(message, 'date') as string));
  });

  test('is signed by --dkim, also with a file that is streamed', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = folder.file('key.pem', String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
    const words = [
      ...COMPOSED,
      '--text',
      'x',
      '--attach',
      folder.file('big.bin', Buffer.alloc(300_000)),
      '--dkim',
      `example.com/mail/${key}`,
    ];
    const { code, message, err } = await send(words);
    expect([code, err]).toEqual([0, '']);
    expect(headerOf(message, 'dkim-signature')).toMatch(/d=example.com;\s*s=mail;/);
    expect(message?.attachments[0]?.size).toBe(300_000);
  });

  test('uses 8BITMIME with --transfer-encoding as-is where it is offered', async () => {
    const words = [...COMPOSED, '--text', 'Grüße', '--transfer-encoding', 'as-is'];
    const plain = (await send([...words, '--ignore-extension', '8bitmime'])).message;
    const asIs = (await send(words)).message;
    expect([
      headerOf(plain, 'content-transfer-encoding'),
      headerOf(asIs, 'content-transfer-encoding'),
    ]).toEqual(['base64', '8bit']);
  });

  test.each([
    [
      'an address',
      ['--from', 'a@example.com', '--to', 'two words@example.com'],
      65,
      /addresses of --to: invalid at 0/,
    ],
    [
      'a line break in the subject',
      [...COMPOSED, '--subject', 'a\r\nBcc: x@example.org'],
      65,
      /Cannot compose the message: subject: invalid; look at --subject/,
    ],
    [
      'a field of its own',
      [...COMPOSED, '--header', 'From: x@example.org'],
      65,
      /look at --header\n/,
    ],
    [
      'a field without a colon',
      [...COMPOSED, '--header', 'x'],
      64,
      /--header x: it has to be 'Name: value'/,
    ],
    ['no author', ['--to', 'a@example.net'], 64, /no author: give --from/],
    ['no recipients', ['--from', 'a@example.net'], 64, /no recipients: give --to/],
    [
      'a file that is not there',
      [...COMPOSED, '--attach', '/no/such'],
      66,
      /Cannot read \/no\/such: ENOENT/,
    ],
    ['a picture without a name', [...COMPOSED, '--inline', 'x.png'], 64, /needs ;cid=/],
    ['a date', [...COMPOSED, '--date', 'yesterday'], 64, /--date yesterday: a date is meant/],
    [
      'two texts',
      [...COMPOSED, '--text', 'a', '--text-file', 'b'],
      64,
      /There are --text and --text-file/,
    ],
    ['one click to nowhere', [...COMPOSED, '--one-click'], 64, /--one-click needs/],
    [
      'a size',
      [...COMPOSED, '--text', 'x'.repeat(2_000), '--max-size', '1000'],
      65,
      /The message has \d+ octets, \d+ more than --max-size allows/,
    ],
    [
      'a key',
      [...COMPOSED, '--dkim', 'example.com/mail//no/such'],
      78,
      /Cannot read the key of --dkim from \/no\/such: ENOENT/,
    ],
    [
      'a key by a short name',
      [...COMPOSED, '--dkim', 'example.com'],
      64,
      /domain\/selector\/key-file/,
    ],
    [
      'an importance',
      [...COMPOSED, '--importance', 'huge'],
      64,
      /Allowed choices are high, normal, low/,
    ],
    [
      'a port',
      [...COMPOSED, '--port', '70000'],
      64,
      /'--port <n>' argument '70000' is invalid. it has to be a whole number from 1 to 65535/,
    ],
    ['a deadline', [...COMPOSED, '--timeout', 'lunch=1'], 64, /there are connect, tls, greeting/],
    [
      'an option',
      [...COMPOSED, '--subjct', 'x'],
      64,
      /unknown option '--subjct'\n\(Did you mean --subject\?\)/,
    ],
    ['a date for later', [...COMPOSED, '--deliver-by', '1;X'], 64, /seconds are meant/],
    [
      'a report',
      [...COMPOSED, '--dsn-notify', 'never,success'],
      64,
      /--dsn-notify never,success: never, or/,
    ],
  ] as const)('is refused for %s, before anything is sent', async (_, words, code, why) => {
    const ended = await send(words);
    expect([ended.code, ended.message]).toEqual([code, undefined]);
    expect(ended.err).toMatch(why);
    expect(ended.err).not.toMatch(/^ +at /m);
  });

  test('standard input can be read once', async () => {
    const words = [...COMPOSED, '--text-file', '-', '--attach', '-;name=a.txt'];
    expect((await send(words, { stdin: 'x' })).err).toMatch(/Standard input, -, can be read once/);
  });
});

describe('what is told', () => {
  test('--print writes the message that would go out, and sends nothing', async () => {
    const { code, out, err, message } = await send([
      ...COMPOSED,
      '--text',
      'Hi',
      '--bcc',
      'b@example.net',
      '--print',
    ]);
    expect([code, err, message]).toEqual([0, '', undefined]);
    expect(out).toMatch(
      /^From: Shop <shop@example.com>\r\nTo: jane@example.net\r\n[\s\S]*\r\n\r\nHi\r\n$/,
    );
    expect(out).not.toContain('b@example.net');
    const again = await send(['--print'], { stdin: out.replace(/\r/g, '') });
    expect(again.out).toBe(out);
  });

  test('--json is the receipt', async () => {
    const { out, message } = await send([...COMPOSED, '--text', 'Hi', '--json']);
    const receipt = JSON.parse(out);
    expect(receipt).toMatchObject({
      exit: 0,
      delivery: 'accepted',
      accepted: ['jane@example.net'],
      rejected: [],
      reply: { code: 250, lines: [expect.stringContaining(message?.id as string)] },
      octets: message?.size,
      messageId: headerOf(message, 'message-id'),
    });
  });

  test('--json is the failure', async () => {
    const { code, out } = await send([...COMPOSED, '--text', 'Hi', '--json'], {
      env: { POSTHORN_PASS: 'wrong' },
    });
    expect(code).toBe(77);
    expect(JSON.parse(out)).toMatchObject({
      exit: 77,
      exitName: 'EX_NOPERM',
      delivery: 'not-sent',
      code: 'ERR_SMTP_AUTH',
      phase: 'auth',
      reply: { code: 535 },
    });
    const usage = await send(['--json', '--nothing']);
    expect([usage.code, JSON.parse(usage.out)]).toMatchObject([
      64,
      { exit: 64, message: "error: unknown option '--nothing'" },
    ]);
  });

  test('-v is the dialogue, timed, and without the password', async () => {
    const { err, out } = await send([...COMPOSED, '--text', 'Hi', '-v'], {
      env: { POSTHORN_PASS: 'test' },
    });
    expect(err).toMatch(/^ +\d+ ms ! S: 220 /m);
    expect(err).toMatch(/^ +\d+ ms {3}C: AUTH PLAIN \*\*\*$/m);
    expect(err).toMatch(/^ +\d+ ms {3}C: MAIL FROM:<shop@example.com>/m);
    expect(err).toMatch(/^ +\d+ ms {3}S: 250/m);
    expect(err).not.toContain(Buffer.from('\x001website\0test').toString('base64'));
    expect(out).toContain('Accepted for');
  });

  test('a bar is shown at a terminal for what is large, and nothing where it is not wanted', async () => {
    const words = [...COMPOSED, '--attach', folder.file('large.bin', Buffer.alloc(400_000))];
    const shown = await send(words, { isTTY: true });
    expect([shown.code, shown.err]).toEqual([
      0,
      expect.stringMatching(/100%|\d+% {2}\d+ of \d+ octets/),
    ]);
    expect((await send(words)).err).toBe('');
    expect((await send([...words, '--no-progress'], { isTTY: true })).err).toBe('');
    expect((await send([...COMPOSED, '--text', 'x'], { isTTY: true })).err).toBe('');
  });

  test('that nobody reads what is told changes nothing', async () => {
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const { code, message } = await send([...COMPOSED, '--text', 'Hi'], { stdoutError: gone });
    expect([code, message?.text?.trim()]).toEqual([0, 'Hi']);
    expect((await send([...COMPOSED, '--print'], { stdoutError: gone })).code).toBe(0);
    const full = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' });
    expect((await send([...COMPOSED, '--print'], { stdoutError: full })).code).toBe(74);
    expect((await send([...COMPOSED, '--text', 'Hi'], { stdoutError: full })).code).toBe(0);
  });

  test('a certificate that is not checked is warned of', async () => {
    const { POSTHORN_CA: _, ...env } = used.env;
    const trusting = await run(['send', ...COMPOSED, '--no-verify', '--json'], { env });
    expect([trusting.code, trusting.err]).toEqual([
      0,
      expect.stringMatching(/^posthorn: warning: .* not checked/),
    ]);
    const checking = await run(['send', ...COMPOSED], { env });
    expect(checking.code).toBe(78);
  });
});

describe('--dry-run', () => {
  test('tells size, parts, envelope and what is asked, and opens no connection', async () => {
    const words = [
      ...COMPOSED,
      '--bcc',
      'b@example.net',
      '--subject',
      'Grüße',
      '--text',
      'Привет',
      '--html',
      '<p>Привет</p>',
      '--attach',
      folder.file('отчёт.pdf', 'x'.repeat(1_000)),
      '--require-tls',
      '--dsn-notify',
      'success,delay',
      '--dsn-ret',
      'hdrs',
      '--dsn-envid',
      'id 1',
      '--deliver-by',
      '3600;r',
      '--priority',
      '3',
      '--hold-for',
      '60',
    ];
    // There is nobody at that port.
    const { code, out, err } = await run([
      'send',
      '--dry-run',
      ...words,
      '--host',
      '127.0.0.1',
      '--port',
      '1',
    ]);
    expect([code, err]).toEqual([0, '']);
    const printed = await run(['send', '--print', ...words, '--message-id', 'x@example.com']);
    const size = Number(/^Size +(\d+) octets$/m.exec(out)?.[1]);
    const id = /<.*@example.com>/.exec(out)?.[0] ?? '';
    expect(size).toBe(Buffer.byteLength(printed.out) + id.length - '<x@example.com>'.length);
    expect(out.replace(/<[\w-]+@example.com>/, '<ID>').replaceAll(String(size), 'SIZE')).toBe(
      [
        'From        shop@example.com',
        'To          jane@example.net',
        '            b@example.net',
        'Size        SIZE octets',
        'Message-ID  <ID>',
        'Parts       multipart/mixed',
        '              multipart/alternative',
        '                text/plain; charset=utf-8, base64, 12 octets',
        '                text/html; charset=utf-8, base64, 19 octets',
        '              application/pdf, отчёт.pdf, base64, 1000 octets',
        'Server      127.0.0.1:1, STARTTLS, required',
        'Asks        MAIL FROM:<shop@example.com> SIZE=SIZE REQUIRETLS RET=HDRS ENVID=id+201 BY=3600;R MT-PRIORITY=3 HOLDFOR=60',
        '            RCPT TO:<jane@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;jane@example.net',
        '            RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@example.net',
        'Needs       REQUIRETLS, DSN, DELIVERBY, MT-PRIORITY, FUTURERELEASE',
        'Sent        nothing: this is a dry run',
        '',
      ].join('\n'),
    );
    const dropping = await run([
      'send',
      '--dry-run',
      ...words,
      '--on-unsupported',
      'drop',
      '--json',
    ]);
    expect(JSON.parse(dropping.out)).toMatchObject({
      exit: 0,
      dryRun: true,
      delivery: 'not-sent',
      needs: ['REQUIRETLS', 'FUTURERELEASE'],
      parts: [{}, {}, {}, {}, { filename: 'отчёт.pdf', isAttachment: true, size: 1_000, depth: 1 }],
    });
    expect(out).not.toContain('Rules');
  });

  test('holds a message against the rules of a provider, composed or not', async () => {
    const good = [
      '--from',
      'shop@example.com',
      '--to',
      'jane@example.net',
      '--html',
      '<a href="[Unsubscribe]">a</a> <a href="[WebVersion]">b</a>',
    ];
    const fine = await run(['send', '--dry-run', '--profile', 'devino', ...good]);
    expect([fine.code, fine.out]).toEqual([
      0,
      expect.stringContaining('Rules       devino: nothing to object to\n'),
    ]);
    expect(fine.out).toContain('Server      integrationapi.net:587, STARTTLS, required');
    const { out: eml } = await run(['send', '--print', ...good]);
    expect((await run(['send', '--dry-run', '--profile', 'devino'], { stdin: eml })).out).toContain(
      'nothing to object to',
    );

    const bad = [
      ...good,
      '--cc',
      'two@example.net',
      '--attach',
      folder.file('x.zip', Buffer.alloc(600_000)),
    ];
    const refused = await run(['send', '--dry-run', '--profile', 'devino', ...bad]);
    expect(refused.code).toBe(65);
    for (const rule of ['error recipient-count', 'error attachments', 'error too-large'])
      expect(refused.out).toContain(`devino: ${rule}`);
    const { out: heavy } = await run(['send', '--print', ...bad]);
    const asFile = await run(['send', '--dry-run', '--profile', 'devino', '--json'], {
      stdin: heavy,
    });
    expect([
      asFile.code,
      JSON.parse(asFile.out).problems.map(({ rule }: { rule: string }) => rule),
    ]).toEqual([65, ['recipient-count', 'attachments', 'too-large']]);
    const unconfirmed = await run([
      'send',
      '--dry-run',
      '--profile',
      'devino',
      ...good,
      '--confirmed-sender',
      'other@example.com',
    ]);
    expect([unconfirmed.code, unconfirmed.out]).toEqual([
      65,
      expect.stringContaining('sender-not-confirmed'),
    ]);
    const tagless = ['--from', 'shop@example.com', '--to', 'jane@example.net', '--text', 'Hi'];
    expect((await run(['send', '--dry-run', '--profile', 'devino', ...tagless])).code).toBe(0);
    expect(
      (await run(['send', '--dry-run', '--profile', 'devino', ...tagless, '--tags', 'reject']))
        .code,
    ).toBe(65);
  });
});

test('with --profile the rules are asked before a connection is made', async () => {
  const words = [...COMPOSED, '--profile', 'devino', '--attach', folder.file('a.txt', 'x')];
  const refused = await send(words);
  expect([refused.code, refused.message]).toEqual([65, undefined]);
  expect(refused.err).toMatch(/The rules of the provider forbid it: attachments: /);
  const warned = await send([...COMPOSED, '--profile', 'devino', '--text', 'x']);
  expect([warned.code, warned.err]).toEqual([0, expect.stringMatching(/warning: tag-missing: /)]);
});

test('a file may be as large as it likes: what is sent is what was there', async () => {
  const content = Buffer.alloc(700_000, 'Привет, мир! ');
  const { code, message } = await send([
    ...COMPOSED,
    '--attach',
    folder.file('large.txt', content),
  ]);
  expect([code, message?.attachments[0]?.size]).toEqual([0, content.length]);
  // More than is kept in memory of a pipe.
  const eml = `From: a@example.com\nTo: b@example.com\n\n${'0123456789\n'.repeat(100_000)}`;
  const piped = await send(['-'], { stdin: eml });
  expect(piped.message?.size).toBe(eml.replace(/\n/g, '\r\n').length);
  expect(readFileSync(folder.file('same.eml', eml), 'utf8')).toBe(eml);
});
