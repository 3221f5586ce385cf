/** A final reply for each recipient: LMTP (RFC 2033), and PRDR (draft-hall-prdr), which Exim offers. */
import { describe, expect, test } from 'vitest';
import type { TransactionResult } from '../../src/session/index.ts';
import { whole } from '../wire/cuts.ts';
import {
  ABORTED,
  type Case,
  greeting,
  greetingBy,
  lines64,
  message,
  numbered,
  opened,
  playAll,
} from './scenes.ts';
import { type Outcome, play } from './transcript.ts';

const LMTP = { protocol: 'lmtp' } as const;
const HELLO = greetingBy('LHLO', 'PIPELINING');
const CHUNKED = greetingBy('LHLO', 'PIPELINING', 'CHUNKING');
const THREE = ['b@example.com', 'c@example.com', 'd@example.com'] as const;
const TO_THREE = THREE.map((address) => `C: RCPT TO:<${address}>`).join('\n');
const TEXT = `C: Subject: a
  C:
  C: Hi`;

/** A message for three by DATA, up to its content. */
const DATA_TO_THREE = `C: MAIL FROM:<a@client.example>
  ${TO_THREE}
  C: DATA
  S: 250 ok
  S: 250 ok
  S: 250 ok
  S: 250 ok
  S: 354 go
  ${TEXT}
  C: .`;

const lmtp: readonly Case[] = [
  {
    name: 'LHLO, and a reply for each recipient behind DATA (RFC 2033 §4.2)',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: 250 for b
      S: 250 for c
      S: 250 for d
      C: QUIT
      S: 221 bye
      C: <close>`,
    open: LMTP,
    messages: [message({ to: THREE })],
    quit: true,
    outcomes: [
      'open: ok',
      `transaction: 250 for ${THREE.join(' ')}, in 2, replies 250 250 250`,
      'quit: ok',
    ],
  },
  {
    name: 'a reply for each recipient in several lines',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: 250-for
      S: 250 b
      S: 250-for
      S: 250 c
      S: 250-for
      S: 250 d`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', `transaction: 250 for ${THREE.join(' ')}, in 2, replies 250 250 250`],
  },
  {
    name: 'LMTP in lock-step',
    text: `${greetingBy('LHLO')}
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
      S: 250 for b
      S: 452 for c
      C: QUIT
      S: 221 bye
      C: <close>`,
    open: LMTP,
    messages: [message({ to: ['b@example.com', 'c@example.com'] })],
    quit: true,
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com, refused c@example.com 452, in 5, replies 250',
      'quit: ok',
    ],
  },
  {
    name: 'no EHLO and no HELO when LHLO is not known',
    text: `S: 220 mail.example.com ESMTP
      C: LHLO client.example
      S: 500 unknown`,
    open: LMTP,
    messages: [message()],
    outcomes: ['open: ERR_SMTP_REPLY 500 at ehlo, not-sent, never'],
  },
  {
    name: 'LHLO again under TLS',
    text: `${greetingBy('LHLO', 'STARTTLS')}
      C: STARTTLS
      S: 220 go
      T: <TLS>
      C: LHLO client.example
      S: 250 mail.example.com`,
    open: { ...LMTP, tls: 'starttls' },
    outcomes: ['open: ok'],
  },
  {
    name: 'replies only for the recipients that RCPT was accepted for (RFC 2033 §4.2)',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 354 go
      ${TEXT}
      C: .
      S: 250 for b
      S: 250 for d`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com d@example.com, refused c@example.com 550, in 2, replies 250 250',
    ],
  },
  {
    name: 'some recipients refused by RCPT and some behind the content',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: DATA
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 250 ok
      S: 354 go
      ${TEXT}
      C: .
      S: 452 for c, full
      S: 250 for d`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: 250 for d@example.com, refused b@example.com 550, refused c@example.com 452, in 2, replies 250',
    ],
  },
  {
    name: 'the last recipient refused behind the content: the message is accepted for the others',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: 250 for b
      S: 250 for c
      S: 554 for d`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com c@example.com, refused d@example.com 554, in 2, replies 250 250',
    ],
  },
  {
    name: 'every recipient refused behind the content, and no RSET behind DATA',
    text: `${HELLO}
      ${DATA_TO_THREE}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: DATA
      S: 550 for b
      S: 552 for c
      S: 554 for d
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 2
      C: .
      S: 250 for b2`,
    open: LMTP,
    messages: [message({ to: THREE }), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 554 at final, rejected, never, refused b@example.com 550, refused c@example.com 552, refused d@example.com 554',
      'transaction: 250 for b2@example.com, in 1, replies 250',
    ],
  },
  {
    // As for RCPT: what is refused for now for one recipient is worth another try for the message.
    name: 'every recipient refused behind the content, one of them for now',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: 550 for b
      S: 452 for c
      S: 554 for d`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 554 at final, rejected, later, refused b@example.com 550, refused c@example.com 452, refused d@example.com 554',
    ],
  },
  {
    name: 'no content when no RCPT is accepted: 503 to DATA (RFC 2033 §4.2)',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: DATA
      S: 250 ok
      S: 550 no
      S: 450 later
      S: 550 no
      S: 503 no valid recipients`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, later, refused b@example.com 550, refused c@example.com 450, refused d@example.com 550',
    ],
  },
  {
    name: 'two replies for one address that is given twice (RFC 2033 §4.2)',
    text: `${HELLO}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 354 go
      ${TEXT}
      C: .
      S: 250 for b
      S: 250 for b again
      C: QUIT
      S: 221 bye
      C: <close>`,
    open: LMTP,
    messages: [message({ to: ['b@example.com', 'b@example.com'] })],
    quit: true,
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com b@example.com, in 2, replies 250 250',
      'quit: ok',
    ],
  },
  {
    name: 'three messages overlapping, each with its replies in front of what is behind it',
    text: `${HELLO}
      ${DATA_TO_THREE}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: DATA
      S: 250 1 for b
      S: 250 1 for c
      S: 452 1 for d
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 354 go
      ${TEXT}
      C: .
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b3@example.com>
      C: DATA
      S: 250 2 for b
      S: 554 2 for d
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 3
      C: .
      S: 250 3 for b3`,
    open: LMTP,
    messages: [message({ to: THREE }), message({ to: THREE }), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com c@example.com, refused d@example.com 452, in 2, replies 250 250',
      'transaction: 250 for b@example.com, refused c@example.com 550, refused d@example.com 554, in 1, replies 250',
      'transaction: 250 for b3@example.com, in 1, replies 250',
    ],
  },
  {
    name: 'a reply for each recipient behind BDAT LAST (RFC 2033 §4.3), in one wait',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: BDAT 18 LAST
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 250 for b
      S: 250 for d
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: BDAT 12 LAST
      C: Subject: 2
      S: 250 ok
      S: 250 ok
      S: 250 for b2`,
    open: LMTP,
    messages: [message({ to: THREE }), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com d@example.com, refused c@example.com 550, in 1, replies 250 250',
      'transaction: 250 for b2@example.com, in 1, replies 250',
    ],
  },
  {
    name: 'one reply behind BDAT LAST when no RCPT is accepted, and RSET in front of the next message',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: BDAT 18 LAST
      ${TEXT}
      S: 250 ok
      S: 550 no
      S: 550 no
      S: 550 no
      S: 503 no valid recipients
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: BDAT 12 LAST
      C: Subject: 2
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 for b2`,
    open: LMTP,
    messages: [message({ to: THREE }), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never, refused b@example.com 550, refused c@example.com 550, refused d@example.com 550',
      'transaction: 250 for b2@example.com, in 1, replies 250',
    ],
  },
  {
    name: 'one reply for a chunk that is not the last, and one for each recipient behind LAST',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: BDAT 65536
      ${lines64(1_040).said.split('\n').slice(0, 1_024).join('\n')}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 65536 octets
      C: BDAT 1024 LAST
      ${lines64(1_040).said.split('\n').slice(1_024).join('\n')}
      S: 250 for b
      S: 452 for c
      S: 250 for d`,
    open: LMTP,
    messages: [message({ to: THREE, content: lines64(1_040).text })],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com d@example.com, refused c@example.com 452, in 2, replies 250 250',
    ],
  },
  {
    name: 'LMTP in flight, each message with its replies',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: BDAT 18 LAST
      ${TEXT}
      C: RSET
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: BDAT 18 LAST
      ${TEXT}
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b3@example.com>
      C: BDAT 12 LAST
      C: Subject: 3
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 1 for b
      S: 554 1 for c
      S: 250 reset
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 451 2 for b
      S: 250 2 for d
      S: 250 reset
      S: 250 ok
      S: 250 ok
      S: 250 3 for b3`,
    open: { ...LMTP, pipelining: 'flight' },
    messages: [
      message({ to: ['b@example.com', 'c@example.com'] }),
      message({ to: THREE }),
      numbered(3),
    ],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com, refused c@example.com 554, in 1, replies 250',
      'transaction: 250 for d@example.com, refused c@example.com 550, refused b@example.com 451, in 0, replies 250',
      'transaction: 250 for b3@example.com, in 0, replies 250',
    ],
  },
  {
    name: 'two replies of three, and the connection lost: unknown, with what is certain',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: 250 for b
      S: 554 for c
      S: <close>
      C: <abort>`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_CLOSED at final, unknown, unknown, accepted b@example.com, refused c@example.com 554',
    ],
  },
  {
    name: 'no reply of three, and the connection lost: unknown, and nothing is certain but what RCPT has refused',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: <close>
      C: <abort>`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at final, unknown, unknown'],
  },
  {
    name: 'two replies of three by BDAT, one refused by RCPT, and the connection lost',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: RCPT TO:<e@example.com>
      C: BDAT 18 LAST
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 250 ok
      S: 250 for b
      S: 250 for d
      S: <close>
      C: <abort>`,
    open: LMTP,
    messages: [message({ to: [...THREE, 'e@example.com'] })],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_CLOSED at final, unknown, unknown, accepted b@example.com d@example.com, refused c@example.com 550',
    ],
  },
  {
    name: 'garbage for the third reply: unknown, with what is certain',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: 250 for b
      S: 250 for c
      S: what?
      C: <abort>`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_PROTOCOL at final, unknown, unknown, accepted b@example.com c@example.com',
    ],
  },
  {
    name: '421 for the last recipient: the others are accepted',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: 250 for b
      S: 250 for c
      S: 421 down
      C: <abort>`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com c@example.com, refused d@example.com 421, in 2, replies 250 250',
    ],
  },
  {
    name: 'a verdict that means nothing: the others are read, and none of them as the answer to what is behind',
    text: `${CHUNKED}
      C: MAIL FROM:<a@client.example>
      ${TO_THREE}
      C: BDAT 18 LAST
      ${TEXT}
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: BDAT 12 LAST
      C: Subject: 2
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 354 for b
      S: 250 for c
      S: 451 for d
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 for b2
      C: <abort>`,
    open: { ...LMTP, pipelining: 'flight' },
    messages: [message({ to: THREE }), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_PROTOCOL 354 at final, unknown, unknown, accepted c@example.com, refused d@example.com 451',
      'transaction: 250 for b2@example.com, in 0, replies 250',
    ],
  },
  {
    name: 'a reply too many: the connection is of no use',
    text: `${HELLO}
      ${DATA_TO_THREE}
      S: 250 for b
      S: 250 for c
      S: 250 for d
      S: 250 for whom
      C: <abort>`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', `transaction: 250 for ${THREE.join(' ')}, in 2, replies 250 250 250`],
  },
];

const OFFERED = greeting('PIPELINING', 'PRDR');
const PRDR_TO_THREE = DATA_TO_THREE.replace(
  'FROM:<a@client.example>',
  'FROM:<a@client.example> PRDR',
);

const prdr: readonly Case[] = [
  {
    name: '353, a reply for each recipient, and the final one',
    text: `${OFFERED}
      ${PRDR_TO_THREE}
      S: 353 content analysis has started
      S: 250 for b
      S: 550 for c
      S: 250 for d
      S: 250 queued
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message({ to: THREE })],
    quit: true,
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com d@example.com, refused c@example.com 550, in 2, replies 250 250',
      'quit: ok',
    ],
  },
  {
    name: 'a plain 250 of a server that offers PRDR',
    text: `${OFFERED}
      ${PRDR_TO_THREE}
      S: 250 queued`,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', `transaction: 250 for ${THREE.join(' ')}, in 2`],
  },
  {
    name: 'a plain refusal of a server that offers PRDR',
    text: `${OFFERED}
      ${PRDR_TO_THREE}
      S: 554 spam`,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 554 at final, rejected, never'],
  },
  {
    name: '353 with a reply for each recipient that RCPT was accepted for',
    text: `${OFFERED}
      C: MAIL FROM:<a@client.example> PRDR
      ${TO_THREE}
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 550 no
      S: 250 ok
      S: 354 go
      ${TEXT}
      C: .
      S: 353 started
      S: 250 for b
      S: 452 for d
      S: 250 queued`,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com, refused c@example.com 550, refused d@example.com 452, in 2, replies 250',
    ],
  },
  {
    name: '353, and the message refused for all',
    text: `${OFFERED}
      ${PRDR_TO_THREE}
      S: 353 started
      S: 250 for b
      S: 250 for c
      S: 550 for d
      S: 554 spam after all`,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 554 at final, rejected, never, refused d@example.com 550',
    ],
  },
  {
    name: '353, and every recipient refused',
    text: `${OFFERED}
      ${PRDR_TO_THREE}
      S: 353 started
      S: 550 for b
      S: 550 for c
      S: 550 for d
      S: 550 nobody`,
    messages: [message({ to: THREE })],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at final, rejected, never, refused b@example.com 550, refused c@example.com 550, refused d@example.com 550',
    ],
  },
  {
    name: 'PRDR not asked for one recipient',
    text: `${OFFERED}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      ${TEXT}
      C: .
      S: 250 queued`,
    messages: [message()],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'PRDR not asked where it is not offered',
    text: `${greeting('PIPELINING', 'XPRDR')}
      ${DATA_TO_THREE}
      S: 250 queued`,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', `transaction: 250 for ${THREE.join(' ')}, in 2`],
  },
  {
    name: 'PRDR with the next message behind the content',
    text: `${OFFERED}
      ${PRDR_TO_THREE}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: DATA
      S: 353 started
      S: 250 for b
      S: 550 for c
      S: 250 for d
      S: 250 queued 1
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 2
      C: .
      S: 250 queued 2`,
    messages: [message({ to: THREE }), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b@example.com d@example.com, refused c@example.com 550, in 2, replies 250 250',
      'transaction: 250 for b2@example.com, in 1',
    ],
  },
  {
    name: 'PRDR by BDAT',
    text: `${greeting('PIPELINING', 'CHUNKING', 'PRDR')}
      C: MAIL FROM:<a@client.example> PRDR
      ${TO_THREE}
      C: BDAT 18 LAST
      ${TEXT}
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 353 started
      S: 550 for b
      S: 250 for c
      S: 250 for d
      S: 250 queued 1
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message({ to: THREE })],
    quit: true,
    outcomes: [
      'open: ok',
      'transaction: 250 for c@example.com d@example.com, refused b@example.com 550, in 1, replies 250 250',
      'quit: ok',
    ],
  },
  {
    // The final reply decides for all: until it comes nobody has it for certain.
    name: '353 and the connection lost before the final reply: unknown',
    text: `${OFFERED}
      ${PRDR_TO_THREE}
      S: 353 started
      S: 250 for b
      S: 250 for c
      S: 250 for d
      S: <close>
      C: <abort>`,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at final, unknown, unknown'],
  },
  {
    name: '353 and the connection lost between two verdicts: nobody is said to have it',
    text: `${OFFERED}
      ${PRDR_TO_THREE}
      S: 353 started
      S: 250 for b
      S: 550 for c
      S: <close>
      C: <abort>`,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at final, unknown, unknown'],
  },
  {
    name: 'LMTP with PRDR, and the message refused for all: nobody is said to have it',
    text: `${greeting('PIPELINING', 'PRDR').replace('EHLO', 'LHLO')}
      ${PRDR_TO_THREE}
      S: 353 started
      S: 250 for b
      S: 250 for c
      S: 250 for d
      S: 554 spam after all`,
    open: LMTP,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 554 at final, rejected, never'],
  },
  {
    name: '353 to DATA: no verdicts follow, for nothing was sent',
    text: `${OFFERED}
      ${PRDR_TO_THREE.slice(0, PRDR_TO_THREE.indexOf('S: 354'))}S: 353 started
      C: <abort>`,
    messages: [message({ to: THREE })],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_PROTOCOL 353 at data, not-sent, reconnect'],
  },
];

describe('LMTP', () => {
  playAll(lmtp);

  test('Session gives the reply of each recipient when they differ', () => {
    const [first] = lmtp;
    if (!first) throw new Error('no case');
    const { outcomes } = play(first, whole);
    const { accepted, replies, reply } = (outcomes[1] as Outcome).value as TransactionResult;
    expect(replies?.map(({ text }) => text)).toEqual(['for b', 'for c', 'for d']);
    expect([accepted.length, reply.text]).toEqual([3, 'for d']);
  });

  test('Session waits for a reply of each recipient when one is withheld', () => {
    const stage = opened(['PIPELINING'], LMTP);
    stage.send({ to: THREE });
    stage.poll();
    stage.hear('250 ok', '250 ok', '250 ok', '250 ok', '354 go');
    stage.poll();
    stage.hear('250 for b', '250 for c');
    expect([stage.told, stage.session.waiting?.phase]).toEqual([[], 'final']);
  });

  test('abort() names who has accepted when two replies of three have come, and the next message goes on', () => {
    const stage = opened(['PIPELINING'], LMTP);
    const task = stage.send({ to: THREE });
    stage.sendNumbered(2);
    stage.poll();
    stage.hear('250 ok', '250 ok', '250 ok', '250 ok', '354 go');
    stage.poll();
    stage.hear('250 for b', '452 for c');
    stage.session.abort(task, ABORTED);
    expect(stage.told).toEqual([
      'transaction: ERR_SMTP_ABORTED at final, unknown, unknown, accepted b@example.com, refused c@example.com 452',
    ]);
    const { accepted } = stage.error(0);
    stage.hear('250 for d', '250 ok', '250 ok', '354 go');
    expect([stage.poll(), stage.closes]).toEqual(['Subject: 2\r\n.\r\n', 0]);
    stage.hear('250 for b2');
    expect(stage.told[1]).toMatch(/^transaction: 250 for b2@example.com/);
    // What was told does not change when more becomes known.
    expect(accepted).toEqual(['b@example.com']);
  });

  test('Session keeps what is certain for one message from another when several overlap', () => {
    const stage = opened(['PIPELINING'], LMTP);
    stage.send({ to: THREE });
    stage.sendNumbered(2);
    stage.poll();
    stage.hear('250 ok', '250 ok', '250 ok', '250 ok', '354 go');
    stage.poll();
    stage.hear('250 for b');
    stage.session.end();
    expect(stage.told).toEqual([
      'transaction: ERR_SMTP_CLOSED at final, unknown, unknown, accepted b@example.com',
      'transaction: ERR_SMTP_CLOSED at mail, not-sent, reconnect',
    ]);
  });
});

describe('PRDR', () => {
  playAll(prdr);

  test('abort() leaves the connection as it is when 353 comes for a message that was given up', () => {
    const stage = opened(['PIPELINING', 'PRDR']);
    const task = stage.send({ to: THREE });
    stage.sendNumbered(2);
    stage.poll();
    stage.hear('250 ok', '250 ok', '250 ok', '250 ok', '354 go');
    stage.poll();
    stage.session.abort(task, ABORTED);
    expect(stage.told[0]).toBe('transaction: ERR_SMTP_ABORTED at final, unknown, unknown');
    stage.hear('353 started', '250 for b', '250 for c', '250 for d', '250 queued');
    stage.hear('250 ok', '250 ok', '354 go');
    expect([stage.poll(), stage.closes]).toEqual(['Subject: 2\r\n.\r\n', 0]);
    stage.hear('250 queued');
    expect(stage.told[1]).toMatch(/^transaction: 250 for b2@example.com/);
  });
});
