import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { login, plain, type SaslMechanism } from '../../src/sasl/index.ts';
import type { OutgoingMessage, SmtpError } from '../../src/session/index.ts';
import { CUTS, octetsOf, randomCut, whole } from '../wire/cuts.ts';
import { describeOutcome, parseTranscript, play, type Scene, type Sending } from './transcript.ts';

const TEXT = 'Subject: a\r\n\r\nHi\r\n';

function message(change: Partial<OutgoingMessage> = {}): Sending {
  return { message: { from: 'a@client.example', to: 'b@example.com', content: TEXT, ...change } };
}

const numbered = (number: number): Sending =>
  message({ to: `b${number}@example.com`, content: `Subject: ${number}\r\n` });

/** A source whose blocks are there when they are asked for: the session need not wait. */
function stream(...blocks: readonly string[]): AsyncIterable<Uint8Array> {
  const read = (): Iterator<Uint8Array> =>
    blocks.map((block) => octetsOf(block))[Symbol.iterator]();
  // The player takes a value for a promise of it.
  return { [Symbol.asyncIterator]: read } as unknown as AsyncIterable<Uint8Array>;
}

/** Greeting, EHLO, and what the server offers. */
function greeting(...keywords: readonly string[]): string {
  const lines = ['mail.example.com', ...keywords];
  const reply = lines.map((line, at) => `S: 250${at < lines.length - 1 ? '-' : ' '}${line}`);
  return ['S: 220 mail.example.com ESMTP', 'C: EHLO client.example', ...reply, ''].join('\n');
}

const CREDENTIALS = { user: 'tim', pass: 'tanstaaf' };

interface Case extends Scene {
  readonly name: string;
  readonly outcomes: readonly string[];
  /** Writes per turn of the client, where they are not one each. */
  readonly writes?: readonly number[];
}

const cases: readonly Case[] = [
  {
    name: 'one message in lock-step when nothing is offered',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 250 ok
      C: DATA
      S: 354 go
      C: Subject: a
      C:
      C: Hi
      C: .
      S: 250 2.0.0 queued
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message()],
    quit: true,
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 4', 'quit: ok'],
  },
  {
    name: 'one group when PIPELINING is offered',
    text: `${greeting('PIPELINING', 'SIZE 1000')}
      C: MAIL FROM:<a@client.example> SIZE=18
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: a
      C:
      C: Hi
      C: .
      S: 250 queued
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message()],
    quit: true,
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2', 'quit: ok'],
  },
  {
    name: 'no group when PIPELINING is to be ignored',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 550 no
      S: <close>
      C: <abort>`,
    open: { ignoreExtensions: ['pipelining'] },
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never'],
  },
  {
    name: 'dots at the start of lines duplicated, and the last CR LF added',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: ...
      C: ..
      C: QUIT
      C: ..x
      C: .
      S: 250 queued`,
    messages: [message({ content: '..\r\n.\nQUIT\r.x' })],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'an empty message when the content is empty',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: .
      S: 250 queued`,
    messages: [message({ from: '', content: '' })],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'several recipients, of whom some are refused, in a group',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: RCPT TO:<d@example.com>
      C: DATA
      S: 250 ok
      S: 550-5.1.1 No such user
      S: 550 5.1.1 here
      S: 251 ok
      S: 452 full
      S: 354 go
      C: Subject: a
      C:
      C: Hi
      C: .
      S: 250 queued`,
    messages: [message({ to: ['b@example.com', { address: 'c@example.com' }, 'd@example.com'] })],
    outcomes: [
      'open: ok',
      'transaction: 250 for c@example.com, refused b@example.com 550, refused d@example.com 452, in 2',
    ],
  },
  {
    name: 'several recipients, of whom some are refused, in lock-step',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 550 no
      C: RCPT TO:<c@example.com>
      S: 250 ok
      C: DATA
      S: 354 go
      C: Subject: a
      C:
      C: Hi
      C: .
      S: 250 queued`,
    messages: [message({ to: ['b@example.com', 'c@example.com'] })],
    outcomes: ['open: ok', 'transaction: 250 for c@example.com, refused b@example.com 550, in 5'],
  },
  {
    name: 'a refused sender in a group, and the next message',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 550 no
      S: 503 no
      S: 503 no
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 2
      C: .
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never',
      'transaction: 250 for b2@example.com, in 2',
    ],
  },
  {
    name: 'a refused sender in lock-step',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 451 later
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message()],
    quit: true,
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 451 at mail, rejected, later', 'quit: ok'],
  },
  {
    name: 'a sender who must authenticate',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 530 5.7.0 Authentication required`,
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_AUTH 530 at mail, rejected, fix-first'],
  },
  {
    name: 'RSET in front of the next message when all recipients were refused in a group',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 450 later
      S: 554 no valid recipients
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 2
      C: .
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 450 at rcpt, rejected, later',
      'transaction: 250 for b2@example.com, in 2',
    ],
  },
  {
    name: 'RSET in front of the next message when all recipients were refused in lock-step',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b1@example.com>
      S: 550 no
      C: RSET
      S: 250 ok
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b2@example.com>
      S: 250 ok
      C: DATA
      S: 354 go
      C: Subject: 2
      C: .
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    oneByOne: true,
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never',
      'transaction: 250 for b2@example.com, in 5',
    ],
  },
  {
    name: 'the lone dot when DATA is accepted and no recipient was (RFC 2920 §3.1)',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: RCPT TO:<c1@example.com>
      C: DATA
      S: 250 ok
      S: 550 no
      S: 451 later
      S: 354 go
      C: .
      S: 554 no valid recipients
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 2
      C: .
      S: 250 queued`,
    messages: [message({ to: ['b1@example.com', 'c1@example.com'] }), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 451 at rcpt, rejected, later',
      'transaction: 250 for b2@example.com, in 2',
    ],
  },
  {
    name: 'no lone dot when a recipient was accepted although the sender was not',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 550 no
      S: 250 ok
      S: 354 go
      C: <abort>`,
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 550 at mail, rejected, never'],
  },
  {
    name: 'DATA refused in a group, and RSET in front of the next message',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 451 later
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 2
      C: .
      S: 250 queued`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 451 at data, rejected, later',
      'transaction: 250 for b2@example.com, in 2',
    ],
  },
  {
    name: 'DATA refused in lock-step',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 250 ok
      C: DATA
      S: 554 no`,
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 554 at data, rejected, never'],
  },
  {
    name: 'the message refused behind its content',
    text: `${greeting('PIPELINING')}
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
      S: 552 too large
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [message()],
    quit: true,
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 552 at final, rejected, never', 'quit: ok'],
  },
  {
    name: 'three messages overlapping: one wait for each but the first',
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
      S: 250 queued 3
      C: QUIT
      S: 221 bye
      C: <close>`,
    messages: [numbered(1), numbered(2), numbered(3)],
    quit: true,
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: 250 for b2@example.com, in 1',
      'transaction: 250 for b3@example.com, in 1',
      'quit: ok',
    ],
  },
  {
    name: 'three messages overlapping, the second refused',
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
      S: 451 later
      S: 250 ok
      S: 550 no
      S: 503 no
      C: RSET
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b3@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 3
      C: .
      S: 250 queued 3`,
    messages: [numbered(1), numbered(2), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 451 at final, rejected, later',
      'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never',
      'transaction: 250 for b3@example.com, in 2',
    ],
  },
  {
    name: 'no overlap when groups are to stay within a message',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 1
      C: .
      S: 250 queued 1
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b2@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 2
      C: .
      S: 250 queued 2`,
    open: { pipelining: 'envelope' },
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: 250 for b2@example.com, in 2',
    ],
  },
  {
    name: 'STARTTLS, after which everything is asked anew',
    text: `${greeting('STARTTLS', 'PIPELINING', 'SIZE 10', 'AUTH PLAIN')}
      C: STARTTLS
      S: 220 go
      T: <TLS>
      C: EHLO client.example
      S: 250-mail.example.com
      S: 250 SIZE 100
      C: MAIL FROM:<a@client.example> SIZE=18
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 550 no`,
    open: { tls: 'starttls' },
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never'],
  },
  {
    name: 'capabilities forgotten with STARTTLS when the second EHLO is refused',
    text: `${greeting('STARTTLS', 'PIPELINING', 'SIZE 10', '8BITMIME')}
      C: STARTTLS
      S: 220 go
      T: <TLS>
      C: EHLO client.example
      S: 502 no
      C: HELO client.example
      S: 250 mail.example.com
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 550 no`,
    open: { tls: 'starttls' },
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never'],
  },
  {
    name: 'STARTTLS with a reply injected behind the 220 (RFC 3207 §6)',
    text: `${greeting('STARTTLS')}
      C: STARTTLS
      S: 220 go
      S: 250-mail.example.com
      S: 250 AUTH PLAIN
      C: <abort>`,
    open: { tls: 'starttls' },
    outcomes: ['open: ERR_SMTP_TLS at tls, not-sent, fix-first'],
  },
  {
    name: 'STARTTLS with octets that are no reply behind the 220',
    text: `${greeting('STARTTLS')}
      C: STARTTLS
      S: 220 go
      S: x
      C: <abort>`,
    open: { tls: 'starttls' },
    outcomes: ['open: ERR_SMTP_TLS at tls, not-sent, fix-first'],
  },
  {
    name: 'STARTTLS injected, where TLS is only an opportunity',
    text: `${greeting('STARTTLS')}
      C: STARTTLS
      S: 220 go
      S: 250 AUTH PLAIN
      C: <abort>`,
    open: { tls: 'opportunistic' },
    messages: [message()],
    outcomes: ['open: ERR_SMTP_TLS at tls, not-sent, fix-first'],
  },
  {
    name: 'STARTTLS not offered, where it is demanded',
    text: `${greeting('XSTARTTLS')}`,
    open: { tls: 'starttls' },
    outcomes: ['open: ERR_SMTP_TLS at starttls, not-sent, fix-first'],
  },
  {
    name: 'STARTTLS refused, where it is demanded',
    text: `${greeting('STARTTLS')}
      C: STARTTLS
      S: 454 not now`,
    open: { tls: 'starttls' },
    outcomes: ['open: ERR_SMTP_TLS 454 at starttls, not-sent, later'],
  },
  {
    name: 'STARTTLS refused, where TLS is only an opportunity, and no password shown',
    text: `${greeting('STARTTLS', 'AUTH PLAIN LOGIN')}
      C: STARTTLS
      S: 454 not now`,
    open: { tls: 'opportunistic', mechanisms: [plain(CREDENTIALS), login(CREDENTIALS)] },
    outcomes: ['open: ERR_SMTP_AUTH at auth, not-sent, fix-first'],
  },
  {
    name: 'TLS from the first octet',
    text: `T: <TLS>
      ${greeting('AUTH PLAIN')}
      C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==
      S: 235 ok`,
    open: { tls: 'implicit', mechanisms: [plain(CREDENTIALS)] },
    outcomes: ['open: ok'],
  },
  {
    name: 'AUTH PLAIN with its initial response',
    text: `${greeting('AUTH LOGIN PLAIN')}
      C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==
      S: 235 2.7.0 ok
      C: QUIT
      S: 221 bye
      C: <close>`,
    open: {
      connect: () => ({ secure: true }),
      mechanisms: [login(CREDENTIALS), plain(CREDENTIALS)],
    },
    quit: true,
    outcomes: ['open: ok', 'quit: ok'],
  },
  {
    name: 'AUTH LOGIN in three steps',
    text: `${greeting('AUTH=LOGIN')}
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: dGlt
      S: 334 UGFzc3dvcmQ6
      C: dGFuc3RhYWY=
      S: 235 ok`,
    open: {
      connect: () => ({ secure: true }),
      mechanisms: [login(CREDENTIALS), plain(CREDENTIALS)],
    },
    outcomes: ['open: ok'],
  },
  {
    name: 'AUTH PLAIN in two steps when the line would be too long (RFC 4954 §4)',
    text: `${greeting('AUTH PLAIN')}
      C: AUTH PLAIN
      S: 334
      C: ${btoa(`\0tim\0${'x'.repeat(400)}`)}
      S: 235 ok`,
    open: {
      connect: () => ({ secure: true }),
      mechanisms: [plain({ user: 'tim', pass: 'x'.repeat(400) })],
    },
    outcomes: ['open: ok'],
  },
  {
    name: 'AUTH LOGIN cancelled when the server asks a third time',
    text: `${greeting('AUTH LOGIN')}
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: dGlt
      S: 334 UGFzc3dvcmQ6
      C: dGFuc3RhYWY=
      S: 334 TW9yZTo=
      C: *
      S: 501 cancelled`,
    open: { connect: () => ({ secure: true }), mechanisms: [login(CREDENTIALS)] },
    outcomes: ['open: ERR_SMTP_AUTH at auth, not-sent, fix-first'],
  },
  {
    name: 'AUTH cancelled when the challenge is no base64',
    text: `${greeting('AUTH LOGIN')}
      C: AUTH LOGIN
      S: 334 User Name:
      C: *
      S: 501 cancelled`,
    open: { connect: () => ({ secure: true }), mechanisms: [login(CREDENTIALS)] },
    outcomes: ['open: ERR_SMTP_AUTH at auth, not-sent, fix-first'],
  },
  {
    name: 'AUTH refused, and no other mechanism tried',
    text: `${greeting('AUTH PLAIN LOGIN')}
      C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==
      S: 535 no`,
    open: {
      connect: () => ({ secure: true }),
      mechanisms: [plain(CREDENTIALS), login(CREDENTIALS)],
    },
    outcomes: ['open: ERR_SMTP_AUTH 535 at auth, not-sent, fix-first'],
  },
  {
    name: 'AUTH by the next mechanism when the first is unknown after all',
    text: `${greeting('AUTH PLAIN LOGIN')}
      C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==
      S: 504 unknown
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: dGlt
      S: 334 UGFzc3dvcmQ6
      C: dGFuc3RhYWY=
      S: 235 ok`,
    open: {
      connect: () => ({ secure: true }),
      mechanisms: [plain(CREDENTIALS), login(CREDENTIALS)],
    },
    outcomes: ['open: ok'],
  },
  {
    name: 'no AUTH when the password would be shown',
    text: `${greeting('AUTH PLAIN')}`,
    open: { mechanisms: [plain(CREDENTIALS)] },
    outcomes: ['open: ERR_SMTP_AUTH at auth, not-sent, fix-first'],
  },
  {
    name: 'no message when AUTH is not offered',
    text: `${greeting('PIPELINING')}`,
    open: { connect: () => ({ secure: true }), mechanisms: [plain(CREDENTIALS)] },
    messages: [message()],
    outcomes: ['open: ERR_SMTP_AUTH at auth, not-sent, fix-first'],
  },
  {
    name: 'an empty initial response as =',
    text: `${greeting('AUTH EXTERNAL')}
      C: AUTH EXTERNAL =
      S: 235 ok`,
    open: {
      mechanisms: [
        {
          name: 'EXTERNAL',
          strength: 9,
          exposesSecret: false,
          *start() {
            yield new Uint8Array();
          },
        } satisfies SaslMechanism,
      ],
    },
    outcomes: ['open: ok'],
  },
  {
    name: 'HELO when EHLO is not known (RFC 5321 §3.2)',
    text: `S: 220 mail.example.com
      C: EHLO client.example
      S: 502 unknown
      C: HELO client.example
      S: 250-mail.example.com
      S: 250 PIPELINING
      C: MAIL FROM:<a@client.example>
      S: 250 ok
      C: RCPT TO:<b@example.com>
      S: 550 no`,
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 550 at rcpt, rejected, never'],
  },
  {
    name: 'no HELO when EHLO is refused for who the client is',
    text: `S: 220 mail.example.com
      C: EHLO client.example
      S: 550 go away`,
    outcomes: ['open: ERR_SMTP_REPLY 550 at ehlo, not-sent, never'],
  },
  {
    name: 'the session refused by its greeting',
    text: 'S: 554-no\nS: 554 service here',
    outcomes: ['open: ERR_SMTP_REPLY 554 at greeting, not-sent, never'],
  },
  {
    name: 'a greeting in several lines',
    text: `S: 220-mail.example.com
      S: 220-waits
      S: 220 now
      C: EHLO client.example
      S: 250 mail.example.com`,
    outcomes: ['open: ok'],
  },
  {
    name: 'STARTTLS answered 354',
    text: `${greeting('STARTTLS')}
      C: STARTTLS
      S: 354 go`,
    open: { tls: 'opportunistic' },
    outcomes: ['open: ERR_SMTP_PROTOCOL 354 at starttls, not-sent, reconnect'],
  },
  {
    name: 'a greeting that is none',
    text: 'S: 250 hello',
    outcomes: ['open: ERR_SMTP_PROTOCOL 250 at greeting, not-sent, reconnect'],
  },
  {
    name: '421 for a greeting',
    text: 'S: 421 too busy\nC: <abort>',
    messages: [message()],
    outcomes: ['open: ERR_SMTP_REPLY 421 at greeting, not-sent, later'],
  },
  {
    name: '421 to EHLO: no HELO',
    text: `S: 220 mail.example.com
      C: EHLO client.example
      S: 421 down
      C: <abort>`,
    outcomes: ['open: ERR_SMTP_REPLY 421 at ehlo, not-sent, later'],
  },
  {
    name: '421 to STARTTLS, where TLS is only an opportunity',
    text: `${greeting('STARTTLS')}
      C: STARTTLS
      S: 421 down
      C: <abort>`,
    open: { tls: 'opportunistic' },
    outcomes: ['open: ok'],
  },
  {
    name: '421 to AUTH',
    text: `${greeting('AUTH PLAIN')}
      C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==
      S: 421 down
      C: <abort>`,
    open: { connect: () => ({ secure: true }), mechanisms: [plain(CREDENTIALS)] },
    outcomes: ['open: ERR_SMTP_AUTH 421 at auth, not-sent, later'],
  },
  {
    name: '421 to MAIL in lock-step',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: 421 down
      C: <abort>`,
    messages: [message(), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 421 at mail, rejected, later',
      'transaction: ERR_SMTP_CLOSED 421 at idle, not-sent, later',
    ],
  },
  {
    name: '421 to MAIL in a group',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 421 down
      C: <abort>`,
    messages: [message(), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_CLOSED 421 at rcpt, not-sent, later',
      'transaction: ERR_SMTP_CLOSED 421 at idle, not-sent, later',
    ],
  },
  {
    name: '421 to RCPT in a group',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: RCPT TO:<c@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 421 down
      C: <abort>`,
    messages: [message({ to: ['b@example.com', 'c@example.com'] })],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED 421 at data, not-sent, later'],
  },
  {
    name: '421 to DATA',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 421 down
      C: <abort>`,
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_REPLY 421 at data, rejected, later'],
  },
  {
    name: '421 behind the content, with the next message behind it',
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
      S: 421 down
      C: <abort>`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_REPLY 421 at final, rejected, later',
      'transaction: ERR_SMTP_CLOSED 421 at mail, not-sent, later',
    ],
  },
  {
    name: '421 to the message behind, when the one before was accepted',
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
      S: 250 queued
      S: 421 down
      C: <abort>`,
    messages: [numbered(1), numbered(2)],
    outcomes: [
      'open: ok',
      'transaction: 250 for b1@example.com, in 2',
      'transaction: ERR_SMTP_CLOSED 421 at rcpt, not-sent, later',
    ],
  },
  {
    name: '421 while nothing is asked',
    text: `${greeting()}
      S: 421 idle for too long
      C: <abort>`,
    outcomes: ['open: ok'],
  },
  {
    name: '421 to QUIT',
    text: `${greeting()}
      C: QUIT
      S: 421 down
      C: <close>`,
    quit: true,
    outcomes: ['open: ok', 'quit: ok'],
  },
  {
    name: 'the connection closed behind MAIL',
    text: `${greeting()}
      C: MAIL FROM:<a@client.example>
      S: <close>
      C: <abort>`,
    messages: [message()],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_CLOSED at mail, not-sent, reconnect'],
  },
  {
    name: 'the connection closed behind the content',
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
      S: <close>
      C: <abort>`,
    messages: [numbered(1), numbered(2), numbered(3)],
    outcomes: [
      'open: ok',
      'transaction: ERR_SMTP_CLOSED at final, unknown, unknown',
      'transaction: ERR_SMTP_CLOSED at mail, not-sent, reconnect',
      'transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
    ],
  },
  {
    name: 'the connection closed behind the final reply',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 1
      C: .
      S: 250 queued
      S: <close>
      C: <abort>`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: 250 for b1@example.com, in 2'],
  },
  {
    name: 'garbage for the final reply: its fate is unknown',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 1
      C: .
      S: garbage
      S: 250 queued
      C: <abort>`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_PROTOCOL at final, unknown, unknown'],
  },
  {
    name: '354 for the final reply: its fate is unknown',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 1
      C: .
      S: 354 what`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_PROTOCOL 354 at final, unknown, unknown'],
  },
  {
    name: 'a final reply whose lines disagree',
    text: `${greeting('PIPELINING')}
      C: MAIL FROM:<a@client.example>
      C: RCPT TO:<b1@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: Subject: 1
      C: .
      S: 250-queued
      S: 550 no
      C: <abort>`,
    messages: [numbered(1)],
    outcomes: ['open: ok', 'transaction: ERR_SMTP_PROTOCOL at final, unknown, unknown'],
  },
  {
    name: 'a reply that answers nothing',
    text: `${greeting()}
      S: 250 unasked
      C: <abort>`,
    outcomes: ['open: ok'],
  },
  {
    name: 'content from a stream, the last octets in one write with the dot',
    text: `${greeting('PIPELINING', 'SIZE')}
      C: MAIL FROM:<a@client.example> SIZE=6
      C: RCPT TO:<b@example.com>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: a
      C: ..
      C: .
      S: 250 queued`,
    messages: [message({ content: stream('a\r', '\n', '', '.\r\n'), size: 6 })],
    writes: [1, 1, 2],
    outcomes: ['open: ok', 'transaction: 250 for b@example.com, in 2'],
  },
  {
    name: 'UTF-8 in addresses when SMTPUTF8 is offered',
    text: `${greeting('PIPELINING', 'SMTPUTF8', '8BITMIME', 'SIZE')}
      C: MAIL FROM:<a@client.example> SIZE=4 SMTPUTF8 BODY=8BITMIME
      C: RCPT TO:<жук@xn--e1afmkfd.xn--p1ai>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 354 go
      C: ж
      C: .
      S: 250 queued`,
    messages: [message({ to: 'жук@пример.рф', content: 'ж' })],
    outcomes: ['open: ok', 'transaction: 250 for жук@пример.рф, in 2'],
  },
  {
    name: 'no MAIL when the message needs what is not offered, or is too large',
    text: `${greeting('SIZE 10')}`,
    messages: [
      message({ to: 'жук@example.com', content: '' }),
      message(),
      message({ content: 'ж' }),
    ],
    outcomes: [
      'open: ok',
      'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first',
      'envelope: ERR_SMTP_TOO_LARGE at mail, not-sent, fix-first',
      'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first',
    ],
  },
];

/** All that was said, as the listener should have heard it: content as its size, secrets as `***`. */
const said = (text: string): string[] =>
  parseTranscript(text).flatMap(({ side, lines }) =>
    side === 'T' || lines[0]?.startsWith('<') ? [] : lines.map((line) => `${side}: ${line}`),
  );

describe('Session', () => {
  describe.each(CUTS)('cut %s', (_, cut) => {
    test.each(cases)('Session plays $name', (scene) => {
      const { outcomes, bursts } = play(scene, cut);
      expect(outcomes.map(describeOutcome)).toEqual(scene.outcomes);
      expect(bursts.map((burst) => burst.length)).toEqual(scene.writes ?? bursts.map(() => 1));
    });
  });

  test.each(cases)('Session plays $name when the cuts are random', (scene) => {
    fc.assert(
      fc.property(randomCut, (cut) => {
        expect(play(scene, cut).outcomes.map(describeOutcome)).toEqual(scene.outcomes);
      }),
      { numRuns: 20 },
    );
  });

  test.each(
    // Content is heard as its size: it is left out here.
    cases.filter(({ text, open }) => !/S: 354/.test(text) && !open?.mechanisms),
  )('Session lets hear what was said when it plays $name', (scene) => {
    const { heard } = play(scene, whole);
    const all = said(scene.text);
    // What follows a fault is never read as a reply, and so not heard.
    expect(all.slice(0, heard.length)).toEqual(heard);
    expect(all.slice(heard.length).every((line) => line.startsWith('S:'))).toBe(true);
  });

  test.each(cases.filter(({ open }) => open?.mechanisms))(
    'Session lets hear no secret when it plays $name',
    (scene) => {
      const { heard, outcomes } = play({ ...scene, secret: 'tanstaaf' }, whole);
      const shown = [...heard, ...outcomes.map(({ error }) => (error as SmtpError)?.message)].join(
        '\n',
      );
      expect(shown).not.toMatch(/tanstaaf|dGFuc3Rh|AHRpbQB0|xxxx|eHh4/);
    },
  );

  test('Session blots the password out when the server repeats it', () => {
    const repeating = play(
      {
        text: `${greeting('AUTH PLAIN')}
          C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==
          S: 535-tanstaaf is wrong, AHRpbQB0YW5zdGFhZg==
          S: 535 tanstaaf`,
        open: {
          connect: () => ({ secure: true }),
          mechanisms: [plain(CREDENTIALS)],
        },
        secret: 'tanstaaf',
      },
      whole,
    );
    const error = repeating.outcomes[0]?.error as SmtpError;
    const shown = [error.message, JSON.stringify(error.reply), ...repeating.heard].join('\n');
    expect(shown).not.toMatch(/tanstaaf|AHRpbQB0/);
    expect(error.message).toContain('*** is wrong');
  });

  test('Session lets hear no command that was not written when 421 answers the first of two RCPT', () => {
    const { heard } = play(LOCK_STEP_421, whole);
    expect(heard.filter((line) => line.startsWith('C: RCPT'))).toEqual([
      'C: RCPT TO:<b@example.com>',
    ]);
  });
});

const LOCK_STEP_421: Scene = {
  text: `${greeting()}
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<b@example.com>
    S: 421 down
    C: <abort>`,
  messages: [message({ to: ['b@example.com', 'c@example.com'] })],
};

describe('parseTranscript()', () => {
  test('parseTranscript() gives turns when sides alternate', () => {
    expect(parseTranscript('S: a\n  S: b\nC:\n\nC: c\nS: <close>\n')).toEqual([
      { side: 'S', lines: ['a', 'b'] },
      { side: 'C', lines: ['', 'c'] },
      { side: 'S', lines: ['<close>'] },
    ]);
  });

  test('parseTranscript() throws when a line is of neither side', () => {
    expect(() => parseTranscript('X: a')).toThrow('this is no line of a transcript: X: a');
  });

  test('play() throws when the client says something else', () => {
    expect(() => play({ text: 'S: 220 a\nC: HELO client.example' }, whole)).toThrow(
      'the client said "EHLO client.example\\r\\n" instead of "HELO client.example\\r\\n"',
    );
    expect(() => play({ text: 'S: 220 a' }, whole)).toThrow('unexpected');
  });
});
