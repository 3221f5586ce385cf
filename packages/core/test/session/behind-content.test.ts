/** Servers that refuse what stands behind content: Haraka answers 503 to each command of it (ARCHITECTURE, In the field). */
import { describe, expect, test } from 'vitest';
import { noop, type Task } from '../../src/session/index.ts';
import { octetsOf } from '../wire/cuts.ts';
import {
  ABORTED,
  type Case,
  greeting,
  message,
  numbered,
  opened,
  playAll,
  type Stage,
  stream,
} from './scenes.ts';

const CHUNKING = ['PIPELINING', 'CHUNKING'] as const;
const FLIGHT = { pipelining: 'flight' } as const;

const data = (number: number): string => `C: MAIL FROM:<a@client.example>
  C: RCPT TO:<b${number}@example.com>
  C: DATA`;
const accepted = `S: 250 ok
  S: 250 ok
  S: 354 go`;
const content = (number: number): string => `C: Subject: ${number}
  C: .`;
const bdat = (number: number): string => `C: MAIL FROM:<a@client.example>
  C: RCPT TO:<b${number}@example.com>
  C: BDAT 12 LAST
  C: Subject: ${number}`;
const REFUSED = `S: 503 pipelined
  S: 503 pipelined
  S: 503 pipelined`;

const HELLO = greeting('PIPELINING');
const CHUNKED = greeting(...CHUNKING);

/** The first message of an overlap, up to the next one's commands behind it. */
const overlapped = `${HELLO}
  ${data(1)}
  ${accepted}
  ${content(1)}
  ${data(2)}`;

const cases: readonly Case[] = [
  {
    name: 'three messages by DATA, what is behind content refused: said again, in order, one by one',
    text: `${overlapped}
      S: 250 queued 1
      ${REFUSED}
      ${data(2)}
      ${accepted}
      ${content(2)}
      S: 250 queued 2
      ${data(3)}
      ${accepted}
      ${content(3)}
      S: 250 queued 3
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [numbered(1), numbered(2), numbered(3)],
    quit: true,
    pipelining: 'envelope',
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: 250 for b2@example.com, in 2',
      'transaction: 250 for b3@example.com, in 2',
      'quit: ok',
    ],
  },
  {
    name: 'several recipients behind content, all said again',
    text: `${HELLO}
      ${data(1)}
      ${accepted}
      ${content(1)}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: DATA
      S: 250 queued 1
      ${REFUSED}
      S: 503 pipelined
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 354 go
      C: Subject: a
      C:
      C: Hi
      C: .
      S: 250 queued 2`,
    messages: [numbered(1), message({ to: ['b@example.com', 'c@example.com'] })],
    pipelining: 'envelope',
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: 250 for b@example.com, refused c@example.com 550, in 2',
    ],
  },
  {
    name: 'a stream behind content, read once and sent once',
    text: `${HELLO}
      ${data(1)}
      ${accepted}
      ${content(1)}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 queued 1
      ${REFUSED}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: DATA
      ${accepted}
      C: x
      C: y
      C: .
      S: 250 queued 2`,
    messages: [numbered(1), message({ content: stream('x\r\n', 'y\r\n') })],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: 250 for b@example.com, in 2',
    ],
  },
  {
    name: 'the sender refused when it is said again',
    text: `${overlapped}
      S: 250 queued 1
      ${REFUSED}
      ${data(2)}
      S: 550 no
      S: 503 no
      S: 503 no`,
    messages: [numbered(1), numbered(2)],
    pipelining: 'envelope',
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never, refused b2@example.com 503',
    ],
  },
  {
    name: '503 once more when it is said again: now it is a refusal',
    text: `${overlapped}
      S: 250 queued 1
      ${REFUSED}
      ${data(2)}
      S: 503 no
      S: 503 no
      S: 503 no`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: ERR_SMTP_REPLY 503 at mail, rejected, never, refused b2@example.com 503',
    ],
  },
  {
    name: '503 to MAIL behind content, and 354 to DATA: the lone dot, and all said again',
    text: `${overlapped}
      S: 250 queued 1
      S: 503 pipelined
      S: 503 pipelined
      S: 354 go
      C: .
      S: 554 no valid recipients
      ${data(2)}
      ${accepted}
      ${content(2)}
      S: 250 queued 2`,
    messages: [numbered(1), numbered(2)],
    pipelining: 'envelope',
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: 250 for b2@example.com, in 3',
    ],
  },
  {
    name: '503 to MAIL that is behind nothing: an ordinary refusal',
    text: `${HELLO}
      ${data(1)}
      S: 503 5.5.1 authenticate first
      S: 503 no
      S: 503 no`,
    messages: [numbered(1)],
    pipelining: 'overlap',
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 503 at mail, rejected, never, refused b1@example.com 503',
    ],
  },
  {
    name: '503 to MAIL in lock-step: an ordinary refusal',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 503 no`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 503 at mail, rejected, never'],
  },
  {
    name: '503 to BDAT that is behind nothing: an ordinary refusal',
    text: `${CHUNKED}
      ${bdat(1)}
      S: 250 ok
      S: 250 ok
      S: 503 no`,
    open: FLIGHT,
    messages: [numbered(1)],
    pipelining: 'flight',
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 503 at final, rejected, never'],
  },
  {
    name: '503 to RCPT behind content when MAIL was accepted: an ordinary refusal',
    text: `${overlapped}
      S: 250 queued 1
      S: 250 ok
      S: 503 no
      S: 503 no`,
    messages: [numbered(1), numbered(2)],
    pipelining: 'overlap',
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: ERR_SMTP_REPLY 503 at rcpt, rejected, never, refused b2@example.com 503',
    ],
  },
  {
    name: 'a refused recipient behind content that is accepted: RSET in front of the next message',
    text: `${overlapped}
      S: 250 queued 1
      S: 250 ok
      S: 550 no
      S: 554 no valid recipients
      C: RSET
      ${data(3)}
      S: 250 ok
      ${accepted}
      ${content(3)}
      S: 250 queued 3`,
    messages: [numbered(1), numbered(2), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b2@example.com 550',
      'transaction: 250 for b3@example.com, in 2',
    ],
  },
  {
    name: 'another refusal than 503 of MAIL behind content: an ordinary one',
    text: `${overlapped}
      S: 250 queued 1
      S: 550 no
      S: 503 no
      S: 503 no`,
    messages: [numbered(1), numbered(2)],
    pipelining: 'overlap',
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never, refused b2@example.com 503',
    ],
  },
  {
    name: 'three messages in flight, what is behind content refused: said again, in order, one by one',
    text: `${CHUNKED}
      ${bdat(1)}
      C: RSET
      ${bdat(2)}
      C: RSET
      ${bdat(3)}
      S: 250 ok
      S: 250 ok
      S: 250 queued 1
      ${REFUSED}
      S: 503 pipelined
      ${REFUSED}
      S: 503 pipelined
      C: RSET
      ${bdat(2)}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued 2
      ${bdat(3)}
      S: 250 ok
      S: 250 ok
      S: 250 queued 3`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2), numbered(3)],
    pipelining: 'envelope',
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b2@example.com, in 1',
      'transaction: 250 for b3@example.com, in 1',
    ],
  },
  {
    name: 'RSET refused in flight with 503, and its group accepted: its fate is unknown',
    text: `${CHUNKED}
      ${bdat(1)}
      C: RSET
      ${bdat(2)}
      S: 250 ok
      S: 250 ok
      S: 250 queued 1
      S: 503 what
      S: 250 ok
      S: 250 ok
      S: 250 queued 2`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_REPLY 503 at idle, unknown, unknown',
    ],
  },
  {
    name: 'the connection lost while messages wait to be said again: none of them is sent',
    text: `${CHUNKED}
      ${bdat(1)}
      C: RSET
      ${bdat(2)}
      C: RSET
      ${bdat(3)}
      S: 250 ok
      S: 250 ok
      S: 250 queued 1
      ${REFUSED}
      S: 503 pipelined
      S: 503 pipelined
      S: <close>
      C: <abort>`,
    open: FLIGHT,
    messages: [numbered(1), numbered(2), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
      'transaction: ERR_SMTP_CLOSED at mail, unknown, unknown',
    ],
  },
];

const OK = ['250 ok', '250 ok', '250 queued'] as const;
const ALL_503 = ['503 pipelined', '503 pipelined', '503 pipelined', '503 pipelined'] as const;
const group = (number: number): string =>
  `MAIL FROM:<a@client.example>\r\nRCPT TO:<b${number}@example.com>\r\nBDAT 12 LAST\r\nSubject: ${number}\r\n`;

/** Whether this is one group of a message, with RSET in front or not; it is answered with 250. */
function accept(stage: Stage, written: string, number: number): void {
  const reset = written.startsWith('RSET');
  expect(written).toBe(`${reset ? 'RSET\r\n' : ''}${group(number)}`);
  stage.hear(...(reset ? ['250 ok'] : []), ...OK);
}

/** Three messages in flight; the second is refused and waits for the third's replies. */
function waiting(): { stage: Stage; tasks: Task[] } {
  const stage = opened(CHUNKING, FLIGHT);
  const tasks = [1, 2, 3].map((number) => stage.sendNumbered(number));
  stage.poll();
  stage.hear(...OK, ...ALL_503);
  expect([stage.poll(), stage.told.length, stage.session.pipelining]).toEqual(['', 1, 'envelope']);
  return { stage, tasks };
}

describe('behind content', () => {
  playAll(cases);

  test('abort() takes a message back that waits to be said again', () => {
    const { stage, tasks } = waiting();
    stage.session.abort(tasks[1] as Task, ABORTED);
    expect(stage.told[1]).toBe('transaction: ERR_SMTP_ABORTED at idle, not-sent, reconnect');
    expect([stage.poll(), stage.closes]).toEqual(['', 0]);
    stage.hear(...ALL_503);
    accept(stage, stage.poll(), 3);
    expect(stage.told[2]).toMatch(/^transaction: 250 for b3@example.com/);
    expect([stage.poll(), stage.closes, stage.outcomes.length]).toEqual(['', 0, 3]);
  });

  test('abort() leaves the others alone when the message given up in flight is refused behind content', () => {
    const stage = opened(CHUNKING, FLIGHT);
    const tasks = [1, 2, 3].map((number) => stage.sendNumbered(number));
    stage.poll();
    stage.session.abort(tasks[1] as Task, ABORTED);
    expect(stage.told[0]).toMatch(/ERR_SMTP_ABORTED at \w+, unknown/);
    stage.hear(...OK, ...ALL_503, ...ALL_503);
    accept(stage, stage.poll(), 3);
    expect(stage.told[2]).toMatch(/^transaction: 250 for b3@example.com/);
  });

  test('abort() closes before its content when the message was said again', () => {
    const stage = opened(['PIPELINING']);
    stage.sendNumbered(1);
    const second = stage.sendNumbered(2);
    stage.poll();
    stage.hear('250 ok', '250 ok', '354 go');
    stage.poll();
    stage.hear('250 queued', '503 no', '503 no', '503 no');
    expect(stage.poll()).toContain('RCPT TO:<b2@example.com>');
    stage.session.abort(second, ABORTED);
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told[1]).toMatch(/ERR_SMTP_ABORTED at \w+, not-sent/);
  });

  test('Session says a message again when the one before was refused, not only when it was accepted', () => {
    const stage = opened(['PIPELINING']);
    stage.sendNumbered(1);
    stage.sendNumbered(2);
    stage.poll();
    stage.hear('250 ok', '250 ok', '354 go');
    stage.poll();
    stage.hear('554 spam', '503 no', '503 no', '503 no');
    const again = stage.poll();
    expect(again).toMatch(
      /^(RSET\r\n)?MAIL FROM:<a@client.example>\r\nRCPT TO:<b2@example.com>\r\nDATA\r\n$/,
    );
    if (again.startsWith('RSET')) stage.hear('250 ok');
    stage.hear('250 ok', '250 ok', '354 go');
    expect(stage.poll()).toBe('Subject: 2\r\n.\r\n');
    stage.hear('250 queued');
    expect(stage.told[0]).toBe('transaction: ERR_SMTP_REPLY 554 at final, rejected, never');
    expect(stage.told[1]).toMatch(/^transaction: 250 for b2@example.com/);
  });

  // The window is for flight: it says nothing of the one envelope behind content.
  test('Session overlaps when the window of flight has room for one', () => {
    const stage = opened(['PIPELINING'], { window: { transactions: 1, octets: 1 } });
    stage.sendNumbered(1);
    stage.sendNumbered(2);
    stage.poll();
    stage.hear('250 ok', '250 ok', '354 go');
    expect(stage.poll()).toContain('RCPT TO:<b2@example.com>');
  });

  test('Session keeps the order of the calls when messages wait to be said again', () => {
    const { stage } = waiting();
    stage.run('noop', noop(stage.session));
    stage.sendNumbered(4);
    stage.hear(...ALL_503);
    accept(stage, stage.poll(), 2);
    accept(stage, stage.poll(), 3);
    expect(stage.poll()).toBe('NOOP\r\n');
    stage.hear('250 ok');
    accept(stage, stage.poll(), 4);
    expect(stage.told.map((one) => one.replace(/, in \d$/, ''))).toEqual([
      'transaction: 250 for b1@example.com',
      'transaction: 250 for b2@example.com',
      'transaction: 250 for b3@example.com',
      'noop: ok',
      'transaction: 250 for b4@example.com',
    ]);
  });

  test('Session reads a source and tells of progress once when the message is said again', () => {
    const stage = opened(['PIPELINING', 'SIZE']);
    let opens = 0;
    const told: number[] = [];
    stage.sendNumbered(1);
    stage.send(
      {
        content: {
          [Symbol.asyncIterator]: () => {
            opens += 1;
            return [octetsOf('x\r\n')][Symbol.iterator]() as never;
          },
        },
        size: 3,
      },
      { onProgress: (octets) => void told.push(octets) },
    );
    stage.poll();
    stage.hear('250 ok', '250 ok', '354 go');
    stage.poll();
    stage.hear('250 queued', '503 no', '503 no', '503 no');
    expect(stage.poll()).toContain('MAIL FROM');
    expect([opens, told]).toEqual([0, []]);
    stage.hear('250 ok', '250 ok', '354 go');
    expect(stage.poll()).toBe('x\r\n.\r\n');
    expect([opens, told.at(-1)]).toEqual([1, 3]);
    stage.hear('250 queued');
    expect(stage.told[1]).toMatch(/^transaction: 250/);
  });

  test('Session says later messages one by one when the server has refused what is behind content', () => {
    const stage = opened(['PIPELINING']);
    stage.sendNumbered(1);
    stage.sendNumbered(2);
    stage.poll();
    stage.hear('250 ok', '250 ok', '354 go');
    stage.poll();
    stage.hear('250 queued', '503 no', '503 no', '503 no');
    stage.sendNumbered(3);
    stage.poll();
    stage.hear('250 ok', '250 ok', '354 go');
    expect(stage.poll()).toBe('Subject: 2\r\n.\r\n');
    stage.sendNumbered(4);
    expect(stage.poll()).toBe('');
    stage.hear('250 queued');
    expect(stage.poll()).toBe(
      'MAIL FROM:<a@client.example>\r\nRCPT TO:<b3@example.com>\r\nDATA\r\n',
    );
  });
});
