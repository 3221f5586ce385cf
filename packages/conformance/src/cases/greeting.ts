/** GRE: what comes before the first command. */
import type { Group, OutcomeExpectation } from '../case.ts';
import {
  at,
  type Claim,
  connections,
  dialogue,
  leaves,
  messages,
  only,
  says,
  that,
} from '../judge/claims.ts';
import { honest, implicit, script, scripts } from '../server/plan.ts';
import { close, converse, delay, drain, ifSilent, raw, send, slowly } from '../server/steps.ts';
import { tells } from './sending.ts';

/** A session of one message, whatever a client says beside it. */
const SESSION: readonly Claim[] = [
  dialogue(
    // RFC 5321 §4.1.4 allows EHLO again.
    /^(EHLO|LHLO|HELO)( EHLO| HELO| RSET| NOOP)* MAIL RCPT DATA/,
    'EHLO is the first command, and a message follows',
  ),
  // RFC 5321 §3.2 allows HELO to a client that wants no extension, §4.1.1.1 says that it SHOULD begin with EHLO.
  at('SHOULD', dialogue(/^(EHLO|LHLO)/, 'the session begins with EHLO')),
  messages(1),
];
const QUIT_ONLY = only(/^QUIT$/i, 'nothing but QUIT is said');
/** RFC 5321 §4.1.4: QUIT SHOULD be said even where no session was opened. */
const QUIT = at('SHOULD', says(/^QUIT$/i, 'QUIT', 1));

/** Nothing is written until the server has said something. */
const silentBefore = (pattern: RegExp, expected: string): Claim =>
  that(expected, (wire) => {
    let said = '';
    for (const event of wire.dialogues[0]?.events ?? []) {
      if (event.who === 'server') said += event.text;
      else if (event.who === 'client') {
        if (pattern.test(said)) return true;
        return `${JSON.stringify(event.text.slice(0, 60))} after ${JSON.stringify(said)}`;
      }
    }
    return 'nothing was written';
  });
/** The last line of a greeting, with its end. */
const GREETED = /^220( [^\n]*)?\r\n/m;

/** All that is written is TLS: a ClientHello, and perhaps an alert. */
const TLS_ONLY = that('nothing but TLS is written', (wire) => {
  // RFC 8446 §5.1: a record begins with its type, and 22 is the handshake.
  const wrong = wire.dialogues.find(({ plain }) => plain !== '' && !plain.startsWith('\x16\x03'));
  if (wrong) return JSON.stringify(wrong.plain.slice(0, 60));
  const command = /(EHLO|HELO|QUIT|MAIL|AUTH)[ \r]/.exec(wire.plain);
  if (command) return JSON.stringify(command[0]);
  return wire.plain !== '' || 'nothing was written';
});

/** The server turns the session down by a reply. */
const REFUSED: OutcomeExpectation = { outcome: 'reject', delivery: ['not-sent', 'rejected'] };
/** There never was a session. */
const NO_SESSION: OutcomeExpectation = { outcome: 'reject', delivery: 'not-sent' };

/** Latin-1, octets that are no UTF-8, UTF-8, ESC, BEL and NUL. */
const odd = (code: number): string =>
  [
    `${code}-caf\xe9 \xff\xfe`,
    `${code}-caf\xc3\xa9`,
    `${code} \x1b[2J\x07 \0 mail.example.com`,
    '',
  ].join('\r\n');
/** Control characters, but for those that set lines and columns. */
const CONTROL = /[^\P{Cc}\t\r\n]/u;

export const GREETING: Group = {
  id: 'GRE',
  title: 'Greeting',
  cases: [
    {
      id: 'GRE-01',
      level: 'MUST',
      title: '220 and a normal session',
      requirement: 'Wait for the greeting, then say EHLO, or LHLO where LMTP is spoken',
      clause: 'RFC 5321 §3.1, §3.2, §4.3.1',
      tags: ['greeting', 'sanity'],
      plays: [
        {
          title: 'SMTP',
          server: honest(),
          expect: { client: { outcome: 'resolve' }, wire: SESSION },
        },
        {
          title: 'LMTP',
          task: { protocol: 'lmtp' },
          server: honest({ lmtp: true }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [dialogue(/^LHLO( RSET| NOOP)* MAIL RCPT DATA/, 'LHLO is the first command')],
          },
        },
      ],
      note: 'RFC 5321 §4.3.1 says MUST of a reply before the next command, and SHOULD of the greeting, which it calls a reply: MUST is taken for both. HELO in place of EHLO is a warning: §3.2 allows it to a client that wants no extension',
    },
    {
      id: 'GRE-02',
      level: 'MUST',
      title: 'A greeting of three lines, 100 ms apart',
      requirement: 'Say EHLO once, after the last line',
      clause: 'RFC 5321 §4.2, §4.2.1',
      tags: ['greeting', 'multiline'],
      plays: [
        {
          server: script(
            send('220-mail.example.com'),
            delay(100),
            send('220-Welcome'),
            delay(100),
            send('220 ESMTP'),
            converse(),
          ),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              silentBefore(GREETED, 'no octet before the last line of the greeting'),
              says(/^(EHLO|HELO) /i, 'one EHLO', 1),
              ...SESSION,
            ],
          },
        },
      ],
    },
    {
      id: 'GRE-03',
      level: 'MUST',
      title: '554 in place of a greeting',
      requirement: 'Say nothing but QUIT, and report 554 as permanent',
      clause: 'RFC 5321 §3.1, §4.1.1.10, §4.1.4, §4.2.1',
      tags: ['greeting', 'refusal'],
      plays: [
        {
          server: script(send('554 No SMTP service here'), converse()),
          expect: {
            client: { ...REFUSED, code: 554, temporary: false },
            wire: [
              QUIT_ONLY,
              QUIT,
              leaves(),
              tells(/No SMTP service here/, 'the text of the reply is shown'),
            ],
          },
        },
      ],
      note: 'That nothing but QUIT may be said rests on §3.1, by which 554 rejects the session. The text may be discarded (§4.2): to show none of it is a warning',
    },
    {
      id: 'GRE-04',
      level: 'MUST',
      title: '421 in place of a greeting, and the end',
      requirement: 'Stop, report it as temporary, and do not try again by oneself',
      clause: 'RFC 5321 §3.8, §4.2.2',
      tags: ['greeting', 'refusal', 'retry'],
      plays: [
        {
          server: honest({ answers: { greeting: '421 too busy' } }),
          expect: {
            client: {
              ...REFUSED,
              kind: ['closed', 'connect', 'refused'],
              code: 421,
              temporary: true,
            },
            wire: [QUIT_ONLY, connections(1, 1)],
          },
        },
      ],
      note: 'Connections are counted until the client says that it failed',
    },
    {
      id: 'GRE-05',
      level: 'MUST',
      title: 'A greeting octet by octet',
      requirement: 'Say EHLO after its CR LF',
      clause: 'RFC 5321 §2.3.8',
      tags: ['greeting', 'segments'],
      plays: [
        {
          server: script(slowly('220 mail.example.com ESMTP\r\n', 3), converse()),
          expect: {
            client: { outcome: 'resolve' },
            wire: [silentBefore(GREETED, 'no octet before the end of the greeting'), ...SESSION],
          },
        },
      ],
    },
    {
      id: 'GRE-06',
      level: 'MUST',
      title: 'A greeting after 700 ms',
      requirement: 'Send nothing before it',
      clause: 'RFC 5321 §3.1, §3.2, §4.3.1',
      tags: ['greeting', 'timing'],
      plays: [
        {
          server: honest({ greetingDelay: 700 }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [silentBefore(GREETED, 'no octet before the greeting'), ...SESSION],
          },
        },
      ],
      note: 'RFC 5321 §4.3.1 says SHOULD of the greeting, and MUST of every reply, of which it is one; servers turn away who speaks first',
    },
    {
      id: 'GRE-07',
      level: 'MUST',
      title: 'No greeting ever comes',
      requirement: 'Time out by the limit of the greeting, and close the socket',
      clause: 'RFC 5321 §4.5.3.2.1',
      tags: ['greeting', 'timeout'],
      requires: ['timeouts'],
      plays: [
        {
          task: { timeouts: { greeting: 500 } },
          server: script(drain()),
          expect: {
            client: { ...NO_SESSION, kind: 'timeout' },
            wire: [QUIT_ONLY, leaves()],
            // A program is told whole seconds, takes a while to start, and may wait as long again for an answer to QUIT.
            within: 3_500,
          },
          deadline: 6_000,
        },
      ],
    },
    {
      id: 'GRE-09',
      level: 'MUST',
      title: '354 in place of a greeting',
      requirement: 'Report failure, and say nothing but QUIT',
      clause: 'RFC 5321 §4.2.1, §4.3.2',
      tags: ['greeting', 'protocol'],
      plays: [
        {
          server: script(send('354 go'), converse()),
          expect: {
            client: { ...REFUSED, kind: ['protocol', 'refused'] },
            wire: [QUIT_ONLY, leaves()],
          },
        },
      ],
    },
    {
      id: 'GRE-10',
      level: 'INFO',
      title: '250 in place of a greeting',
      requirement: 'Go on, or report failure: its first digit is that of 220',
      clause: 'RFC 5321 §4.2',
      tags: ['greeting', 'protocol'],
      plays: [
        {
          server: script(send('250 hello'), converse()),
          expect: { client: { outcome: 'settle' } },
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'GRE-11',
      level: 'SHOULD',
      title: '220 without a text',
      requirement: 'Take the code alone, with or without a trailing space',
      clause: 'RFC 5321 §4.2',
      tags: ['greeting', 'leniency'],
      plays: [
        {
          title: 'without a trailing space',
          // One that waits for more is left alone at last: to have no such limit is another matter.
          server: script(send('220'), ifSilent(1_500, close()), converse()),
          expect: { client: { outcome: 'resolve' }, wire: SESSION },
        },
        {
          title: 'with a trailing space',
          server: script(send('220 '), ifSilent(1_500, close()), converse()),
          expect: { client: { outcome: 'resolve' }, wire: SESSION },
        },
      ],
    },
    {
      id: 'GRE-13',
      level: 'MUST',
      title: 'A greeting with octets that are no text',
      requirement: 'Do not crash; show people no control character',
      clause: 'RFC 5321 §4.2, §4.2.1',
      tags: ['greeting', 'security', 'multiline'],
      plays: [
        {
          title: '220',
          server: script(raw(odd(220)), converse()),
          expect: { client: { outcome: 'settle', textNot: CONTROL, level: 'SHOULD' } },
          deadline: 3_000,
        },
        {
          title: '554',
          server: script(raw(odd(554)), converse()),
          expect: {
            client: { outcome: 'reject', code: 554, textNot: CONTROL, level: 'SHOULD' },
            wire: [QUIT_ONLY],
          },
          deadline: 3_000,
        },
      ],
      note: 'What a client says of the texts is judged as SHOULD, as in REP-21',
    },
    {
      id: 'GRE-14',
      level: 'MUST',
      title: 'FIN in place of a greeting',
      requirement: 'Report at once that the connection was closed',
      clause: 'RFC 5321 §3.8',
      tags: ['greeting', 'disconnect'],
      plays: [
        {
          server: script(close()),
          expect: {
            client: { ...NO_SESSION, kind: ['closed', 'connect'] },
            within: 2_000,
          },
          deadline: 4_000,
        },
      ],
      note: 'RFC 5321 §3.8 says SHOULD of what is made of a message then; that a failure is reported, and soon, is what is judged',
    },
    {
      id: 'GRE-15',
      level: 'MUST',
      title: 'RST in place of a greeting',
      requirement: 'Report that the connection was closed, and do not crash',
      clause: 'RFC 5321 §3.8',
      tags: ['greeting', 'disconnect'],
      plays: [
        {
          server: script(close('reset')),
          // It may come before the client knows that it is connected.
          expect: { client: { ...NO_SESSION, kind: ['closed', 'connect'] } },
          deadline: 4_000,
        },
      ],
      note: 'RFC 5321 §3.8 says SHOULD of what is made of a message then; that a failure is reported is what is judged',
    },
    {
      id: 'GRE-16',
      level: 'INFO',
      title: 'A greeting that ends with LF alone',
      requirement: 'LF alone ends no line: wait, or report failure; most clients go on',
      clause: 'RFC 5321 §2.3.8',
      tags: ['greeting', 'line-end'],
      plays: [
        {
          // A client that waits for CR LF is not kept waiting.
          server: script(raw('220 mail.example.com\n'), ifSilent(500, close()), converse()),
          expect: { client: { outcome: 'settle' } },
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'GRE-17',
      level: 'MUST',
      title: 'A greeting where TLS was to begin',
      requirement: 'Report failure of TLS; no SMTP outside TLS, on this connection or another',
      clause: 'RFC 8314 §3.3',
      tags: ['greeting', 'tls', 'security'],
      requires: ['implicit-tls'],
      plays: [
        {
          task: { tls: 'implicit' },
          // Who comes back without TLS is let in, to be seen.
          server: scripts(
            [send('220 mail.example.com ESMTP'), drain()],
            [send('220 again'), converse()],
          ),
          expect: { client: { ...NO_SESSION, kind: 'tls' }, wire: [TLS_ONLY] },
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'GRE-18',
      level: 'SHOULD',
      title: 'The port waits for TLS, the client for a greeting',
      requirement: 'Time out by the limit of the greeting, with a hint at TLS',
      clause: 'RFC 5321 §4.5.3.2.1',
      tags: ['greeting', 'tls', 'timeout'],
      requires: ['timeouts'],
      plays: [
        {
          task: { timeouts: { greeting: 400 } },
          server: implicit(script(drain())),
          expect: {
            client: { ...NO_SESSION, kind: 'timeout' },
            wire: [tells(/TLS|SSL/i, 'what people are shown names TLS')],
          },
          deadline: 6_000,
        },
      ],
      note: 'No RFC asks for a hint: people who have chosen the wrong port are helped by it',
    },
  ],
};
