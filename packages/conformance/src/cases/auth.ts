/** AUT: AUTH, its exchanges, and what comes of their ends. */
import type { Group, Play, TaskPlan } from '../case.ts';
import {
  at,
  type Claim,
  messages,
  never,
  responsesOf,
  says,
  that,
  type Wire,
} from '../judge/claims.ts';
import type { CommandLine } from '../judge/dialogue.ts';
import { CREDENTIALS } from '../runner/run-case.ts';
import { good, honest, type ScriptedPlan } from '../server/plan.ts';
import type { SaslPlan } from '../server/sasl-server.ts';
import {
  type Answers,
  auth,
  close,
  delay,
  expect,
  expectAny,
  ifSilent,
  match,
  type Step,
  send,
} from '../server/steps.ts';
import { literal } from './literal.ts';
import { tells } from './sending.ts';

const { user, pass, token } = CREDENTIALS;
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** Under TLS, by a user with a password; without names by what the client chooses, PLAIN or LOGIN. */
const by = (...mechanisms: readonly string[]): TaskPlan => ({
  tls: 'starttls',
  auth: { user, pass, ...(mechanisms[0] ? { mechanisms } : {}) },
});
const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-1'];
const SCRAM_PLUS = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS'];

/** Offers mechanisms under TLS, and nothing outside. */
const offering = (
  mechanisms: readonly string[],
  plan: SaslPlan = {},
  answers: Answers = {},
): ScriptedPlan =>
  good({ secure: [`AUTH ${mechanisms.join(' ')}`], answers: { AUTH: auth(plan), ...answers } });

/** As a submission server that takes no mail from strangers (RFC 4954 §6). */
const STRANGER: Answers = { MAIL: '530 5.7.0 Authentication required' };

/** RFC 4954 §4 lets a client go on without authentication where AUTH has failed: nobody who gave credentials wants it. */
const NO_MAIL = at('SHOULD', never(/^MAIL/i, 'no MAIL without authentication'));

const quoted = (texts: readonly string[]): string =>
  texts.map((text) => JSON.stringify(text)).join(', ') || 'none';

/** What was shown, decoded, is all of this in its order. */
const shows = (expected: readonly string[], says: string): Claim =>
  that(says, (wire) => {
    const found = responsesOf(wire);
    return quoted(found) === quoted(expected) || quoted(found);
  });

/** PLAIN: `[authzid] NUL authcid NUL passwd` (RFC 4616 §2), where the user may stand as authzid too. */
const plainly = (name: string, word: string): Claim =>
  that('one response: NUL, the user, NUL, the password', (wire) => {
    const found = responsesOf(wire);
    const right = ['', name].map((authzid) => `${authzid}\0${name}\0${word}`);
    return (found.length === 1 && right.includes(found[0] as string)) || quoted(found);
  });

const LOGIN_IN_ORDER = shows([user, pass], 'the user, and then the password');

/** No mechanism is begun twice, on whatever connection. */
const EACH_ONCE = that('each mechanism is tried once at most', ({ commands }) => {
  const names = commands
    .filter(({ verb }) => verb === 'AUTH')
    .map(({ line }) => (line.split(' ')[1] ?? '').toUpperCase());
  return names.length === new Set(names).size || names.join(', ');
});

/** RFC 4954 §4: no other AUTH behind one that has succeeded. Who has two connections has one in each. */
const ONE_IN_EACH = that('one AUTH in each session', ({ dialogues }) => {
  const counts = dialogues.map(({ verbs }) => verbs.filter((verb) => verb === 'AUTH').length);
  return counts.every((count) => count === 1) || counts.join(', ');
});

/** SCRAM: what client-first begins with (RFC 5802 §7). */
const CLIENT_FIRST = /^(?:[ny]|p=[^,]+),(?:a=[^,]*)?,/;
const clientFirsts = (wire: Wire): string[] =>
  responsesOf(wire).filter((text) => CLIENT_FIRST.test(text));

/** Every client-first is like this. */
const clientFirst = (pattern: RegExp, says: string): Claim =>
  that(says, (wire) => {
    const found = clientFirsts(wire);
    return (found.length > 0 && found.every((text) => pattern.test(text))) || quoted(found);
  });

/** What is claimed of TLS 1.3; a client that comes to another version has another choice. */
const inTls13 = (claim: Claim): Claim => ({
  ...claim,
  holds: (wire, context) =>
    wire.dialogues.some(({ events }) =>
      events.some((event) => event.who === 'tls' && event.protocol === 'TLSv1.3'),
    )
      ? claim.holds(wire, context)
      : true,
});

/** SCRAM: server-first is answered by `*`, or not at all: no proof is shown. */
const CANCELLED = that('server-first is answered by "*" or not at all', (wire) => {
  const found = responsesOf(wire).filter((text) => text !== '*' && !CLIENT_FIRST.test(text));
  return (found.length === 0 && clientFirsts(wire).length > 0) || quoted(responsesOf(wire));
});

/** What a client says where a server proves nothing, or cannot be understood. */
const FAILED = { outcome: 'reject', kind: ['auth', 'protocol'] } as const;

/** Behind AUTH, and behind each response, nothing is written before the server has said something. */
const LOCK_STEP = that('nothing stands behind AUTH before its answer', ({ dialogues }) => {
  for (const { commands, responses, events } of dialogues) {
    // Of one segment, a response comes first.
    const lines = [...responses, ...commands].sort((a, b) => a.event - b.event);
    for (const [index, { line, verb, event }] of lines.entries()) {
      const next = lines[index + 1];
      const exchange = verb === 'AUTH' || responses.includes(lines[index] as CommandLine);
      if (!exchange || !next) continue;
      if (!events.slice(event, next.event).some(({ who }) => who === 'server'))
        return `${JSON.stringify(next.line)} behind ${JSON.stringify(line)}`;
    }
  }
  return true;
});

/** Each AUTH, and the lines that answered its challenges. */
const exchanges = ({ dialogues }: Wire): { line: string; responses: string[] }[] =>
  dialogues.flatMap(({ commands, responses }) =>
    commands.flatMap(({ line, verb, event }, index) => {
      const end = commands[index + 1]?.event ?? Number.POSITIVE_INFINITY;
      const own = responses.filter((response) => response.event > event && response.event < end);
      return verb === 'AUTH' ? [{ line, responses: own.map((response) => response.line) }] : [];
    }),
  );

/** An error challenge to a token is answered by one line like this. */
const errorAnswered = (pattern: RegExp, says: string): Claim =>
  that(says, (wire) => {
    const found = exchanges(wire);
    for (const { line, responses } of found) {
      // Without an initial response, the first line is the token.
      const behind = responses.slice(/^AUTH \S+ \S/i.test(line) ? 0 : 1);
      if (behind.length !== 1 || !pattern.test(behind[0] as string)) return quoted(behind);
    }
    return found.length > 0 || 'no AUTH';
  });

/** A user and a password that RFC 4616 §2 allows, whose response does not fit a command line of 512 octets. */
const LONG = {
  user: `${'tester-'.repeat(30)}@example.com`,
  pass: 'correct-horse-'.repeat(18),
};
const LONG_TASK: TaskPlan = { tls: 'starttls', auth: { ...LONG, mechanisms: ['PLAIN'] } };

/** As some keyboards and file systems write: decomposed. */
const DECOMPOSED = {
  user: 'bu\u0308cher',
  pass: 'pa\u0308sswo\u0308rd \u043f\u0430\u0440\u043e\u043b\u044c',
};
const COMPOSED = {
  user: DECOMPOSED.user.normalize('NFKC'),
  pass: DECOMPOSED.pass.normalize('NFKC'),
};
const decomposed = (...mechanisms: readonly string[]): TaskPlan => ({
  tls: 'starttls',
  auth: { ...DECOMPOSED, mechanisms },
});
/** SASLprep or not: what is compared is what both mean. Who has no such credentials shows none. */
const inUtf8 = (pattern: RegExp): Claim =>
  that('the user and the password in UTF-8, or nothing of them', (wire, { outcome }) => {
    const found = responsesOf(wire);
    if (found.length === 0 && outcome?.messages[0]?.outcome === 'reject') return true;
    return pattern.test(found.join('\n').normalize('NFKC')) || quoted(found);
  });
/** RFC 4616 §2 and the draft of LOGIN say how they are shown, and not that a client has to take them. */
const SENT = { outcome: 'resolve', level: 'SHOULD' } as const;

/** An empty challenge without its blank, and what comes of its answer. One that waits for more is left alone at last. */
const bare = (answer: string, ...then: readonly Step[]): readonly Step[] => [
  send('334'),
  ifSilent(1_500, close()),
  expectAny(
    [
      [/^\*$/, '501 5.7.0 cancelled'],
      [new RegExp(`^${literal(base64(answer)).source}$`), then],
    ],
    '535 5.7.8 authentication failed',
  ),
];
const WELCOME = send('235 2.7.0 welcome');

/** AUTH is refused by this reply. */
const refused = (reply: string): Play['server'] =>
  honest({ tls: 'starttls', auth: ['PLAIN'], authOptional: false, answers: { auth: [reply] } });

/** What may stand in no log, whoever writes it. */
const SECRETS: readonly string[] = [
  pass,
  base64(pass),
  ...['', user].map((authzid) => base64(`${authzid}\0${user}\0${pass}`)),
  token,
  base64(`user=${user}\x01auth=Bearer ${token}\x01\x01`),
];
const SECRET = new RegExp(SECRETS.map((secret) => literal(secret).source).join('|'));

export const AUTH: Group = {
  id: 'AUT',
  title: 'AUTH',
  cases: [
    {
      id: 'AUT-01',
      level: 'MUST',
      title: 'AUTH PLAIN',
      requirement: 'Show the user and the password, each behind NUL, in base64',
      clause: 'RFC 4616 §2, RFC 4954 §4',
      tags: ['auth', 'sanity'],
      plays: [
        {
          task: by('PLAIN'),
          server: honest({ tls: 'starttls', auth: ['PLAIN'] }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              says(
                /^AUTH PLAIN( [A-Za-z0-9+/]+={0,2})?$/i,
                'one AUTH PLAIN, with base64 behind it or nothing',
                1,
                'tls',
              ),
              plainly(user, pass),
            ],
          },
        },
      ],
    },
    {
      id: 'AUT-02',
      level: 'MUST',
      title: 'Credentials too long for an initial response',
      requirement: 'Say AUTH PLAIN alone, and answer the empty challenge',
      clause: 'RFC 4954 §4, RFC 5321 §4.5.3.1.4',
      tags: ['auth', 'limits'],
      plays: [
        {
          task: LONG_TASK,
          server: offering(['PLAIN'], { knows: LONG }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              says(/^AUTH PLAIN$/i, 'AUTH PLAIN without an initial response', 1),
              plainly(LONG.user, LONG.pass),
            ],
          },
        },
      ],
      note: 'A client need not use initial responses; one that does has to leave out what does not fit the command line.',
    },
    {
      id: 'AUT-03',
      level: 'SHOULD',
      title: 'Empty challenges are 334 without the blank',
      requirement: 'Take them for challenges',
      clause: 'RFC 4954 §4, RFC 5321 §4.2',
      tags: ['auth', 'leniency'],
      plays: [
        {
          title: 'PLAIN',
          task: LONG_TASK,
          server: offering(
            ['PLAIN'],
            {},
            {
              AUTH: match(
                [[/^AUTH PLAIN$/i, bare(`\0${LONG.user}\0${LONG.pass}`, WELCOME)]],
                auth({ knows: LONG }),
              ),
            },
          ),
          expect: { client: { outcome: 'resolve' }, wire: [plainly(LONG.user, LONG.pass)] },
        },
        {
          title: 'LOGIN',
          task: by('LOGIN'),
          server: offering(
            ['LOGIN'],
            {},
            {
              AUTH: match(
                // The user may stand in the line of AUTH.
                [[/^AUTH LOGIN \S/i, bare(pass, WELCOME)]],
                bare(user, ...bare(pass, WELCOME)),
              ),
            },
          ),
          expect: { client: { outcome: 'resolve' }, wire: [LOGIN_IN_ORDER] },
        },
      ],
      note: 'The first play has credentials that do not fit the AUTH line, so that there is an empty challenge.',
    },
    {
      id: 'AUT-04',
      level: 'SHOULD',
      title: 'LOGIN with other prompts than usual',
      requirement: 'Answer by their order, whatever they say',
      clause: 'draft-murchison-sasl-login §2.1, §2.2',
      tags: ['auth', 'leniency'],
      plays: [
        {
          title: '"user" and "pass"',
          task: by('LOGIN'),
          server: offering(['LOGIN'], { prompts: ['dXNlcg==', 'cGFzcw=='] }),
          expect: { client: { outcome: 'resolve' }, wire: [LOGIN_IN_ORDER] },
        },
        {
          title: '"User Name" and "Password" of the draft, each with NUL',
          task: by('LOGIN'),
          server: offering(['LOGIN'], { prompts: ['VXNlciBOYW1lAA==', 'UGFzc3dvcmQA'] }),
          expect: { client: { outcome: 'resolve' }, wire: [LOGIN_IN_ORDER] },
        },
      ],
    },
    {
      id: 'AUT-05',
      level: 'INFO',
      title: 'LOGIN that asks for the password first',
      requirement: 'Come to an end; what is answered first is recorded',
      clause: 'draft-murchison-sasl-login §2.1',
      tags: ['auth', 'leniency'],
      plays: [
        {
          task: by('LOGIN'),
          // Right by their texts; who answers by order is no user of this server.
          server: offering(
            ['LOGIN'],
            {},
            {
              AUTH: match(
                [[/^AUTH LOGIN \S/i, '535 5.7.8 the password comes first']],
                [
                  send(`334 ${base64('Password:')}`),
                  expectAny(
                    [
                      [/^\*$/, '501 5.7.0 cancelled'],
                      [
                        literal(base64(pass)),
                        [
                          send(`334 ${base64('Username:')}`),
                          expectAny(
                            [[literal(base64(user)), '235 2.7.0 welcome']],
                            '535 5.7.8 no such user',
                          ),
                        ],
                      ],
                    ],
                    [
                      send(`334 ${base64('Username:')}`),
                      expect(/^/),
                      send('535 5.7.8 no such user'),
                    ],
                  ),
                ],
              ),
            },
          ),
          expect: {
            client: { outcome: 'settle' },
            wire: [
              that('the password, and then the user', (wire) => {
                const found = responsesOf(wire);
                return (found[0] === pass && found[1] === user) || quoted(found);
              }),
            ],
          },
          deadline: 3_000,
        },
      ],
      note: 'The draft has clients ignore the texts of the prompts, so a password may go where a user is asked for.',
    },
    {
      id: 'AUT-06',
      level: 'SHOULD',
      title: 'LOGIN alone is offered',
      requirement: 'Use it under TLS, and nowhere else',
      clause: 'RFC 4954 §9, draft-murchison-sasl-login §1, §3',
      tags: ['auth', 'security', 'tls'],
      requires: ['auth-login'],
      plays: [
        {
          title: 'under TLS',
          task: by(),
          server: honest({ tls: 'starttls', auth: ['LOGIN'] }),
          expect: { client: { outcome: 'resolve' }, wire: [LOGIN_IN_ORDER] },
        },
        {
          title: 'without TLS',
          task: { tls: 'off', auth: { user, pass } },
          server: honest({ auth: ['LOGIN'] }),
          expect: {
            client: { outcome: 'reject', kind: ['auth', 'tls', 'unsupported'] },
            wire: [
              never(/^AUTH LOGIN/i, 'no AUTH LOGIN outside TLS'),
              never(/^MAIL/i, 'no MAIL without authentication'),
            ],
          },
        },
      ],
    },
    {
      id: 'AUT-07',
      level: 'MUST',
      title: 'A user and a password beyond ASCII, decomposed',
      requirement: 'Show them as UTF-8',
      clause: 'RFC 4616 §2, RFC 5802 §2.2, §5.1, RFC 4013 §2, draft-murchison-sasl-login §2',
      tags: ['auth', 'unicode'],
      plays: [
        {
          title: 'PLAIN',
          task: decomposed('PLAIN'),
          server: honest({
            tls: 'starttls',
            auth: ['PLAIN'],
            answers: { auth: ['235 2.7.0 welcome'] },
          }),
          expect: {
            client: SENT,
            wire: [
              inUtf8(new RegExp(`^(${COMPOSED.user})?\\0${COMPOSED.user}\\0${COMPOSED.pass}$`)),
            ],
          },
        },
        {
          title: 'LOGIN',
          task: decomposed('LOGIN'),
          server: honest({
            tls: 'starttls',
            auth: ['LOGIN'],
            answers: { auth: ['235 2.7.0 welcome'] },
          }),
          expect: {
            client: SENT,
            wire: [inUtf8(new RegExp(`^${COMPOSED.user}\\n${COMPOSED.pass}$`))],
          },
        },
        {
          title: 'SCRAM, where both are prepared by SASLprep',
          task: decomposed(...SCRAM),
          server: offering(SCRAM, { knows: COMPOSED }),
          expect: {
            client: { outcome: 'resolve', level: 'SHOULD' },
            wire: [
              at(
                'SHOULD',
                clientFirst(new RegExp(`,n=${COMPOSED.user},`), 'the user as SASLprep composes it'),
              ),
            ],
          },
        },
      ],
      note: 'In PLAIN it is the server that prepares what it compares (RFC 4616 §2), so both forms pass. To refuse such credentials is a warning.',
    },
    {
      id: 'AUT-09',
      level: 'MUST',
      title: 'AUTH EXTERNAL without an identity',
      requirement: 'Say = for the empty initial response, or wait for the challenge',
      clause: 'RFC 4954 §4, §4.1',
      tags: ['auth', 'external'],
      plays: [
        {
          task: { tls: 'starttls', auth: { user: '', mechanisms: ['EXTERNAL'] } },
          server: offering(['EXTERNAL']),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              that('"AUTH EXTERNAL =", or an empty line behind the challenge', (wire) => {
                const lines = exchanges(wire).flatMap(({ line, responses }) => [
                  line,
                  ...responses,
                ]);
                return /^AUTH EXTERNAL( =|\n)$/i.test(lines.join('\n')) || quoted(lines);
              }),
            ],
          },
        },
      ],
    },
    {
      id: 'AUT-11',
      level: 'MUST',
      title: '535 to AUTH',
      requirement: 'Report it, send no mail, and do not try again and again',
      clause: 'RFC 4954 §4, §6',
      tags: ['auth', 'refusal'],
      plays: [
        {
          task: by(),
          server: honest({
            tls: 'starttls',
            auth: ['PLAIN', 'LOGIN'],
            authOptional: false,
            answers: { auth: ['535 5.7.8 Authentication credentials invalid'] },
          }),
          expect: {
            client: { outcome: 'reject', kind: 'auth', code: 535, temporary: false },
            wire: [EACH_ONCE, NO_MAIL],
          },
        },
      ],
      note: 'RFC 5321 §4.2.1 says SHOULD NOT of a repetition; an account is soon locked by it: MUST rests on that.',
    },
    {
      id: 'AUT-12',
      level: 'MUST',
      title: '454 to AUTH',
      requirement: 'Report it as temporary: the credentials may be right',
      clause: 'RFC 4954 §6',
      tags: ['auth', 'refusal'],
      plays: [
        {
          task: by(),
          server: honest({
            tls: 'starttls',
            auth: ['PLAIN', 'LOGIN'],
            authOptional: false,
            answers: { auth: ['454 4.7.0 Temporary authentication failure'] },
          }),
          expect: {
            client: { outcome: 'reject', kind: 'auth', code: 454, temporary: true },
            wire: [at('SHOULD', EACH_ONCE), NO_MAIL],
          },
        },
      ],
      note: 'To try again at once is a warning: RFC 5321 §4.2.1 allows it behind 4yz.',
    },
    {
      id: 'AUT-13',
      level: 'MUST',
      title: '534, 538 and 432 to AUTH',
      requirement: 'Report a failure of AUTH with that code',
      clause: 'RFC 4954 §6',
      tags: ['auth', 'refusal'],
      plays: [
        {
          title: '534',
          task: by('PLAIN'),
          server: refused('534 5.7.9 Authentication mechanism is too weak'),
          expect: {
            client: { outcome: 'reject', kind: 'auth', code: 534 },
            wire: [NO_MAIL],
          },
        },
        {
          title: '538',
          task: by('PLAIN'),
          server: refused('538 5.7.11 Encryption required'),
          expect: {
            client: { outcome: 'reject', kind: 'auth', code: 538 },
            wire: [NO_MAIL],
          },
        },
        {
          title: '432',
          task: by('PLAIN'),
          server: refused('432 4.7.12 A password transition is needed'),
          expect: {
            client: { outcome: 'reject', kind: 'auth', code: 432 },
            wire: [NO_MAIL],
          },
        },
      ],
    },
    {
      id: 'AUT-14',
      level: 'MUST',
      title: '530 to MAIL, where nobody has logged in',
      requirement: 'Report that authentication is wanted: nothing is wrong with the sender',
      clause: 'RFC 4954 §6',
      tags: ['auth', 'refusal'],
      plays: [
        {
          title: 'one command for each reply',
          server: honest({
            extensions: [],
            answers: { mail: ['530 5.7.0 Authentication required'] },
          }),
          expect: { client: { outcome: 'reject', kind: 'auth', code: 530 } },
        },
        {
          title: 'with PIPELINING',
          server: honest({ answers: { mail: ['530 5.7.0 Authentication required'] } }),
          expect: { client: { outcome: 'reject', kind: 'auth', code: 530 } },
        },
      ],
    },
    {
      id: 'AUT-15',
      level: 'SHOULD',
      title: 'Credentials are given, and AUTH is not offered',
      requirement: 'Report it, and send no mail without authentication',
      clause: 'RFC 4954 §3, §9',
      tags: ['auth', 'security'],
      plays: [
        {
          task: by(),
          server: honest({ tls: 'starttls' }),
          expect: {
            client: { outcome: 'reject', kind: ['auth', 'unsupported'] },
            wire: [never(/^MAIL/i, 'no MAIL without authentication')],
          },
        },
      ],
      note: 'RFC 4954 has no such rule but for clients that rely on the server (§9); who gave credentials expects that they are used.',
    },
    {
      id: 'AUT-19',
      level: 'MUST',
      title: "SCRAM: a nonce that does not begin with the client's",
      requirement: 'Cancel, and show no proof',
      clause: 'RFC 5802 §5.1, RFC 4954 §4',
      tags: ['auth', 'scram', 'security'],
      plays: [
        {
          task: by(...SCRAM),
          server: offering(SCRAM, { foreignNonce: true }, STRANGER),
          expect: { client: FAILED, wire: [CANCELLED, NO_MAIL] },
        },
      ],
    },
    {
      id: 'AUT-21',
      level: 'SHOULD',
      title: 'SCRAM: an iteration count of 1',
      requirement: 'Refuse it: a proof by so few is soon guessed',
      clause: 'RFC 7677 §3, §4',
      tags: ['auth', 'scram', 'security'],
      plays: [
        {
          task: by(...SCRAM),
          server: offering(SCRAM, { iterations: 1 }, STRANGER),
          expect: { client: FAILED, wire: [CANCELLED, NO_MAIL] },
        },
      ],
      note: 'RFC 7677 says what a server SHOULD announce; that a client has a minimum of its own follows from what it is for.',
    },
    {
      id: 'AUT-23',
      level: 'MUST',
      title: "SCRAM: an error, or nothing, in place of the server's proof",
      requirement: 'Fail, with the text of the error',
      clause: 'RFC 5802 §3, §5.1',
      tags: ['auth', 'scram', 'security'],
      plays: [
        {
          title: 'e=other-error, and 535',
          task: by(...SCRAM),
          server: offering(SCRAM, { final: 'e=other-error' }, STRANGER),
          expect: {
            client: { outcome: 'reject', kind: 'auth' },
            wire: [tells(/other-error/, "the server's error is in the text"), NO_MAIL],
          },
        },
        {
          title: 'e=other-error, and 235 all the same',
          task: by(...SCRAM),
          server: offering(SCRAM, { final: 'e=other-error', answer: '235 2.7.0 welcome' }),
          expect: { client: FAILED, wire: [NO_MAIL] },
        },
        {
          title: 'a wrong signature, and 235',
          task: by(...SCRAM),
          server: offering(SCRAM, {
            final: `v=${Buffer.alloc(32).toString('base64')}`,
            answer: '235 2.7.0 welcome',
          }),
          expect: { client: FAILED, wire: [NO_MAIL] },
        },
        {
          title: 'no signature, and 235',
          task: by(...SCRAM),
          server: offering(SCRAM, { final: '', answer: '235 2.7.0 welcome' }),
          expect: { client: FAILED, wire: [NO_MAIL] },
        },
      ],
    },
    {
      id: 'AUT-24',
      level: 'MUST',
      title: 'SCRAM: a mandatory extension that nobody knows',
      requirement: 'Fail, and show no proof',
      clause: 'RFC 5802 §5.1',
      tags: ['auth', 'scram'],
      plays: [
        {
          task: by(...SCRAM),
          server: offering(SCRAM, { extension: 'm=something,' }, STRANGER),
          expect: { client: FAILED, wire: [CANCELLED, NO_MAIL] },
        },
      ],
    },
    {
      id: 'AUT-25',
      level: 'MUST',
      title: 'SCRAM: with and without the -PLUS variants',
      requirement:
        'Bind the channel where it is offered; say that it could be bound where it is not',
      clause: 'RFC 5802 §6, §7',
      tags: ['auth', 'scram', 'security'],
      requires: ['auth-scram-plus'],
      plays: [
        {
          title: 'offered',
          task: by(...SCRAM_PLUS, ...SCRAM),
          server: offering([...SCRAM, ...SCRAM_PLUS]),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              clientFirst(/^p=[A-Za-z0-9.-]+,/, 'flag p'),
              says(/^AUTH SCRAM-\S+-PLUS\b/i, 'one AUTH, by a -PLUS variant', 1),
            ],
          },
        },
        {
          title: 'not offered, or taken out of the offer on its way',
          task: by(...SCRAM_PLUS, ...SCRAM),
          server: offering(SCRAM),
          expect: { client: { outcome: 'resolve' }, wire: [clientFirst(/^y,/, 'flag y')] },
        },
      ],
    },
    {
      id: 'AUT-26',
      level: 'MUST',
      title: 'SCRAM: a -PLUS variant under TLS 1.3',
      requirement: 'Bind by tls-exporter: there is no tls-unique in TLS 1.3',
      clause: 'RFC 9266 §2, §3',
      tags: ['auth', 'scram', 'tls'],
      requires: ['auth-scram-plus'],
      plays: [
        {
          task: by(...SCRAM_PLUS, ...SCRAM),
          server: offering(SCRAM_PLUS),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              inTls13(clientFirst(/^p=(?!tls-unique,)/, 'another binding than tls-unique')),
              at('SHOULD', inTls13(clientFirst(/^p=tls-exporter,/, 'flag p=tls-exporter'))),
            ],
          },
        },
      ],
      note: 'A client that speaks TLS 1.2 at most binds by what there is in TLS 1.2.',
    },
    {
      id: 'AUT-27',
      level: 'MUST',
      title: 'SCRAM: a user with a comma and an equals sign',
      requirement: 'Write =2C and =3D for them',
      clause: 'RFC 5802 §5.1',
      tags: ['auth', 'scram'],
      plays: [
        {
          task: { tls: 'starttls', auth: { user: 'a,b=c', pass, mechanisms: SCRAM } },
          server: offering(SCRAM, { knows: { user: 'a,b=c', pass } }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [clientFirst(/,n=a=2Cb=3Dc,r=/, 'n=a=2Cb=3Dc')],
          },
        },
      ],
    },
    {
      id: 'AUT-28',
      level: 'MUST',
      title: 'An error challenge to a bearer token',
      requirement: 'Answer it by one line, which lets the server refuse, and report the refusal',
      clause: 'RFC 7628 §3.2.3, RFC 4954 §4',
      tags: ['auth', 'oauth'],
      plays: [
        {
          title: 'XOAUTH2',
          task: {
            tls: 'starttls',
            auth: { user, token: 'an-expired-token', mechanisms: ['XOAUTH2'] },
          },
          server: honest({ tls: 'starttls', auth: ['XOAUTH2'], authOptional: false }),
          expect: {
            client: { outcome: 'reject', kind: 'auth', code: 535 },
            wire: [
              errorAnswered(/^(AQ==|\*)?$/, 'the error is answered by an empty line, AQ== or *'),
              NO_MAIL,
            ],
          },
        },
        {
          title: 'OAUTHBEARER',
          task: {
            tls: 'starttls',
            auth: { user, token: 'an-expired-token', mechanisms: ['OAUTHBEARER'] },
          },
          server: offering(
            ['OAUTHBEARER'],
            { challenge: '{"status":"invalid_token","schemes":"bearer","scope":"mail"}' },
            STRANGER,
          ),
          expect: {
            client: { outcome: 'reject', kind: 'auth', code: [535, 501] },
            wire: [errorAnswered(/^(AQ==|\*)$/, 'the error is answered by AQ== or *'), NO_MAIL],
          },
        },
      ],
      note: 'smtp-server knows no OAUTHBEARER. XOAUTH2 has no RFC: its providers document an empty line.',
    },
    {
      id: 'AUT-30',
      level: 'MUST',
      title: 'PIPELINING is offered beside AUTH',
      requirement: 'Write nothing behind an AUTH whose exchange is longer than one response',
      clause: 'RFC 4954 §4, RFC 2920 §3.1',
      tags: ['auth', 'pipelining'],
      plays: (['LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'] as const).map(
        (name): Play => ({
          title: name,
          task: by(name),
          server: good({
            secure: ['PIPELINING', `AUTH ${name}`],
            // Time for what a client writes too early.
            answers: { AUTH: [delay(300), auth()] },
          }),
          expect: { client: { outcome: 'resolve' }, wire: [LOCK_STEP] },
        }),
      ) as [Play, ...Play[]],
      note: 'RFC 4954 §4 exempts PLAIN and EXTERNAL with an initial response.',
    },
    {
      id: 'AUT-31',
      level: 'MUST',
      title: 'Two messages on one connection',
      requirement: 'Authenticate once',
      clause: 'RFC 4954 §4',
      tags: ['auth', 'reuse'],
      plays: [
        {
          task: {
            ...by('PLAIN'),
            messages: [1, 2].map((number) => ({
              from: 'sender@example.com',
              to: ['recipient@example.org'],
              content: { text: `Subject: Message ${number}\r\n\r\nHello.\r\n` },
            })),
          },
          server: honest({ tls: 'starttls', auth: ['PLAIN'] }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [ONE_IN_EACH, messages(2)],
          },
        },
      ],
    },
    {
      id: 'AUT-32',
      level: 'MUST',
      title: 'A challenge in a line of 12,286 octets',
      requirement: 'Read it, and answer it',
      clause: 'RFC 4954 §4',
      tags: ['auth', 'limits'],
      plays: [
        {
          title: 'SCRAM, with an extension that is to be ignored',
          task: by(...SCRAM),
          server: offering(SCRAM, { length: 9_210 }),
          expect: { client: { outcome: 'resolve' } },
        },
        {
          title: 'CRAM-MD5',
          task: by('CRAM-MD5'),
          server: offering(['CRAM-MD5'], { length: 9_210 }),
          // No server makes one so long.
          expect: { client: { outcome: 'resolve', level: 'SHOULD' } },
        },
      ],
      note: 'RFC 4954 §4 asks for what the mechanisms of a client come to, and holds lines of 12,288 octets to suffice. The first play has one that may be extended.',
    },
    {
      id: 'AUT-33',
      level: 'INFO',
      title: 'SCRAM-SHA-256, PLAIN and LOGIN are offered',
      requirement: 'Come to an end; what is tried first is recorded',
      clause: 'RFC 4422 §3.2',
      tags: ['auth', 'scram'],
      plays: [
        {
          task: by('SCRAM-SHA-256', 'PLAIN', 'LOGIN'),
          server: offering(['SCRAM-SHA-256', 'PLAIN', 'LOGIN']),
          expect: {
            client: { outcome: 'settle' },
            wire: [
              that('the strongest first', ({ commands }) => {
                const [first] = commands.filter(({ verb }) => verb === 'AUTH');
                return /^AUTH SCRAM-SHA-256\b/i.test(first?.line ?? '') || (first?.line ?? 'none');
              }),
            ],
          },
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'AUT-35',
      level: 'MUST',
      title: '235 in two lines; 250 in place of 235',
      requirement: 'Take 235 for success; what 250 is taken for is recorded',
      clause: 'RFC 4954 §4, §6, RFC 5321 §4.2.1',
      tags: ['auth', 'multiline'],
      plays: [
        {
          title: '235 in two lines',
          task: by(),
          server: offering(['PLAIN', 'LOGIN'], { welcome: '235-2.7.0 wel\n235 2.7.0 come' }),
          expect: { client: { outcome: 'resolve' } },
        },
        {
          title: '250 in place of 235',
          task: by(),
          server: offering(['PLAIN', 'LOGIN'], { welcome: '250 2.7.0 welcome' }),
          expect: { client: { outcome: 'settle' } },
        },
      ],
    },
    {
      id: 'AUT-36',
      level: 'SHOULD',
      title: 'What a client logs of AUTH',
      requirement: 'Mask the secrets, as they are and in base64',
      clause: 'CWE-532',
      tags: ['auth', 'security', 'log'],
      plays: [
        {
          title: 'PLAIN',
          task: by('PLAIN'),
          server: offering(['PLAIN']),
          expect: { client: { outcome: 'resolve' }, logNot: SECRET },
        },
        {
          title: 'LOGIN',
          task: by('LOGIN'),
          server: offering(['LOGIN']),
          expect: { client: { outcome: 'resolve' }, logNot: SECRET },
        },
        {
          title: 'XOAUTH2',
          task: { tls: 'starttls', auth: { user, token, mechanisms: ['XOAUTH2'] } },
          server: offering(['XOAUTH2']),
          expect: { client: { outcome: 'resolve' }, logNot: SECRET },
        },
        {
          title: 'a refusal that repeats what was shown',
          task: by('PLAIN'),
          server: offering(
            ['PLAIN'],
            { answer: `535 5.7.8 ${pass}: ${base64(`\0${user}\0${pass}`)} is wrong` },
            STRANGER,
          ),
          expect: {
            client: { outcome: 'reject', kind: 'auth' },
            wire: [
              that('no secret in what people are shown', (_wire, { outcome }) => {
                const { text = '' } = outcome?.messages[0] ?? {};
                return !SECRET.test(text) || JSON.stringify(text);
              }),
            ],
            logNot: SECRET,
          },
        },
      ],
    },
  ],
};
