/** DIS: ends and silences at every stage of a session. */
import type { Expectation, Group, OutcomeExpectation, Play, TaskPlan } from '../case.ts';
import {
  at,
  type Claim,
  connections,
  leaves,
  messages,
  noContent,
  nothingBehind,
  says,
  that,
} from '../judge/claims.ts';
import { MESSAGE, RECIPIENT, SENDER } from '../runner/run-case.ts';
import { good, honest, NO_SERVER } from '../server/plan.ts';
import {
  close,
  delay,
  drain,
  match,
  nth,
  pauseReading,
  readOctets,
  resumeReading,
  type Step,
  send,
  silence,
} from '../server/steps.ts';
import type { TaskTimeouts } from '../task.ts';

/** RFC 5321 §3.8: "treat the mail transaction as if a 451 response had been received". */
const LOST: OutcomeExpectation = {
  outcome: 'reject',
  kind: 'closed',
  temporary: true,
  delivery: 'not-sent',
};

/** RFC 5321 §4.5.3.2.6: a message that was written to its end may have been delivered. */
const IN_DOUBT: OutcomeExpectation = { outcome: 'reject', kind: 'closed', delivery: 'unknown' };

const SHUTDOWN = '421 4.3.2 shutting down';
/** A refusal by 421, at whatever stage. */
const SHUT_DOWN: OutcomeExpectation = {
  outcome: 'reject',
  kind: ['closed', 'data', 'recipient', 'refused', 'sender'],
  code: 421,
  text: /shutting down/,
  temporary: true,
  delivery: ['not-sent', 'rejected'],
};
const STOPS = nothingBehind(/^421 [^\n]*\n/m, 'nothing but QUIT behind 421');

/** It ends its side when there was time to read the 421, so that nobody waits for an answer to QUIT. */
const SHUTS_DOWN: readonly Step[] = [delay(1_000), close('half'), drain()];
const NO_MORE_NOTE =
  'RFC 5321 §4.2.2 has the server close the channel: that nothing is said behind 421 rests on that it would not be heard. smtp-server ends the connection behind a 421; the play in which the server stays is scripted';

const FOUR: TaskPlan = {
  messages: [
    {
      from: SENDER,
      to: ['a@example.org', 'b@example.org', 'c@example.org', 'd@example.org'],
      content: { octets: MESSAGE },
    },
  ],
};

/** Nothing that is only a part of the message has an end. */
const whole = (message: string): Claim =>
  that('no part of the message is ended as if it were all', (wire) => {
    const part = wire.messages.find(({ text }) => text !== message);
    return part === undefined || `${part.text.length} octets of ${message.length} and their end`;
  });

/** Content that comes in pieces: the server interrupts it between two of them. */
const PIECES: readonly string[] = [MESSAGE, ...Array.from({ length: 5 }, () => 'And on.\r\n')];
/** More than the buffers of both sides of a connection take. */
const LONG = { repeat: `X-Filler: ${'x'.repeat(986)}\r\n`, times: 16_000 };

const LAST_WORD: readonly Step[] = [send('250 2.0.0 queued'), close()];
const ACCEPTED: Expectation = {
  client: { outcome: 'resolve', accepted: [RECIPIENT] },
  wire: [messages(1), connections(1)],
};

const TURNED_DOWN: Expectation = {
  client: {
    outcome: 'reject',
    kind: ['refused', 'sender'],
    code: 550,
    text: /not from you/,
    temporary: false,
    delivery: ['not-sent', 'rejected'],
  },
  wire: [says(/^QUIT$/i, 'QUIT before the connection is closed', 1), connections(1)],
};

/** RFC 1035 §2.3.4: a label has 63 octets at most, so that no resolver asks anybody for this one. */
const NO_HOST = `${'x'.repeat(70)}.invalid`;

/** How long a silent stage is waited for. */
const LIMIT = 400;
const STAGES = [
  ['EHLO', 'ehlo'],
  ['MAIL', 'mail'],
  ['RCPT', 'rcpt'],
  ['DATA', 'data'],
  ['dot', 'final'],
] as const satisfies readonly (readonly [string, keyof TaskTimeouts])[];

/** The stage with that index has no answer, within its own limit. */
const silentAt = (index: number): Play => {
  const [stage, limit] = STAGES[index] as (typeof STAGES)[number];
  const last = stage === 'dot';
  return {
    title: last ? 'behind the final dot' : `at ${stage}`,
    task: { timeouts: { [limit]: LIMIT } },
    server: good({
      // From there on: what is answered later would be taken for the answer that is missing.
      answers: Object.fromEntries(STAGES.slice(index).map(([later]) => [later, silence()])),
    }),
    expect: {
      client: {
        outcome: 'reject',
        kind: 'timeout',
        ...(last ? { delivery: 'unknown' } : { delivery: 'not-sent', temporary: true }),
      },
      wire: last ? [messages(1), leaves()] : [leaves()],
      // Of a client that waits in whole seconds, then as long for an answer to QUIT, and takes its time to start.
      within: 4_000,
    },
    deadline: 6_000,
  };
};

export const DISCONNECTS: Group = {
  id: 'DIS',
  title: 'Disconnects and timeouts',
  cases: [
    {
      id: 'DIS-01',
      level: 'MUST',
      title: 'The connection ends in place of the reply to MAIL',
      requirement: 'Report a lost connection, as temporary, and that nothing was sent',
      clause: 'RFC 5321 §3.8',
      tags: ['disconnect', 'temporary'],
      plays: [
        {
          title: 'FIN',
          server: good({ answers: { MAIL: close() } }),
          expect: { client: LOST },
        },
        {
          title: 'RST',
          server: good({ answers: { MAIL: close('reset') } }),
          expect: { client: LOST },
        },
        {
          title: 'FIN, where PIPELINING is offered',
          server: good({ offers: ['PIPELINING'], answers: { MAIL: close() } }),
          expect: { client: LOST },
        },
      ],
      note: 'As temporary SHOULD it be treated by RFC 5321 §3.8; a client that tells of no such flag is not asked',
    },
    {
      id: 'DIS-03',
      level: 'MUST',
      title: 'The connection ends in place of the reply to the final dot',
      requirement: 'Say that nobody knows what became of the message, and do not send it again',
      clause: 'RFC 5321 §3.8, §4.5.3.2.6',
      tags: ['disconnect', 'duplicates'],
      plays: [
        {
          title: 'RST',
          server: good({ answers: { dot: close('reset') } }),
          expect: { client: IN_DOUBT, wire: [messages(1), connections(1)] },
        },
        {
          title: 'FIN',
          server: good({ offers: ['PIPELINING'], answers: { dot: close() } }),
          expect: { client: IN_DOUBT, wire: [messages(1), connections(1)] },
        },
        {
          title: 'RST behind the last chunk',
          requires: ['chunking'],
          server: good({
            offers: ['CHUNKING'],
            answers: { dot: close('reset'), BDAT: match([[/ LAST$/i, close('reset')]]) },
          }),
          expect: { client: IN_DOUBT, wire: [messages(1), connections(1)] },
        },
      ],
      note: 'RFC 5321 §3.8 would have it treated like 451, which a queue tries again later. That nobody sends it again at once rests on §4.5.3.2.6: the server may have taken it, and there would be two',
    },
    {
      id: 'DIS-04',
      level: 'MUST',
      title: '421 to MAIL',
      requirement: 'Stop, and report 421 as temporary',
      clause: 'RFC 5321 §3.8, §4.2.2',
      tags: ['disconnect', '421', 'temporary'],
      plays: [
        {
          title: 'and the end',
          server: honest({ extensions: [], answers: { mail: [SHUTDOWN] } }),
          expect: { client: SHUT_DOWN, wire: [STOPS] },
        },
        {
          title: 'and the end, where PIPELINING is offered',
          server: honest({ answers: { mail: [SHUTDOWN] } }),
          expect: { client: SHUT_DOWN },
        },
        {
          title: 'and the server stays',
          server: good({ answers: { MAIL: SHUTDOWN } }),
          expect: { client: SHUT_DOWN, wire: [STOPS, noContent(), leaves()] },
        },
      ],
      note: NO_MORE_NOTE,
    },
    {
      id: 'DIS-05',
      level: 'MUST',
      title: '421 to the second of four RCPT',
      requirement: 'Stop: neither RCPT nor DATA is sent behind it',
      clause: 'RFC 5321 §3.8, §4.2.2',
      tags: ['disconnect', '421', 'recipients'],
      plays: [
        {
          title: 'and the end',
          task: FOUR,
          server: honest({ extensions: [], answers: { rcpt: ['', SHUTDOWN] } }),
          expect: { client: SHUT_DOWN, wire: [STOPS] },
        },
        {
          title: 'and the server stays',
          task: FOUR,
          server: good({ answers: { RCPT: nth('250 2.1.5 ok', SHUTDOWN) } }),
          expect: { client: SHUT_DOWN, wire: [STOPS, noContent(), leaves()] },
        },
      ],
      note: NO_MORE_NOTE,
    },
    {
      id: 'DIS-06',
      level: 'MUST',
      title: '421 in the middle of mail data',
      requirement: 'Report 421 as temporary, and give no end to a part of a message',
      clause: 'RFC 5321 §3.8',
      tags: ['disconnect', '421', 'content'],
      plays: [
        {
          title: 'the client waits for more to send',
          task: {
            messages: [{ from: SENDER, to: [RECIPIENT], content: { pieces: PIECES, gap: 120 } }],
          },
          server: good({
            answers: {
              DATA: [send('354 go ahead'), readOctets(40), send(SHUTDOWN), ...SHUTS_DOWN],
            },
          }),
          expect: {
            client: SHUT_DOWN,
            wire: [
              whole(PIECES.join('')),
              at('SHOULD', messages(0, 'no final dot behind 421')),
              leaves(),
            ],
          },
        },
        {
          title: 'the server reads no more',
          task: { messages: [{ from: SENDER, to: [RECIPIENT], content: LONG }] },
          server: good({
            answers: {
              DATA: [
                send('354 go ahead'),
                readOctets(40),
                pauseReading(),
                send(SHUTDOWN),
                delay(250),
                resumeReading(),
                ...SHUTS_DOWN,
              ],
            },
          }),
          expect: { client: SHUT_DOWN },
          // A program may need seconds for so large a file before it connects.
          deadline: 15_000,
        },
      ],
      note: 'RFC 5321 §3.8 expects that clients read it behind their next command: the dot is then a warning',
    },
    {
      id: 'DIS-07',
      level: 'MUST',
      title: 'Silence at EHLO, MAIL, RCPT, DATA, and behind the dot',
      requirement: 'Time out by the limit of that stage, and close the connection',
      clause: 'RFC 5321 §4.5.3.2',
      tags: ['timeout', 'delivery'],
      plays: [silentAt(0), silentAt(1), silentAt(2), silentAt(3), silentAt(4)],
    },
    {
      id: 'DIS-09',
      level: 'MUST',
      title: 'The connection ends right behind the final 250',
      requirement: 'Report success: the message is accepted',
      clause: 'RFC 5321 §6.1, §4.1.1.10',
      tags: ['disconnect', 'delivery'],
      plays: [
        {
          title: 'without extensions',
          server: good({ answers: { dot: LAST_WORD } }),
          expect: ACCEPTED,
        },
        {
          title: 'where PIPELINING and CHUNKING are offered',
          server: good({
            offers: ['PIPELINING', 'CHUNKING'],
            answers: { dot: LAST_WORD, BDAT: match([[/ LAST$/i, LAST_WORD]]) },
          }),
          expect: ACCEPTED,
        },
      ],
    },
    {
      id: 'DIS-11',
      level: 'MUST',
      title: 'QUIT is never answered',
      requirement: 'Report success, wait no longer than a limit, and close the connection',
      clause: 'RFC 5321 §4.1.1.10, §4.5.3.2',
      tags: ['timeout', 'quit'],
      plays: [
        {
          title: 'within a limit of its own',
          task: { timeouts: { quit: LIMIT } },
          server: good({ answers: { QUIT: silence() } }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [messages(1), leaves()],
            within: 4_000,
          },
          deadline: 6_000,
        },
        {
          title: 'within the limit of any command',
          task: { timeouts: { command: LIMIT } },
          server: good({ answers: { QUIT: silence() } }),
          expect: { client: { outcome: 'resolve' }, wire: [messages(1), leaves()], within: 4_000 },
          deadline: 6_000,
        },
      ],
      note: 'RFC 5321 has no limit of its own for QUIT: a client that was told none may wait for minutes, so it is told one. The message is sent by then, whatever becomes of QUIT',
    },
    {
      id: 'DIS-13',
      level: 'MUST',
      title: '550 to MAIL',
      requirement: 'Say QUIT before the connection is closed, and report 550 as permanent',
      clause: 'RFC 5321 §4.1.1.10',
      tags: ['quit', 'refusal'],
      plays: [
        {
          title: 'where PIPELINING is offered',
          server: honest({ answers: { mail: ['550 5.1.8 not from you'] } }),
          expect: TURNED_DOWN,
        },
        {
          title: 'without PIPELINING',
          server: honest({ extensions: [], answers: { mail: ['550 5.1.8 not from you'] } }),
          expect: TURNED_DOWN,
        },
      ],
    },
    {
      id: 'DIS-14',
      level: 'MUST',
      title: 'No connection: a closed port, and a name that is none',
      requirement: 'Report that there is no connection, and to which host',
      clause: 'RFC 5321 §5.1, §4.5.3.2.1',
      tags: ['connect', 'diagnostics'],
      plays: [
        {
          title: 'a closed port',
          server: NO_SERVER,
          expect: {
            client: {
              outcome: 'reject',
              kind: 'connect',
              text: /127\.0\.0\.1/,
              delivery: 'not-sent',
            },
          },
        },
        {
          title: 'a name that is none',
          task: { host: NO_HOST },
          server: NO_SERVER,
          expect: {
            client: {
              outcome: 'reject',
              kind: ['connect', 'invalid'],
              text: new RegExp(NO_HOST.replace('.', '\\.')),
              delivery: 'not-sent',
            },
          },
        },
      ],
      note: 'That it is an error is in RFC 5321 §5.1. That the host is named rests on no RFC, but on what people look for first; a program that prints something else is warned',
    },
    {
      id: 'DIS-15',
      level: 'SHOULD',
      title: '221, and the server keeps the connection open',
      requirement: 'Close it from the other side within 5 s',
      clause: 'RFC 5321 §4.1.1.10',
      tags: ['quit', 'disconnect'],
      plays: [
        {
          server: good({ answers: { QUIT: [send('221 2.0.0 bye'), drain()] } }),
          expect: { client: { outcome: 'resolve' }, wire: [messages(1), leaves(5_000)] },
        },
      ],
    },
    {
      id: 'DIS-16',
      level: 'MUST',
      title: 'The final reply comes late, but within its limit',
      requirement: 'Wait for it, and report success',
      clause: 'RFC 5321 §4.5.3.2, §4.5.3.2.6',
      tags: ['timeout', 'delivery'],
      plays: [
        {
          task: { timeouts: { command: 1_500, final: 3_000 } },
          server: good({ answers: { dot: [delay(2_400), send('250 2.0.0 queued')] } }),
          expect: ACCEPTED,
        },
      ],
      note: 'It comes after 80 % of the limit, which is more than the limit of any other command; what is left is for slow machines',
    },
  ],
};
