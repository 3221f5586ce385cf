/** REP: how replies are read. */
import type { Expectation, Group, OutcomeExpectation, Play } from '../case.ts';
import {
  at,
  type Claim,
  dialogue,
  leaves,
  messages,
  never,
  noContent,
  noMessage,
  unlessRefused,
} from '../judge/claims.ts';
import { good, type ScriptedPlan, script } from '../server/plan.ts';
import {
  close,
  converse,
  delay,
  ifSilent,
  match,
  raw,
  type Step,
  send,
  silence,
  slowly,
  type Turn,
} from '../server/steps.ts';

/** The whole session of one message. */
const SESSION: readonly Claim[] = [
  dialogue(
    /^(EHLO|HELO)( HELO| RSET| NOOP)* MAIL RCPT DATA( RSET| NOOP| QUIT)*$/,
    'the commands of one message, each of them once',
  ),
  messages(1),
];
const NO_DATA = never(/^(DATA|BDAT)\b/i, 'no DATA');
/** Nobody is to get anything. RFC 5321 §3.3 forbids the content, and not DATA. */
const NOTHING: readonly Claim[] = [at('SHOULD', NO_DATA), noMessage()];
/** Nobody knows what the server will say next. */
const GIVEN_UP: readonly Claim[] = [NO_DATA, noContent(), leaves()];

/** What was read is no reply. That it is a failure matters more than what it is called. */
const NO_REPLY: OutcomeExpectation = {
  outcome: 'reject',
  kind: 'protocol',
  kindLevel: 'SHOULD',
  delivery: 'not-sent',
};

/** Success or failure, but what is reported is what was done. */
const SETTLED: Expectation = {
  client: { outcome: 'settle' },
  wire: [at('MUST', unlessRefused(messages(1)))],
};

/** What stands behind 354 is read as commands all the same. */
const AS_COMMANDS: Step = raw('');

/** What is no reply, as it is. A client that goes on waiting for one is left alone at last, and hangs in no case. */
const garbled = (octets: string): Turn => [raw(octets), ifSilent(700, close())];

const NOT_SAID =
  'RFC 5321 says what a reply is, and nothing of what a client makes of what is none: MUST rests on what is at stake, a recipient of whom nobody has said that he gets the message.';

/** The only RCPT is answered by what is no reply. */
const garbledRcpt = (title: string, octets: string): Play => ({
  title,
  server: good({ answers: { RCPT: garbled(octets) } }),
  expect: { client: NO_REPLY, wire: GIVEN_UP },
  deadline: 4_000,
});

/** Every reply one octet after the other. */
const dripping = (...offers: readonly string[]): ScriptedPlan =>
  script(
    slowly('220-mail.example.com\r\n220 ESMTP\r\n'),
    converse({
      answers: {
        EHLO: slowly(
          ['mail.example.com', ...offers, 'HELP']
            .map((line, place) => `250${place > offers.length ? ' ' : '-'}${line}\r\n`)
            .join(''),
        ),
        MAIL: slowly('250 2.1.0 ok\r\n'),
        RCPT: slowly('250 2.1.5 ok\r\n'),
        DATA: slowly('354 go ahead\r\n'),
        dot: slowly('250-2.0.0 queued\r\n250 2.0.0 as 4711\r\n'),
        QUIT: slowly('221 2.0.0 bye\r\n'),
      },
    }),
  );

/** Lines in pieces that end between CR and LF. */
const parted = (...lines: readonly string[]): readonly Step[] => [
  raw(`${lines[0]}\r`, true),
  ...lines.slice(1).flatMap((line) => [delay(30), raw(`\n${line}\r`, true)]),
  delay(30),
  raw('\n', true),
];

/** One line of so many octets with its CR LF. */
const lineOf = (octets: number): string => `250 ${'x'.repeat(octets - 6)}`;

/** MAIL is answered by a code that is out of range. */
const outOfRange = (reply: string): Play => ({
  title: reply,
  server: good({ answers: { MAIL: garbled(`${reply}\r\n`) } }),
  expect: {
    client: { outcome: 'reject', kind: 'protocol', delivery: 'not-sent' },
    wire: [never(/^RCPT\b/i, 'no RCPT'), ...GIVEN_UP],
  },
  deadline: 4_000,
});

/** A refusal whose code nobody has registered, in lock-step and in a group. */
const unknownCode = (code: number, temporary: boolean): readonly Play[] =>
  [[], ['PIPELINING']].map((offers) => ({
    title: [code, ...offers].join(', '),
    server: good({
      offers,
      answers: { RCPT: `${code} not today`, DATA: '503 5.5.1 no recipients' },
    }),
    expect: {
      client: {
        outcome: 'reject',
        kind: ['recipient', 'refused'],
        code,
        temporary,
        delivery: ['not-sent', 'rejected'],
        rejected: [{ address: 'recipient@example.org', code }],
      },
      wire: [noMessage()],
    },
  }));

/** 550 to the only RCPT, whatever octets stand in its text. One that does not see its end is left alone at last. */
const refusedBy = (title: string, ...lines: readonly string[]): Play => ({
  title,
  server: good({
    // Without it a client need not look for such codes (RFC 2034 §4).
    offers: ['ENHANCEDSTATUSCODES'],
    answers: { RCPT: garbled(lines.map((line) => `${line}\r\n`).join('')) },
  }),
  expect: {
    client: {
      outcome: 'reject',
      code: 550,
      enhanced: '5.1.1',
      temporary: false,
    },
    wire: NOTHING,
  },
});

/** Control characters, but for those that set columns and lines. */
const CONTROL = /(?!\r\n)[^\P{Cc}\t\n]/u;

/** What is no reply to the final dot, and never success. */
const garbageToDot = (title: string, dot: Turn): Play => ({
  title,
  server: good({ offers: ['PIPELINING'], answers: { dot } }),
  expect: {
    client: {
      outcome: 'reject',
      kind: ['protocol', 'data'],
      kindLevel: 'SHOULD',
      code: [550, undefined],
      delivery: ['rejected', 'unknown'],
    },
    wire: [messages(1)],
  },
  deadline: 4_000,
});

export const REPLIES: Group = {
  id: 'REP',
  title: 'Reply parsing',
  cases: [
    {
      id: 'REP-01',
      level: 'MUST',
      title: 'A whole session with every reply in segments of one octet',
      requirement: 'Read the replies as if they had come whole',
      clause: 'RFC 5321 §2.3.8, §4.2',
      tags: ['parser', 'segments'],
      plays: [
        {
          title: 'in lock-step',
          server: dripping(),
          expect: { client: { outcome: 'resolve' }, wire: SESSION },
        },
        {
          title: 'with PIPELINING',
          server: dripping('PIPELINING'),
          expect: { client: { outcome: 'resolve' }, wire: SESSION },
        },
      ],
    },
    {
      id: 'REP-02',
      level: 'MUST',
      title: 'The replies of a group in one segment, and cut in the middle of a code',
      requirement: 'Read as many replies as there are, and none before its end',
      clause: 'RFC 2920 §3.1',
      tags: ['parser', 'segments', 'pipelining'],
      requires: ['pipelining'],
      plays: [
        {
          title: 'in one segment',
          server: script(
            send('220 mail.example.com ESMTP'),
            converse({ offers: ['PIPELINING'], held: [] }),
          ),
          expect: { client: { outcome: 'resolve' }, wire: SESSION },
          deadline: 4_000,
        },
        {
          title: 'cut in the middle of each code',
          // The replies to MAIL, RCPT and DATA begin at 0, 14 and 28.
          server: script(
            send('220 mail.example.com ESMTP'),
            converse({ offers: ['PIPELINING'], held: [2, 15, 30] }),
          ),
          expect: { client: { outcome: 'resolve' }, wire: SESSION },
          deadline: 4_000,
        },
      ],
      note: 'However the client groups its commands: what it has written by then is answered at once.',
    },
    {
      id: 'REP-03',
      level: 'MUST',
      title: 'A reply to EHLO in segments that end between CR and LF',
      requirement: 'Take CR and LF as one line end, though they come apart',
      clause: 'RFC 5321 §2.3.8, §4.2.1',
      tags: ['parser', 'segments', 'multiline'],
      plays: [
        {
          server: good({
            answers: { EHLO: parted('250-mail.example.com', '250-8BITMIME', '250 HELP') },
          }),
          expect: {
            client: { outcome: 'resolve' },
            wire: SESSION,
          },
        },
      ],
    },
    {
      id: 'REP-05',
      level: 'SHOULD',
      title: 'Two lines to the final dot, 250- and 550',
      requirement: 'Report no success where the lines of a reply do not agree',
      clause: 'RFC 5321 §4.2.1',
      tags: ['parser', 'multiline', 'delivery'],
      plays: [
        {
          server: good({ answers: { dot: '250-2.0.0 so far\n550 5.6.0 no' } }),
          expect: {
            client: {
              outcome: 'reject',
              kind: ['protocol', 'data'],
              delivery: ['rejected', 'unknown'],
            },
            wire: [messages(1)],
          },
        },
      ],
      note: 'The codes of a reply must be the same, and a client may rely on any of them: success is unwise, and not forbidden.',
    },
    {
      id: 'REP-07',
      level: 'MUST',
      title: '498 and 598 to the only RCPT',
      requirement: 'Take an unknown code for what its first digit says',
      clause: 'RFC 5321 §4.2, §4.2.1',
      tags: ['codes', 'refusal'],
      plays: [...(unknownCode(498, true) as [Play, ...Play[]]), ...unknownCode(598, false)],
    },
    {
      id: 'REP-08',
      level: 'SHOULD',
      title: 'A code whose first digit is none of 2, 3, 4, 5 to MAIL',
      requirement: 'Take it as a fatal error, and end the transaction',
      clause: 'RFC 5321 §4.2',
      tags: ['codes', 'protocol'],
      plays: [outOfRange('650 ok'), outOfRange('199 wait'), outOfRange('000')],
    },
    {
      id: 'REP-09',
      level: 'MUST',
      title: 'A code that is no three digits to RCPT',
      requirement: 'Take it for no reply: nobody was accepted, and the session is over',
      clause: 'RFC 5321 §4.2',
      tags: ['codes', 'protocol'],
      plays: [
        garbledRcpt('two digits', '25 ok\r\n'),
        garbledRcpt('four digits', '2500 ok\r\n'),
        garbledRcpt('a letter', '25x ok\r\n'),
      ],
      note: NOT_SAID,
    },
    {
      id: 'REP-10',
      level: 'INFO',
      title: 'TAB in place of the blank behind the code',
      requirement: 'Go on or give up, but do not hang',
      clause: 'RFC 5321 §4.2',
      tags: ['parser', 'leniency'],
      plays: [
        {
          server: good({ answers: { RCPT: garbled('250\tok\r\n') } }),
          expect: SETTLED,
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'REP-11',
      level: 'MUST',
      title: 'A blank before the code',
      requirement: 'Take it for no reply: nobody was accepted, and the session is over',
      clause: 'RFC 5321 §4.2',
      tags: ['parser', 'protocol'],
      plays: [garbledRcpt('a blank', ' 250 ok\r\n')],
      note: NOT_SAID,
    },
    {
      id: 'REP-12',
      level: 'INFO',
      title: 'A whole session whose lines end with LF alone',
      requirement: 'Go on or give up, but do not hang',
      clause: 'RFC 5321 §2.3.8',
      tags: ['parser', 'leniency'],
      plays: [
        {
          server: script(
            raw('220 mail.example.com ESMTP\n'),
            ifSilent(700, close()),
            converse({
              answers: {
                EHLO: raw('250-mail.example.com\n250 HELP\n'),
                HELO: raw('250 mail.example.com\n'),
                MAIL: raw('250 2.1.0 ok\n'),
                RCPT: raw('250 2.1.5 ok\n'),
                DATA: raw('354 go ahead\n'),
                dot: raw('250 2.0.0 queued\n'),
                RSET: raw('250 2.0.0 ok\n'),
                QUIT: raw('221 2.0.0 bye\n'),
              },
            }),
          ),
          expect: SETTLED,
          deadline: 3_000,
        },
      ],
      note: 'RFC 5321 forbids to take LF alone for a line end, and most clients do. One that does not is left alone after 0.7 s.',
    },
    {
      id: 'REP-14',
      level: 'MUST',
      title: 'NUL in the text of replies',
      requirement: 'Keep the code, whatever stands in the text',
      clause: 'RFC 5321 §4.2',
      tags: ['parser', 'injection'],
      plays: [
        refusedBy('in a refusal', '550 5.1.1 nobody\0 250 2.1.5 ok'),
        {
          title: 'in every reply of success',
          server: good({
            answers: {
              MAIL: garbled('250 2.1.0 o\0k\r\n'),
              RCPT: garbled('250 2.1.5 ok\0\r\n'),
              DATA: garbled('354 go\0 ahead\r\n'),
              dot: garbled('250-2.0.0 queued\0\r\n250 \0 550 5.6.0 no\r\n'),
            },
          }),
          // NUL stands in no textstring: to give up is no fault, nor to see no end of the line.
          expect: SETTLED,
          deadline: 4_000,
        },
      ],
    },
    {
      id: 'REP-15',
      level: 'MUST',
      title: 'Octets that are no UTF-8 in the text of 550',
      requirement: 'Keep the code, and give the text as it is or with the octets replaced',
      clause: 'RFC 5321 §4.2; RFC 6531 §3.7.4',
      tags: ['parser', 'encoding'],
      plays: [
        refusedBy('Latin-1', '550 5.1.1 bo\xeete ferm\xe9e'),
        refusedBy('no UTF-8 at all', '550 5.1.1 \xff\xfe\xed\xa0\x80\xf8\x88\x80\x80\x80 nobody'),
        refusedBy('a character over two lines', '550-5.1.1 nobody\xc3', '550 5.1.1 \xa9'),
      ],
    },
    {
      id: 'REP-16',
      level: 'SHOULD',
      title: 'Reply lines of 512 and of 4,096 octets',
      requirement: 'Accept the first, which is the longest there may be, and the second as well',
      clause: 'RFC 5321 §4.5.3.1, §4.5.3.1.5',
      tags: ['parser', 'limits'],
      plays: [
        {
          title: '512 octets',
          server: good({ answers: { RCPT: lineOf(512), dot: lineOf(512) } }),
          expect: {
            client: { outcome: 'resolve', level: 'MUST' },
            wire: SESSION.map((claim) => at('MUST', claim)),
          },
        },
        {
          title: '4,096 octets',
          server: good({ answers: { RCPT: lineOf(4_096), dot: lineOf(4_096) } }),
          expect: { client: { outcome: 'resolve' }, wire: SESSION },
        },
      ],
    },
    {
      id: 'REP-18',
      level: 'MUST',
      title: 'RCPT is never answered',
      requirement: 'Time out by the limit of the command, and close the connection',
      clause: 'RFC 5321 §4.5.3.2, §4.5.3.2.3',
      tags: ['timeout'],
      requires: ['timeouts'],
      plays: [
        {
          task: { timeouts: { command: 500 } },
          server: good({ answers: { RCPT: silence() } }),
          expect: {
            client: { outcome: 'reject', kind: 'timeout', delivery: 'not-sent' },
            wire: GIVEN_UP,
            // A program is told whole seconds, and takes a while to start.
            within: 3_000,
          },
          deadline: 6_000,
        },
      ],
    },
    {
      id: 'REP-19',
      level: 'MUST',
      title: 'Two replies to the only RCPT: 550, and 250 behind it',
      requirement: 'Take the first for the answer, and write no content',
      clause: 'RFC 5321 §3.3, §4.2; RFC 2920 §3.1',
      tags: ['parser', 'delivery'],
      plays: [
        {
          title: 'in lock-step',
          server: good({ answers: { RCPT: '550 5.1.1 nobody\n250 2.1.5 ok' } }),
          expect: {
            client: {
              outcome: 'reject',
              accepted: [],
              delivery: ['not-sent', 'rejected'],
            },
            wire: NOTHING,
          },
        },
        {
          title: 'with PIPELINING',
          server: good({
            offers: ['PIPELINING'],
            answers: {
              RCPT: '550 5.1.1 nobody\n250 2.1.5 ok',
              // Who takes 354 for the answer to what comes next says RSET or QUIT in place of mail data, and waits.
              DATA: [send('354 go ahead'), AS_COMMANDS],
              other: match([[/^\.$/, '250 2.0.0 queued']], silence()),
            },
          }),
          expect: {
            client: {
              outcome: 'reject',
              accepted: [],
              delivery: ['not-sent', 'rejected'],
            },
            wire: [noMessage()],
          },
        },
      ],
      note: 'In a group the reply that is too much stands where that to DATA is due, and 354 comes behind it.',
    },
    {
      id: 'REP-20',
      level: 'INFO',
      title: 'Empty lines between replies',
      requirement: 'Go on or give up, but do not hang',
      clause: 'RFC 5321 §4.2',
      tags: ['parser', 'leniency'],
      plays: [
        {
          title: 'behind the replies to MAIL and RCPT',
          server: good({
            answers: {
              MAIL: garbled('250 2.1.0 ok\r\n\r\n'),
              RCPT: garbled('250 2.1.5 ok\r\n\r\n'),
            },
          }),
          expect: SETTLED,
          deadline: 3_000,
        },
        {
          title: 'before the replies to MAIL and RCPT',
          server: good({
            answers: {
              MAIL: garbled('\r\n250 2.1.0 ok\r\n'),
              RCPT: garbled('\r\n250 2.1.5 ok\r\n'),
            },
          }),
          expect: SETTLED,
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'REP-21',
      level: 'SHOULD',
      title: 'Escape sequences, BEL and a CR in the text of 550',
      requirement: 'Show people no control characters that a server has sent',
      clause: 'RFC 5321 §4.2; CWE-150',
      tags: ['security', 'errors'],
      plays: [
        {
          title: 'escape sequences',
          server: good({
            answers: { RCPT: '550 5.1.1 \x1b[31mred\x1b[0m \x1b]0;title\x07 \x7f nobody' },
          }),
          expect: {
            client: { outcome: 'reject', code: 550, textNot: CONTROL },
            wire: NOTHING,
          },
        },
        {
          title: 'a CR',
          server: good({ answers: { RCPT: garbled('550 5.1.1 nobody\r250 2.1.5 ok\r\n') } }),
          // What a bare CR makes of a line is not said: it may be no reply at all.
          expect: { client: { outcome: 'reject', textNot: CONTROL }, wire: NOTHING },
          deadline: 4_000,
        },
      ],
    },
    {
      id: 'REP-22',
      level: 'MUST',
      title: 'A line without a code between two with 250',
      requirement: 'Take it for no reply: nobody was accepted, and the session is over',
      clause: 'RFC 5321 §4.2.1',
      tags: ['parser', 'multiline', 'protocol'],
      plays: [garbledRcpt('text alone', '250-2.1.5 ok\r\ntext\r\n250 2.1.5 ok\r\n')],
      note: NOT_SAID,
    },
    {
      id: 'REP-24',
      level: 'MUST',
      title: 'A line that is no reply to the final dot, with 550 behind it, and 221 to QUIT',
      requirement: 'Never take the answer to QUIT for that to the message',
      clause: 'RFC 5321 §4.2; RFC 2920 §3.1',
      tags: ['parser', 'pipelining', 'delivery'],
      plays: [
        garbageToDot('550 behind it', 'This is no reply.\n550 5.6.0 no'),
        garbageToDot('nothing behind it', garbled('This is no reply.\r\n')),
        garbageToDot('550 and 221 behind it, unasked', [
          send('This is no reply.', '550 5.6.0 no', '221 2.0.0 bye'),
          close(),
        ]),
      ],
      note: 'A comment in smtp_chat.c of Postfix tells of it: a client that says QUIT in one group with the dot, and skips what is no reply, takes 221 for the answer to the message.',
    },
  ],
};
