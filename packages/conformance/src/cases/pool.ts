/** POO: several messages on one connection, and on several. */
import type { Expectation, Group, OutcomeExpectation, Play } from '../case.ts';
import {
  at,
  type Claim,
  connections,
  dialogue,
  never,
  nothingBehind,
  says,
  that,
  type Wire,
} from '../judge/claims.ts';
import type { Dialogue } from '../judge/dialogue.ts';
import { CREDENTIALS, MESSAGE, RECIPIENT, SENDER } from '../runner/run-case.ts';
import { good, honest, type ScriptedPlan, scripts } from '../server/plan.ts';
import {
  close,
  converse,
  delay,
  type Manners,
  nth,
  type Step,
  send,
  silence,
} from '../server/steps.ts';
import type { TaskMessage } from '../task.ts';
import { isMessage } from './sending.ts';

/** A message that no other is like. */
const letter = (name: string | number): TaskMessage => ({
  from: SENDER,
  to: [RECIPIENT],
  content: { octets: textOf(name) },
});
const textOf = (name: string | number): string => MESSAGE.replace('A test', `Message ${name}`);
const ONE_TWO: readonly TaskMessage[] = [letter(1), letter(2)];
const SENT: OutcomeExpectation = { outcome: 'resolve', accepted: [RECIPIENT] };

/** One connection with other manners than those behind it, which are good. */
const first = (manners: Manners): ScriptedPlan =>
  scripts(
    [send('220 mail.example.com ESMTP'), converse(manners)],
    [send('220 mail.example.com ESMTP'), converse({ offers: manners.offers ?? [] })],
  );

/** The server's end of an idle connection, 100 ms behind a message. */
const idle = (...steps: readonly Step[]): readonly Step[] => [
  send('250 2.0.0 queued'),
  delay(100),
  ...steps,
];
const SHUTDOWN = send('421 4.3.2 shutting down');
/** Behind 421 nothing has an answer but QUIT: who reads it as the answer to a command may wait for that. */
const ONLY_QUIT = converse({
  answers: Object.fromEntries(
    ['EHLO', 'HELO', 'MAIL', 'RCPT', 'DATA', 'BDAT', 'RSET', 'NOOP', 'VRFY', 'other'].map(
      (verb) => [verb, silence()],
    ),
  ),
});
/** Between two messages, so that the first connection is idle, and then ended, for long. */
const GAP = 400;

/** What two cases rest on. */
const IDLE_NOTE =
  'RFC 5321 §3.8 takes a lost connection for 451, which is to try again. That a client does so itself rests on what an idle connection is: none of the message was written to it.';

/** Those messages, in any order, each once and as it was given. */
const exactly = (names: readonly (string | number)[]): Claim =>
  that('each message is on the wire once, as it was given', (wire) => {
    const got = wire.messages.map(({ text }) => text);
    const wanted = names.map(textOf);
    const wrong =
      wanted.find((given) => got.filter((text) => isMessage(text, given)).length !== 1) ??
      got.find((text) => !wanted.some((given) => isMessage(text, given)));
    return wrong === undefined || `${got.length} messages; ${subjectOf(wrong)} is not there once`;
  });
/** No message is on the wire twice. */
const ONCE: Claim = that(
  'no message is on the wire twice',
  (wire) => {
    const got = wire.messages.map(({ text }) => text);
    const twice = got.find((text, at) => got.indexOf(text) !== at);
    return twice === undefined || `${subjectOf(twice)} is`;
  },
  'MUST',
);
const subjectOf = (text: string): string => /^Subject: (.*)$/m.exec(text)?.[1] ?? 'something else';

/** Each connection has one transaction behind the other, whatever is said between them. */
const ONE_BEHIND_THE_OTHER: Claim = that(
  'a transaction begins when the one before it is over',
  ({ dialogues }) => {
    const wrong = dialogues
      .map(({ verbs }) => verbs.filter((verb) => /^(MAIL|RCPT|DATA|BDAT)$/.test(verb)).join(' '))
      .find((verbs) => !/^(MAIL RCPT DATA ?)*$/.test(verbs));
    return wrong ?? true;
  },
);

/** When a connection is there, and when it is over: a client that has said QUIT, or has ended its side, uses it no more. */
const spanOf = ({ events, commands, left }: Dialogue): readonly [number, number] => {
  const begin = events[0]?.at ?? 0;
  const quit = commands.find(({ verb }) => verb === 'QUIT');
  return [begin, Math.min(left?.at ?? Infinity, quit?.at ?? Infinity, events.at(-1)?.at ?? begin)];
};

/** No more connections than this at any one time. */
const atOnce = (most: number): Claim =>
  that(`at most ${most} connections at once`, (wire: Wire) => {
    const spans = wire.dialogues.map(spanOf);
    const counts = spans.map(
      ([begin]) => spans.filter(([other, end]) => other <= begin && end > begin).length,
    );
    const found = Math.max(0, ...counts);
    return found <= most || `${found}`;
  });

/** Nothing of the message was written: to send it again is as good as to say so. */
const RETRIED: Expectation = {
  client: [SENT, { outcome: 'settle' }],
  wire: [
    ONCE,
    that('what is reported as sent is on the wire, and nothing else', (wire, { outcome }) => {
      const names = [1, 2].filter((_, at) => outcome?.messages[at]?.outcome === 'resolve');
      const got = wire.messages.map(({ text }) => subjectOf(text));
      const wanted = names.map((name) => subjectOf(textOf(name)));
      return got.join() === wanted.join() || `${got.join(', ')} in place of ${wanted.join(', ')}`;
    }),
    that('a failure says that nothing was sent', (_wire, { outcome }) => {
      const { outcome: how, delivery = 'not-sent' } = outcome?.messages[1] ?? {};
      return how === 'resolve' || delivery === 'not-sent' || delivery;
    }),
    connections(2),
  ],
};

/** The first message leaves a transaction that is open, and RSET has that answer. */
const resetRefused = (title: string, ...answer: readonly Step[]): Play => ({
  title,
  task: { messages: ONE_TWO },
  server: first({
    answers: {
      MAIL: nth('250 2.1.0 ok', '503 5.5.1 there is a transaction'),
      RCPT: '550 5.1.1 nobody',
      RSET: answer,
    },
  }),
  expect: {
    client: [{ outcome: 'reject', code: 550 }, SENT],
    wire: [
      nothingBehind(/^550 [^\n]*\n/m, 'no other message on this connection', /^(RSET|QUIT)$/i),
      exactly([2]),
      connections(2, 2),
    ],
  },
});

export const POOL: Group = {
  id: 'POO',
  title: 'Pool and reuse',
  cases: [
    {
      id: 'POO-01',
      level: 'MUST',
      title: 'Two messages, one after the other',
      requirement: 'Send both on one connection, with one EHLO and one AUTH',
      clause: 'RFC 5321 §4.1.4, RFC 4954 §4',
      tags: ['reuse', 'session'],
      plays: [
        {
          title: 'without AUTH',
          task: { messages: ONE_TWO },
          server: honest(),
          expect: {
            client: SENT,
            wire: [
              connections(1),
              dialogue(
                /^(EHLO|HELO)( \w+)* MAIL RCPT DATA( \w+)* MAIL RCPT DATA/,
                'MAIL again on the same connection',
              ),
              at('SHOULD', says(/^(EHLO|HELO) /i, 'one EHLO', 1)),
              exactly([1, 2]),
              ONE_BEHIND_THE_OTHER,
            ],
          },
        },
        {
          title: 'with AUTH',
          task: {
            messages: ONE_TWO,
            auth: {
              user: CREDENTIALS.user,
              pass: CREDENTIALS.pass,
              mechanisms: ['PLAIN'],
              insecure: true,
            },
          },
          server: honest({ auth: ['PLAIN'], authOptional: false }),
          expect: {
            client: SENT,
            wire: [connections(1), says(/^AUTH /i, 'one AUTH', 1), exactly([1, 2])],
          },
        },
      ],
      note: 'To use a connection again is what the feature `reuse` promises. RFC 5321 §4.1.4 allows EHLO again, so that it is a warning; RFC 4954 §4 does not allow AUTH again',
    },
    {
      id: 'POO-03',
      level: 'MUST',
      title: 'The connection ends while it is idle',
      requirement: 'Send the next message on a new connection, without an error',
      clause: 'RFC 5321 §3.8',
      tags: ['reuse', 'disconnect'],
      plays: [
        {
          task: { messages: ONE_TWO, gap: GAP },
          server: first({ answers: { dot: idle(close()) } }),
          expect: { client: SENT, wire: [exactly([1, 2]), connections(2, 2)] },
        },
      ],
      note: IDLE_NOTE,
    },
    {
      id: 'POO-04',
      level: 'MUST',
      title: '421 while the connection is idle',
      requirement: 'Send the next message on a new connection, without an error',
      clause: 'RFC 5321 §3.8',
      tags: ['reuse', '421'],
      plays: [
        {
          title: 'and the end',
          task: { messages: ONE_TWO, gap: GAP },
          server: first({ answers: { dot: idle(SHUTDOWN, close()) } }),
          expect: { client: SENT, wire: [exactly([1, 2]), connections(2, 2)] },
        },
        {
          title: 'and the server stays',
          task: { messages: ONE_TWO, gap: GAP },
          server: first({ answers: { dot: idle(SHUTDOWN, ONLY_QUIT) } }),
          expect: { client: SENT, wire: [exactly([1, 2]), connections(2, 2)] },
        },
      ],
      note: IDLE_NOTE,
    },
    {
      id: 'POO-06',
      level: 'SHOULD',
      title: 'LIMITS MAILMAX=1, and three messages',
      requirement: 'Take a new connection for each',
      clause: 'RFC 9422 §4.1',
      tags: ['reuse', 'limits'],
      requires: ['limits'],
      plays: [
        {
          task: { messages: [letter(1), letter(2), letter(3)] },
          server: good({
            offers: ['LIMITS MAILMAX=1'],
            answers: { MAIL: nth('250 2.1.0 ok', '451 4.5.3 one message was announced') },
          }),
          expect: {
            client: SENT,
            wire: [
              that('one MAIL on each connection', ({ dialogues }) => {
                const counts = dialogues.map(({ transactions }) => transactions.length);
                return counts.every((count) => count <= 1) || counts.join(', ');
              }),
              exactly([1, 2, 3]),
            ],
          },
        },
      ],
    },
    {
      id: 'POO-07',
      level: 'MUST',
      title: 'RSET is refused',
      requirement: 'Use the connection for no other message',
      clause: 'RFC 5321 §4.1.1.5, §4.1.4',
      tags: ['reuse', 'reset'],
      plays: [
        resetRefused('451', send('451 4.3.0 not now')),
        resetRefused('421', SHUTDOWN, close()),
      ],
    },
    {
      id: 'POO-08',
      level: 'MUST',
      title: '20 messages at once, on 3 connections',
      requirement: 'Send each once, no two inside each other, over 3 connections at most',
      clause: 'RFC 5321 §4.1.4',
      tags: ['pool', 'concurrency'],
      plays: [
        {
          task: { messages: Array.from({ length: 20 }, (_, at) => letter(at)), connections: 3 },
          server: honest({ dotDelay: 30 }),
          expect: {
            client: SENT,
            wire: [
              atOnce(3),
              ONE_BEHIND_THE_OTHER,
              exactly(Array.from({ length: 20 }, (_, at) => at)),
            ],
          },
        },
      ],
      note: 'That there are 3 connections at most is what the client was told.',
    },
    {
      id: 'POO-09',
      level: 'MUST',
      title: 'RST in place of the reply to the second of three messages',
      requirement:
        'Say that nobody knows what became of it, do not send it again, and send the third',
      clause: 'RFC 5321 §4.5.3.2.6, §3.8',
      tags: ['reuse', 'duplicates'],
      plays: [
        {
          task: { messages: [letter(1), letter(2), letter(3)] },
          server: first({ answers: { dot: nth('250 2.0.0 queued', close('reset')) } }),
          expect: {
            client: [SENT, { outcome: 'reject', kind: 'closed', delivery: 'unknown' }, SENT],
            wire: [exactly([1, 2, 3])],
          },
        },
      ],
      note: 'A queue may try it again later, as RFC 5321 §3.8 says; at once it would be sent twice where it was taken.',
    },
    {
      id: 'POO-10',
      level: 'MUST',
      title: '535 to AUTH, with 20 messages and 3 connections',
      requirement: 'Report it to all that wait, with one AUTH for each connection at most',
      clause: 'RFC 4954 §4, §6',
      tags: ['pool', 'auth'],
      plays: [
        {
          task: {
            messages: Array.from({ length: 20 }, (_, at) => letter(at)),
            connections: 3,
            auth: { user: CREDENTIALS.user, pass: 'wrong', mechanisms: ['PLAIN'], insecure: true },
          },
          server: honest({
            auth: ['PLAIN'],
            authOptional: false,
            answers: { auth: ['535 5.7.8 no such user'] },
          }),
          expect: {
            client: {
              outcome: 'reject',
              kind: 'auth',
              code: 535,
              text: /no such user/,
              temporary: false,
              delivery: ['not-sent', 'rejected'],
            },
            wire: [says(/^AUTH /i, 'at most 3 AUTH', [1, 3]), never(/^MAIL /i, 'no MAIL')],
          },
        },
      ],
      note: 'RFC 4954 §6 would have the user asked for other credentials. That those which were refused are not tried for each message rests on no RFC, but on what comes of it: the account is locked.',
    },
    {
      id: 'POO-11',
      level: 'SHOULD',
      title: 'The connection ends between MAIL and its reply, when it has served a message',
      requirement: 'Send the message once on a new connection, or report that it was not sent',
      clause: 'RFC 5321 §3.8',
      tags: ['reuse', 'disconnect'],
      plays: [
        {
          title: 'without PIPELINING',
          task: { messages: ONE_TWO },
          server: first({ answers: { MAIL: nth('250 2.1.0 ok', close()) } }),
          expect: RETRIED,
        },
        {
          title: 'where PIPELINING is offered',
          task: { messages: ONE_TWO },
          server: first({
            offers: ['PIPELINING'],
            answers: { MAIL: nth('250 2.1.0 ok', close()) },
          }),
          expect: RETRIED,
        },
      ],
    },
  ],
};
