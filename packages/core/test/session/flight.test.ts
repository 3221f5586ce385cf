/** `pipelining: 'flight'`: whole transactions behind each other, bounded by a window (ARCHITECTURE, Flight). */
import { describe, expect, test } from 'vitest';
import { noop, quit, type TransactionResult } from '../../src/session/index.ts';
import { whole } from '../wire/cuts.ts';
import {
  ABORTED,
  type Case,
  greeting,
  lines64,
  message,
  numbered,
  opened,
  playAll,
  type Stage,
  stream,
} from './scenes.ts';
import { play } from './transcript.ts';

const OFFERED = ['PIPELINING', 'CHUNKING'] as const;
const HELLO = greeting(...OFFERED);
const FLIGHT = { pipelining: 'flight' } as const;
const windowOf = (transactions: number, octets = 1_048_576) =>
  ({ ...FLIGHT, window: { transactions, octets } }) as const;

/** The group of a numbered message, as the client says it. */
const group = (number: number): string => `C: MAIL FROM:<a@client.example>
  C: RCPT TO:<b${number}@example.com>
  C: BDAT 12 LAST
  C: Subject: ${number}`;
const behind = (number: number): string => `C: RSET
  ${group(number)}`;
/** All is well with a numbered message; and with one that has RSET in front. */
const fine = (number: number): string => `S: 250 sender
  S: 250 recipient
  S: 250 queued ${number}`;
const fineBehind = (number: number): string => `S: 250 reset
  ${fine(number)}`;

const LARGE = lines64(1_040);
const FIRST = LARGE.said.split('\n').slice(0, 1_024).join('\n');
const REST = LARGE.said.split('\n').slice(1_024).join('\n');

const cases: readonly Case[] = [
  {
    name: 'three messages in one write, RSET in front of each behind another, one wait for all',
    text: `${HELLO}
      ${group(1)}
      ${behind(2)}
      ${behind(3)}
      ${fine(1)}
      ${fineBehind(2)}
      ${fineBehind(3)}
      C: QUIT
      S: 221 bye
      C: <close>`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2), numbered(3)],
    quit: true,
    writes: [1, 1, 1],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b2@example.com, in 0',
      'transaction: 250 for b3@example.com, in 0',
      'quit: ok',
    ],
  },
  {
    name: 'six messages, one with a refused recipient and one with a refused sender: the others are delivered',
    text: `${HELLO}
      ${group(1)}
      ${behind(2)}
      ${behind(3)}
      ${behind(4)}
      ${behind(5)}
      ${behind(6)}
      ${fine(1)}
      S: 250 reset
      S: 250 sender
      S: 550 5.1.1 no such user
      S: 554 5.5.1 no valid recipients
      ${fineBehind(3)}
      S: 250 reset
      S: 451 4.7.1 later
      S: 503 5.5.1 no sender
      S: 503 5.5.1 no recipients
      ${fineBehind(5)}
      ${fineBehind(6)}`,
    open: FLIGHT,
    messages: [1, 2, 3, 4, 5, 6].map((number) => numbered(number)),
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b2@example.com 550',
      'transaction: 250 for b3@example.com, in 0',
      'transaction: ERR_SMTP_REPLY 451 at mail, rejected, later, refused b4@example.com 503',
      'transaction: 250 for b5@example.com, in 0',
      'transaction: 250 for b6@example.com, in 0',
    ],
  },
  {
    name: 'a message refused behind its content, and one for some of its recipients, in flight',
    text: `${HELLO}
      ${group(1)}
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: BDAT 18 LAST
      C: Subject: a
      C:
      C: Hi
      ${behind(3)}
      S: 250 sender
      S: 250 recipient
      S: 554 spam
      S: 250 reset
      S: 250 sender
      S: 550 no
      S: 250 recipient
      S: 250 queued
      ${fineBehind(3)}`,
    open: FLIGHT,
    messages: [numbered(1), message({ to: ['b@example.com', 'c@example.com'] }), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 554 at final, rejected, never',
      'transaction: 250 for c@example.com, refused b@example.com 550, in 0',
      'transaction: 250 for b3@example.com, in 0',
    ],
  },
  {
    name: 'no more transactions than the window has, and the next as soon as one is answered',
    text: `${HELLO}
      ${group(1)}
      ${behind(2)}
      ${fine(1)}
      ${behind(3)}
      ${fineBehind(2)}
      ${behind(4)}
      ${fineBehind(3)}
      ${fineBehind(4)}`,
    open: windowOf(2),
    messages: [1, 2, 3, 4].map((number) => numbered(number)),
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b2@example.com, in 0',
      'transaction: 250 for b3@example.com, in 1',
      'transaction: 250 for b4@example.com, in 0',
    ],
  },
  {
    name: 'one transaction at a time, without RSET, when the window has room for one',
    text: `${HELLO}
      ${group(1)}
      ${fine(1)}
      ${group(2)}
      ${fine(2)}`,
    open: windowOf(1),
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'a message larger than the window, alone',
    text: `${HELLO}
      ${group(1)}
      ${fine(1)}
      ${group(2)}
      ${fine(2)}`,
    open: windowOf(32, 5),
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'RSET in front of a message when the flight before has ended with a refusal',
    text: `${HELLO}
      ${group(1)}
      S: 250 sender
      S: 250 recipient
      S: 451 later
      ${behind(2)}
      ${fineBehind(2)}
      ${group(3)}
      ${fine(3)}`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2), numbered(3)],
    oneByOne: true,
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 451 at final, rejected, later',
      'transaction: 250 for b2@example.com, in 1',
      'transaction: 250 for b3@example.com, in 1',
    ],
  },
  {
    name: 'overlap when flight is wanted and CHUNKING not offered',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 1
      C: .
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: DATA
      S: 250 queued 1
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 2
      C: .
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b3@example.com>
      C: DATA
      S: 250 queued 2
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 3
      C: .
      S: 250 queued 3`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: 250 for b2@example.com, in 1',
      'transaction: 250 for b3@example.com, in 1',
    ],
  },
  {
    name: 'lock-step when flight is wanted and PIPELINING not offered',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b1@example.com>
      S: 250 ok
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 queued 1
      C: MAIL FROM:<a@client.example>
      S: 550 no`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 3',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never',
    ],
  },
  {
    name: 'a large message in flight: what comes behind it waits until its last octet is written',
    text: `${HELLO}
      ${group(1)}
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      ${fine(1)}
      S: 250 reset
      S: 250 sender
      S: 250 recipient
      S: 250 65536 octets
      C: BDAT 1024 LAST
      ${REST}
      ${behind(3)}
      S: 250 queued 2
      ${fineBehind(3)}`,
    open: FLIGHT,
    messages: [numbered(1), message({ content: LARGE.text }), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b@example.com, in 1',
      'transaction: 250 for b3@example.com, in 0',
    ],
  },
  {
    name: 'a large message in flight whose recipients are refused: its rest is not uploaded, the others go on',
    text: `${HELLO}
      ${group(1)}
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      ${fine(1)}
      S: 250 reset
      S: 250 sender
      S: 550 no
      S: 503 no recipients
      ${behind(3)}
      ${fineBehind(3)}`,
    open: FLIGHT,
    messages: [numbered(1), message({ content: LARGE.text }), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b@example.com 550',
      'transaction: 250 for b3@example.com, in 1',
    ],
  },
  {
    name: 'a stream in flight',
    text: `${HELLO}
      ${group(1)}
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      ${fine(1)}
      S: 250 reset
      S: 250 sender
      S: 250 recipient
      C: BDAT 6 LAST
      C: a
      C: b
      ${behind(3)}
      S: 250 queued 2
      ${fineBehind(3)}`,
    open: FLIGHT,
    messages: [numbered(1), message({ content: stream('a\n', 'b\n') }), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b@example.com, in 1',
      'transaction: 250 for b3@example.com, in 0',
    ],
  },
  {
    name: 'the connection lost in flight: all that was written is unknown, what waits is not sent',
    text: `${HELLO}
      ${group(1)}
      ${behind(2)}
      S: <close>
      C: <abort>`,
    open: windowOf(2),
    messages: [1, 2, 3, 4].map((number) => numbered(number)),
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_CLOSED at mail, unknown, unknown',
      'transaction: ERR_SMTP_CLOSED at idle, unknown, unknown',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
    ],
  },
  {
    name: 'the connection lost in flight when some are answered: those keep their verdict',
    text: `${HELLO}
      ${group(1)}
      ${behind(2)}
      ${behind(3)}
      ${fine(1)}
      S: 250 reset
      S: 250 sender
      S: 250 recipient
      S: 452 full
      S: 250 reset
      S: 250 sender
      S: <close>
      C: <abort>`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_REPLY 452 at final, rejected, later',
      'transaction: ERR_SMTP_CLOSED at rcpt, unknown, unknown',
    ],
  },
  {
    name: 'a large message lost in flight before its rest: it is not sent',
    text: `${HELLO}
      ${group(1)}
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      S: <close>
      C: <abort>`,
    open: FLIGHT,
    messages: [numbered(1), message({ content: LARGE.text }), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_CLOSED at mail, unknown, unknown',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
    ],
  },
  {
    name: '421 in flight: what is not answered is unknown',
    text: `${HELLO}
      ${group(1)}
      ${behind(2)}
      ${behind(3)}
      ${fine(1)}
      S: 250 reset
      S: 250 sender
      S: 250 recipient
      S: 421 down
      C: <abort>`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_REPLY 421 at final, rejected, later',
      'transaction: ERR_SMTP_CLOSED 421 at idle, unknown, unknown',
    ],
  },
  {
    name: 'garbage in flight: what is not answered is unknown',
    text: `${HELLO}
      ${group(1)}
      ${behind(2)}
      ${fine(1)}
      S: what?
      C: <abort>`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_PROTOCOL at idle, unknown, unknown',
    ],
  },
  {
    name: 'RSET refused in flight, for another reason than that it is behind content, and the message refused',
    text: `${HELLO}
      ${group(1)}
      ${behind(2)}
      ${fine(1)}
      S: 500 what
      S: 503 nested MAIL
      S: 503 no
      S: 503 no`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_REPLY 500 at idle, rejected, never, refused b2@example.com 503',
    ],
  },
];

const GROUP = 'MAIL FROM:<a@client.example>\r\n';

/** Three messages in flight, written. */
function inFlight(written = true): { stage: Stage; tasks: ReturnType<Stage['send']>[] } {
  const stage = opened(OFFERED, FLIGHT);
  const tasks = [1, 2, 3].map((number) => stage.sendNumbered(number));
  if (written) expect(stage.poll().split(GROUP)).toHaveLength(4);
  return { stage, tasks };
}

const OK = ['250 sender', '250 recipient', '250 queued'] as const;
const OK_BEHIND = ['250 reset', ...OK] as const;

describe('flight', () => {
  playAll(cases);

  test('Session waits no more than 1.1 times for 32 messages when the window is open', () => {
    const numbers = Array.from({ length: 32 }, (_, at) => at + 1);
    const { outcomes } = play(
      {
        text: `${HELLO}
          ${numbers.map((number) => (number === 1 ? group(1) : behind(number))).join('\n')}
          ${numbers.map((number) => (number === 1 ? fine(1) : fineBehind(number))).join('\n')}`
          // The octets of two digits.
          .replace(/BDAT 12 LAST(\n +C: Subject: \d\d)/g, 'BDAT 13 LAST$1'),
        open: FLIGHT,
        messages: numbers.map((number) => numbered(number)),
      },
      whole,
    );
    const waits = outcomes
      .slice(1)
      .map(({ value }) => (value as TransactionResult).roundTrips)
      .reduce((sum, one) => sum + one, 0);
    expect([outcomes.length, waits]).toEqual([33, 1]);
  });

  test.each([0, 1, 2])('abort() says unknown of message %d alone when all have left', (at) => {
    const { stage, tasks } = inFlight();
    stage.session.abort(tasks[at] as (typeof tasks)[0], ABORTED);
    expect(stage.told).toHaveLength(1);
    expect(stage.told[0]).toMatch(/^transaction: ERR_SMTP_ABORTED at \w+, unknown, unknown$/);
    expect([stage.poll(), stage.closes]).toEqual(['', 0]);
    stage.hear(...OK, ...OK_BEHIND, ...OK_BEHIND);
    expect([stage.poll(), stage.closes]).toEqual(['', 0]);
    const others = [1, 2, 3].filter((number) => number !== at + 1);
    expect(stage.told.slice(1).map((one) => one.replace(/, in \d$/, ''))).toEqual(
      others.map((number) => `transaction: 250 for b${number}@example.com`),
    );
    // The connection is as good as before.
    stage.sendNumbered(4);
    expect(stage.poll()).toMatch(/^(RSET\r\n)?MAIL FROM:<a@client.example>\r\nRCPT TO:<b4@/);
  });

  test.each(['554 spam', '451 later'])(
    'abort() leaves the others alone when the message given up is answered %s',
    (reply) => {
      const { stage, tasks } = inFlight();
      stage.session.abort(tasks[1] as (typeof tasks)[0], ABORTED);
      stage.poll();
      stage.hear(...OK, '250 reset', '250 sender', '250 recipient', reply, ...OK_BEHIND);
      expect([stage.poll(), stage.closes]).toEqual(['', 0]);
      expect(stage.told.slice(1).map((one) => one.replace(/, in \d$/, ''))).toEqual([
        'transaction: 250 for b1@example.com',
        'transaction: 250 for b3@example.com',
      ]);
    },
  );

  test('abort() says not-sent of what was not written, and nothing of it leaves', () => {
    const { stage, tasks } = inFlight(false);
    stage.session.abort(tasks[1] as (typeof tasks)[0], ABORTED);
    const written = stage.poll();
    expect(written).not.toContain('b2@example.com');
    expect(stage.told[0]).toMatch(/^transaction: ERR_SMTP_ABORTED at \w+, not-sent, reconnect$/);
    // Whatever of the others has left is answered, and what has not is not sent.
    if (written.includes('b1@example.com')) stage.hear(...OK);
    stage.poll();
    for (const one of stage.told.slice(1)) expect(one).toMatch(/250 for b1|not-sent/);
  });

  test('abort() takes a waiting message out of the queue when the window is full', () => {
    const stage = opened(OFFERED, windowOf(2));
    const tasks = [1, 2, 3, 4].map((number) => stage.sendNumbered(number));
    stage.poll();
    stage.session.abort(tasks[2] as (typeof tasks)[0], ABORTED);
    expect(stage.told).toEqual(['transaction: ERR_SMTP_ABORTED at idle, not-sent, reconnect']);
    stage.hear(...OK);
    expect(stage.poll()).toBe(
      `RSET\r\n${GROUP}RCPT TO:<b4@example.com>\r\nBDAT 12 LAST\r\nSubject: 4\r\n`,
    );
    expect(stage.closes).toBe(0);
  });

  test('Session keeps about the octets of the window on their way when messages are large', () => {
    const stage = opened(OFFERED, windowOf(32, 10_000));
    const content = `${'z'.repeat(1_998 / 2)}`.slice(0, 998).concat('\r\n').repeat(3);
    for (let count = 0; count < 10; count += 1) stage.send({ content });
    const onTheWay = (written: string): number => written.split('BDAT 3000 LAST').length - 1;
    const first = onTheWay(stage.poll());
    // The window, and at most the message that passes its end.
    expect(first).toBeGreaterThanOrEqual(3);
    expect(first).toBeLessThanOrEqual(4);
    stage.hear(...OK);
    expect(onTheWay(stage.poll())).toBe(1);
    stage.hear(...OK_BEHIND);
    expect(onTheWay(stage.poll())).toBe(1);
    expect(stage.told).toHaveLength(2);
  });

  test('Session opens the window again when a message in flight is refused or given up', () => {
    const stage = opened(OFFERED, windowOf(2));
    const tasks = [1, 2, 3, 4].map((number) => stage.sendNumbered(number));
    stage.poll();
    stage.session.abort(tasks[0] as (typeof tasks)[0], ABORTED);
    expect(stage.poll()).toBe('');
    stage.hear('250 sender', '550 no', '554 no');
    expect(stage.poll()).toContain('RCPT TO:<b3@example.com>');
    stage.hear('250 reset', '550 no', '503 no', '503 no');
    expect(stage.poll()).toContain('RCPT TO:<b4@example.com>');
    expect(stage.closes).toBe(0);
  });

  // RFC 3030 §2: "A RSET command MUST be issued to clear the transaction before additional commands may be sent".
  test.each([
    ['its content', ['250 sender', '250 recipient', '554 spam']],
    ['its recipient', ['250 sender', '550 no', '503 no']],
    ['its sender', ['550 no', '503 no', '503 no']],
  ])(
    'Session puts RSET in front of the next message when the last of a flight was refused for %s',
    (_name, replies) => {
      const stage = opened(OFFERED, FLIGHT);
      stage.sendNumbered(1);
      stage.sendNumbered(2);
      stage.poll();
      stage.hear(...OK, '250 reset', ...replies);
      expect(stage.told).toHaveLength(2);
      stage.sendNumbered(3);
      expect(stage.poll()).toMatch(/^RSET\r\nMAIL/);
    },
  );

  test('Session puts no RSET in front of the next message when all of a flight were accepted', () => {
    const { stage } = inFlight();
    stage.hear(...OK, ...OK_BEHIND, ...OK_BEHIND);
    stage.sendNumbered(4);
    expect(stage.poll()).toMatch(/^MAIL/);
  });

  test('Session says NOOP and QUIT only when all messages in flight are answered', () => {
    const { stage } = inFlight();
    stage.run('noop', noop(stage.session));
    stage.sendNumbered(4);
    stage.run('quit', quit(stage.session));
    expect(stage.poll()).toBe('');
    stage.hear(...OK, ...OK_BEHIND);
    expect(stage.poll()).toBe('');
    stage.hear(...OK_BEHIND);
    expect(stage.poll()).toBe('NOOP\r\n');
    stage.hear('250 ok');
    expect(stage.poll()).toBe(`${GROUP}RCPT TO:<b4@example.com>\r\nBDAT 12 LAST\r\nSubject: 4\r\n`);
    stage.hear(...OK);
    expect(stage.poll()).toBe('QUIT\r\n');
    stage.hear('221 bye');
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told.map((one) => one.split(':')[0])).toEqual([
      'transaction',
      'transaction',
      'transaction',
      'noop',
      'transaction',
      'quit',
    ]);
  });

  test('Session writes a message at once when it is sent while others are in flight', () => {
    const stage = opened(OFFERED, FLIGHT);
    stage.sendNumbered(1);
    stage.poll();
    stage.hear('250 sender');
    stage.sendNumbered(2);
    expect(stage.poll()).toBe(
      `RSET\r\n${GROUP}RCPT TO:<b2@example.com>\r\nBDAT 12 LAST\r\nSubject: 2\r\n`,
    );
    stage.hear('250 recipient', '250 queued', ...OK_BEHIND);
    expect(stage.told.map((one) => one.replace(/, in \d$/, ''))).toEqual([
      'transaction: 250 for b1@example.com',
      'transaction: 250 for b2@example.com',
    ]);
  });
});
