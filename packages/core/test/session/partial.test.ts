/** `partial: 'abort'`: a message for all of its recipients, or for none (ARCHITECTURE, All-or-nothing). */
import { describe, expect, test } from 'vitest';
import {
  ABORTED,
  type Case,
  greeting,
  lines64,
  message,
  numbered,
  opened,
  playAll,
  stream,
} from './scenes.ts';

const ALL = { partial: 'abort' } as const;
const TWO = message({ to: ['b@example.com', 'c@example.com'] }, ALL);
const TO_TWO = `C: MAIL FROM:<a@client.example>
  C: RCPT TO:<b@example.com>
  C: RCPT TO:<c@example.com>`;
const TEXT = `C: Subject: a
  C:
  C: Hi`;
const HELLO = greeting('PIPELINING');
const CHUNKED = greeting('PIPELINING', 'CHUNKING');

const SECOND = `C: RSET
  C: MAIL FROM:<a@client.example>
  C: RCPT TO:<b2@example.com>
  C: DATA
  S: 250 ok
  S: 250 ok
  S: 250 ok
  S: 354 go
  C: Subject: 2
  C: .
  S: 250 queued 2`;
const SECOND_CHUNKED = `C: RSET
  C: MAIL FROM:<a@client.example>
  C: RCPT TO:<b2@example.com>
  C: BDAT 12 LAST
  C: Subject: 2
  S: 250 ok
  S: 250 ok
  S: 250 ok
  S: 250 queued 2`;

const LARGE = lines64(1_040);
const FIRST = LARGE.said.split('\n').slice(0, 1_024).join('\n');
const REST = LARGE.said.split('\n').slice(1_024).join('\n');

const cases: readonly Case[] = [
  {
    name: 'DATA only behind the replies to RCPT, when all are accepted',
    text: `${HELLO}
      ${TO_TWO}
      S: 250 ok
      S: 250 ok
      S: 251 ok
      C: DATA
      S: 354 go
      ${TEXT}
      C: .
      S: 250 queued`,
    messages: [TWO],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com c@example.com, in 3'],
  },
  {
    name: 'no DATA when one recipient is refused, and RSET in front of the next message',
    text: `${HELLO}
      ${TO_TWO}
      S: 250 ok
      S: 250 ok
      S: 550 no
      ${SECOND}`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused c@example.com 550',
      'transaction: 250 for b2@example.com, in 2',
    ],
  },
  {
    name: 'no DATA when several recipients are refused: all of them are named, and the message is for later',
    text: `${HELLO}
      ${TO_TWO}
      C: RCPT TO:<d@example.com>
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 450 later
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message({ to: ['b@example.com', 'c@example.com', 'd@example.com'] }, ALL)],
    quit: true,
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, later, refused b@example.com 550, refused d@example.com 450',
      'quit: ok',
    ],
  },
  {
    name: 'no DATA when the sender is refused',
    text: `${HELLO}
      ${TO_TWO}
      S: 550 no
      S: 503 no
      S: 503 no`,
    messages: [TWO],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never, refused b@example.com 503, refused c@example.com 503',
    ],
  },
  {
    name: 'DATA refused when all recipients are accepted, and RSET in front of the next message',
    text: `${HELLO}
      ${TO_TWO}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: DATA
      S: 451 later
      ${SECOND}`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 451 at data, rejected, later',
      'transaction: 250 for b2@example.com, in 2',
    ],
  },
  {
    name: 'all or nothing behind the content of the message before, and a message behind it',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 1
      C: .
      ${TO_TWO}
      S: 250 queued 1
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: DATA
      S: 354 go
      ${TEXT}
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
    messages: [numbered(1), TWO, numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: 250 for b@example.com c@example.com, in 2',
      'transaction: 250 for b3@example.com, in 1',
    ],
  },
  {
    name: 'all or nothing in lock-step: no further RCPT behind a refused one',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 550 no
      C: RSET
      S: 250 ok
      C: MAIL FROM:<a@client.example>
      S: 550 no`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b@example.com 550',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never',
    ],
  },
  {
    name: 'all or nothing in lock-step: all',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 250 ok
      C: RCPT TO:<c@example.com>
      S: 250 ok
      C: DATA
      S: 354 go
      ${TEXT}
      C: .
      S: 250 queued`,
    messages: [TWO],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com c@example.com, in 5'],
  },
  {
    name: 'BDAT without LAST in the group, and BDAT 0 LAST when all are accepted',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 18 octets
      C: BDAT 0 LAST
      S: 250 queued
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: BDAT 12 LAST
      C: Subject: 2
      S: 250 ok
      S: 250 ok
      S: 250 queued 2`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com c@example.com, in 2',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'BDAT without LAST, and RSET in front of the next message when one recipient is refused',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      S: 450 later
      S: 250 ok
      S: 250 18 octets
      ${SECOND_CHUNKED}`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 450 at rcpt, rejected, later, refused b@example.com 450',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'BDAT without LAST, and RSET in front of the next message when the sender is refused',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 550 no
      S: 503 no
      S: 503 no
      S: 503 no
      ${SECOND_CHUNKED}`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never, refused b@example.com 503, refused c@example.com 503',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'BDAT without LAST refused although all recipients are accepted',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 552 too large
      ${SECOND_CHUNKED}`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 552 at data, rejected, never',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'BDAT 0 LAST refused, and RSET in front of the next message',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: BDAT 0 LAST
      S: 554 spam
      ${SECOND_CHUNKED}`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 554 at final, rejected, never',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'an empty message, all or nothing',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 0
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: BDAT 0 LAST
      S: 250 queued`,
    messages: [message({ content: '' }, ALL)],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'a large message, all or nothing: its rest only when all are accepted',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: BDAT 1024 LAST
      ${REST}
      S: 250 queued`,
    messages: [message({ to: ['b@example.com', 'c@example.com'], content: LARGE.text }, ALL)],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com c@example.com, in 2'],
  },
  {
    name: 'a large message, all or nothing: no rest when one is refused',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 250 ok
      ${SECOND_CHUNKED}`,
    messages: [
      message({ to: ['b@example.com', 'c@example.com'], content: LARGE.text }, ALL),
      numbered(2),
    ],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused c@example.com 550',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'a stream by BDAT, all or nothing: nothing of it when one is refused',
    text: `${CHUNKED}
      ${TO_TWO}
      S: 250 ok
      S: 250 ok
      S: 550 no
      ${SECOND_CHUNKED}`,
    messages: [
      message({ to: ['b@example.com', 'c@example.com'], content: stream('x\r\n') }, ALL),
      numbered(2),
    ],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused c@example.com 550',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'lock-step by BDAT, all or nothing: all',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 250 ok
      C: RCPT TO:<c@example.com>
      S: 250 ok
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      C: BDAT 0 LAST
      S: 250 queued`,
    messages: [TWO],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com c@example.com, in 5'],
  },
  {
    name: 'lock-step by BDAT, all or nothing: nothing',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 250 ok
      C: RCPT TO:<c@example.com>
      S: 450 later
      C: RSET
      S: 250 ok
      C: MAIL FROM:<a@client.example>
      S: 550 no`,
    messages: [TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 450 at rcpt, rejected, later, refused c@example.com 450',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never',
    ],
  },
  {
    name: 'all or nothing in flight: what is behind waits until BDAT 0 LAST is written',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      C: RSET
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 250 queued 1
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: BDAT 0 LAST
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b3@example.com>
      C: BDAT 12 LAST
      C: Subject: 3
      S: 250 queued 2
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued 3`,
    open: { pipelining: 'flight' },
    messages: [numbered(1), TWO, numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b@example.com c@example.com, in 1',
      'transaction: 250 for b3@example.com, in 0',
    ],
  },
  {
    name: 'all or nothing refused in flight, and RSET in front of the next message',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      C: RSET
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 250 queued 1
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 250 ok
      ${SECOND_CHUNKED}`,
    open: { pipelining: 'flight' },
    messages: [numbered(1), TWO, numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b@example.com 550',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'all or nothing lost before BDAT 0 LAST: it is not sent',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: <close>
      C: <abort>`,
    messages: [TWO],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at rcpt, not-sent, reconnect'],
  },
  {
    name: 'all or nothing lost behind BDAT 0 LAST: its fate is unknown',
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 18
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: BDAT 0 LAST
      S: <close>
      C: <abort>`,
    messages: [TWO],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at final, unknown, unknown'],
  },
  {
    name: "the others when one is refused and partial is 'send', as it is by default",
    text: `${CHUNKED}
      ${TO_TWO}
      C: BDAT 18 LAST
      ${TEXT}
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 250 queued`,
    messages: [message({ to: ['b@example.com', 'c@example.com'] }, { partial: 'send' })],
    outcomes: ['open: ok', 'transaction: 250 for c@example.com, refused b@example.com 550, in 1'],
  },
];

describe("partial: 'abort'", () => {
  playAll(cases);

  test('Session writes no LAST and no DATA when the last reply to RCPT is withheld', () => {
    for (const keywords of [['PIPELINING'], ['PIPELINING', 'CHUNKING']]) {
      const stage = opened(keywords);
      stage.send(TWO.message, ALL);
      stage.poll();
      stage.hear('250 ok', '250 ok');
      expect(stage.poll()).toBe('');
      expect(stage.told).toEqual([]);
    }
  });

  test('abort() says not-sent when BDAT 0 LAST has not left, and unknown when it has', () => {
    const before = opened(['PIPELINING', 'CHUNKING']);
    const first = before.send(TWO.message, ALL);
    before.poll();
    before.session.abort(first, ABORTED);
    expect([before.poll(), before.closes]).toEqual(['', 1]);
    expect(before.error(0).delivery).toBe('not-sent');

    const behind = opened(['PIPELINING', 'CHUNKING']);
    const second = behind.send(TWO.message, ALL);
    behind.poll();
    behind.hear('250 ok', '250 ok', '250 ok', '250 ok');
    expect(behind.poll()).toBe('BDAT 0 LAST\r\n');
    behind.session.abort(second, ABORTED);
    expect(behind.error(0).delivery).toBe('unknown');
  });

  test('abort() says not-sent when BDAT 0 LAST was not given to the transport', () => {
    const stage = opened(['PIPELINING', 'CHUNKING']);
    const task = stage.send(TWO.message, ALL);
    stage.poll();
    stage.hear('250 ok', '250 ok', '250 ok', '250 ok');
    stage.session.abort(task, ABORTED);
    expect(stage.poll()).toBe('');
    expect(stage.error(0).delivery).toBe('not-sent');
  });
});
