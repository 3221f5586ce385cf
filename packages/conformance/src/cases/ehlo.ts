/** EHL: how the client introduces itself, and what it makes of what the server offers. */
import { isIPv4, isIPv6 } from 'node:net';
import type { Group, Play } from '../case.ts';
import {
  at,
  type Claim,
  dialogue,
  messages,
  never,
  nothingBehind,
  only,
  says,
  that,
} from '../judge/claims.ts';
import { CREDENTIALS, MESSAGE, RECIPIENT, SENDER } from '../runner/run-case.ts';
import { good, honest } from '../server/plan.ts';
import { close, type Step, send } from '../server/steps.ts';
import { tells } from './sending.ts';

const HELLO = /^(EHLO|HELO|LHLO)( |$)/i;
/** What may be said to a server that wants nobody. */
const NO_MAIL = only(/^(EHLO|HELO) |^QUIT$/i, 'nothing but EHLO, HELO and QUIT is said');

/** RFC 5321 §4.1.2: Domain = sub-domain *("." sub-domain), sub-domain = Let-dig [Ldh-str]. */
const DOMAIN =
  /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** RFC 5321 §4.1.3: an address literal. No tag is registered but IPv6. */
function isLiteral(text: string): boolean {
  const [, tag, address = ''] = /^\[(IPv6:)?([\dA-Fa-f:.]+)\]$/i.exec(text) ?? [];
  return tag ? isIPv6(address) : isIPv4(address);
}

/** The arguments of all EHLO, HELO and LHLO. */
const argumentsOf = (commands: readonly { readonly line: string }[]): string[] =>
  commands.filter(({ line }) => HELLO.test(line)).map(({ line }) => line.slice(5));

/** Each of them is right. Where there is none, none is wrong. */
const introduces = (expected: string, isRight: (argument: string) => boolean): Claim =>
  that(expected, ({ commands }) => {
    const wrong = argumentsOf(commands).find((argument) => !isRight(argument));
    return wrong === undefined || JSON.stringify(wrong);
  });
const WELL_FORMED = introduces(
  'the argument of EHLO is a domain or an address literal',
  (argument) => DOMAIN.test(argument) || isLiteral(argument),
);
/** RFC 5321 §2.3.5: a domain name is fully qualified, §4.1.4: else an address literal SHOULD stand for it. */
const QUALIFIED = at(
  'SHOULD',
  introduces(
    'the domain is fully qualified',
    (argument) => argument.includes('.') || isLiteral(argument),
  ),
);
const introducedAs = (name: string): Claim =>
  that(`EHLO ${name}`, ({ commands }) => {
    const said = argumentsOf(commands);
    return (said.length > 0 && said.every((one) => one === name)) || said.join(', ') || 'no EHLO';
  });

const BARE_MAIL = never(/^MAIL [^>]*>\s*\S/i, 'MAIL has no parameter');
const BARE_RCPT = never(/^RCPT [^>]*>\s*\S/i, 'RCPT has no parameter');

/** A name that is no domain may not be written as it is. */
const unusable = (title: string, name: string): Play => ({
  title,
  task: { name },
  server: honest(),
  expect: { client: { outcome: 'settle' }, wire: [WELL_FORMED] },
});

/** A name with a command in it, behind what a client or a server may take for a line end. */
const injecting = (title: string, end: string): Play => ({
  title,
  task: { name: `x${end}MAIL FROM:<injected@example.com>` },
  server: honest(),
  expect: {
    // Refused, or sent with what is left of the name.
    client: { outcome: 'settle' },
    wire: [
      never(/\r|^(?!EHLO |HELO ).*injected/i, 'no line end and no command comes out of the name'),
    ],
  },
});

/** What is said to a client that is refused at EHLO, and at HELO. */
const refusing = (code: 550 | 554): Play => {
  const refusal = `${code} 5.7.1 you are not wanted here`;
  return {
    title: `${code}`,
    server: good({ answers: { EHLO: refusal, HELO: refusal } }),
    expect: {
      client: {
        outcome: 'reject',
        code,
        temporary: false,
        delivery: ['not-sent', 'rejected'],
      },
      wire: [NO_MAIL, tells(/not wanted here/, 'the text of the reply is shown')],
    },
  };
};

/** The service ends at the first command, which is HELO for a client that knows no EHLO. */
const shuttingDown = (title: string, ...then: readonly Step[]): Play => {
  const turn = [send('421 4.3.2 shutting down'), ...then];
  return {
    title,
    server: good({ answers: { EHLO: turn, HELO: turn, MAIL: turn } }),
    expect: {
      client: {
        outcome: 'reject',
        kind: ['closed', 'refused'],
        code: 421,
        temporary: true,
        delivery: ['not-sent', 'rejected'],
      },
      wire: [nothingBehind(/^421 /m, 'nothing but QUIT is said behind 421')],
    },
  };
};

const withoutEhlo = (reply: string): Play => ({
  title: reply.slice(0, 3),
  server: good({ answers: { EHLO: reply } }),
  expect: {
    client: { outcome: 'resolve' },
    wire: [
      dialogue(
        /^((EHLO|RSET|NOOP) )*HELO( RSET| NOOP)* MAIL RCPT DATA/,
        'HELO, and a message follows',
      ),
      BARE_MAIL,
      BARE_RCPT,
      messages(1),
    ],
  },
});

/** Two SIZE keywords, of which one is less than the message. */
const twoSizes = (title: string, first: number, second: number): Play => ({
  title,
  server: good({ offers: [`SIZE ${first}`, '8BITMIME', `SIZE ${second}`] }),
  expect: { client: { outcome: 'settle' } },
  deadline: 3_000,
});

const FIVE: readonly string[] = [1, 2, 3, 4, 5].map((number) => `recipient${number}@example.org`);

export const EHLO: Group = {
  id: 'EHL',
  title: 'EHLO and capabilities',
  cases: [
    {
      id: 'EHL-02',
      level: 'SHOULD',
      title: 'EHLO is not known, HELO is',
      requirement: 'Fall back to HELO, and send without parameters',
      clause: 'RFC 5321 §2.2.1, §3.2',
      tags: ['ehlo', 'helo', 'fallback'],
      plays: [
        withoutEhlo('500 5.5.1 there is no such command'),
        withoutEhlo('502 5.5.1 not implemented'),
      ],
    },
    {
      id: 'EHL-04',
      level: 'MUST',
      title: 'EHLO is refused',
      requirement: 'Report that reply; HELO may be tried',
      clause: 'RFC 5321 §4.1.1.1, §4.1.4, §4.2.1',
      tags: ['ehlo', 'refusal'],
      plays: [refusing(550), refusing(554)],
      note: 'The text may be discarded (RFC 5321 §4.2): to show none of it is a warning',
    },
    {
      id: 'EHL-05',
      level: 'MUST',
      title: '421 to EHLO',
      requirement: 'Stop at once, say no HELO, and report it as temporary',
      clause: 'RFC 5321 §3.2, §3.8, §4.2.1',
      tags: ['ehlo', 'refusal', 'disconnect'],
      plays: [shuttingDown('and the end', close()), shuttingDown('and silence')],
      note: 'No RFC forbids HELO here: MUST rests on §3.8, by which the server closes behind 421, and on §3.2, which has HELO follow where EHLO is not known',
    },
    {
      id: 'EHL-06',
      level: 'MUST',
      title: 'Nothing is offered',
      requirement: 'Use no extension: no parameters, no AUTH, one command for each reply',
      clause: 'RFC 5321 §2.2.1, §4.1.1.2, §4.1.1.3; RFC 2920 §3.1',
      tags: ['ehlo', 'extensions', 'pipelining'],
      plays: [
        {
          title: 'a plain message',
          server: good(),
          expect: { client: { outcome: 'resolve' }, wire: [BARE_MAIL, BARE_RCPT, messages(1)] },
        },
        {
          title: '8-bit content',
          task: {
            messages: [
              {
                from: SENDER,
                to: [RECIPIENT],
                content: { octets: 'Subject: test\r\n\r\nCaf\xc3\xa9.\r\n' },
                body: '8BITMIME',
              },
            ],
          },
          server: good(),
          expect: { client: { outcome: 'settle' }, wire: [BARE_MAIL] },
        },
        {
          title: 'status notifications',
          task: {
            messages: [
              {
                from: SENDER,
                to: [{ address: RECIPIENT, notify: ['success'], orcpt: RECIPIENT }],
                content: { octets: MESSAGE },
                ret: 'hdrs',
                envid: 'x1',
              },
            ],
          },
          server: good(),
          expect: { client: { outcome: 'settle' }, wire: [BARE_MAIL, BARE_RCPT] },
        },
        {
          title: 'credentials',
          task: { auth: { user: CREDENTIALS.user, pass: CREDENTIALS.pass, insecure: true } },
          server: good(),
          expect: {
            client: { outcome: 'settle' },
            wire: [never(/^AUTH/i, 'AUTH is not said')],
          },
        },
      ],
      note: 'That no command is sent before a reply is judged in every case; whether a message that wants an extension is sent without it, in others',
    },
    {
      id: 'EHL-07',
      level: 'MUST',
      title: 'A normal session',
      requirement: 'Introduce oneself by a fully qualified domain or an address literal',
      clause: 'RFC 5321 §2.3.5, §4.1.1.1, §4.1.2, §4.1.4',
      tags: ['ehlo', 'syntax', 'identity'],
      plays: [
        {
          title: 'no name is given',
          server: honest(),
          expect: { client: { outcome: 'resolve' }, wire: [WELL_FORMED, QUALIFIED] },
        },
        {
          title: 'a domain is given',
          task: { name: 'client.example.com' },
          server: honest(),
          expect: { client: { outcome: 'resolve' }, wire: [introducedAs('client.example.com')] },
        },
        {
          title: 'an address literal is given',
          task: { name: '[192.0.2.1]' },
          server: honest(),
          expect: { client: { outcome: 'resolve' }, wire: [introducedAs('[192.0.2.1]')] },
        },
        unusable('an empty name is given', ''),
        unusable('a name with a space is given', 'two words'),
        unusable('a name with an underscore is given', 'under_score.example.com'),
        unusable('a name with an empty label is given', 'client..example.com'),
        unusable('a name with NUL is given', 'client\0.example.com'),
      ],
      note: 'A name that is no domain may be refused, or replaced. RFC 5321 §4.1.2 allows a client no other characters than letters, digits and hyphens, the underscore least of all, whoever has chosen the name',
    },
    {
      id: 'EHL-08',
      level: 'MUST',
      title: 'The name of the client holds a line end and a command',
      requirement: 'Refuse the name, or strip it; write no command that is in it',
      clause: 'CWE-93; GHSA-vvjj-xcjg-gr5g',
      tags: ['ehlo', 'injection', 'security'],
      requires: ['client-name'],
      plays: [injecting('CR LF', '\r\n'), injecting('LF', '\n'), injecting('CR', '\r')],
    },
    {
      id: 'EHL-09',
      level: 'MUST',
      title: 'The name of the client is an internationalized domain',
      requirement: 'Write it in A-labels',
      clause: 'RFC 6531 §3.7.1',
      tags: ['ehlo', 'idn'],
      requires: ['client-name'],
      plays: [
        {
          task: { name: 'b\u00fccher.example' },
          server: honest(),
          expect: {
            client: { outcome: 'settle' },
            wire: [WELL_FORMED, at('SHOULD', introducedAs('xn--bcher-kva.example'))],
          },
        },
      ],
      note: 'A client that refuses such a name writes nothing that is wrong: a warning',
    },
    {
      id: 'EHL-10',
      level: 'SHOULD',
      title: 'AUTH is offered in an old form only: AUTH=LOGIN PLAIN',
      requirement: 'Use it, or report that AUTH is not offered; send nothing unauthenticated',
      clause: 'RFC 4954 §3',
      tags: ['ehlo', 'auth', 'leniency'],
      requires: ['starttls'],
      requiresAny: ['auth-plain', 'auth-login'],
      plays: [
        {
          task: {
            tls: 'starttls',
            auth: { user: CREDENTIALS.user, pass: CREDENTIALS.pass },
          },
          server: good({ secure: ['AUTH=LOGIN PLAIN'] }),
          expect: {
            client: { outcome: 'settle' },
            wire: [
              that('AUTH succeeds before MAIL, or there is no MAIL', ({ dialogues }) => {
                for (const { commands, events } of dialogues) {
                  const mail = commands.find(({ verb }) => verb === 'MAIL');
                  if (!mail) continue;
                  const before = events.slice(0, mail.event);
                  const heard = before.map((event) => (event.who === 'server' ? event.text : ''));
                  if (!/^235/m.test(heard.join(''))) return 'MAIL, and no 235 before it';
                }
                return true;
              }),
            ],
          },
        },
      ],
      note: 'RFC 4954 knows the form with a space only; servers wrote the other for clients that were older',
    },
    {
      id: 'EHL-12',
      level: 'MUST',
      title: 'Keywords that are not known, parameters that are too many, trailing blanks',
      requirement: 'Ignore what is not known',
      clause: 'RFC 5321 §4.1.1.1, §4.2',
      tags: ['ehlo', 'extensions', 'leniency'],
      plays: [
        {
          server: good({
            offers: [
              'XUNKNOWN a b=c',
              'size 10000000 x ',
              '8BITMIME foo',
              'PIPELINING  ',
              'X-ANOTHER-ONE',
              'VRFY ',
            ],
          }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              says(
                /^MAIL FROM:<sender@example\.com>( SIZE=\d+| BODY=(7BIT|8BITMIME))*$/i,
                'MAIL, with SIZE and BODY at most',
                1,
              ),
              messages(1),
            ],
          },
        },
      ],
      note: 'No keyword ends with a blank by the syntax of RFC 5321 §4.1.1.1, but any text has to be acceptable (§4.2)',
    },
    {
      id: 'EHL-13',
      level: 'INFO',
      title: 'SIZE twice, with two values',
      requirement: 'Take one of them, and do not crash',
      clause: 'RFC 1870 §3',
      tags: ['ehlo', 'size'],
      plays: [
        twoSizes('the first is too small', 100, 10_000_000),
        twoSizes('the last is too small', 10_000_000, 100),
      ],
    },
    {
      id: 'EHL-14',
      level: 'SHOULD',
      title: 'LIMITS RCPTMAX=2, and five recipients',
      requirement: 'Send to two in one transaction at most: several transactions, or failure',
      clause: 'RFC 9422 §4.2',
      tags: ['ehlo', 'limits', 'recipients'],
      requires: ['limits'],
      plays: [
        {
          task: {
            messages: [{ from: SENDER, to: FIVE, content: { octets: MESSAGE } }],
            // Where a client has a way to send in several transactions, it is this one.
            connections: 1,
          },
          server: good({ offers: ['LIMITS RCPTMAX=2'] }),
          expect: {
            client: { outcome: 'settle' },
            wire: [
              that('two RCPT in one transaction at most', ({ transactions }) => {
                const most = Math.max(0, ...transactions.map(({ rcpt }) => rcpt.length));
                return most <= 2 || `${most}`;
              }),
              that('success is of all five', (wire, { outcome }) => {
                if (outcome?.messages[0]?.outcome !== 'resolve') return true;
                const sent = new Set(wire.messages.flatMap(({ rcpt }) => rcpt));
                return sent.size === 5 || `${sent.size}`;
              }),
            ],
          },
        },
      ],
    },
    {
      id: 'EHL-15',
      level: 'MUST',
      title: '400 lines of 80 octets',
      requirement: 'Read them, or report a limit; hold no more than that needs',
      clause: 'RFC 5321 §4.2.1',
      tags: ['ehlo', 'multiline', 'memory'],
      plays: [
        {
          server: good({
            // With '250-' and CR LF they have 80 octets.
            offers: Array.from({ length: 400 }, (_, index) => `X${index} `.padEnd(74, 'y')),
          }),
          expect: {
            client: { outcome: 'settle' },
            within: 2_000,
            memory: 32 * 1_048_576,
          },
          deadline: 5_000,
        },
      ],
    },
    {
      id: 'EHL-16',
      level: 'MUST',
      title: 'The lines of the reply say 250, and the last says 550',
      requirement: 'Report failure, and say nothing but QUIT or HELO',
      clause: 'RFC 5321 §4.2.1',
      tags: ['ehlo', 'multiline', 'protocol'],
      plays: [
        {
          server: good({
            answers: { EHLO: '250-mail.example.com\n250-PIPELINING\n550 no', HELO: '550 no' },
          }),
          expect: {
            client: { outcome: 'reject', delivery: ['not-sent', 'rejected'] },
            wire: [NO_MAIL],
          },
        },
      ],
      note: 'RFC 5321 §4.2.1 lets a client decide by the code in any line: MUST rests on what is at stake, a message given to a server that has refused the session',
    },
    {
      id: 'EHL-17',
      level: 'INFO',
      title: 'SIZE=512000, with an equals sign',
      requirement: 'Take it for SIZE, or for a keyword that is not known',
      clause: 'RFC 5321 §4.1.1.1',
      tags: ['ehlo', 'size', 'leniency'],
      plays: [
        {
          server: good({ offers: ['SIZE=512000'] }),
          expect: { client: { outcome: 'settle' } },
          deadline: 3_000,
        },
      ],
      note: 'Rnwood.SmtpServer writes it so',
    },
    {
      id: 'EHL-18',
      level: 'INFO',
      title: 'An empty line inside the reply to EHLO',
      requirement: 'Report failure, or skip it; do not hang',
      clause: 'RFC 5321 §4.2',
      tags: ['ehlo', 'multiline', 'protocol'],
      plays: [
        {
          server: good({ answers: { EHLO: '250-mail.example.com\n\n250 8BITMIME' } }),
          expect: { client: { outcome: 'settle' } },
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'EHL-19',
      level: 'MUST',
      title: 'A session with STARTTLS',
      requirement: 'Say EHLO once before TLS, and once under it',
      clause: 'RFC 3207 §4.2; RFC 5321 §4.1.1.1, §4.1.4',
      tags: ['ehlo', 'starttls', 'tls'],
      requires: ['starttls'],
      plays: [
        {
          task: { tls: 'starttls' },
          server: honest({ tls: 'starttls' }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              says(/^EHLO /i, 'one EHLO before TLS', 1, 'plain'),
              says(/^EHLO /i, 'one EHLO under TLS', 1, 'tls'),
              messages(1),
            ],
          },
        },
      ],
      note: 'RFC 3207 §4.2 says SHOULD of EHLO under TLS; but it resets the session, which RFC 5321 §4.1.4 has begin by EHLO',
    },
  ],
};
