/** TLS: with whom the client speaks, and what follows where there is no TLS to be had. */
import type { Expectation, Group, OutcomeExpectation, Play, TaskPlan } from '../case.ts';
import {
  at,
  type Claim,
  dialogue,
  leaves,
  messages,
  never,
  noContent,
  only,
  says,
  that,
} from '../judge/claims.ts';
import { CREDENTIALS, MESSAGE, RECIPIENT, SENDER } from '../runner/run-case.ts';
import { good, honest, implicit, type ServerPlan } from '../server/plan.ts';
import {
  close,
  delay,
  drain,
  expectNothing,
  match,
  nth,
  raw,
  readOctets,
  send,
  starttls,
  type TlsSituation,
  type Turn,
} from '../server/steps.ts';

/** TLS by STARTTLS, or nothing. */
const REQUIRED: TaskPlan = { tls: 'starttls' };
const OPPORTUNISTIC: TaskPlan = { tls: 'opportunistic' };
const PASSWORD: TaskPlan = { auth: { user: CREDENTIALS.user, pass: CREDENTIALS.pass } };
const REQUIRETLS: TaskPlan = {
  messages: [{ from: SENDER, to: [RECIPIENT], content: { octets: MESSAGE }, requireTls: true }],
};

const GO_AHEAD = send('220 2.0.0 go ahead');
/** The answer that a good server gives. */
const USUAL: Turn = match([]);

/** Nothing of value is said outside TLS. */
const NOTHING_PLAIN = never(
  /^(?!(EHLO|HELO|STARTTLS|QUIT|NOOP|RSET)\b)/i,
  'nothing is said in plain text but what leads to TLS',
  'plain',
);
const NO_LOGIN = never(/^AUTH\b/i, 'no AUTH');
/** The session ends where there is no TLS. */
const STOPS: readonly Claim[] = [
  only(/^(EHLO|HELO|STARTTLS|QUIT|NOOP|RSET)\b/i, 'neither AUTH nor MAIL'),
  noContent(),
  leaves(),
];
const behindStarttls = (plain: string): string | undefined =>
  /^STARTTLS\r?\n(.*)/ims.exec(plain)?.[1];
const BEHIND_STARTTLS = that('nothing stands behind STARTTLS', ({ dialogues }) => {
  for (const { plain } of dialogues) {
    const behind = behindStarttls(plain);
    if (behind !== '') return behind?.slice(0, 60) ?? 'there is no STARTTLS';
  }
  return true;
});
/** RFC 8446 §5.1, §4: a record of the handshake, and in it the first of its messages. */
const CLIENT_HELLO = that('a ClientHello comes first', ({ dialogues }) => {
  const behind = behindStarttls(dialogues[0]?.plain ?? '') ?? '';
  return (
    (behind.startsWith('\x16\x03') && behind[5] === '\x01') || JSON.stringify(behind.slice(0, 20))
  );
});
/** RFC 3207 §4.1: whoever does not like what TLS came to says QUIT. */
const NOTHING_UNDER_TLS = that('nothing but QUIT is said under TLS', ({ secured }) => {
  const said = secured.replace(/^QUIT\r\n$/i, '');
  return said === '' || JSON.stringify(said.slice(0, 60));
});
const QUIT_ENDS = that('QUIT ends each session', ({ dialogues }) => {
  const open = dialogues.find(({ verbs }) => verbs.at(-1) !== 'QUIT');
  return !open || `it ends with ${open.verbs.at(-1) ?? 'nothing'}`;
});

const NO_TLS: OutcomeExpectation = { outcome: 'reject', kind: 'tls', delivery: 'not-sent' };

/** A certificate that no client may take, by either way into TLS. */
const refused = (
  title: string,
  server: (route: 'starttls' | 'implicit') => ServerPlan,
  task: TaskPlan = {},
): [Play, Play] => [
  {
    title: `${title}, by STARTTLS`,
    task: { ...task, tls: 'starttls' },
    server: server('starttls'),
    expect: { client: NO_TLS, wire: [NOTHING_UNDER_TLS, ...STOPS] },
  },
  {
    title: `${title}, by implicit TLS`,
    task: { ...task, tls: 'implicit' },
    server: server('implicit'),
    expect: { client: NO_TLS, wire: [NOTHING_UNDER_TLS, ...STOPS] },
  },
];
const honestly =
  (situation: 'expired' | 'old-tls' | 'self-signed' | 'unknown-ca' | 'wrong-host') =>
  (tls: 'starttls' | 'implicit'): ServerPlan =>
    honest({ tls, situation });
const scripted =
  (situation: TlsSituation) =>
  (tls: 'starttls' | 'implicit'): ServerPlan =>
    tls === 'implicit'
      ? implicit(good(), situation)
      : good({ secure: [], answers: { STARTTLS: [GO_AHEAD, starttls(situation)] } });

/** STARTTLS is offered, and answered like this. */
const refusing = (reply: string): ServerPlan =>
  good({ offers: ['STARTTLS', 'AUTH PLAIN LOGIN'], answers: { STARTTLS: reply } });

/** The server name of every handshake; undefined: there is none. */
const servername = (name: string | undefined): Claim =>
  that(name === undefined ? 'no server name' : `the server name is ${name}`, ({ dialogues }) => {
    const seen = dialogues.map((one) => one.servername ?? 'none');
    return seen.every((one) => one === (name ?? 'none')) || seen.join(', ');
  });

/** The final reply ends in the middle, and so does TCP. */
const cutOff = (title: string, octets: string): Play => ({
  title,
  task: REQUIRED,
  server: good({
    secure: [],
    // Octets that are under way are not lost with the connection.
    answers: { dot: [raw(octets), delay(50), close('no-close-notify')] },
  }),
  expect: {
    client: { outcome: 'reject', kind: ['closed', 'tls'], delivery: 'unknown' },
    wire: [messages(1)],
  },
});

const NOT_WITHOUT_REQUIRETLS: Expectation = {
  client: { outcome: 'reject', kind: 'unsupported', temporary: false, delivery: 'not-sent' },
  wire: [never(/^MAIL\b/i, 'no MAIL'), QUIT_ENDS],
};
const NOT_WITHOUT_TLS: Expectation = {
  client: {
    outcome: 'reject',
    kind: ['invalid', 'tls', 'unsupported'],
    temporary: false,
    delivery: 'not-sent',
  },
  wire: [never(/^MAIL\b/i, 'no MAIL'), QUIT_ENDS],
};

export const TLS: Group = {
  id: 'TLS',
  title: 'TLS',
  cases: [
    {
      id: 'TLS-01',
      level: 'MUST',
      title: 'STARTTLS, and a good certificate',
      requirement: 'Upgrade, say EHLO again, and send under TLS',
      clause: 'RFC 3207 §4, §4.2; RFC 5321 §4.1.4',
      tags: ['tls', 'starttls', 'sanity'],
      plays: [
        {
          task: REQUIRED,
          server: honest({ tls: 'starttls' }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              dialogue(
                /^EHLO STARTTLS EHLO( RSET| NOOP)* MAIL RCPT DATA/,
                'EHLO, STARTTLS, EHLO, and a message',
              ),
              says(/^EHLO /i, 'one EHLO under TLS', 1, 'tls'),
              NOTHING_PLAIN,
              messages(1),
            ],
          },
        },
      ],
    },
    {
      id: 'TLS-02',
      level: 'MUST',
      title: 'STARTTLS is not offered, and TLS is required',
      requirement: 'Say neither AUTH nor MAIL; STARTTLS may be tried all the same',
      clause: 'RFC 3207 §6',
      tags: ['tls', 'security', 'downgrade'],
      plays: [
        {
          title: 'without credentials',
          task: REQUIRED,
          server: honest(),
          expect: { client: { ...NO_TLS, kind: ['tls', 'unsupported'] }, wire: STOPS },
        },
        {
          title: 'with credentials',
          task: { ...REQUIRED, ...PASSWORD },
          server: honest({ auth: ['PLAIN', 'LOGIN'] }),
          expect: { client: { ...NO_TLS, kind: ['tls', 'unsupported'] }, wire: STOPS },
        },
        {
          title: 'keywords that look like it',
          task: REQUIRED,
          server: good({
            offers: ['XSTARTTLS', 'STARTTLSX', 'X-STARTTLS STARTTLS'],
            answers: { STARTTLS: '502 5.5.1 not offered' },
          }),
          expect: { client: { ...NO_TLS, kind: ['tls', 'unsupported'] }, wire: STOPS },
        },
      ],
      note: 'The smtp-server package has a fixed list of keywords: those that look like STARTTLS are played by a script',
    },
    {
      id: 'TLS-03',
      level: 'MUST',
      title: '454 to STARTTLS, and TLS is required',
      requirement: 'Stop, and report 454 as temporary',
      clause: 'RFC 3207 §4, §6; RFC 5321 §4.2.1',
      tags: ['tls', 'security', 'downgrade'],
      plays: [
        {
          title: 'without credentials',
          task: REQUIRED,
          server: refusing('454 4.7.0 TLS not available due to temporary reason'),
          expect: { client: { ...NO_TLS, code: 454, temporary: true }, wire: STOPS },
        },
        {
          title: 'with credentials',
          task: { ...REQUIRED, ...PASSWORD },
          server: refusing('454 4.7.0 TLS not available due to temporary reason'),
          expect: { client: { ...NO_TLS, code: 454, temporary: true }, wire: STOPS },
        },
      ],
    },
    {
      id: 'TLS-04',
      level: 'SHOULD',
      title: '454 to STARTTLS, where TLS is used if it is there, with credentials',
      requirement: 'Do not write the password in plain text',
      clause: 'RFC 3207 §4; RFC 4616 §5; RFC 4954 §9',
      tags: ['tls', 'security', 'downgrade', 'auth'],
      plays: [
        {
          task: { ...OPPORTUNISTIC, ...PASSWORD },
          server: refusing('454 4.7.0 TLS not available due to temporary reason'),
          expect: { client: { outcome: 'settle' }, wire: [NO_LOGIN] },
        },
      ],
      note: 'To go on without a login is for the client to decide (RFC 3207 §4)',
    },
    {
      id: 'TLS-05',
      level: 'MUST',
      title: '502 to a STARTTLS that was offered, and TLS is required',
      requirement: 'Stop, and report 502',
      clause: 'RFC 3207 §4, §6',
      tags: ['tls', 'security', 'downgrade'],
      plays: [
        {
          title: 'without credentials',
          task: REQUIRED,
          server: refusing('502 5.5.1 command not implemented'),
          expect: { client: { ...NO_TLS, code: 502 }, wire: STOPS },
        },
        {
          title: 'with credentials',
          task: { ...REQUIRED, ...PASSWORD },
          server: refusing('502 5.5.1 command not implemented'),
          expect: { client: { ...NO_TLS, code: 502 }, wire: STOPS },
        },
      ],
    },
    {
      id: 'TLS-06',
      level: 'MUST',
      title: '354 to STARTTLS',
      requirement: 'Neither go on in plain text nor write mail data',
      clause: 'RFC 3207 §4, §6; RFC 5321 §4.3.2',
      tags: ['tls', 'security', 'replies'],
      plays: [
        {
          title: 'TLS is required',
          task: REQUIRED,
          server: refusing('354 go ahead'),
          expect: { client: { ...NO_TLS, kind: ['tls', 'protocol'] }, wire: STOPS },
        },
        {
          title: 'TLS is used if it is there',
          task: OPPORTUNISTIC,
          server: refusing('354 go ahead'),
          expect: {
            client: { ...NO_TLS, kind: ['tls', 'protocol'], level: 'SHOULD' },
            wire: STOPS.map((claim) => at('SHOULD', claim)),
          },
        },
      ],
      note: 'What follows 354 may be read as mail data: to close without QUIT is as good. Where TLS is not required, RFC 3207 §4 says that the connection SHOULD be aborted: to go on in plain text is a warning',
    },
    {
      id: 'TLS-08',
      level: 'MUST',
      title: 'Octets behind the 220 to STARTTLS, in one segment with it',
      requirement: 'Drop them or give up: they are no part of what is read under TLS',
      clause: 'RFC 3207 §4.2, §6',
      tags: ['tls', 'security', 'injection'],
      plays: [
        {
          title: 'half a line of a reply to EHLO, the rest of it under TLS',
          // Who waits for the rest of the line before he begins with TLS does so no longer than he is told.
          task: { ...REQUIRED, ...PASSWORD, timeouts: { command: 2_000 } },
          server: good({
            // The first line of a reply names the server, and offers nothing: it ends the line that was begun.
            secure: ['8BITMIME'],
            answers: {
              STARTTLS: [
                raw('220 go ahead\r\n250-evil.example\r\n250-AUTH PLAIN LOGIN X-', true),
                starttls(),
              ],
            },
          }),
          expect: { client: { outcome: 'settle' }, wire: [NO_LOGIN, NOTHING_PLAIN] },
        },
        {
          title: 'a whole reply to EHLO',
          task: { ...REQUIRED, ...PASSWORD },
          server: good({
            secure: [],
            answers: {
              STARTTLS: [
                raw('220 go ahead\r\n250-evil.example\r\n250 AUTH PLAIN LOGIN\r\n', true),
                starttls(),
              ],
            },
          }),
          expect: { client: { outcome: 'settle' }, wire: [NO_LOGIN, NOTHING_PLAIN] },
        },
      ],
      note: 'AUTH is never offered under TLS: who says it has read what stood in plain text',
    },
    {
      id: 'TLS-10',
      level: 'MUST',
      title: 'EHLO is answered with 500 under TLS',
      requirement: 'Give up, or say HELO under TLS; never go back to plain text',
      clause: 'RFC 3207 §4.2; RFC 5321 §4.1.4',
      tags: ['tls', 'security', 'ehlo'],
      plays: [
        {
          title: 'without credentials',
          task: REQUIRED,
          server: good({
            secure: [],
            answers: { EHLO: nth(USUAL, '500 5.5.1 there is no such command') },
          }),
          expect: {
            client: { outcome: 'settle' },
            wire: [
              NOTHING_PLAIN,
              that('no MAIL under TLS without HELO', (wire) => {
                const verbs = wire.commands.filter(({ secure }) => secure).map(({ verb }) => verb);
                const at = verbs.indexOf('MAIL');
                return at === -1 || verbs.slice(0, at).includes('HELO') || verbs.join(' ');
              }),
            ],
          },
        },
        {
          title: 'with credentials, and AUTH was offered in plain text',
          task: { ...REQUIRED, ...PASSWORD },
          server: good({
            offers: ['AUTH PLAIN LOGIN'],
            secure: [],
            answers: { EHLO: nth(USUAL, '500 5.5.1 there is no such command') },
          }),
          expect: { client: { outcome: 'settle' }, wire: [NOTHING_PLAIN, NO_LOGIN] },
        },
      ],
    },
    {
      id: 'TLS-12',
      level: 'MUST',
      title: 'A certificate that no authority vouches for',
      requirement: 'Give up before EHLO is said under TLS',
      clause: 'RFC 3207 §4.1; RFC 5280 §6.1; RFC 7817 §3',
      tags: ['tls', 'security', 'certificate'],
      plays: [
        ...refused('of an unknown authority', honestly('unknown-ca')),
        ...refused('self-signed', honestly('self-signed')),
      ],
    },
    {
      id: 'TLS-13',
      level: 'MUST',
      title: 'A certificate for another host',
      requirement: 'Give up before EHLO is said under TLS',
      clause: 'RFC 7817 §3; RFC 9525 §6',
      tags: ['tls', 'security', 'certificate'],
      plays: [
        ...refused('the server has a name', honestly('wrong-host'), { host: 'localhost' }),
        ...refused('the server has an address', honestly('wrong-host')),
      ],
    },
    {
      id: 'TLS-14',
      level: 'MUST',
      title: 'An expired certificate',
      requirement: 'Give up before EHLO is said under TLS',
      clause: 'RFC 5280 §6.1.3; RFC 7817 §3',
      tags: ['tls', 'security', 'certificate'],
      plays: refused('expired yesterday', honestly('expired')),
    },
    {
      id: 'TLS-15',
      level: 'MUST',
      title: 'A certificate that names the host in its common name alone',
      requirement: 'Give up before EHLO is said under TLS',
      clause: 'RFC 9525 §2',
      tags: ['tls', 'security', 'certificate'],
      plays: refused('without a subjectAltName', scripted('no-san'), { host: 'localhost' }),
      note: 'RFC 7817 §3 still lets a client look at the common name; RFC 9525 §2, which is newer, forbids it',
    },
    {
      id: 'TLS-16',
      level: 'MUST',
      title: 'A server that speaks nothing newer than TLS 1.1',
      requirement: 'Give up',
      clause: 'RFC 8996 §4, §5; RFC 8997 §3; RFC 8314 §5.2',
      tags: ['tls', 'security', 'version'],
      plays: refused('TLS 1.0 and 1.1', honestly('old-tls')),
    },
    {
      id: 'TLS-17',
      level: 'SHOULD',
      title: 'The server name of the handshake',
      requirement: 'Send the name of the host, and no address in its place',
      clause: 'RFC 6066 §3',
      tags: ['tls', 'sni'],
      plays: [
        {
          title: 'a name, by STARTTLS',
          task: { ...REQUIRED, host: 'localhost' },
          server: honest({ tls: 'starttls' }),
          expect: { client: { outcome: 'resolve' }, wire: [servername('localhost')] },
        },
        {
          title: 'a name, by implicit TLS',
          task: { tls: 'implicit', host: 'localhost' },
          server: honest({ tls: 'implicit' }),
          expect: { client: { outcome: 'resolve' }, wire: [servername('localhost')] },
        },
        {
          title: 'an address',
          task: REQUIRED,
          server: honest({ tls: 'starttls' }),
          expect: { client: { outcome: 'resolve' }, wire: [servername(undefined)] },
        },
      ],
    },
    {
      id: 'TLS-19',
      level: 'MUST',
      title: 'A pause in front of the handshake',
      requirement: 'Write nothing between STARTTLS and the ClientHello',
      clause: 'RFC 3207 §4; RFC 8446 §5.1',
      tags: ['tls', 'starttls', 'timing'],
      plays: [
        {
          title: 'the 220 is late',
          task: REQUIRED,
          server: good({
            secure: [],
            answers: { STARTTLS: [expectNothing(400), GO_AHEAD, starttls()] },
          }),
          expect: { client: { outcome: 'resolve' }, wire: [BEHIND_STARTTLS] },
        },
        {
          title: 'the first octets behind the 220',
          task: REQUIRED,
          server: good({
            secure: [],
            answers: { STARTTLS: [GO_AHEAD, readOctets(6), close()] },
          }),
          expect: {
            client: { ...NO_TLS, kind: ['tls', 'closed'] },
            wire: [CLIENT_HELLO],
          },
        },
      ],
    },
    {
      id: 'TLS-20',
      level: 'MUST',
      title: '220 to STARTTLS, and no handshake',
      requirement: 'Give up; do not go on in plain text',
      clause: 'RFC 3207 §4, §6',
      tags: ['tls', 'security', 'downgrade', 'disconnect'],
      plays: [
        {
          title: 'FIN',
          task: REQUIRED,
          server: good({ secure: [], answers: { STARTTLS: [GO_AHEAD, close()] } }),
          expect: {
            client: { ...NO_TLS, kind: ['tls', 'closed'] },
            wire: [NOTHING_PLAIN, ...STOPS],
          },
        },
        {
          title: 'octets that are no TLS',
          task: REQUIRED,
          server: good({
            secure: [],
            // Behind the ClientHello: what stands behind the 220 may be dropped.
            answers: { STARTTLS: [GO_AHEAD, readOctets(6), starttls('garbage'), drain()] },
          }),
          expect: { client: NO_TLS, wire: [NOTHING_PLAIN, ...STOPS] },
        },
      ],
    },
    {
      id: 'TLS-21',
      level: 'SHOULD',
      title: '220 to STARTTLS, and silence',
      requirement: 'Give the handshake a limit',
      clause: 'RFC 5321 §4.5.3.2',
      tags: ['tls', 'timeout'],
      plays: [
        {
          task: { ...REQUIRED, timeouts: { tls: 500, command: 500 } },
          server: good({
            secure: [],
            // One that has no limit is left alone at last: no MUST asks for one.
            answers: { STARTTLS: [GO_AHEAD, starttls('stall'), delay(4_000), close()] },
          }),
          expect: {
            client: { ...NO_TLS, kind: ['timeout', 'tls'] },
            wire: STOPS,
            // A program is told whole seconds, and takes a while to start.
            within: 3_000,
          },
          deadline: 7_000,
        },
      ],
    },
    {
      id: 'TLS-23',
      level: 'SHOULD',
      title: 'TCP ends inside the final reply, without close_notify',
      requirement: 'Take half a reply for none, and report that nobody knows what became of it',
      clause: 'RFC 8446 §6.1; RFC 5321 §3.8, §4.2',
      tags: ['tls', 'delivery', 'disconnect'],
      plays: [
        cutOff('in the text', '250 2.0.0 queu'),
        cutOff('behind the code', '250'),
        cutOff('between CR and LF', '250 2.0.0 queued\r'),
        cutOff('in front of the last line', '250-2.0.0 queued\r\n'),
      ],
    },
    {
      id: 'TLS-24',
      level: 'MUST',
      title: 'REQUIRETLS is wanted, and is not in the EHLO reply under TLS',
      requirement: 'Say QUIT and not MAIL, and report that it is not supported, for good',
      clause: 'RFC 8689 §4.2.1',
      tags: ['tls', 'requiretls', 'security'],
      plays: [
        {
          title: 'offered nowhere',
          task: { ...REQUIRED, ...REQUIRETLS },
          server: good({ secure: ['8BITMIME'] }),
          expect: NOT_WITHOUT_REQUIRETLS,
        },
        {
          title: 'offered in plain text alone',
          task: { ...REQUIRED, ...REQUIRETLS },
          server: good({ offers: ['REQUIRETLS'], secure: ['8BITMIME'] }),
          expect: NOT_WITHOUT_REQUIRETLS,
        },
      ],
    },
    {
      id: 'TLS-25',
      level: 'MUST',
      title: 'REQUIRETLS is wanted, and there is no TLS',
      requirement: 'Say QUIT and not MAIL, and report that it is not supported, for good',
      clause: 'RFC 8689 §2, §4.2.1',
      tags: ['tls', 'requiretls', 'security'],
      plays: [
        {
          title: 'TLS is off',
          task: REQUIRETLS,
          server: good({ offers: ['REQUIRETLS', 'PIPELINING'] }),
          expect: NOT_WITHOUT_TLS,
        },
        {
          title: 'TLS is used if it is there',
          task: { ...OPPORTUNISTIC, ...REQUIRETLS },
          server: good({ offers: ['REQUIRETLS', 'PIPELINING'] }),
          expect: NOT_WITHOUT_TLS,
        },
      ],
      note: 'A client may know it before it connects; once it has, RFC 8689 §4.2.1 has it say QUIT where any of its steps fails',
    },
    {
      id: 'TLS-26',
      level: 'MUST',
      title: 'REQUIRETLS is offered under TLS',
      requirement: 'Give MAIL the parameter, without a value, for the message that wants it',
      clause: 'RFC 8689 §2, §4.2.1',
      tags: ['tls', 'requiretls'],
      plays: [
        {
          title: 'it is wanted',
          task: { ...REQUIRED, ...REQUIRETLS },
          server: honest({ tls: 'starttls', extensions: ['REQUIRETLS'] }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              says(
                /^MAIL FROM:<sender@example\.com>( \S+)*? REQUIRETLS(?= |$)/i,
                'MAIL has REQUIRETLS',
                1,
                'tls',
              ),
              messages(1),
            ],
          },
        },
        {
          title: 'it is not wanted',
          requires: ['requiretls'],
          task: REQUIRED,
          server: honest({ tls: 'starttls', extensions: ['REQUIRETLS'] }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [never(/^MAIL .* REQUIRETLS\b/i, 'MAIL has no REQUIRETLS'), messages(1)],
          },
        },
      ],
    },
    {
      id: 'TLS-27',
      level: 'INFO',
      title: 'The server asks for a certificate of the client',
      requirement: 'Go on without one',
      clause: 'RFC 8446 §4.4.2',
      tags: ['tls', 'certificate'],
      plays: [
        {
          task: REQUIRED,
          server: honest({ tls: 'starttls', situation: 'asks-certificate' }),
          expect: {
            client: { outcome: 'settle' },
            wire: [NOTHING_PLAIN, says(/^EHLO /i, 'EHLO under TLS', 1, 'tls')],
          },
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'TLS-28',
      level: 'MUST',
      title: 'PIPELINING is offered next to STARTTLS',
      requirement: 'Let STARTTLS be the last command of its group',
      clause: 'RFC 3207 §4',
      tags: ['tls', 'pipelining'],
      plays: [
        {
          task: REQUIRED,
          server: good({
            offers: ['PIPELINING'],
            secure: ['PIPELINING'],
            // What stands behind STARTTLS is there by then.
            answers: { STARTTLS: [delay(300), GO_AHEAD, starttls()] },
          }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [BEHIND_STARTTLS, NOTHING_PLAIN, messages(1)],
          },
        },
      ],
    },
  ],
};
