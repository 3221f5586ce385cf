import { connect, isSmtpError, type SmtpError } from '@posthorn/core';
import { describe, expect, test } from 'vitest';
import { FAULT_POINTS, type Fault, type FaultPoint, type Sandbox } from '../src/index.ts';
import {
  base64,
  type Dialogue,
  FROM,
  left,
  mail,
  PASS,
  sleep,
  TO,
  USER,
  useBench,
  within,
} from './support.ts';

const { start, knock, talk } = useBench();

const AUTH = `AUTH PLAIN ${base64(`\0${USER}\0${PASS}`)}`;
const GREETING = '220 sandbox.localhost ESMTP';

/** What is said in a session, which points it passes by that, and how it is answered if nothing goes wrong. */
const STEPS: readonly (readonly [
  readonly FaultPoint[],
  (dialogue: Dialogue) => Promise<string | undefined>,
  RegExp,
])[] = [
  [['connect', 'banner'], (it) => it.reply(), /^220 sandbox\.localhost ESMTP$/],
  [['ehlo'], (it) => it.ask('EHLO client.example'), /^250-/],
  [['auth'], (it) => it.ask(AUTH), /^235 Authentication successful$/],
  [['mail'], (it) => it.ask(`MAIL FROM:<${FROM}>`), /^250 Accepted$/],
  [['rcpt'], (it) => it.ask(`RCPT TO:<${TO}>`), /^250 Accepted$/],
  [['data'], (it) => it.ask('DATA'), /^354 /],
  [['final-dot', 'after-accept'], (it) => it.ask(`${mail()}.`), /^250 Ok: queued as [\da-f-]{36}$/],
  [['quit'], (it) => it.ask('QUIT'), /^221 Bye$/],
];

/** STARTTLS has a test of its own: it is not said on the port with TLS from the first octet. */
const POINTS = FAULT_POINTS.filter((point) => point !== 'starttls');
const isGreeting = (at: FaultPoint): boolean => at === 'connect' || at === 'banner';

/** Goes through the dialogue until a point, and gives what is answered there and how long it took. */
async function upTo(
  sandbox: Sandbox,
  at: FaultPoint,
): Promise<{ reply: string | undefined; took: number; dialogue: Dialogue }> {
  const dialogue = await knock(sandbox, 'implicit');
  for (const [points, say, usual] of STEPS) {
    const began = performance.now();
    const reply = await say(dialogue);
    if (points.includes(at)) return { reply, took: performance.now() - began, dialogue };
    expect(reply).toMatch(usual);
  }
  throw new Error(`There is no point ${at}`);
}

const usualAt = (at: FaultPoint): RegExp =>
  STEPS.find(([points]) => points.includes(at))?.[2] ?? /never/;
/** How many messages are taken on the way to a fault there. */
const takenAt = (at: FaultPoint): number => (at === 'after-accept' || at === 'quit' ? 1 : 0);

describe.concurrent.each(POINTS)('at %s', (at) => {
  test('a reply in place of the usual one, once', async () => {
    const sandbox = await start({ faults: [{ at, action: { code: 451, text: 'Try again' } }] });
    const { reply, dialogue } = await upTo(sandbox, at);
    expect(reply).toBe('451 Try again');
    expect(sandbox.inbox.messages).toHaveLength(takenAt(at));
    // A refused greeting ends the connection, anything else does not.
    expect(await dialogue.ask('NOOP')).toBe(isGreeting(at) ? undefined : '250 OK');
    expect((await upTo(sandbox, at)).reply).toMatch(usualAt(at));
  });

  test('421 says so and ends the connection', async () => {
    const sandbox = await start({ faults: [{ at, action: { code: 421, text: 'Bye' } }] });
    const { reply, dialogue } = await upTo(sandbox, at);
    expect(reply).toBe('421 Bye');
    expect(await dialogue.reply()).toBeUndefined();
  });

  test('the connection is closed without a word', async () => {
    const sandbox = await start({ faults: [{ at, action: 'close' }] });
    const { reply, dialogue } = await upTo(sandbox, at);
    expect(reply).toBeUndefined();
    expect(dialogue.unread).toBe('');
    expect(sandbox.inbox.messages).toHaveLength(takenAt(at));
    expect((await upTo(sandbox, at)).reply).toMatch(usualAt(at));
  });

  test('the usual reply comes late', async () => {
    const sandbox = await start({ faults: [{ at, action: { stall: 150 } }] });
    const { reply, took } = await upTo(sandbox, at);
    expect(reply).toMatch(usualAt(at));
    expect(took).toBeGreaterThanOrEqual(140);
  });

  test('the usual reply comes late to nobody: the client has left', async () => {
    const sandbox = await start({ faults: [{ at, action: { stall: 300 } }] });
    const dialogue = await knock(sandbox, 'implicit');
    for (const [points, say] of STEPS) {
      const reply = say(dialogue);
      if (points.includes(at)) {
        // A greeting is due 100 ms after the connection, by smtp-server.
        if (isGreeting(at)) await sleep(200);
        dialogue.end();
        expect(await reply).toBeUndefined();
        break;
      }
      await reply;
    }
    await left(sandbox);
    await sleep(400);
    expect((await upTo(sandbox, at)).reply).toMatch(usualAt(at));
  });
});

describe.concurrent('the plan', () => {
  const reply = (code: number): Fault['action'] => ({ code, text: `fault ${code}` });

  test('faults of one stage strike in their order, each as often as it says', async () => {
    const sandbox = await start({
      faults: [
        { at: 'mail', action: reply(451), times: 2 },
        { at: 'rcpt', action: reply(452) },
        { at: 'mail', action: reply(454) },
      ],
    });
    const dialogue = await talk(sandbox);
    const ask = (): Promise<string | undefined> => dialogue.ask(`MAIL FROM:<${FROM}>`);
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([
      '451 fault 451',
      '451 fault 451',
      '454 fault 454',
      '250 Accepted',
    ]);
    expect(await dialogue.ask(`RCPT TO:<${TO}>`)).toBe('452 fault 452');
    expect(await dialogue.ask(`RCPT TO:<${TO}>`)).toBe('250 Accepted');
  });

  test('faults planned later stand behind those that are due', async () => {
    const sandbox = await start({ faults: [{ at: 'mail', action: reply(451) }] });
    sandbox.plan({ at: 'mail', action: reply(452) }, { at: 'rcpt', action: reply(453) });
    const dialogue = await talk(sandbox);
    expect(await dialogue.ask(`MAIL FROM:<${FROM}>`)).toBe('451 fault 451');
    expect(await dialogue.ask(`MAIL FROM:<${FROM}>`)).toBe('452 fault 452');
    expect(await dialogue.ask(`MAIL FROM:<${FROM}>`)).toBe('250 Accepted');
    expect(await dialogue.ask(`RCPT TO:<${TO}>`)).toBe('453 fault 453');
  });

  test('one plan for both ports', async () => {
    const sandbox = await start({ faults: [{ at: 'connect', action: reply(450), times: 2 }] });
    for (const route of ['plain', 'implicit'] as const)
      expect(await (await knock(sandbox, route)).reply()).toBe('450 fault 450');
    for (const route of ['plain', 'implicit'] as const)
      expect(await (await knock(sandbox, route)).reply()).toBe(GREETING);
  });

  test('a fault strikes before the rules are asked', async () => {
    const sandbox = await start({ faults: [{ at: 'mail', action: reply(451) }] });
    const dialogue = await talk(sandbox, { login: false });
    expect(await dialogue.ask('MAIL FROM:<a@example.com>')).toBe('451 fault 451');
    expect(await dialogue.ask('MAIL FROM:<a@example.com>')).toBe(
      '554 Must authenticate before sending mail',
    );
  });

  test('a fault under STARTTLS closes the connection as well', async () => {
    const sandbox = await start({ faults: [{ at: 'mail', action: 'close' }] });
    const dialogue = await talk(sandbox, { route: 'starttls' });
    expect(await dialogue.ask(`MAIL FROM:<${FROM}>`)).toBeUndefined();
  });

  test('a message that was stalled behind its content is taken, even if the client has left', async () => {
    const sandbox = await start({ faults: [{ at: 'final-dot', action: { stall: 500 } }] });
    const dialogue = await talk(sandbox);
    await dialogue.ask(`MAIL FROM:<${FROM}>`);
    await dialogue.ask(`RCPT TO:<${TO}>`);
    await dialogue.ask('DATA');
    dialogue.write(`${mail()}.\r\n`);
    dialogue.end();
    await left(sandbox);
    expect(sandbox.inbox.messages).toEqual([]);
    expect((await sandbox.inbox.waitFor(() => true, 10_000)).from).toBe(FROM);
  });

  test('a fault at STARTTLS', async () => {
    const sandbox = await start({
      faults: [
        { at: 'starttls', action: { code: 454, text: 'TLS not available' } },
        { at: 'starttls', action: 'close' },
      ],
    });
    const dialogue = await knock(sandbox, 'plain');
    await dialogue.reply();
    await dialogue.ask('EHLO client.example');
    expect(await dialogue.ask('STARTTLS')).toBe('454 TLS not available');
    expect(await dialogue.ask('STARTTLS')).toBeUndefined();
    expect(await (await talk(sandbox, { route: 'starttls' })).ask('NOOP')).toBe('250 OK');
  });

  test('a slow reply comes octet by octet, what is behind it waits, and the last one is whole', async () => {
    const sandbox = await start({
      faults: [
        { at: 'mail', action: { slow: 5 } },
        { at: 'quit', action: { slow: 5 } },
      ],
    });
    const dialogue = await talk(sandbox);
    const began = performance.now();
    dialogue.write(`MAIL FROM:<${FROM}>\r\nRCPT TO:<${TO}>\r\n`);
    expect(await dialogue.reply()).toBe('250 Accepted');
    expect(performance.now() - began).toBeGreaterThan(5 * '250 Accepted'.length * 0.8);
    expect(await dialogue.reply()).toBe('250 Accepted');
    expect(await dialogue.ask('QUIT')).toBe('221 Bye');
    expect(await dialogue.reply()).toBeUndefined();
  });

  test('a rate bucket lets so many through in its time, by the clock of the sandbox', async () => {
    const sandbox = await start({
      faults: [{ at: 'mail', action: { limit: 2, per: 60_000, code: 451, text: 'Too many' } }],
    });
    const dialogue = await talk(sandbox);
    const ask = async (): Promise<string | undefined> => {
      const reply = await dialogue.ask(`MAIL FROM:<${FROM}>`);
      await dialogue.ask('RSET');
      return reply;
    };
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([
      '250 Accepted',
      '250 Accepted',
      '451 Too many',
      '451 Too many',
    ]);
    sandbox.clock.advance(60_001);
    expect([await ask(), await ask(), await ask()]).toEqual([
      '250 Accepted',
      '250 Accepted',
      '451 Too many',
    ]);
    expect(sandbox.faults).toMatchObject([{ at: 'mail', left: undefined }]);
  });

  test('a message is taken and the connection closed before its reply: once', async () => {
    const sandbox = await start({
      faults: [{ at: 'final-dot', action: 'accept-then-close-before-reply' }],
    });
    expect((await upTo(sandbox, 'final-dot')).reply).toBeUndefined();
    expect(sandbox.inbox.messages).toHaveLength(1);
    expect((await upTo(sandbox, 'final-dot')).reply).toMatch(usualAt('final-dot'));
    expect(sandbox.inbox.messages).toHaveLength(2);
  });

  test.each([
    ['an unknown point', { at: 'rset', action: 'close' }, 'at is '],
    [
      'a limit of no time',
      { at: 'mail', action: { limit: 1, per: 0, code: 451, text: 'x' } },
      'per is ',
    ],
    [
      'half a limit',
      { at: 'mail', action: { limit: 0.5, per: 1, code: 451, text: 'x' } },
      'limit is ',
    ],
    [
      'times of a limit',
      { at: 'mail', action: { limit: 1, per: 9, code: 451, text: 'x' }, times: 1 },
      'a limit is not used up',
    ],
    ['a slowness that never ends', { at: 'mail', action: { slow: Infinity } }, 'slow is '],
    [
      'a silent acceptance of MAIL',
      { at: 'mail', action: 'accept-then-close-before-reply' },
      "this action is for 'final-dot'",
    ],
    ['no action', { at: 'mail' }, 'action is '],
    ['an unknown action', { at: 'mail', action: 'explode' }, 'action is '],
    ['no times', { at: 'mail', action: 'close', times: 0 }, 'times is '],
    ['half a time', { at: 'mail', action: 'close', times: 0.5 }, 'times is '],
    ['a negative stall', { at: 'mail', action: { stall: -1 } }, 'stall is '],
    ['a stall of NaN', { at: 'mail', action: { stall: Number.NaN } }, 'stall is '],
    ['an endless stall', { at: 'mail', action: { stall: Infinity } }, 'stall is '],
    ['a code of one digit', { at: 'mail', action: { code: 4, text: 'x' } }, 'code is '],
    ['a positive reply', { at: 'mail', action: { code: 250, text: 'x' } }, 'code is '],
    [
      'a key that there is not',
      { at: 'mail', action: 'close', time: 2 },
      "there is no 'time' in a fault",
    ],
    [
      'a stall with a reply',
      { at: 'mail', action: { stall: 1, code: 451 } },
      "'code' does not belong",
    ],
    ['a code of four', { at: 'mail', action: { code: 4510, text: 'x' } }, 'code is '],
    ['two lines', { at: 'mail', action: { code: 451, text: 'a\r\n250 b' } }, 'text is '],
    ['no text', { at: 'mail', action: { code: 451 } }, 'text is '],
  ])('%s is refused, at start and later', async (_, fault, why) => {
    const faults = [fault as unknown as Fault];
    await expect(start({ faults })).rejects.toThrow(TypeError);
    const sandbox = await start();
    expect(() => sandbox.plan({ at: 'mail', action: 'close' }, ...faults)).toThrow(
      new RegExp(`^Cannot plan the fault \\{.*\\}: ${why}`),
    );
    // Nothing of what was refused has been planned.
    const dialogue = await talk(sandbox);
    expect(await dialogue.ask(`MAIL FROM:<${FROM}>`)).toBe('250 Accepted');
  });
});

describe.concurrent('what @posthorn/core makes of them', () => {
  async function outcome(faults: readonly Fault[]): Promise<SmtpError> {
    const sandbox = await start({ faults });
    const sending = (async () => {
      const client = await connect({
        host: sandbox.host,
        port: sandbox.smtps,
        tls: 'implicit',
        tlsOptions: { ca: sandbox.ca },
        auth: { user: USER, pass: PASS },
      });
      try {
        await client.send({ from: FROM, to: TO, content: mail() });
      } finally {
        client.destroy();
      }
    })();
    const error = await within(
      sending.then(
        () => new Error('It was sent'),
        (caught: unknown) => caught,
      ),
      'The client',
    );
    if (!isSmtpError(error)) throw error;
    return error;
  }

  const temporary = { code: 451, text: 'Try again' };

  test.each([
    ['connect', 'greeting', 'ERR_SMTP_REPLY', 'not-sent'],
    ['auth', 'auth', 'ERR_SMTP_AUTH', 'not-sent'],
    ['mail', 'mail', 'ERR_SMTP_REPLY', 'rejected'],
    ['rcpt', 'rcpt', 'ERR_SMTP_REPLY', 'rejected'],
    ['final-dot', 'final', 'ERR_SMTP_REPLY', 'rejected'],
  ] as const)('a 451 at %s', async (at, phase, code, delivery) => {
    expect(await outcome([{ at, action: temporary }])).toMatchObject({
      code,
      phase,
      delivery,
      retry: 'later',
      reply: { code: 451, text: 'Try again' },
    });
  });

  test.each([
    ['connect', 'not-sent'],
    ['auth', 'not-sent'],
    ['mail', 'not-sent'],
    ['rcpt', 'not-sent'],
    ['final-dot', 'unknown'],
    ['after-accept', 'unknown'],
  ] as const)('a connection closed at %s', async (at, delivery) => {
    expect(await outcome([{ at, action: 'close' }])).toMatchObject({
      code: 'ERR_SMTP_CLOSED',
      delivery,
    });
  });
});
