/** ENV: what MAIL and RCPT say, and what is made of their replies. */
import type { Group, OutcomeExpectation, Play } from '../case.ts';
import {
  at,
  type Claim,
  messages,
  never,
  noContent,
  noMessage,
  says,
  that,
  unlessRefused,
} from '../judge/claims.ts';
import { MESSAGE, RECIPIENT, SENDER } from '../runner/run-case.ts';
import { good, honest } from '../server/plan.ts';
import { literal } from './literal.ts';
import { inALabels, playsOf, sending, wholeOrNot } from './sending.ts';

const RESOLVED: OutcomeExpectation = { outcome: 'resolve' };
/** To refuse what is seldom seen writes nothing that is wrong. */
const BETTER_SENT: OutcomeExpectation = { outcome: 'resolve', level: 'SHOULD' };
/** Refused by the client itself. */
const REFUSED_HERE: OutcomeExpectation = { outcome: 'reject', delivery: 'not-sent' };

/** Paths are said like these, each once, or none is. */
const kept = (verb: 'MAIL' | 'RCPT', paths: Readonly<Record<string, RegExp>>): readonly Claim[] => {
  const like = Object.entries(paths).map(
    ([path, { source }]) => [path, `<${source}>( |$)`] as const,
  );
  const any = like.map(([, pattern]) => pattern).join('|');
  return [
    never(new RegExp(`^${verb} (?!\\w+:(${any}))`, 'i'), `no other path in ${verb}`),
    ...like.map(([path, pattern]) =>
      unlessRefused(says(new RegExp(`^${verb} \\w+:${pattern}`, 'i'), `${verb} with <${path}>`, 1)),
    ),
  ];
};

const NO_MAIL = never(/^MAIL\b/i, 'no MAIL');
const NO_RCPT = never(/^RCPT\b/i, 'no RCPT');
const NO_DATA = never(/^(DATA|BDAT)\b/i, 'neither DATA nor BDAT');
/** Nobody is asked for but the recipient of the task. */
const NOBODY_ELSE = never(
  new RegExp(`^RCPT (?!TO:<${literal(RECIPIENT).source}>)`, 'i'),
  `no RCPT but that of <${RECIPIENT}>`,
);

/** Two servers: what is said in groups, and what waits for each reply. */
const LOCK_STEP = { extensions: [] } as const;
const GROUPED = { extensions: ['PIPELINING'] } as const;
const BOTH = [
  { title: 'without PIPELINING', offers: LOCK_STEP },
  { title: 'with PIPELINING', offers: GROUPED },
] as const;

/** A command that ends where the path does into which it is put. */
const EVIL = 'RCPT TO:<evil@example.com';
const ENDS = [
  { name: 'CR LF', end: '\r\n' },
  { name: 'LF', end: '\n' },
  { name: 'CR', end: '\r' },
] as const;

const THREE = ['a@example.org', 'b@example.org', 'c@example.org'] as const;

/** As many recipients as are asked for. */
const many = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `r${index + 1}@example.org`);

/** The recipients of every message that was sent to its end, each as it stands in RCPT. */
const EVERY_ONE = (addresses: readonly string[]): Claim =>
  that(`RCPT of each of ${addresses.length} recipients, once`, (wire) => {
    const got = wire.messages
      .flatMap(({ rcpt }) => rcpt)
      .map((line) => /<([^>]*)>/.exec(line)?.[1]?.toLowerCase() ?? line);
    const missing = addresses.filter((address) => !got.includes(address));
    if (missing.length > 0) return `${missing.length} are missing: ${missing.slice(0, 3)}`;
    return got.length === addresses.length || `${got.length} RCPT`;
  });

/** Who has a blind copy is in no message that others get. */
const blind = (hidden: readonly string[]): Claim =>
  that('no message tells others who has a blind copy', (wire) => {
    for (const { rcpt, text } of wire.messages)
      for (const address of hidden) {
        // RFC 5322 §3.6.3: a copy of one's own may say so.
        const own = rcpt.every((line) => line.includes(`<${address}>`));
        if (!own && text.includes(address)) return `${address} is in it`;
      }
    return true;
  });

const MAILBOX = `${'x'.repeat(64)}@${'y'.repeat(60)}.${'z'.repeat(60)}.${'w'.repeat(60)}.org`;

/**
 * What a parameter of MAIL may add to the line, with its blank: RFC 1870 §3 (5), RFC 6531 §3.1 (5), RFC 8689 §2 (5).
 * Where no increment is named, it is the longest value: of BODY, of RET, and of ENVID (RFC 3461 §4.4).
 */
const GROWTH: Readonly<Record<string, number>> = {
  SIZE: 26,
  SMTPUTF8: 10,
  REQUIRETLS: 11,
  BODY: ' BODY=BINARYMIME'.length,
  RET: ' RET=FULL'.length,
  ENVID: ' ENVID='.length + 100,
};
const parametersOf = (line: string): string[] => line.split(' ').slice(2);
const growthOf = (parameter: string): number =>
  GROWTH[parameter.replace(/=.*/, '').toUpperCase()] ?? 0;

const NOT_TOO_LONG = that('MAIL has 512 octets at most, and what its extensions add', (wire) => {
  for (const { line, verb } of wire.commands) {
    const most = parametersOf(line).reduce((sum, parameter) => sum + growthOf(parameter), 512);
    if (verb === 'MAIL' && line.length + 2 > most) return `${line.length + 2} octets of ${most}`;
  }
  return true;
});
const PARAMETERS_FIT = that('each parameter of MAIL is as long as its extension allows', (wire) => {
  const long = wire.commands
    .filter(({ verb }) => verb === 'MAIL')
    .flatMap(({ line }) => parametersOf(line))
    .find((parameter) => growthOf(parameter) > 0 && parameter.length + 1 > growthOf(parameter));
  return long === undefined || `${long.length} octets: ${long.slice(0, 60)}`;
});
/** Encoded: 100. */
const ENVID = `${'='.repeat(33)}x`;
const XTEXT = never(/ ENVID=(?!(\+3D){33}x( |$))/, 'ENVID is encoded as xtext, or absent');
const FULL = sending({
  from: MAILBOX,
  content: { text: `${MESSAGE}caf\u00e9\r\n` },
  smtpUtf8: true,
  ret: 'hdrs',
  envid: ENVID,
});

export const ENVELOPE: Group = {
  id: 'ENV',
  title: 'Envelope',
  cases: [
    {
      id: 'ENV-01',
      level: 'MUST',
      title: 'A normal session',
      requirement: 'Write MAIL FROM:<…> and RCPT TO:<…> without blanks around the colon',
      clause: 'RFC 5321 §3.3',
      tags: ['envelope', 'syntax'],
      plays: [
        {
          server: honest(),
          expect: {
            client: RESOLVED,
            wire: [
              says(/^MAIL FROM:<sender@example\.com>( \S.*)?$/i, `MAIL FROM:<${SENDER}>`, 1),
              says(/^RCPT TO:<recipient@example\.org>( \S.*)?$/i, `RCPT TO:<${RECIPIENT}>`, 1),
            ],
          },
        },
      ],
    },
    {
      id: 'ENV-02',
      level: 'MUST',
      title: 'A message from the null sender',
      requirement: 'Write MAIL FROM:<>',
      clause: 'RFC 5321 §4.1.1.2, §4.1.2, §4.5.5',
      tags: ['envelope', 'null-sender'],
      requires: ['null-sender'],
      plays: [
        {
          task: sending({ from: '' }),
          server: honest(),
          expect: {
            client: RESOLVED,
            wire: [says(/^MAIL FROM:<>( \S.*)?$/i, 'MAIL FROM:<>', 1)],
          },
        },
      ],
    },
    {
      id: 'ENV-03',
      level: 'MUST',
      title: 'Addresses with quoted local parts',
      requirement: 'Keep the quotes',
      clause: 'RFC 5321 §4.1.2',
      tags: ['envelope', 'syntax'],
      plays: [
        {
          task: sending({
            from: '"a b"@example.com',
            to: ['"c\\"d"@example.org', '"@"@example.org'],
          }),
          server: good(),
          expect: {
            client: BETTER_SENT,
            wire: [
              // A backslash in front of any other character changes nothing.
              ...kept('MAIL', { '"a b"@example.com': /"\\?a\\? \\?b"@example\.com/ }),
              ...kept('RCPT', {
                '"c\\"d"@example.org': /"\\?c\\"\\?d"@example\.org/,
                '"@"@example.org': /"\\?@"@example\.org/,
              }),
            ],
          },
        },
      ],
      note: 'smtp-server takes no local part with a blank or an at sign, so the server is scripted. To refuse such addresses is a warning',
    },
    {
      id: 'ENV-04',
      level: 'MUST',
      title: 'Addresses in mixed case',
      requirement: 'Keep the case of local parts',
      clause: 'RFC 5321 §2.4',
      tags: ['envelope', 'syntax'],
      plays: [
        {
          task: sending({ from: 'MiXed.Case@example.com', to: ['OtHer@example.org'] }),
          server: honest(),
          expect: {
            client: RESOLVED,
            wire: [
              // The case of commands is the client's own.
              says(/^\w{4} [Ff][Rr][Oo][Mm]:<MiXed\.Case@/, 'MAIL with MiXed.Case@', 1),
              says(/^\w{4} [Tt][Oo]:<OtHer@/, 'RCPT with OtHer@', 1),
            ],
          },
        },
      ],
    },
    {
      id: 'ENV-06',
      level: 'MUST',
      title: 'An address with a line break',
      requirement: 'Refuse it: no command comes out of an address',
      clause: 'CWE-93; RFC 5321 §4.1.2',
      tags: ['envelope', 'security', 'injection'],
      plays: playsOf(
        [
          ...ENDS.map(({ name, end }) => ({
            title: `sender, ${name}`,
            message: { from: `${SENDER}>${end}${EVIL}` },
            claim: NO_MAIL,
          })),
          {
            title: 'sender, CR LF inside',
            message: { from: 'sender\r\n@example.com' },
            claim: NO_MAIL,
          },
          ...ENDS.map(({ name, end }) => ({
            title: `recipient, ${name}`,
            message: { to: [`${RECIPIENT}>${end}${EVIL}`] },
            claim: NO_RCPT,
          })),
          {
            title: 'recipient, CR LF at the end',
            message: { to: [`${RECIPIENT}\r\n`] },
            claim: at('SHOULD', NO_RCPT),
          },
        ],
        ({ title, message, claim }) => ({
          title,
          task: sending(message),
          server: honest(),
          expect: {
            client: { ...REFUSED_HERE, level: claim.level ?? 'MUST' },
            wire: [claim],
          },
        }),
      ),
      note: 'RFC 5321 §4.1.2 allows no control character in MAIL or RCPT. To send with what is left of such an address says something else than was asked, to somebody else; to take blanks and line breaks off its ends is a warning',
    },
    {
      id: 'ENV-07',
      level: 'MUST',
      title: 'An address with what would be a parameter',
      requirement: 'Refuse it: no parameter comes out of an address',
      clause: 'CWE-88',
      tags: ['envelope', 'security', 'injection'],
      plays: playsOf(
        [`${SENDER}> NOTIFY=NEVER <x`, `${SENDER} SIZE=1`].flatMap((address) => [
          { title: `sender: ${address}`, message: { from: address } },
          { title: `recipient: ${address}`, message: { to: [address] } },
        ]),
        ({ title, message }) => ({
          title,
          task: sending(message),
          server: honest(),
          expect: {
            client: { outcome: 'reject', level: 'SHOULD' },
            wire: [
              never(
                /^MAIL (?!FROM:<[^<>]*>( (BODY=(7BIT|8BITMIME)|SMTPUTF8))*$)/i,
                'MAIL has one path, and no parameter that was not offered',
              ),
              never(/^RCPT (?!TO:<[^<>]+>$)/i, 'RCPT has one path, and no parameter'),
              at('SHOULD', never(/^(MAIL|RCPT) \w+:<[^>]* /i, 'no path has a blank')),
            ],
          },
        }),
      ),
      note: 'To send to what is left of such an address is a warning, and so is a path with a blank, out of which no parameter comes',
    },
    {
      id: 'ENV-08',
      level: 'MUST',
      title: 'A line break in the value of a parameter',
      requirement: 'Encode it, or refuse it: no command comes out of a parameter',
      clause: 'GHSA-c7w3-x93f-qmm8; CWE-93',
      tags: ['envelope', 'security', 'injection'],
      plays: playsOf(
        ENDS.flatMap(({ name, end }): Omit<Play, 'server' | 'expect'>[] => {
          const evil = `1${end}${EVIL}>`;
          return [
            {
              title: `size, ${name}`,
              task: sending({ size: evil }),
            },
            {
              title: `size of a stream, ${name}`,
              task: sending({ size: evil, content: { pieces: [MESSAGE] } }),
            },
            {
              title: `ENVID, ${name}`,
              task: sending({ envid: evil }),
            },
            {
              title: `ORCPT, ${name}`,
              task: sending({ to: [{ address: RECIPIENT, orcpt: `rfc822;${evil}` }] }),
            },
          ];
        }),
        (play) => ({
          ...play,
          server: honest({ extensions: ['PIPELINING', 'DSN'], size: 1_000_000 }),
          expect: { client: { outcome: 'settle' }, wire: [NOBODY_ELSE] },
        }),
      ),
    },
    {
      id: 'ENV-10',
      level: 'MUST',
      title: '550 to every RCPT',
      requirement: 'Report failure; say no DATA where nothing is grouped',
      clause: 'RFC 5321 §3.3, §4.1.4',
      tags: ['envelope', 'recipients', 'refusal'],
      plays: playsOf(BOTH, ({ title, offers }) => ({
        title,
        task: sending({ to: THREE }),
        server: honest({ ...offers, answers: { rcpt: ['550 5.1.1 no such user'] } }),
        expect: {
          client: {
            outcome: 'reject',
            kind: 'recipient',
            code: 550,
            temporary: false,
            delivery: ['rejected', 'not-sent'],
            accepted: [],
            rejected: THREE.map((address) => ({ address, code: 550 })),
          },
          // With PIPELINING, DATA may stand in the group of RCPT (RFC 2920 §3.1).
          wire: offers === LOCK_STEP ? [NO_DATA, noMessage()] : [noMessage()],
        },
      })),
      note: 'RFC 5321 §3.3 forbids the content, and lets a server refuse DATA: that it is not said at all rests on §4.1.4, by which a transaction has a recipient',
    },
    {
      id: 'ENV-11',
      level: 'MUST',
      title: '450 and 550 for different recipients',
      requirement: 'Report the code of each; the failure is temporary if any of them is',
      clause: 'RFC 5321 §4.2.1',
      tags: ['envelope', 'recipients', 'temporary'],
      plays: [
        ...playsOf(
          [
            { title: '450 first', codes: [450, 550] },
            { title: '550 first', codes: [550, 450] },
          ].flatMap((one) => BOTH.map(({ title, offers }) => ({ ...one, offers, how: title }))),
          ({ title, how, codes, offers }) => ({
            title: `${title}, ${how}`,
            task: sending({ to: THREE.slice(0, 2) }),
            server: honest({
              ...offers,
              answers: { rcpt: codes.map((code) => `${code} not this one`) },
            }),
            expect: {
              client: {
                outcome: 'reject',
                kind: 'recipient',
                code: [450, 550],
                // Who stops at the first refusal has heard no other.
                ...(codes[0] === 450 ? { temporary: true } : {}),
                delivery: ['rejected', 'not-sent'],
                rejected: codes.map((code, index) => ({ address: THREE[index] as string, code })),
              },
              wire: [
                that('temporary, where both refusals were heard', (wire, { outcome }) => {
                  const [said] = outcome?.messages ?? [];
                  const heard = wire.verbs.filter((verb) => verb === 'RCPT').length > 1;
                  return !heard || said?.temporary !== false || 'reported as permanent';
                }),
              ],
            },
          }),
        ),
        {
          title: 'behind one that is accepted',
          task: sending({ to: THREE }),
          server: honest({ answers: { rcpt: ['', '450 4.2.0 later', '550 5.1.1 never'] } }),
          expect: {
            // What to do for the one is left to the client.
            client: {
              outcome: 'settle',
              rejected: [
                { address: THREE[1], code: 450 },
                { address: THREE[2], code: 550 },
              ],
            },
          },
        },
      ],
      note: 'RFC 5321 §4.2.1 has what is behind 4yz tried again: where one of several is, to call the whole permanent would lose it',
    },
    {
      id: 'ENV-12',
      level: 'MUST',
      title: '251 and 252 to RCPT',
      requirement: 'Take each for an acceptance',
      clause: 'RFC 5321 §4.2.1, §4.2.2, §4.3.2',
      tags: ['envelope', 'recipients', 'codes'],
      plays: [
        {
          title: 'behind 250',
          task: sending({ to: THREE }),
          server: honest({
            answers: { rcpt: ['', '251 User not local; will forward', '252 Cannot verify user'] },
          }),
          expect: {
            client: { outcome: 'resolve', accepted: THREE, rejected: [] },
            wire: [messages(1)],
          },
        },
        ...playsOf(['251 User not local; will forward', '252 Cannot verify user'], (reply) => ({
          title: `${reply.slice(0, 3)} alone`,
          server: good({ answers: { RCPT: reply } }),
          expect: {
            client: { outcome: 'resolve', accepted: [RECIPIENT], rejected: [] },
            wire: [messages(1)],
          },
        })),
      ],
      note: 'smtp-server itself takes 251 from its hooks for a refusal: where it is the only recipient, the server is scripted',
    },
    {
      id: 'ENV-13',
      level: 'MUST',
      title: '551 to RCPT, with another address',
      requirement: 'Report it as refused, and do not send to the other address',
      clause: 'RFC 5321 §3.4, §7.4',
      tags: ['envelope', 'recipients', 'refusal'],
      plays: playsOf(BOTH, ({ title, offers }) => ({
        title,
        server: honest({
          ...offers,
          answers: { rcpt: ['551 User not local; please try <other@example.org>', ''] },
        }),
        expect: {
          client: {
            outcome: 'reject',
            kind: 'recipient',
            code: 551,
            temporary: false,
            rejected: [{ address: RECIPIENT, code: 551 }],
          },
          wire: [NOBODY_ELSE, noContent()],
        },
      })),
      note: 'RFC 5321 §7.4 wants a client certain of the server before it makes anything of the other address, and one without TLS cannot be',
    },
    {
      id: 'ENV-14',
      level: 'SHOULD',
      title: '552 from the 101st RCPT on',
      requirement: 'Send to those that were accepted; report the others as refused, not for good',
      clause: 'RFC 5321 §4.5.3.1.8, §4.5.3.1.10',
      tags: ['envelope', 'recipients', 'temporary'],
      plays: playsOf(BOTH, ({ title, offers }) => ({
        title,
        task: sending({ to: many(103) }),
        server: honest({
          ...offers,
          answers: { rcpt: [...Array<string>(100).fill(''), '552 5.5.3 Too many recipients'] },
        }),
        expect: {
          client: {
            outcome: 'settle',
            accepted: many(100),
            rejected: many(103)
              .slice(100)
              .map((address) => ({ address, code: 552 })),
          },
          wire: [
            that('the message goes to the 100 that were accepted', (wire) =>
              wire.messages.length > 0 ? true : 'it was not sent',
            ),
            that('a failure of the whole is temporary', (_, { outcome }) => {
              const [message] = outcome?.messages ?? [];
              return message?.outcome !== 'reject' || message.temporary !== false || 'permanent';
            }),
          ],
        },
      })),
      note: 'What a client says of single recipients has their codes, but not whether they are temporary: that is judged where the message as a whole has failed',
    },
    {
      id: 'ENV-15',
      level: 'MUST',
      title: '550 to MAIL',
      requirement:
        'Report that the sender was refused; say neither RCPT nor DATA where nothing is grouped',
      clause: 'RFC 5321 §3.3, §4.1.4',
      tags: ['envelope', 'sender', 'refusal'],
      plays: playsOf(BOTH, ({ title, offers }) => ({
        title,
        server: honest({ ...offers, answers: { mail: ['550 5.7.1 not from you'] } }),
        expect: {
          client: {
            outcome: 'reject',
            kind: 'sender',
            code: 550,
            temporary: false,
            delivery: ['rejected', 'not-sent'],
          },
          wire: offers === LOCK_STEP ? [NO_RCPT, NO_DATA, noMessage()] : [noMessage()],
        },
      })),
    },
    {
      id: 'ENV-16',
      level: 'MUST',
      title: '451 to MAIL',
      requirement: 'Report it as temporary',
      clause: 'RFC 5321 §4.2.1',
      tags: ['envelope', 'sender', 'temporary'],
      plays: playsOf(BOTH, ({ title, offers }) => ({
        title,
        server: honest({ ...offers, answers: { mail: ['451 4.3.0 try later'] } }),
        expect: {
          client: { outcome: 'reject', kind: 'sender', code: 451, temporary: true },
        },
      })),
    },
    {
      id: 'ENV-17',
      level: 'MUST',
      title: 'A composed message with blind copies',
      requirement: 'Ask for them by RCPT, and do not tell others in the message',
      clause: 'RFC 5321 §7.2; RFC 5322 §3.6.3',
      tags: ['envelope', 'privacy', 'compose'],
      requires: ['compose'],
      plays: [
        {
          task: sending({
            to: [RECIPIENT, 'hidden@example.net', 'secret@example.net'],
            content: {
              fields: {
                from: SENDER,
                to: [RECIPIENT],
                bcc: ['hidden@example.net', 'secret@example.net'],
                subject: 'A test',
                text: 'Hello.\n',
              },
            },
          }),
          server: honest(),
          expect: {
            client: {
              outcome: 'resolve',
              accepted: [RECIPIENT, 'hidden@example.net', 'secret@example.net'],
            },
            wire: [
              EVERY_ONE([RECIPIENT, 'hidden@example.net', 'secret@example.net']),
              blind(['hidden@example.net', 'secret@example.net']),
            ],
          },
        },
      ],
      note: 'RFC 5321 §7.2 says SHOULD NOT of envelopes in headers; MUST rests on RFC 5322 §3.6.3, by which the addresses of Bcc "are not to be revealed to other recipients"',
    },
    {
      id: 'ENV-18',
      level: 'MUST',
      title: 'A message to 150 recipients',
      requirement: 'Ask for each of them, in one transaction or several',
      clause: 'RFC 5321 §4.5.3.1.8',
      tags: ['envelope', 'recipients'],
      plays: playsOf(BOTH, ({ title, offers }) => ({
        title,
        task: sending({ to: many(150) }),
        server: honest(offers),
        expect: {
          client: { ...BETTER_SENT, accepted: many(150) },
          wire: [unlessRefused(EVERY_ONE(many(150)))],
        },
      })),
      note: 'To refuse so many is a warning',
    },
    {
      id: 'ENV-19',
      level: 'MUST',
      title: 'Domains outside ASCII, and no SMTPUTF8',
      requirement: 'Write them in A-labels',
      clause: 'RFC 5321 §2.4, §4.1.2; RFC 5890 §2.3.2.1',
      tags: ['envelope', 'idn'],
      plays: [
        {
          task: sending({
            from: 'sender@b\u00fccher.example',
            to: ['recipient@\u043f\u0440\u0438\u043c\u0435\u0440.example'],
          }),
          server: honest(GROUPED),
          expect: {
            client: { outcome: 'resolve', level: 'SHOULD' },
            wire: inALabels({
              from: 'sender@xn--bcher-kva.example',
              to: 'recipient@xn--e1afmkfd.example',
            }),
          },
        },
      ],
      note: 'To refuse the message is a warning: RFC 6531 §3.2 allows it',
    },
    {
      id: 'ENV-20',
      level: 'MUST',
      title: 'Addresses with address literals',
      requirement: 'Keep them',
      clause: 'RFC 5321 §4.1.3',
      tags: ['envelope', 'syntax'],
      plays: [
        {
          task: sending({ from: 'sender@[192.0.2.1]', to: ['recipient@[IPv6:2001:db8::1]'] }),
          server: honest(),
          expect: {
            client: BETTER_SENT,
            wire: [
              ...kept('MAIL', { 'sender@[192.0.2.1]': /sender@\[192\.0\.2\.1\]/ }),
              ...kept('RCPT', {
                'recipient@[IPv6:2001:db8::1]': /recipient@\[IPv6:2001:db8::1\]/,
              }),
            ],
          },
        },
      ],
      note: 'To refuse such addresses is a warning',
    },
    {
      id: 'ENV-21',
      level: 'MUST',
      title: 'A local part over 64 octets, a path over 256',
      requirement: 'Refuse it, or write it whole; never cut it',
      clause: 'RFC 5321 §4.5.3.1, §4.5.3.1.1, §4.5.3.1.3',
      tags: ['envelope', 'limits'],
      plays: playsOf(
        [
          { title: 'local part of 65 octets', address: `${'x'.repeat(65)}@example.org` },
          { title: 'path of 300 octets', address: `x@${'label.'.repeat(48)}example` },
        ].flatMap(({ title, address }) => [
          {
            title: `sender, ${title}`,
            message: { from: address },
            claim: wholeOrNot('MAIL', address),
          },
          {
            title: `recipient, ${title}`,
            message: { to: [address] },
            claim: wholeOrNot('RCPT', address),
          },
        ]),
        ({ title, message, claim }) => ({
          title,
          task: sending(message),
          server: honest(),
          expect: { client: { outcome: 'settle' }, wire: [claim] },
        }),
      ),
    },
    {
      id: 'ENV-22',
      level: 'INFO',
      title: 'One recipient twice',
      requirement: 'Ask for it once or twice',
      clause: 'RFC 5321 §3.3',
      tags: ['envelope', 'recipients'],
      plays: [
        {
          task: sending({ to: [RECIPIENT, RECIPIENT] }),
          server: honest(),
          expect: { client: { outcome: 'settle' } },
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'ENV-23',
      level: 'MUST',
      title: 'MAIL with every parameter, and each as long as it may be',
      requirement: 'Stay within 512 octets and what each extension adds',
      clause: 'RFC 5321 §4.5.3.1.4',
      tags: ['envelope', 'limits'],
      requires: ['dsn'],
      plays: [
        {
          title: 'without TLS',
          task: FULL,
          server: honest({ extensions: ['PIPELINING', 'SMTPUTF8', 'DSN'], size: 1_000_000 }),
          expect: {
            client: { outcome: 'resolve', level: 'SHOULD' },
            wire: [NOT_TOO_LONG, PARAMETERS_FIT, XTEXT],
          },
        },
        {
          title: 'with REQUIRETLS',
          task: { ...sending({ ...FULL.messages?.[0], requireTls: true }), tls: 'starttls' },
          server: honest({
            extensions: ['PIPELINING', 'SMTPUTF8', 'DSN', 'REQUIRETLS'],
            size: 1_000_000,
            tls: 'starttls',
          }),
          expect: {
            client: { outcome: 'resolve', level: 'SHOULD' },
            wire: [NOT_TOO_LONG, PARAMETERS_FIT, XTEXT],
          },
        },
        {
          title: 'with a sender of 600 octets',
          task: sending({ ...FULL.messages?.[0], from: `${'x'.repeat(588)}@example.org` }),
          server: honest({ extensions: ['PIPELINING', 'SMTPUTF8', 'DSN'], size: 1_000_000 }),
          expect: { client: { outcome: 'settle' }, wire: [at('SHOULD', NOT_TOO_LONG)] },
        },
      ],
      note: 'RFC 5321 §4.5.3.1 lets a client try what is longer: a sender that is too long and is written is a warning',
    },
  ],
};
