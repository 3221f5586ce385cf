import { describe, expect, test } from 'vitest';
import { PROFILES, type SandboxOptions } from '../src/index.ts';
import { base64, FROM, mail, mailWithFile, TAGS, TO, USER, useBench } from './support.ts';

const { start, talk } = useBench();

const MAIL = `MAIL FROM:<${FROM}>`;
const RCPT = `RCPT TO:<${TO}>`;
const QUEUED = /^250 Ok: queued as [\da-f-]{36}$/;

describe.concurrent('senders', () => {
  const refusal = (address: string): string => `554 Disallowed source address: ${address}`;

  test('only confirmed senders, the domain without case, the local part with it', async () => {
    const dialogue = await talk(await start({ confirmedSenders: ['News@example.com'] }));
    expect(await dialogue.ask('MAIL FROM:<News@EXAMPLE.com>')).toBe('250 Accepted');
    await dialogue.ask('RSET');
    expect(await dialogue.ask('MAIL FROM:<news@example.com>')).toBe(refusal('news@example.com'));
    expect(await dialogue.ask(MAIL)).toBe(refusal(FROM));
  });

  test('the null sender is refused without an address behind the text', async () => {
    const dialogue = await talk(await start());
    expect(await dialogue.ask('MAIL FROM:<>')).toBe('554 Disallowed source address:');
  });

  test('an international domain is confirmed in either of its forms', async () => {
    const dialogue = await talk(
      await start({ confirmedSenders: ['a@xn--e1afmkfd.xn--p1ai', 'b@пример.рф'] }),
    );
    for (const address of ['a@xn--e1afmkfd.xn--p1ai', 'b@xn--e1afmkfd.xn--p1ai', 'a@ПРИМЕР.рф']) {
      expect(await dialogue.ask(`MAIL FROM:<${address}> SMTPUTF8`)).toBe('250 Accepted');
      await dialogue.ask('RSET');
    }
  });
});

describe.concurrent('recipients', () => {
  const refusal = (address: string): string => `554 Invalid recipient address: ${address}`;

  test('addresses at .invalid, 554+invalid@ and those of the option are refused', async () => {
    const sandbox = await start({ invalidRecipient: (address) => address.startsWith('bad@') });
    const dialogue = await talk(sandbox);
    await dialogue.ask(MAIL);
    for (const address of ['a@b.invalid', 'A@B.INVALID', '554+invalid@example.com', 'bad@x.org'])
      expect(await dialogue.ask(`RCPT TO:<${address}>`)).toBe(refusal(address));
    for (const address of ['a@invalid.example', 'notbad@x.org', '554+invalidated@example.com'])
      expect(await dialogue.ask(`RCPT TO:<${address}>`)).toBe('250 Accepted');
  });

  test('what the option throws is a fault of the server, and the session goes on', async () => {
    const sandbox = await start({
      invalidRecipient: (address) => {
        if (address === TO) return false;
        throw new Error('no such\r\n250 column');
      },
    });
    const dialogue = await talk(sandbox);
    expect((await dialogue.send(mail(), { to: ['a@b.example', TO] })).slice(0, 3)).toEqual([
      '250 Accepted',
      '554 Internal server error (no such  250 column)',
      '250 Accepted',
    ]);
    expect(sandbox.inbox.messages[0]).toMatchObject({ to: [TO] });
  });

  test('several addresses in To: are a warning, those of a group too', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const group = mail().replace(/^To: .*$/m, 'To: Us: <a@b.example>, <c@d.example>;');
    expect((await dialogue.send(group)).at(-1)).toMatch(QUEUED);
    expect(
      sandbox.inbox.messages[0]?.verdicts.find(({ rule }) => rule === 'first-recipient'),
    ).toMatchObject({
      outcome: 'warn',
      detail: '1 recipients, 2 in To: only the first is sent to',
    });
  });

  test('a bad recipient beside a good one: the good one gets the message', async () => {
    const sandbox = await start({ stages: { 'server-error': 'rcpt' } });
    const dialogue = await talk(sandbox);
    const replies = await dialogue.send(mail(), {
      to: ['x@y.invalid', '554+internal@devinotele.com', TO],
    });
    expect(replies.slice(0, 5)).toEqual([
      '250 Accepted',
      refusal('x@y.invalid'),
      '554 Internal server error',
      '250 Accepted',
      '354 End data with <CR><LF>.<CR><LF>',
    ]);
    expect(replies[5]).toMatch(QUEUED);
    expect(sandbox.inbox.messages[0]).toMatchObject({ to: [TO], notSentTo: [] });
  });

  test('only the first recipient is sent to, the others are accepted', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const others = ['second@devinotele.com', 'third@devinotele.com'];
    expect((await dialogue.send(mail(), { to: [TO, ...others] })).at(-1)).toMatch(QUEUED);
    const message = sandbox.inbox.messages[0];
    expect(message).toMatchObject({ to: [TO, ...others], notSentTo: others });
    expect(message?.verdicts.find(({ rule }) => rule === 'first-recipient')).toEqual({
      rule: 'first-recipient',
      stage: 'data',
      grade: 'documented',
      outcome: 'warn',
      detail: '3 recipients, 1 in To: only the first is sent to',
      quotation:
        'Не указывать в поле "TO" несколько адресов получателя, так как отправка будет сделана только на первый адрес.',
    });
  });

  test('no recipients, no data', async () => {
    const dialogue = await talk(await start());
    expect(await dialogue.ask(RCPT)).toBe('503 Error: need MAIL command');
    await dialogue.ask(MAIL);
    expect(await dialogue.ask('DATA')).toBe('503 Error: need RCPT command');
  });
});

describe.concurrent('size', () => {
  /** A message of exactly so many octets. */
  const sized = (octets: number): string => {
    const message = mail('');
    return `${message}${'x'.repeat(octets - message.length - 2)}\r\n`;
  };

  test.each([
    ['2,000 octets by option', { maxSize: 2_000 }, 2_000],
    ['512,000 octets by default', {}, 512_000],
  ])('%s are taken, one more is refused', async (_, options, limit) => {
    const sandbox = await start(options);
    const dialogue = await talk(sandbox);
    expect((await dialogue.send(sized(limit))).at(-1)).toMatch(QUEUED);
    expect((await dialogue.send(sized(limit + 1))).at(-1)).toBe(
      '554 Message exceeds fixed size limit',
    );
    expect(sandbox.inbox.messages.map(({ size, raw }) => [size, raw.length])).toEqual([
      [limit, limit],
    ]);
    expect(sandbox.inbox.messages[0]?.verdicts.find(({ rule }) => rule === 'size')?.detail).toBe(
      `${limit} of ${limit} octets`,
    );
  });

  test('dots of transparency do not count', async () => {
    const sandbox = await start({ maxSize: 200 });
    const dialogue = await talk(sandbox);
    const message = mail('.dot');
    expect((await dialogue.send(message.replace('\r\n.dot', '\r\n..dot'))).at(-1)).toMatch(QUEUED);
    expect(Buffer.from(sandbox.inbox.messages[0]?.raw ?? []).toString()).toBe(message);
  });

  test('SIZE is not announced by default, and is by option', async () => {
    const quiet = await talk(await start(), { login: false });
    expect(await quiet.ask('EHLO client.example')).not.toContain('SIZE');
    const loud = await talk(await start({ announceSize: true, maxSize: 2_000 }));
    expect((await loud.ask('EHLO client.example'))?.split('\n')).toContain('250 SIZE 2000');
    expect(await loud.ask(`${MAIL} SIZE=2001`)).toMatch(/^552 /);
    expect(await loud.ask(`${MAIL} SIZE=2000`)).toBe('250 Accepted');
    await loud.ask('RSET');
    expect((await loud.send(sized(2_001))).at(-1)).toBe('554 Message exceeds fixed size limit');
  });
});

describe.concurrent('attachments', () => {
  test('any file is refused, by its extension or its type', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    for (const [content, type] of [
      [mailWithFile('report.pdf', 'application/pdf'), 'pdf'],
      [mailWithFile('archive.tar.GZ'), 'gz'],
      [mailWithFile('README'), 'octet-stream'],
      [mailWithFile('x.png', 'image/png').replace('attachment;', 'inline;'), 'png'],
      [mailWithFile('').replace('; filename=""', '').replace('octet-stream', 'zip'), 'zip'],
    ] as const)
      expect((await dialogue.send(content)).at(-1)).toBe(
        `554 Not allowed attachement type ${type}`,
      );
    expect(sandbox.inbox.messages).toEqual([]);
  });

  test('the rules of 2016 refuse 31 extensions and take the rest, up to 10 MB', async () => {
    const { attachments, maxSize } = PROFILES['2016'];
    expect(attachments).toHaveLength(31);
    expect(maxSize).toBe(10_485_760);
    const sandbox = await start({ profile: '2016' });
    const dialogue = await talk(sandbox);
    expect((await dialogue.send(mailWithFile('page.pdf', 'application/pdf'))).at(-1)).toMatch(
      QUEUED,
    );
    expect((await dialogue.send(mailWithFile('page.pdf.Js'))).at(-1)).toBe(
      '554 Not allowed attachement type js',
    );
    expect(sandbox.inbox.messages.map((message) => message.attachments)).toEqual([
      [{ filename: 'page.pdf', contentType: 'application/pdf', size: 3 }],
    ]);
  });
});

describe.concurrent('tags', () => {
  /** Outcome and detail of each verdict on tags, or the refusal. */
  const verdicts = async (options: SandboxOptions, body: string): Promise<unknown> => {
    const sandbox = await start(options);
    const dialogue = await talk(sandbox);
    const last = (await dialogue.send(mail(body))).at(-1);
    if (!last?.startsWith('250')) return last;
    return sandbox.inbox.messages[0]?.verdicts
      .filter(({ rule }) => rule === 'tags')
      .map(({ outcome, detail }) => `${outcome}: ${detail}`);
  };

  test('each missing tag is a warning by default', async () => {
    expect(await verdicts({}, 'no tag')).toEqual([
      'warn: the text has no [Unsubscribe]',
      'warn: the text has no [WebVersion]',
    ]);
    expect(await verdicts({}, '[Unsubscribe]')).toEqual([
      'pass: [Unsubscribe] is there',
      'warn: the text has no [WebVersion]',
    ]);
  });

  test('a tag that one of two texts lacks is a warning that says which', async () => {
    const sandbox = await start();
    const body = `--b\r\n\r\n${TAGS}\r\n--b\r\nContent-Type: text/html\r\n\r\n[WebVersion]\r\n--b--`;
    const content = mail(body, 'Content-Type: multipart/alternative; boundary=b');
    await (await talk(sandbox)).send(content);
    expect(sandbox.inbox.messages[0]?.verdicts.filter(({ rule }) => rule === 'tags')).toMatchObject(
      [
        { outcome: 'warn', detail: 'one of its texts (text/html) has no [Unsubscribe]' },
        { outcome: 'pass' },
      ],
    );
  });

  test('in strict mode a missing tag is refused, with a text of the sandbox', async () => {
    expect(await verdicts({ tags: 'reject' }, '[WebVersion]')).toBe(
      '554 Transaction failed: the text has no [Unsubscribe]',
    );
    expect(await verdicts({ tags: 'reject', enhancedStatusCodes: true }, '[WebVersion]')).toBe(
      '554 5.7.1 Transaction failed: the text has no [Unsubscribe]',
    );
    const passed = ['pass: [Unsubscribe] is there', 'pass: [WebVersion] is there'];
    expect(await verdicts({ tags: 'reject' }, TAGS)).toEqual(passed);
  });

  test('with tags off nothing is said, and the rules of 2016 know no tags', async () => {
    expect(await verdicts({ tags: 'off' }, 'no tag')).toEqual([
      'pass: the text has no [Unsubscribe]',
      'pass: the text has no [WebVersion]',
    ]);
    expect(await verdicts({ profile: '2016', tags: 'reject' }, 'no tag')).toEqual([]);
  });

  test('a tag is also found in HTML', async () => {
    const sandbox = await start({ tags: 'reject' });
    const dialogue = await talk(sandbox);
    const html = mail(
      '<a href="[Unsubscribe]">x</a> <a href="[WebVersion]">y</a>',
      'Content-Type: text/html; charset=utf-8',
    );
    expect((await dialogue.send(html)).at(-1)).toMatch(QUEUED);
  });
});

describe.concurrent('charset', () => {
  test('UTF-8 in the body as it is, and in an encoded-word', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const content = mail(`Привет! ${TAGS}`).replace(
      'Test from smtp',
      `=?utf-8?B?${base64('Привет')}?=`,
    );
    expect((await dialogue.send(content)).at(-1)).toMatch(QUEUED);
    expect(sandbox.inbox.messages[0]).toMatchObject({
      subject: 'Привет',
      text: `Привет! ${TAGS}\n`,
    });
    expect(sandbox.inbox.messages[0]?.verdicts.find(({ rule }) => rule === 'charset')).toEqual({
      rule: 'charset',
      stage: 'data',
      grade: 'documented',
      outcome: 'pass',
      detail: 'UTF-8',
      quotation: 'Сообщения отправляются в кодировке UTF-8.',
    });
  });

  test('another charset is a warning, and is read as what it is', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const content = Buffer.concat([
      Buffer.from(mail('', 'Content-Type: text/plain; charset="windows-1251"')),
      Buffer.from('cff0e8e2e5f2', 'hex'),
      Buffer.from('\r\n'),
    ]);
    expect((await dialogue.send(content)).at(-1)).toMatch(QUEUED);
    const message = sandbox.inbox.messages[0];
    expect(message?.text).toBe('\nПривет\n');
    expect(message?.verdicts.find(({ rule }) => rule === 'charset')).toMatchObject({
      outcome: 'warn',
      detail: 'a part is in windows-1251, not in UTF-8',
    });
  });

  test.each([
    ['a folded field', 'Content-Type: text/plain;\r\n\tcharset=koi8-r', '', 'koi8-r'],
    ['a name that begins like another', 'Content-Type: text/plain; charset=utf-80', '', 'utf-80'],
    [
      'a word of the text',
      'Content-Type: text/plain; charset=utf-8',
      'x; charset=koi8-r',
      undefined,
    ],
    ['a word behind a field', 'Content-Type: text/plain;', 'charset=koi8-r', undefined],
    ['a charset in capitals', 'content-type: text/plain; CHARSET="UTF-8"', '', undefined],
  ])('%s', async (_, field, text, other) => {
    const sandbox = await start({ tags: 'off' });
    await (await talk(sandbox)).send(mail(text, field));
    expect(sandbox.inbox.messages[0]?.verdicts.find(({ rule }) => rule === 'charset')?.detail).toBe(
      other ? `a part is in ${other}, not in UTF-8` : 'UTF-8',
    );
  });

  test('addresses in UTF-8', async () => {
    const sandbox = await start({ confirmedSenders: ['почта@пример.рф'] });
    const dialogue = await talk(sandbox);
    expect(await dialogue.ask('MAIL FROM:<почта@пример.рф> SMTPUTF8 BODY=8BITMIME')).toBe(
      '250 Accepted',
    );
    expect(await dialogue.ask('RCPT TO:<кому@плохо.invalid>')).toBe(
      '554 Invalid recipient address: кому@плохо.invalid',
    );
    expect(await dialogue.ask('RCPT TO:<кому@пример.рф>')).toBe('250 Accepted');
  });
});

test.concurrent('the verdicts of an accepted message, in the order in which the rules were asked', async () => {
  const sandbox = await start();
  await (await talk(sandbox, { route: 'starttls' })).send();
  const [message] = sandbox.inbox.messages;
  expect(message?.verdicts.map(({ rule, stage, outcome }) => [rule, stage, outcome])).toEqual([
    ['ip-allow', 'connect', 'pass'],
    ['tls', 'mail', 'pass'],
    ['auth', 'mail', 'pass'],
    ['sender', 'mail', 'pass'],
    ['recipient', 'rcpt', 'pass'],
    ['size', 'data', 'pass'],
    ['mime', 'data', 'pass'],
    ['first-recipient', 'data', 'pass'],
    ['attachments', 'data', 'pass'],
    ['charset', 'data', 'pass'],
    ['tags', 'data', 'pass'],
    ['tags', 'data', 'pass'],
    ['filter', 'data', 'pass'],
  ]);
  expect(message).toMatchObject({ secure: true, user: USER, from: FROM, to: [TO], notSentTo: [] });
});

test.concurrent('a message that the parser gives up on is a fault of the server, and the session goes on', async () => {
  const sandbox = await start();
  const dialogue = await talk(sandbox);
  const nested = Array.from(
    { length: 101 },
    (_, at) => `--${at}\r\nContent-Type: multipart/mixed; boundary=${at + 1}\r\n\r\n`,
  );
  const replies = await dialogue.send(
    mail(nested.join(''), 'Content-Type: multipart/mixed; boundary=0'),
  );
  expect(replies.at(-1)).toBe(
    '554 Internal server error (Maximum MIME nesting depth of 100 levels exceeded)',
  );
  expect((await dialogue.send()).at(-1)).toMatch(QUEUED);
});
