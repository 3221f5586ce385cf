/** SIZ: SIZE. */
import type { Group, Play } from '../case.ts';
import {
  type Claim,
  dialogue,
  messages,
  never,
  noContent,
  says,
  that,
  unlessRefused,
} from '../judge/claims.ts';
import { MESSAGE, RECIPIENT } from '../runner/run-case.ts';
import { good, honest, type ServerPlan } from '../server/plan.ts';
import { HEADER, sending } from './sending.ts';

/** 100 KB: more than any small number that a large one is taken for. */
const LARGE = HEADER + `${'x'.repeat(98)}\r\n`.repeat(1_000);

/** It is sent: the limit is none, or is far away. */
const sends = (server: ServerPlan, title: string, ...claims: readonly Claim[]): Play => ({
  title,
  task: sending({ content: { octets: LARGE } }),
  server,
  expect: { client: { outcome: 'resolve' }, wire: [messages(1), ...claims] },
});

/** It is larger than the server takes. */
const tooLarge = (title: string, octets: string): Play => ({
  title,
  task: sending({ content: { octets } }),
  server: honest({ size: 512_000 }),
  expect: {
    // By what EHLO said, or by the reply to MAIL with SIZE=.
    client: {
      outcome: 'reject',
      kind: ['size', 'sender', 'refused'],
      delivery: ['not-sent', 'rejected'],
    },
    wire: [noContent()],
  },
});

/** RFC 1870 §6: "equal to the true message size", or a larger estimate. RFC 1870 §7: or none. */
const DECLARED = that('SIZE= is not less than what is sent', (wire) => {
  const [message] = wire.messages;
  const [, declared] = / SIZE=(\d+)/i.exec(message?.mail ?? '') ?? [];
  const { length } = message?.text ?? '';
  return (
    declared === undefined || Number(declared) >= length || `SIZE=${declared} for ${length} octets`
  );
});
const declares = (title: string, octets: string): Play => ({
  title,
  task: sending({ content: { octets } }),
  server: honest({ size: 1_000_000 }),
  expect: { client: { outcome: 'settle' }, wire: [unlessRefused(DECLARED)] },
});

const refusedMail = (reply: string, pipelining: boolean): Play => ({
  title: `${reply.slice(0, 3)}${pipelining ? ' with PIPELINING' : ''}`,
  server: honest({
    extensions: pipelining ? ['PIPELINING'] : [],
    size: 1_000_000,
    answers: { mail: [reply] },
  }),
  expect: {
    client: {
      outcome: 'reject',
      kind: ['size', 'sender', 'refused'],
      code: Number(reply.slice(0, 3)),
      text: /size|storage/,
      temporary: reply.startsWith('4'),
      delivery: ['not-sent', 'rejected'],
    },
    wire: [
      // What went out in one group with MAIL cannot be taken back.
      dialogue(
        pipelining
          ? /^(EHLO|HELO) MAIL( RCPT| DATA)*( RSET)?( QUIT)?$/
          : /^(EHLO|HELO) MAIL( RSET)?( QUIT)?$/,
        'RSET or QUIT is next, or the end',
      ),
      says(/^MAIL /i, 'MAIL once', 1),
    ],
  },
});

const FULL = 'full@example.org';
const BUSY = 'busy@example.org';
const CODES: Readonly<Record<string, number>> = { [FULL]: 552, [BUSY]: 452 };
const someRefused = (extensions: readonly 'PIPELINING'[]): Play => ({
  title: extensions[0] ? 'with PIPELINING' : 'one reply for each',
  task: sending({ to: [RECIPIENT, FULL, BUSY] }),
  server: honest({
    extensions,
    size: 1_000_000,
    answers: { rcpt: ['', '552 5.2.2 mailbox is full', '452 4.2.2 no storage now', ''] },
  }),
  expect: {
    client: { outcome: 'settle' },
    wire: [
      // A client that sends to all or to nobody has no reason to ask for those behind the first.
      that('who was refused is told as refused, and nobody else', (wire, { outcome }) => {
        const told = outcome?.messages[0]?.rejected?.map(
          ({ address, code = CODES[address] }) => `${address} ${code}`,
        );
        const wanted = Object.entries(CODES)
          .filter(([address]) => wire.commands.some(({ line }) => line.includes(`<${address}>`)))
          .map((refused) => refused.join(' '));
        return (
          !told ||
          told.sort().join() === wanted.sort().join() ||
          `refused: ${told.join(', ') || 'none'}`
        );
      }),
      that('who was refused is not told as accepted', (_wire, { outcome }) => {
        const { accepted = [] } = outcome?.messages[0] ?? {};
        return (!accepted.includes(FULL) && !accepted.includes(BUSY)) || accepted.join(', ');
      }),
      that('who was accepted gets it, or is told not to', (wire, { outcome }) => {
        const { outcome: how, accepted } = outcome?.messages[0] ?? {};
        const sent = wire.messages.length;
        // An exit code cannot tell that some have it.
        const told = accepted?.includes(RECIPIENT) !== false;
        if (how === 'resolve') return (sent === 1 && told) || `success, ${sent} sent`;
        return sent === 0 || (sent === 1 && told) || `failure, ${sent} sent`;
      }),
    ],
  },
});

export const SIZE: Group = {
  id: 'SIZ',
  title: 'SIZE',
  cases: [
    {
      id: 'SIZ-01',
      level: 'SHOULD',
      title: 'SIZE 512000, and a message that is larger',
      requirement: 'Refuse it before it is transferred',
      clause: 'RFC 1870 §4, §5, §7; RFC 5321 §4.5.3.1.7',
      tags: ['size', 'limits'],
      requires: ['size'],
      plays: [
        tooLarge('600 KB', HEADER + `${'x'.repeat(98)}\r\n`.repeat(6_144)),
        // 515 KB; one that counts a line end as one octet comes to 510.
        tooLarge('too large by its CR LF', HEADER + `${'x'.repeat(98)}\r\n`.repeat(5_150)),
      ],
      note: 'What SIZE says MAY be used by RFC 1870 §7; that a client that sends large messages SHOULD, says RFC 5321 §4.5.3.1.7.',
    },
    {
      id: 'SIZ-02',
      level: 'SHOULD',
      title: 'SIZE is offered',
      requirement:
        'Declare no less than is sent, where a size is declared: CR LF counts, a doubled dot does not',
      clause: 'RFC 1870 §5, §6',
      tags: ['size', 'extensions'],
      requires: ['size'],
      plays: [
        declares('in CR LF', MESSAGE),
        declares('with LF', `${HEADER}a\nb\nc\n`),
        declares('without an end', `${HEADER}end`),
        declares('with dots', `${HEADER}.\r\n..\r\n`),
        declares(
          'octets above 127',
          `${HEADER.slice(0, -2)}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${'\xc3\xa9'.repeat(100)}\r\n`,
        ),
      ],
    },
    {
      id: 'SIZ-04',
      level: 'MUST',
      title: 'SIZE without a number, or with 0',
      requirement: 'Take it for no limit',
      clause: 'RFC 1870 §3',
      tags: ['size', 'limits'],
      plays: [
        sends(honest({ size: 'bare' }), 'SIZE'),
        sends(good({ offers: ['SIZE 0'] }), 'SIZE 0'),
      ],
      note: 'SIZE 0 is scripted: smtp-server offers a bare SIZE for it.',
    },
    {
      id: 'SIZ-05',
      level: 'MUST',
      title: 'SIZE is not offered',
      requirement: 'Declare no size',
      clause: 'RFC 1870 §4, RFC 5321 §4.1.1.2',
      tags: ['size', 'extensions'],
      plays: [
        sends(honest(), 'no keyword', never(/ SIZE=/i, 'no SIZE=')),
        sends(
          good({ offers: ['XSIZE 1', 'SIZES 1'] }),
          'keywords that begin or end like it',
          never(/ SIZE=/i, 'no SIZE='),
        ),
      ],
      note: 'Keywords that there are not are scripted: smtp-server offers none.',
    },
    {
      id: 'SIZ-06',
      level: 'MUST',
      title: 'A limit that is larger than numbers of 32 or 64 bits',
      requirement: 'Do not take it for a small one',
      clause: 'RFC 1870 §3',
      tags: ['size', 'limits', 'overflow'],
      plays: [
        sends(good({ offers: ['SIZE 99999999999999999999'] }), '20 digits'),
        sends(good({ offers: ['SIZE 18446744073709551617'] }), '2 ** 64 + 1'),
        sends(good({ offers: ['SIZE 9223372036854775809'] }), '2 ** 63 + 1'),
        sends(good({ offers: ['SIZE 4294967297'] }), '2 ** 32 + 1'),
        sends(good({ offers: ['SIZE 2147483649'] }), '2 ** 31 + 1'),
      ],
    },
    {
      id: 'SIZ-07',
      level: 'SHOULD',
      title: 'A value that is no number',
      requirement: 'Ignore it',
      clause: 'RFC 1870 §3',
      tags: ['size', 'parsing'],
      plays: [
        sends(good({ offers: ['SIZE abc'] }), 'abc'),
        sends(good({ offers: ['SIZE -1'] }), '-1'),
        sends(good({ offers: ['SIZE 1,000,000'] }), '1,000,000'),
        sends(good({ offers: ['SIZE 1e6'] }), '1e6'),
        sends(good({ offers: ['SIZE 0x100'] }), '0x100'),
      ],
      note: 'The grammar is digits; what a client does with anything else is not said.',
    },
    {
      id: 'SIZ-08',
      level: 'MUST',
      title: '552 or 452 to MAIL',
      requirement: 'Report it as permanent or temporary; say RSET or QUIT next',
      clause: 'RFC 1870 §6.2; RFC 5321 §4.1.4, §4.2.1',
      tags: ['size', 'refusal'],
      plays: [
        refusedMail('552 5.3.4 message size exceeds fixed maximum', false),
        refusedMail('452 4.3.1 insufficient system storage', false),
        refusedMail('552 5.3.4 message size exceeds fixed maximum', true),
      ],
      note: 'RFC 1870 §6.2 says "should" of RSET and QUIT: what goes wrong without them is the next transaction (RFC 5321 §4.1.4). To leave is as good. The class of a reply is its first digit (RFC 5321 §4.2.1).',
    },
    {
      id: 'SIZ-09',
      level: 'MUST',
      title: '552 and 452 to some of the recipients',
      requirement: 'Take these for refused, and no other',
      clause: 'RFC 1870 §6.4; RFC 5321 §3.3',
      tags: ['size', 'recipients', 'refusal'],
      plays: [someRefused([]), someRefused(['PIPELINING'])],
      note: 'Whether the others get the message is the choice of the client.',
    },
    {
      id: 'SIZ-10',
      level: 'MUST',
      title: '552 to the final dot',
      requirement: 'Report it: permanent, of size or of the mail data',
      clause: 'RFC 1870 §6.2, §6.3',
      tags: ['size', 'refusal', 'data'],
      plays: [
        {
          server: honest({ size: 1_000_000, answers: { dot: ['552 5.3.4 message too large'] } }),
          expect: {
            client: {
              outcome: 'reject',
              kind: ['size', 'data', 'refused'],
              code: 552,
              text: /message too large/,
              temporary: false,
              delivery: 'rejected',
            },
          },
        },
      ],
    },
  ],
};
