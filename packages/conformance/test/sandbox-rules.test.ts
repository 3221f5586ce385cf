import { describe, expect, test } from 'vitest';
import { PROFILES, REFUSALS, type RefusalReason, type SandboxOptions } from '../src/index.ts';
import {
  base64,
  type Dialogue,
  FROM,
  mail,
  mailWithFile,
  PASS,
  type Route,
  TAGS,
  TO,
  USER,
  useBench,
} from './support.ts';

const { start, knock, talk } = useBench();

const MAIL = `MAIL FROM:<${FROM}>`;
const RCPT = `RCPT TO:<${TO}>`;
const QUEUED = /^250 Ok: queued as [\da-f-]{36}$/;

/** Each of the six, its whole reply, and what provokes it. */
const CASES: readonly {
  readonly reason: RefusalReason;
  readonly line: string;
  readonly login?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly content?: string;
}[] = [
  {
    reason: 'not-authenticated',
    line: 'Must authenticate before sending mail',
    login: false,
  },
  {
    reason: 'server-error',
    line: 'Internal server error',
    to: '554+internal@devinotele.com',
  },
  {
    reason: 'attachment-type',
    line: 'Not allowed attachement type exe',
    content: mailWithFile('Setup.EXE'),
  },
  {
    reason: 'too-large',
    line: 'Message exceeds fixed size limit',
    content: mail(`${TAGS}${`\r\n${'x'.repeat(98)}`.repeat(5_200)}`),
  },
  {
    reason: 'invalid-recipient',
    line: 'Invalid recipient address: 554+invalid@devinotele.com',
    to: '554+invalid@devinotele.com',
  },
  {
    reason: 'sender-not-confirmed',
    line: 'Disallowed source address: other@devinotele.com',
    from: 'other@devinotele.com',
  },
];

/** The replies up to and with the refusal, for each stage at which it is given. */
const BEFORE = {
  mail: [],
  rcpt: ['250 Accepted'],
  data: ['250 Accepted', '250 Accepted', '354 End data with <CR><LF>.<CR><LF>'],
} as const;

async function provoke(
  options: SandboxOptions,
  { login = true, content, ...envelope }: Omit<(typeof CASES)[number], 'reason' | 'line'>,
  route: Route = 'implicit',
): Promise<{ replies: (string | undefined)[]; kept: number; dialogue: Dialogue }> {
  const sandbox = await start(options);
  const dialogue = await talk(sandbox, { route, login });
  const { from = FROM, to = TO } = envelope;
  const replies = await dialogue.send(content, { from, to: [to] });
  return { replies, kept: sandbox.inbox.messages.length, dialogue };
}

describe('the six documented 554s', () => {
  test('the texts are those of the provider, letter by letter', () => {
    expect(REFUSALS).toEqual({
      'not-authenticated': { text: 'Must authenticate before sending mail', stage: 'mail' },
      'server-error': { text: 'Internal server error', stage: 'data' },
      'attachment-type': { text: 'Not allowed attachement type', stage: 'data' },
      'too-large': { text: 'Message exceeds fixed size limit', stage: 'data' },
      'invalid-recipient': { text: 'Invalid recipient address:', stage: 'rcpt' },
      'sender-not-confirmed': { text: 'Disallowed source address:', stage: 'mail' },
    });
  });

  for (const { reason, line, ...how } of CASES) {
    const byDefault = REFUSALS[reason].stage as keyof typeof BEFORE;

    for (const route of ['starttls', 'implicit'] as const) {
      test(`${reason} at ${byDefault}, its default stage, by ${route}`, async () => {
        const { replies, kept, dialogue } = await provoke({}, how, route);
        expect(replies).toEqual([...BEFORE[byDefault], `554 ${line}`]);
        expect(kept).toBe(0);
        expect(await dialogue.ask('RSET')).toBe('250 Flushed');
      });
    }

    test(`${reason} with a prefix and an enhanced status code`, async () => {
      const options = { prefix: 'Transaction failed: ', enhancedStatusCodes: true };
      const { replies } = await provoke(options, how);
      expect(replies.at(-1)).toBe(`554 5.7.1 Transaction failed: ${line}`);
    });
  }

  test.each([
    ['not-authenticated', 'rcpt'],
    ['not-authenticated', 'data'],
    ['server-error', 'rcpt'],
    ['invalid-recipient', 'data'],
    ['sender-not-confirmed', 'rcpt'],
    ['sender-not-confirmed', 'data'],
  ] as const)('%s at %s, where an option puts it', async (reason, stage) => {
    const { line, ...how } =
      CASES.find((one) => one.reason === reason) ?? CASES[0] ?? expect.fail();
    const { replies, kept } = await provoke({ stages: { [reason]: stage } }, how);
    expect(replies).toEqual([...BEFORE[stage], `554 ${line}`]);
    expect(kept).toBe(0);
  });

  test('of two refusals at one stage the one that was known first is given', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox, { login: false });
    expect(await dialogue.send(mail(), { from: 'other@devinotele.com' })).toEqual([
      '554 Must authenticate before sending mail',
    ]);
  });

  test('a refused message leaves nothing behind for the next one', async () => {
    const sandbox = await start({ stages: { 'sender-not-confirmed': 'data' } });
    const dialogue = await talk(sandbox);
    const refused = await dialogue.send(mail(), { from: 'other@devinotele.com' });
    expect(refused.at(-1)).toBe('554 Disallowed source address: other@devinotele.com');
    expect((await dialogue.send()).at(-1)).toMatch(QUEUED);
    expect(sandbox.inbox.messages[0]?.verdicts.map(({ outcome }) => outcome)).toEqual(
      Array(8).fill('pass'),
    );
  });
});

describe('login', () => {
  const LOGIN = ['AUTH LOGIN', base64(USER)];

  test('AUTH PLAIN with an initial response and without one', async () => {
    const sandbox = await start();
    const first = await talk(sandbox, { login: false });
    expect(await first.ask(`AUTH PLAIN ${base64(`\0${USER}\0${PASS}`)}`)).toBe(
      '235 Authentication successful',
    );
    const second = await talk(sandbox, { login: false });
    expect(await second.ask('AUTH PLAIN')).toBe('334 ');
    expect(await second.ask(base64(`\0${USER}\0${PASS}`))).toBe('235 Authentication successful');
  });

  test('AUTH LOGIN with the name in the command and without it', async () => {
    const sandbox = await start();
    const first = await talk(sandbox, { login: false });
    expect(await first.ask('AUTH LOGIN')).toBe('334 VXNlcm5hbWU6');
    expect(await first.ask(base64(USER))).toBe('334 UGFzc3dvcmQ6');
    expect(await first.ask(base64(PASS))).toBe('235 Authentication successful');
    const second = await talk(sandbox, { login: false });
    expect(await second.ask(LOGIN.join(' '))).toBe('334 UGFzc3dvcmQ6');
    expect(await second.ask(base64(PASS))).toBe('235 Authentication successful');
  });

  test('a wrong password or an unknown name gets 535, and a later MAIL the documented 554', async () => {
    const dialogue = await talk(await start(), { login: false });
    expect(await dialogue.ask(`AUTH PLAIN ${base64(`\0${USER}\0wrong`)}`)).toBe(
      '535 Authentication failure',
    );
    expect(await dialogue.ask(LOGIN.join(' '))).toBe('334 UGFzc3dvcmQ6');
    expect(await dialogue.ask(base64(''))).toBe('535 Authentication failure');
    for (const name of ['nobody', 'toString', '__proto__'])
      expect(await dialogue.ask(`AUTH PLAIN ${base64(`\0${name}\0${PASS}`)}`)).toBe(
        '535 Authentication failure',
      );
    expect(await dialogue.ask(MAIL)).toBe('554 Must authenticate before sending mail');
    expect(await dialogue.ask(`AUTH PLAIN ${base64(`\0${USER}\0${PASS}`)}`)).toBe(
      '235 Authentication successful',
    );
    expect(await dialogue.ask(MAIL)).toBe('250 Accepted');
  });

  test('with not-authenticated at auth a wrong password gets 554 there, and no login gets it at MAIL', async () => {
    const sandbox = await start({ stages: { 'not-authenticated': 'auth' } });
    const dialogue = await talk(sandbox, { login: false });
    expect(await dialogue.ask(`AUTH PLAIN ${base64(`\0${USER}\0wrong`)}`)).toBe(
      '554 Must authenticate before sending mail',
    );
    expect(await dialogue.ask(MAIL)).toBe('554 Must authenticate before sending mail');
  });

  test('the logins are an option', async () => {
    const sandbox = await start({ credentials: { имя: 'пароль' } });
    const dialogue = await talk(sandbox, { login: false });
    expect(await dialogue.ask(`AUTH PLAIN ${base64(`\0${USER}\0${PASS}`)}`)).toBe(
      '535 Authentication failure',
    );
    expect(await dialogue.ask(`AUTH PLAIN ${base64('\0имя\0пароль')}`)).toBe(
      '235 Authentication successful',
    );
    await dialogue.send();
    expect(sandbox.inbox.messages[0]?.user).toBe('имя');
  });

  test('before STARTTLS there is no AUTH, and MAIL is refused', async () => {
    const sandbox = await start();
    const dialogue = await knock(sandbox, 'plain');
    expect(await dialogue.reply()).toBe('220 sandbox.localhost ESMTP');
    expect(await dialogue.ask('EHLO client.example')).toBe(
      '250-sandbox.localhost Nice to meet you, [127.0.0.1]\n250-PIPELINING\n250-8BITMIME\n250-SMTPUTF8\n250-AUTH LOGIN PLAIN\n250 STARTTLS',
    );
    expect(await dialogue.ask('AUTH LOGIN')).toBe('538 Error: Must issue a STARTTLS command first');
    expect(await dialogue.ask(MAIL)).toBe('554 Must authenticate before sending mail');
  });

  test('a client from an address that is not allowed is refused in place of the greeting', async () => {
    const sandbox = await start({ allowedAddresses: ['127.0.0.2'] });
    for (const route of ['plain', 'implicit'] as const) {
      const dialogue = await knock(sandbox, route);
      expect(await dialogue.reply()).toBe('554 127.0.0.1 is not allowed to connect');
      expect(await dialogue.reply()).toBeUndefined();
    }
  });

  test('a client from an allowed address is greeted', async () => {
    const sandbox = await start({ allowedAddresses: ['127.0.0.1'] });
    expect(await (await knock(sandbox, 'implicit')).reply()).toBe('220 sandbox.localhost ESMTP');
  });
});

describe('senders', () => {
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

describe('recipients', () => {
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
    });
  });

  test('no recipients, no data', async () => {
    const dialogue = await talk(await start());
    expect(await dialogue.ask(RCPT)).toBe('503 Error: need MAIL command');
    await dialogue.ask(MAIL);
    expect(await dialogue.ask('DATA')).toBe('503 Error: need RCPT command');
  });
});

describe('size', () => {
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

describe('attachments', () => {
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

describe('tags', () => {
  const verdict = async (options: SandboxOptions, body: string): Promise<unknown> => {
    const sandbox = await start(options);
    const dialogue = await talk(sandbox);
    const last = (await dialogue.send(mail(body))).at(-1);
    if (!last?.startsWith('250')) return last;
    return sandbox.inbox.messages[0]?.verdicts.find(({ rule }) => rule === 'tags');
  };
  const base = { rule: 'tags', stage: 'data', grade: 'guess' };

  test('a missing tag is a warning by default', async () => {
    expect(await verdict({}, 'no tag')).toEqual({
      ...base,
      outcome: 'warn',
      detail: 'without [Unsubscribe] and [WebVersion]',
    });
    expect(await verdict({}, '[Unsubscribe]')).toEqual({
      ...base,
      outcome: 'warn',
      detail: 'without [WebVersion]',
    });
  });

  test('both tags pass', async () => {
    expect(await verdict({}, TAGS)).toEqual({ ...base, outcome: 'pass', detail: 'all tags' });
  });

  test('in strict mode a missing tag is refused, with a text of the sandbox', async () => {
    expect(await verdict({ tags: 'reject' }, '[WebVersion]')).toBe(
      '554 Transaction failed: without [Unsubscribe]',
    );
    expect(await verdict({ tags: 'reject', enhancedStatusCodes: true }, '[WebVersion]')).toBe(
      '554 5.7.1 Transaction failed: without [Unsubscribe]',
    );
    expect(await verdict({ tags: 'reject' }, TAGS)).toMatchObject({ outcome: 'pass' });
  });

  test('with tags off nothing is said, and the rules of 2016 know no tags', async () => {
    expect(await verdict({ tags: 'off' }, 'no tag')).toMatchObject({ outcome: 'pass' });
    expect(await verdict({ profile: '2016', tags: 'reject' }, 'no tag')).toMatchObject({
      outcome: 'pass',
    });
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

describe('charset', () => {
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

test('the verdicts of an accepted message, in the order in which the rules were asked', async () => {
  const sandbox = await start();
  await (await talk(sandbox, { route: 'starttls' })).send();
  const [message] = sandbox.inbox.messages;
  expect(message?.verdicts.map(({ rule, stage, outcome }) => [rule, stage, outcome])).toEqual([
    ['auth', 'mail', 'pass'],
    ['sender', 'mail', 'pass'],
    ['recipient', 'rcpt', 'pass'],
    ['size', 'data', 'pass'],
    ['first-recipient', 'data', 'pass'],
    ['attachments', 'data', 'pass'],
    ['charset', 'data', 'pass'],
    ['tags', 'data', 'pass'],
  ]);
  expect(message).toMatchObject({ secure: true, user: USER, from: FROM, to: [TO], notSentTo: [] });
});
