/** BDAT (RFC 3030 §2) and BINARYMIME (RFC 3030 §3). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { envelope, type OutgoingMessage, SmtpError } from '../../src/session/index.ts';
import { parseCapabilities } from '../../src/wire/extension.ts';
import { latin1, octetsOf, replyOf, whole } from '../wire/cuts.ts';
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
  slow,
  stream,
  TEXT,
} from './scenes.ts';
import { play } from './transcript.ts';

const OFFERED = ['PIPELINING', 'CHUNKING'] as const;
const HELLO = greeting(...OFFERED);

/** 66,560 octets: 64 KiB and 16 lines more. */
const LARGE = lines64(1_040);
const FIRST = LARGE.said.split('\n').slice(0, 1_024).join('\n');
const REST = LARGE.said.split('\n').slice(1_024).join('\n');
const large = (change: Partial<OutgoingMessage> = {}) =>
  message({ content: LARGE.text, ...change });

const SECOND = `C: MAIL FROM:<a@client.example>
  C: RCPT TO:<b2@example.com>
  C: BDAT 12 LAST
  C: Subject: 2`;

const cases: readonly Case[] = [
  {
    name: 'MAIL, RCPT and BDAT LAST with the content in one write: one wait',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 18 LAST
      C: Subject: a
      C:
      C: Hi
      S: 250 ok
      S: 250 ok
      S: 250 2.0.0 queued
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message()],
    quit: true,
    writes: [1, 1, 1],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 1', 'quit: ok'],
  },
  {
    name: 'three messages: the next group only behind the final reply, one wait each, no RSET where the state is known',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 250 ok
      S: 250 queued 1
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 queued 2
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b3@example.com>
      C: BDAT 12 LAST
      C: Subject: 3
      S: 250 ok
      S: 250 ok
      S: 250 queued 3`,
    messages: [numbered(1), numbered(2), numbered(3)],
    writes: [1, 1, 1, 1],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 1',
      'transaction: 250 for b2@example.com, in 1',
      'transaction: 250 for b3@example.com, in 1',
    ],
  },
  {
    name: '20 recipients in one wait',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      ${Array.from({ length: 20 }, (_, at) => `C: RCPT TO:<b${at}@example.com>`).join('\n')}
      C: BDAT 18 LAST
      C: Subject: a
      C:
      C: Hi
      S: 250 ok
      ${Array.from({ length: 20 }, () => 'S: 250 ok').join('\n')}
      S: 250 queued`,
    messages: [message({ to: Array.from({ length: 20 }, (_, at) => `b${at}@example.com`) })],
    outcomes: [
      'open: ok',
      `transaction: 250 for ${Array.from({ length: 20 }, (_, at) => `b${at}@example.com`).join(' ')}, in 1`,
    ],
  },
  {
    name: 'BDAT without a second dot at the start of lines, with line ends repaired and the last one added',
    text: `${greeting(...OFFERED, 'SIZE')}
      C: MAIL FROM:<a@client.example> SIZE=20
      C: RCPT TO:<b@example.com>
      C: BDAT 20 LAST
      C: ..
      C: .
      C: QUIT
      C:
      C: .x.
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [message({ content: '..\r\n.\nQUIT\r\r\n.x.' })],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 1'],
  },
  {
    name: 'BDAT 0 LAST when the content is empty',
    text: `${HELLO}
      C: MAIL FROM:<>
      C: RCPT TO:<b@example.com>
      C: BDAT 0 LAST
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [message({ from: '', content: '' })],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 1'],
  },
  {
    name: 'BDAT with octets counted, not characters',
    text: `${greeting(...OFFERED, '8BITMIME')}
      C: MAIL FROM:<a@client.example> BODY=8BITMIME
      C: RCPT TO:<b@example.com>
      C: BDAT 9 LAST
      C: ж€н
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [message({ content: 'ж€н' })],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 1'],
  },
  {
    name: 'large content: 64 KiB with the envelope, and the rest when the replies are read',
    text: `${greeting(...OFFERED, 'SIZE')}
      C: MAIL FROM:<a@client.example> SIZE=66560
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 250 ok
      S: 250 65536 octets
      C: BDAT 1024 LAST
      ${REST}
      S: 250 queued`,
    messages: [large()],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'large content, the rest not uploaded when every recipient is refused, and RSET in front of the next message',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 550 no
      S: 503 no valid recipients
      C: RSET
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [large(), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b@example.com 550',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'large content, the rest not uploaded when every recipient is refused and the chunk accepted',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 550 no
      S: 450 later
      S: 250 ok
      C: RSET
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [large({ to: ['b@example.com', 'c@example.com'] }), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 450 at rcpt, rejected, later, refused b@example.com 550, refused c@example.com 450',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'large content, uploaded when one recipient of two is refused',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 250 ok
      C: BDAT 1024 LAST
      ${REST}
      S: 250 queued`,
    messages: [large({ to: ['b@example.com', 'c@example.com'] })],
    outcomes: ['open: ok', 'transaction: 250 for c@example.com, refused b@example.com 550, in 2'],
  },
  {
    name: 'large content, its first chunk refused: no more of it, and RSET in front of the next message (RFC 3030 §2)',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 250 ok
      S: 452 full
      C: RSET
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [large(), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 452 at data, rejected, later',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'large content refused behind LAST, and RSET in front of the next message',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: BDAT 1024 LAST
      ${REST}
      S: 554 spam
      C: RSET
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [large(), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 554 at final, rejected, never',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'content of unknown size in one chunk when it is small',
    text: `${greeting(...OFFERED, 'SIZE')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      S: 250 ok
      S: 250 ok
      C: BDAT 6 LAST
      C: a
      C: .
      S: 250 queued`,
    messages: [message({ content: stream('a\r', '\n', '', '.\r\n') })],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'nothing of a stream when every recipient is refused',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      S: 250 ok
      S: 550 no
      C: RSET
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [message({ content: stream('a\r\n') }), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b@example.com 550',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'content of declared size in one BDAT',
    text: `${greeting(...OFFERED, 'SIZE')}
      C: MAIL FROM:<a@client.example> SIZE=9
      C: RCPT TO:<b@example.com>
      S: 250 ok
      S: 250 ok
      C: BDAT 9 LAST
      C: a
      C: .
      C: b
      S: 250 queued`,
    messages: [message({ content: stream('a\r', '\n', '', '.\n', 'b'), size: 9 })],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'a small message refused, and RSET in front of the next (RFC 3030 §2)',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 250 ok
      S: 552 too large
      C: RSET
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 552 at final, rejected, never',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'BDAT answered 500: no DATA in its place',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 250 ok
      S: 500 unknown
      C: RSET
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 500 at final, rejected, never',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'a refused sender: each reply of the group is counted, BDAT owes its octets, RSET comes next',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 550-no
      S: 550 no
      S: 503 no
      S: 503 no
      C: RSET
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never, refused b1@example.com 503',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'a sender who must authenticate, with BDAT behind',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 530 5.7.0 Authentication required
      S: 503 no
      S: 503 no`,
    messages: [numbered(1)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_AUTH 530 at mail, rejected, fix-first, refused b1@example.com 503',
    ],
  },
  {
    name: 'LAST answered 250 although every recipient was refused: nobody gets it',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 550 no
      S: 250 whatever
      ${SECOND}
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b1@example.com 550',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'a refused RSET in front of a group that is accepted: its fate is unknown',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 250 ok
      S: 451 later
      C: RSET
      ${SECOND}
      S: 502 what
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 451 at final, rejected, later',
      'transaction: ERR_SMTP_REPLY 502 at idle, unknown, unknown',
    ],
  },
  {
    name: '354 to RCPT, and 250 to LAST: its fate is unknown',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 354 what
      S: 250 queued
      C: <abort>`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_PROTOCOL 354 at rcpt, unknown, unknown',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
    ],
  },
  {
    name: '354 to MAIL, and 250 to LAST: its fate is unknown',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 354 what
      S: 250 ok
      S: 250 queued
      C: <abort>`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_PROTOCOL 354 at mail, unknown, unknown'],
  },
  {
    name: '354 to one RCPT of two, and 250 to LAST: its fate is unknown',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: BDAT 18 LAST
      C: Subject: a
      C:
      C: Hi
      S: 250 ok
      S: 354 what
      S: 550 no
      S: 250 queued
      C: <abort>`,
    messages: [message({ to: ['b@example.com', 'c@example.com'] })],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_PROTOCOL 354 at rcpt, unknown, unknown, refused c@example.com 550',
    ],
  },
  {
    name: '354 to LAST: its fate is unknown',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 250 ok
      S: 354 what
      C: <abort>`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_PROTOCOL 354 at final, unknown, unknown'],
  },
  {
    name: '354 to the first chunk of a large message: nothing more of it',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: <abort>`,
    messages: [large()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_PROTOCOL 354 at data, not-sent, reconnect'],
  },
  {
    name: 'garbage for the reply to LAST: its fate is unknown',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 250 ok
      S: queued
      C: <abort>`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_PROTOCOL at final, unknown, unknown'],
  },
  {
    name: '421 to LAST',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 250 ok
      S: 421 down
      C: <abort>`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 421 at final, rejected, later',
      'transaction: ERR_SMTP_CLOSED 421 at idle, not-sent, later',
    ],
  },
  {
    name: 'the connection lost behind a group that was written: its fate is unknown',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: <close>
      C: <abort>`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_CLOSED at mail, unknown, unknown',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
    ],
  },
  {
    name: 'the connection lost when LAST alone is not answered',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: BDAT 12 LAST
      C: Subject: 1
      S: 250 ok
      S: 250 ok
      S: <close>
      C: <abort>`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at final, unknown, unknown'],
  },
  {
    name: 'the connection lost behind the first chunk of a large message: it is not sent',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 250 ok
      S: <close>
      C: <abort>`,
    messages: [large()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at data, not-sent, reconnect'],
  },
  {
    name: 'the connection lost behind the last chunk of a large message: its fate is unknown',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      C: BDAT 1024 LAST
      ${REST}
      S: <close>
      C: <abort>`,
    messages: [large()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at final, unknown, unknown'],
  },
  {
    name: 'lock-step with CHUNKING',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 250 ok
      C: BDAT 18 LAST
      C: Subject: a
      C:
      C: Hi
      S: 250 queued
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message()],
    quit: true,
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 3', 'quit: ok'],
  },
  {
    name: 'lock-step with CHUNKING, no BDAT when every recipient is refused',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 550 no
      C: RSET
      S: 250 ok
      C: MAIL FROM:<a@client.example>
      S: 451 later`,
    messages: [message(), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b@example.com 550',
      'transaction: ERR_SMTP_REPLY 451 at mail, rejected, later',
    ],
  },
  {
    name: 'lock-step with CHUNKING, no RCPT when the sender is refused',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 550 no
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message()],
    quit: true,
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never', 'quit: ok'],
  },
  {
    name: 'lock-step with CHUNKING, a refused message and RSET in front of the next',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b1@example.com>
      S: 250 ok
      C: BDAT 12 LAST
      C: Subject: 1
      S: 554 no
      C: RSET
      S: 250 ok
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b2@example.com>
      S: 250 ok
      C: BDAT 12 LAST
      C: Subject: 2
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 554 at final, rejected, never',
      'transaction: 250 for b2@example.com, in 4',
    ],
  },
  {
    name: 'lock-step with CHUNKING, and RSET refused: nothing of the message is said',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b1@example.com>
      S: 250 ok
      C: BDAT 12 LAST
      C: Subject: 1
      S: 452 full
      C: RSET
      S: 451 later`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 452 at final, rejected, later',
      'transaction: ERR_SMTP_REPLY 451 at idle, not-sent, later',
    ],
  },
  {
    name: 'large content in lock-step with CHUNKING',
    text: `${greeting('CHUNKING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 250 ok
      C: BDAT 65536
      ${FIRST}
      S: 250 ok
      C: BDAT 1024 LAST
      ${REST}
      S: 250 queued`,
    messages: [large()],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 4'],
  },
  {
    name: 'DATA when CHUNKING is to be ignored',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: a
      C:
      C: Hi
      C: .
      S: 250 queued`,
    open: { ignoreExtensions: ['chunking'] },
    messages: [message()],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'BODY=BINARYMIME with BDAT, its lines longer than 998 octets and its end as it is',
    text: `${greeting(...OFFERED, 'BINARYMIME', '8BITMIME')}
      C: MAIL FROM:<a@client.example> BODY=BINARYMIME
      C: RCPT TO:<b@example.com>
      C: BDAT 2005 LAST
      C: .
      C: ${'x'.repeat(2_000)}
      S: 250 ok
      S: 250 ok
      S: 250 queued`,
    messages: [message({ content: `.\r\n${'x'.repeat(2_000)}\r\n`, body: 'BINARYMIME' })],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 1'],
  },
  {
    name: 'no MAIL when BINARYMIME is wanted and not to be had (RFC 3030 §3)',
    text: greeting('PIPELINING', 'BINARYMIME', '8BITMIME'),
    messages: [
      message({ body: 'BINARYMIME' }),
      message({ body: 'BINARYMIME' }, { onUnsupported: 'drop' }),
    ],
    outcomes: [
      'open: ok',
      'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first',
      'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first',
    ],
  },
  {
    name: 'no MAIL when BINARYMIME is wanted and CHUNKING alone is offered, or CHUNKING is to be ignored',
    text: greeting('PIPELINING', 'CHUNKING', '8BITMIME'),
    messages: [
      message({ body: 'BINARYMIME' }),
      message({ body: 'BINARYMIME' }, { onUnsupported: 'drop' }),
    ],
    outcomes: [
      'open: ok',
      'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first',
      'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first',
    ],
  },
  {
    name: 'no BINARYMIME when CHUNKING is to be ignored',
    text: greeting('PIPELINING', 'CHUNKING', 'BINARYMIME'),
    open: { ignoreExtensions: ['CHUNKING'] },
    messages: [message({ body: 'BINARYMIME' })],
    outcomes: ['open: ok', 'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first'],
  },
];

const GROUP = `MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.com>\r\nBDAT 18 LAST\r\n${TEXT}`;

/** A server that accepts everything: it reads commands and chunks by the letter of RFC 3030. */
class Reader {
  readonly commands: string[] = [];
  readonly chunks: string[] = [];
  /** Whole messages. */
  readonly messages: string[] = [];
  #pending = '';
  #content = '';

  /** What it answers, by now. */
  read(octets: string): string[] {
    this.#pending += octets;
    const replies: string[] = [];
    for (;;) {
      const end = this.#pending.indexOf('\r\n');
      if (end < 0) return replies;
      const line = this.#pending.slice(0, end);
      const [, size, last] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? [];
      const from = end + 2;
      if (this.#pending.length < from + Number(size ?? 0)) return replies;
      this.commands.push(line);
      if (size !== undefined) {
        this.chunks.push(this.#pending.slice(from, from + Number(size)));
        this.#content += this.chunks.at(-1);
        if (last) {
          this.messages.push(this.#content);
          this.#content = '';
        }
      }
      this.#pending = this.#pending.slice(from + Number(size ?? 0));
      replies.push('250 ok');
    }
  }

  /** Octets of a command or a chunk that is not complete. */
  get pending(): number {
    return this.#pending.length;
  }
}

/** Lets a stage and a server talk until neither has anything to say. */
function converse(stage: Stage, server: Reader): void {
  for (let said = stage.poll(); said; said = stage.poll()) {
    for (const reply of server.read(said)) {
      stage.hear(reply);
    }
  }
}

const repaired = (text: string): string =>
  text.replace(/\r\n|\r|\n/g, '\r\n').replace(/(?<=[^\n])$/, '\r\n');

describe('BDAT', () => {
  playAll(cases);

  test('Session needs three waits for a first message: greeting, EHLO, and one group', () => {
    const [first] = cases;
    if (!first) throw new Error('no case');
    const { session } = play(
      { ...first, quit: false, text: first.text.split('C: QUIT')[0] ?? '' },
      whole,
    );
    expect(session.roundTrips).toBe(3);
  });

  test.each([
    ['ends between borders', 11 * 64 * 1_024 + 100, undefined],
    ['ends on the border of a chunk', 1_048_576, undefined],
    ['is given in one large block', 100_000, 100_000],
    ['is given in small blocks', 600_000, 1_000],
  ])(
    'Session writes chunks of about 64 KiB when a stream of unknown size %s',
    (_name, total, block = 65_536) => {
      const stage = opened(OFFERED);
      const server = new Reader();
      const content = `${'y'.repeat(62)}\r\n`
        .repeat(Math.ceil(total / 64))
        .slice(0, total - 2)
        .concat('\r\n');
      const blocks = Array.from({ length: Math.ceil(total / block) }, (_each, at) =>
        content.slice(at * block, (at + 1) * block),
      );
      stage.send({ content: stream(...blocks) });
      converse(stage, server);
      expect(stage.told).toHaveLength(1);
      expect(stage.told[0]).toMatch(/^transaction: 250/);
      expect(server.messages.length === 1 && server.messages[0] === content).toBe(true);
      const sizes = server.chunks.map((chunk) => chunk.length);
      for (const size of sizes.slice(0, -1)) {
        expect(size).toBeGreaterThanOrEqual(65_536);
        expect(size).toBeLessThan(131_072);
      }
      expect(sizes.at(-1)).toBeLessThan(131_072);
      expect(server.commands.filter((line) => line.endsWith(' LAST'))).toEqual([
        `BDAT ${sizes.at(-1)} LAST`,
      ]);
    },
  );

  test('Session ends with BDAT 0 LAST when the stream ends where a chunk does', () => {
    const stage = opened(OFFERED);
    stage.send({ content: slow() });
    stage.poll();
    stage.hear('250 ok', '250 ok');
    stage.poll();
    const block = `${'y'.repeat(62)}\r\n`.repeat(1_024);
    stage.give(block);
    const written = stage.poll();
    expect(written === `BDAT 65536\r\n${block}`).toBe(true);
    stage.hear('250 ok');
    stage.poll();
    stage.give(undefined);
    expect(stage.poll()).toBe('BDAT 0 LAST\r\n');
    stage.hear('250 queued');
    expect(stage.told).toEqual(['transaction: 250 for b@example.com, in 3']);
  });

  test('Session writes no further chunk when the reply to one is withheld', () => {
    const stage = opened(OFFERED);
    const content = `${'y'.repeat(62)}\r\n`.repeat(5_000);
    stage.send({ content: stream(content) });
    stage.poll();
    stage.hear('250 ok', '250 ok');
    expect(stage.poll()).not.toContain('LAST');
    expect([stage.poll(), stage.told, stage.session.waiting?.phase]).toEqual(['', [], 'data']);
  });

  test('Session writes no LAST when the reply to the first chunk of content in memory is withheld', () => {
    const stage = opened(OFFERED);
    stage.send({ content: LARGE.text });
    expect(stage.poll()).not.toContain('LAST');
    stage.hear('250 ok', '250 ok');
    expect([stage.poll(), stage.told, stage.session.waiting?.phase]).toEqual(['', [], 'data']);
  });

  test.each([
    ['refused', '452 full', 'ERR_SMTP_REPLY 452 at content, rejected, later', 'RSET\r\n', 0],
    ['answered 354', '354 go', 'ERR_SMTP_PROTOCOL 354 at content, not-sent, reconnect', '', 1],
  ])(
    'Session gives a stream up when a chunk in its midst is %s',
    (_name, reply, error, next, closes) => {
      const stage = opened(OFFERED);
      stage.send({ content: slow() });
      stage.poll();
      stage.hear('250 ok', '250 ok');
      stage.poll();
      stage.give(`${'y'.repeat(62)}\r\n`.repeat(1_024));
      stage.poll();
      stage.hear(reply);
      expect(stage.told).toEqual([`transaction: ${error}`]);
      stage.sendNumbered(2);
      const written = stage.poll();
      expect([written.slice(0, next.length), stage.closes]).toEqual([next, closes]);
    },
  );

  test.each([
    ['shorter', ['Subject: a\r\n', undefined], 20],
    ['longer', ['Subject: a\r\n', 'Subject: b\r\n'], 20],
    ['longer, where the declared end is the end of a block', ['Subject: a\r\n', '\r\n'], 12],
    ['longer by the CR LF that it lacks', ['Subject: a\r\n', 'b', undefined], 13],
  ])(
    'Session closes before LAST is complete when the content is %s than declared',
    (_name, blocks, size) => {
      const stage = opened(OFFERED);
      const server = new Reader();
      stage.send({ content: slow(), size });
      server.read(stage.poll());
      stage.hear('250 ok', '250 ok');
      for (const block of blocks) {
        server.read(stage.poll());
        stage.give(block);
      }
      server.read(stage.poll());
      expect(stage.told).toEqual(['transaction: ERR_SMTP_CONTENT at content, not-sent, fix-first']);
      expect([server.messages, stage.closes]).toEqual([[], 1]);
    },
  );

  // The server may have the message from its last octet on, whether the source has said that it ends or not.
  test.each<[name: string, end: (stage: Stage) => void]>([
    ['the connection is lost', (stage) => stage.session.end()],
    ['the session fails', (stage) => stage.session.fail(ABORTED)],
  ])(
    'Session says the truth when %s and a source of declared size has given all but its end',
    (_name, end) => {
      const stage = opened(OFFERED);
      const server = new Reader();
      stage.send({ content: slow(), size: 12 });
      server.read(stage.poll());
      stage.hear('250 ok', '250 ok');
      server.read(stage.poll());
      stage.give('Subject: a\r\n');
      server.read(stage.poll());
      end(stage);
      const { delivery } = stage.error(0);
      expect(delivery).toBe(server.messages[0] === undefined ? 'not-sent' : 'unknown');
    },
  );

  test('Session accepts the final reply when a source of declared size has given all but its end', () => {
    const stage = opened(OFFERED);
    const server = new Reader();
    stage.send({ content: slow(), size: 12 });
    server.read(stage.poll());
    stage.hear('250 ok', '250 ok');
    server.read(stage.poll());
    stage.give('Subject: a\r\n');
    stage.hear(...server.read(stage.poll()));
    stage.poll();
    if (stage.told.length === 0) {
      stage.give(undefined);
      stage.hear(...server.read(stage.poll()));
    }
    expect([server.messages.length, stage.told]).toEqual([
      1,
      ['transaction: 250 for b@example.com, in 2'],
    ]);
  });

  test('Session says the truth when the connection is lost and an empty source of declared size has not ended', () => {
    const stage = opened(OFFERED);
    const server = new Reader();
    stage.send({ content: slow(), size: 0 });
    server.read(stage.poll());
    stage.hear('250 ok', '250 ok');
    server.read(stage.poll());
    stage.session.end();
    const { delivery } = stage.error(0);
    expect(delivery).toBe(server.messages[0] === undefined ? 'not-sent' : 'unknown');
  });

  // A dot ends content only behind DATA.
  test.each([
    ['a stream', { content: stream('x') }, {}],
    ['a message for all or none', {}, { partial: 'abort' }],
  ] as const)(
    'Session writes no dot when MAIL is refused and RCPT of %s answered 354',
    (_name, change, options) => {
      for (const keywords of [OFFERED, OFFERED.slice(0, 1)]) {
        if (keywords.length === 1 && 'content' in change) continue;
        const stage = opened(keywords);
        stage.send(change, options);
        const replies = stage.poll().includes('BDAT')
          ? ['550 no', '503 no', '354 go']
          : ['550 no', '354 go'];
        stage.hear(...replies);
        expect(stage.poll()).toBe('');
        expect(stage.told).toHaveLength(1);
        expect(stage.told[0]).toMatch(/^transaction: ERR_SMTP_REPLY 550 at mail, rejected/);
      }
    },
  );

  test('Session lets hear BDAT and no content when it writes a chunk', () => {
    const [first] = cases;
    if (!first) throw new Error('no case');
    const { heard } = play(first, whole);
    expect(heard.filter((line) => line.startsWith('C:'))).toEqual([
      'C: EHLO client.example',
      'C: MAIL FROM:<a@client.example>',
      'C: RCPT TO:<b@example.com>',
      'C: BDAT 18 LAST',
      'C: QUIT',
    ]);
  });

  test('Session says not-sent when the connection is lost before the group was written', () => {
    const stage = opened(OFFERED);
    stage.send();
    stage.session.end();
    expect(stage.poll()).toBe('');
    expect(stage.told).toEqual(['transaction: ERR_SMTP_CLOSED at mail, not-sent, reconnect']);
  });

  test('abort() says not-sent and writes nothing when the group was not written', () => {
    const stage = opened(OFFERED);
    const task = stage.send();
    stage.session.abort(task, ABORTED);
    expect(stage.poll()).toBe('');
    expect(stage.told).toEqual(['transaction: ERR_SMTP_ABORTED at mail, not-sent, reconnect']);
  });

  test('abort() says unknown when the group was written', () => {
    const stage = opened(OFFERED);
    const task = stage.send();
    expect(stage.poll()).toBe(GROUP);
    stage.session.abort(task, ABORTED);
    expect(stage.poll()).toBe('');
    expect(stage.told).toEqual(['transaction: ERR_SMTP_ABORTED at mail, unknown, unknown']);
  });

  // As behind DATA: "after it, only its reply is ignored".
  test('abort() leaves the connection as it is when the last octet has left', () => {
    const stage = opened(OFFERED);
    const task = stage.send();
    stage.send();
    expect(stage.poll()).toBe(GROUP);
    stage.session.abort(task, ABORTED);
    expect([stage.poll(), stage.closes]).toEqual(['', 0]);
    stage.hear('250 ok', '250 ok', '250 queued');
    expect([stage.poll(), stage.closes]).toEqual([GROUP, 0]);
    stage.hear('250 ok', '250 ok', '250 queued');
    expect(stage.told[1]).toMatch(/^transaction: 250 for b@example.com/);
  });

  test('abort() puts RSET in front of the next message when the one given up is refused', () => {
    const stage = opened(OFFERED);
    const task = stage.send();
    stage.send();
    stage.poll();
    stage.session.abort(task, ABORTED);
    stage.poll();
    stage.hear('250 ok', '250 ok', '554 no');
    expect([stage.poll(), stage.closes]).toEqual([`RSET\r\n${GROUP}`, 0]);
  });

  test('abort() closes without LAST when the rest of a large message is owed', () => {
    const stage = opened(OFFERED);
    const task = stage.send({ content: LARGE.text });
    stage.sendNumbered(2);
    stage.poll();
    stage.session.abort(task, ABORTED);
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told).toEqual([
      'transaction: ERR_SMTP_ABORTED at mail, not-sent, reconnect',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
    ]);
  });

  test('abort() closes when a source of declared size is being sent', () => {
    const stage = opened(OFFERED);
    const server = new Reader();
    const task = stage.send({ content: slow(), size: 24 });
    server.read(stage.poll());
    stage.hear('250 ok', '250 ok');
    server.read(stage.poll());
    stage.give('Subject: a\r\n');
    server.read(stage.poll());
    stage.session.abort(task, ABORTED);
    expect([stage.poll(), stage.closes, server.messages]).toEqual(['', 1, []]);
    expect(stage.told).toEqual(['transaction: ERR_SMTP_ABORTED at content, not-sent, reconnect']);
  });

  test.each([
    ['552 too large', 'ERR_SMTP_REPLY 552 at content, rejected, never'],
    ['250 queued', 'ERR_SMTP_PROTOCOL 250 at content, not-sent, reconnect'],
  ])('Session closes when %j comes before the end of a BDAT', (reply, error) => {
    const stage = opened(OFFERED);
    stage.send({ content: slow(), size: 24 });
    stage.sendNumbered(2);
    stage.poll();
    stage.hear('250 ok', '250 ok');
    stage.poll();
    stage.give('Subject: a\r\n');
    stage.poll();
    stage.hear(reply);
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told[0]).toBe(`transaction: ${error}`);
    expect(stage.told[1]).toMatch(/not-sent/);
  });

  test('Session fails and closes when a source fails in the midst of BDAT', () => {
    for (const block of ['a\0b', 'x'.repeat(999)]) {
      const stage = opened(OFFERED);
      stage.send({ content: slow() });
      stage.poll();
      stage.hear('250 ok', '250 ok');
      stage.poll();
      stage.give(block);
      expect([stage.poll(), stage.closes]).toEqual(['', 1]);
      expect(stage.told).toEqual(['transaction: ERR_SMTP_CONTENT at content, not-sent, fix-first']);
    }
  });

  test.each(['a\0b\r\n', `${'x'.repeat(999)}\r\n`])(
    'envelope() refuses content for BDAT when it cannot go in lines',
    (content) => {
      const capabilities = parseCapabilities(replyOf(250, ['mail', ...OFFERED]));
      expect(() => envelope(message({ content }).message, capabilities, {})).toThrow(SmtpError);
    },
  );

  test('Session gives out exactly the content when it is random, in memory or not', () => {
    const text = fc.array(fc.constantFrom('.', '\r', '\n', '\r\n', 'a', 'BDAT 1 LAST', 'b'), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 6 }),
        fc.constantFrom('memory', 'stream', 'sized'),
        fc.boolean(),
        (parts, how, pipelined) => {
          const blocks = parts.map((part) => part.join(''));
          const wanted = repaired(blocks.join(''));
          const stage = opened(pipelined ? OFFERED : ['CHUNKING']);
          const server = new Reader();
          stage.send({
            content: how === 'memory' ? blocks.join('') : stream(...blocks),
            ...(how === 'sized' && { size: wanted.length }),
          });
          stage.sendNumbered(2);
          converse(stage, server);
          expect(server.messages).toEqual([wanted, 'Subject: 2\r\n']);
          expect([server.pending, stage.closes]).toEqual([0, 0]);
          expect(stage.told.every((one) => one.startsWith('transaction: 250'))).toBe(true);
          expect(server.commands.filter((line) => line.endsWith('LAST'))).toHaveLength(2);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('BINARYMIME', () => {
  const BINARY = '\0\r\n.\r\n..\n.\r.\r\n\xff\xfe\r\r\n\n';

  test.each(['memory', 'stream', 'sized'])(
    'Session changes no octet when the content comes by %s',
    (how) => {
      const stage = opened([...OFFERED, 'BINARYMIME']);
      const server = new Reader();
      const octets = latin1(BINARY);
      stage.send({
        body: 'BINARYMIME',
        content: how === 'memory' ? octets : stream(octets.subarray(0, 5), octets.subarray(5)),
        ...(how === 'sized' && { size: octets.length }),
      });
      converse(stage, server);
      expect(server.messages).toEqual([BINARY]);
      expect(server.commands[0]).toBe('MAIL FROM:<a@client.example> BODY=BINARYMIME');
      expect(stage.told[0]).toMatch(/^transaction: 250/);
    },
  );

  test('Session changes no octet when the content is random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (octets, streamed) => {
        const stage = opened([...OFFERED, 'BINARYMIME']);
        const server = new Reader();
        stage.send({ body: 'BINARYMIME', content: streamed ? stream(octets) : octets });
        converse(stage, server);
        expect(server.messages).toEqual([String.fromCharCode(...octets)]);
      }),
      { numRuns: 40 },
    );
  });

  test('Session lets large binary content through in parts whose sum it is', () => {
    const stage = opened([...OFFERED, 'BINARYMIME']);
    const server = new Reader();
    const octets = Uint8Array.from({ length: 150_001 }, (_, at) => at % 251);
    stage.send({ body: 'BINARYMIME', content: octets });
    converse(stage, server);
    expect(server.messages[0]?.length).toBe(octets.length);
    expect(server.messages[0] === octetsTo(octets)).toBe(true);
  });

  test('onProgress() is told the octets as they are sent when content goes by BDAT', () => {
    const stage = opened(OFFERED);
    const told: (number | undefined)[][] = [];
    stage.send(
      { content: LARGE.text },
      { onProgress: (octets, size) => void told.push([octets, size]) },
    );
    converse(stage, new Reader());
    expect(told.at(-1)).toEqual([66_560, 66_560]);
    expect(told.map(([octets]) => octets)).toEqual(
      told.map(([octets = 0]) => octets).toSorted((a, b) => a - b),
    );
    expect(octetsOf(LARGE.text).length).toBe(66_560);
  });
});

const octetsTo = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => String.fromCharCode(octet)).join('');
