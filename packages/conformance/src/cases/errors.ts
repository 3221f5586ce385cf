/** ERR: what a refusal says in figures and in words. */
import type { Group, Play } from '../case.ts';
import { that } from '../judge/claims.ts';
import { good, honest } from '../server/plan.ts';
import { literal } from './literal.ts';

const OFFERED = ['ENHANCEDSTATUSCODES'];

/** What the cases of level MUST rest on. */
const NOT_LOST =
  'That the codes are said is asked of servers. That a client loses none of them rests on what they are for: RFC 2034 §5 wants all clients to benefit.';

/** What looks like an enhanced status code in a 554, and is none. */
const LOOKALIKES: readonly (readonly [what: string, text: string])[] = [
  ['a detail of four digits', '5.7.1234 no relaying'],
  ['an address', '10.1.1.1 listed'],
  ['two numbers', '5.7 no relaying'],
  ['four numbers', '5.7.1.2 no relaying'],
  ['no blank behind it', '5.7.1no relaying'],
  ['a class that there is not', '3.1.1 no relaying'],
];

const lookalike = ([what, text]: (typeof LOOKALIKES)[number]): Play => ({
  title: what,
  server: good({ offers: OFFERED, answers: { RCPT: `554 ${text}` } }),
  expect: {
    client: {
      outcome: 'reject',
      code: 554,
      enhanced: undefined,
      replyText: text,
      text: literal(text),
    },
  },
});

export const ERRORS: Group = {
  id: 'ERR',
  title: 'Errors and enhanced codes',
  cases: [
    {
      id: 'ERR-01',
      level: 'MUST',
      title: 'A refusal with an enhanced status code',
      requirement: 'Tell the reply code, the enhanced status code and the text',
      clause: 'RFC 2034 §4, RFC 3463 §2',
      tags: ['errors', 'enhanced-codes'],
      plays: [
        {
          title: '550 5.1.1 to RCPT',
          server: honest({
            extensions: ['PIPELINING', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'],
            answers: { rcpt: ['550 No such user: x'] },
          }),
          expect: {
            client: {
              outcome: 'reject',
              code: 550,
              enhanced: '5.1.1',
              replyText: 'No such user: x',
              text: /No such user: x/,
              temporary: false,
            },
          },
        },
        {
          title: '451 4.3.0 to MAIL',
          server: honest({
            extensions: ['ENHANCEDSTATUSCODES'],
            answers: { mail: ['451 Come back later'] },
          }),
          expect: {
            client: {
              outcome: 'reject',
              code: 451,
              enhanced: '4.3.0',
              replyText: 'Come back later',
              text: /Come back later/,
              temporary: true,
            },
          },
        },
        {
          title: '554 5.6.0 to the final dot',
          server: honest({
            extensions: ['ENHANCEDSTATUSCODES'],
            answers: { dot: ['554 Not in this form'] },
          }),
          expect: {
            client: {
              outcome: 'reject',
              code: 554,
              enhanced: '5.6.0',
              replyText: 'Not in this form',
              text: /Not in this form/,
              temporary: false,
            },
          },
        },
        {
          title: 'numbers of three digits',
          server: good({ offers: OFFERED, answers: { RCPT: '452 4.123.456 Full' } }),
          expect: {
            client: {
              outcome: 'reject',
              code: 452,
              enhanced: '4.123.456',
              replyText: 'Full',
              text: /Full/,
              temporary: true,
            },
          },
        },
      ],
      note: NOT_LOST,
    },
    {
      id: 'ERR-02',
      level: 'SHOULD',
      title: 'An enhanced status code of another class than the reply code',
      requirement: 'Go by the reply code, and ignore the enhanced one',
      clause: 'RFC 2034 §4, RFC 5321 §4.2.1',
      tags: ['errors', 'enhanced-codes'],
      plays: [
        {
          title: '550 4.2.1',
          server: good({ offers: OFFERED, answers: { RCPT: '550 4.2.1 Mailbox disabled' } }),
          expect: {
            client: {
              outcome: 'reject',
              code: 550,
              enhanced: undefined,
              text: /Mailbox disabled/,
              temporary: false,
            },
          },
        },
        {
          title: '450 5.2.1',
          server: good({ offers: OFFERED, answers: { RCPT: '450 5.2.1 Mailbox disabled' } }),
          expect: {
            client: {
              outcome: 'reject',
              code: 450,
              enhanced: undefined,
              text: /Mailbox disabled/,
              temporary: true,
            },
          },
        },
        {
          title: '250 5.2.1',
          server: good({ offers: OFFERED, answers: { RCPT: '250 5.2.1 Mailbox found' } }),
          expect: { client: { outcome: 'resolve', rejected: [] } },
        },
      ],
      note: 'That the classes agree is asked of servers; no text says what a client does where they do not.',
    },
    {
      id: 'ERR-03',
      level: 'SHOULD',
      title: 'Text that looks like an enhanced status code, and is none',
      requirement: 'Take it for text',
      clause: 'RFC 3463 §2, RFC 2034 §3',
      tags: ['errors', 'enhanced-codes', 'parsing'],
      plays: [
        lookalike(LOOKALIKES[0] as (typeof LOOKALIKES)[number]),
        ...LOOKALIKES.slice(1).map(lookalike),
      ],
    },
    {
      id: 'ERR-04',
      level: 'MUST',
      title: 'A refusal of three lines, with the enhanced status code on each',
      requirement: 'Tell one enhanced status code, and the text of all lines without it',
      clause: 'RFC 2034 §4',
      tags: ['errors', 'enhanced-codes', 'multiline'],
      plays: [
        {
          server: good({
            offers: OFFERED,
            answers: { RCPT: '550-5.1.1 No such\n550-5.1.1 user\n550 5.1.1 here' },
          }),
          expect: {
            client: {
              outcome: 'reject',
              code: 550,
              enhanced: '5.1.1',
              replyText: 'No such user here',
              text: /No such[\s\S]*user[\s\S]*here/,
            },
          },
        },
      ],
      note: `${NOT_LOST} What people are shown may have the code on each line; the text that is given apart from the codes may not.`,
    },
    {
      id: 'ERR-05',
      level: 'MUST',
      title: 'An enhanced status code although ENHANCEDSTATUSCODES is not offered',
      requirement: 'Lose nothing: leave it in the text, or tell it as the enhanced status code',
      clause: 'RFC 2034 §4, §5',
      tags: ['errors', 'enhanced-codes'],
      plays: [
        {
          server: honest({ answers: { rcpt: ['550 5.1.1 No such user: x'] } }),
          expect: {
            client: {
              outcome: 'reject',
              code: 550,
              enhanced: ['5.1.1', undefined],
              text: /No such user: x/,
              temporary: false,
            },
            wire: [
              that('5.1.1 is in the text, or is told apart', (_wire, { outcome }) => {
                const { code, enhanced, text = '5.1.1' } = outcome?.messages[0] ?? {};
                // What a program prints need not be all that the server has said.
                return (
                  code === undefined ||
                  enhanced === '5.1.1' ||
                  text.includes('5.1.1') ||
                  JSON.stringify(text.slice(0, 80))
                );
              }),
            ],
          },
        },
      ],
      note: NOT_LOST,
    },
  ],
};
