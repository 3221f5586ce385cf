import { describe, expect, test } from 'vitest';
import { REFUSALS, type RefusalReason, type SandboxOptions } from '../src/index.ts';
import { POSSIBLE_STAGES } from '../src/sandbox/profile.ts';
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

describe.concurrent('the six documented 554s', () => {
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

  test('the stages at which each can be given', () => {
    expect(POSSIBLE_STAGES).toEqual({
      'not-authenticated': ['auth', 'mail', 'rcpt', 'data'],
      'server-error': ['rcpt', 'data'],
      'attachment-type': ['data'],
      'too-large': ['mail', 'data'],
      'invalid-recipient': ['rcpt', 'data'],
      'sender-not-confirmed': ['mail', 'rcpt', 'data'],
    });
  });

  test('too-large at mail, where its SIZE says so, and behind the content where it does not', async () => {
    const sandbox = await start({ stages: { 'too-large': 'mail' }, maxSize: 2_000 });
    const dialogue = await talk(sandbox);
    const refused = '554 Message exceeds fixed size limit';
    expect(await dialogue.ask(`${MAIL} SIZE=2001`)).toBe(refused);
    expect(await dialogue.ask(`${MAIL} SIZE=2000`)).toBe('250 Accepted');
    expect(await dialogue.ask('RSET')).toBe('250 Flushed');
    const replies = await dialogue.send(mail('x'.repeat(2_000)));
    expect(replies).toEqual([...BEFORE.data, refused]);
    expect(sandbox.inbox.messages).toEqual([]);
  });

  test('at its default stage too-large says nothing to SIZE', async () => {
    const dialogue = await talk(await start());
    expect(await dialogue.ask(`${MAIL} SIZE=512001`)).toBe('250 Accepted');
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
      Array(13).fill('pass'),
    );
  });
});

describe.concurrent('login', () => {
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

  test.each(['127.0.0.1', '::ffff:127.0.0.1', '::FFFF:7f00:1'])(
    'a client from the allowed address %s is greeted',
    async (address) => {
      const sandbox = await start({ allowedAddresses: ['::1', address] });
      expect(await (await knock(sandbox, 'implicit')).reply()).toBe('220 sandbox.localhost ESMTP');
    },
  );
});
