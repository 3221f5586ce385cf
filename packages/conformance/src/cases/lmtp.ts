/** LMT: LMTP, which is SMTP but for LHLO and a final reply for each recipient (RFC 2033). */
import type { Expectation, Group, OutcomeExpectation, TaskPlan } from '../case.ts';
import { at, type Claim, dialogue, messages, never, says, that } from '../judge/claims.ts';
import { MESSAGE, SENDER } from '../runner/run-case.ts';
import { good, honest } from '../server/plan.ts';
import { close, send } from '../server/steps.ts';
import type { MessageOutcome } from '../task.ts';

const [FIRST, SECOND, THIRD] = [
  'first@example.org',
  'second@example.org',
  'third@example.org',
] as const;

/** One message for these, by LMTP. */
const lmtp = (...each: readonly (readonly string[])[]): TaskPlan => ({
  protocol: 'lmtp',
  messages: each.map((to) => ({ from: SENDER, to, content: { octets: MESSAGE } })),
});

const ONLY_LHLO = never(/^(EHLO|HELO)\b/i, 'neither EHLO nor HELO');
/** Whoever does not tell them may send the message to them again. */
const TWO_TOLD: OutcomeExpectation = {
  outcome: 'settle',
  accepted: [FIRST, SECOND],
  level: 'SHOULD',
};
/** Two replies of three have come: what is said of the third recipient. */
const THIRD_IN_DOUBT = that(
  'the third recipient is neither a success nor refused for good',
  (_, { outcome }) => {
    const [message] = outcome?.messages ?? [];
    if (!message) return 'nothing was reported';
    if (message.accepted?.includes(THIRD)) return 'it is among the accepted';
    if (message.outcome === 'resolve')
      return (
        message.rejected?.some(({ address }) => address === THIRD) ||
        'success, and the third is not among the refused'
      );
    return message.temporary !== false || 'a permanent failure';
  },
);
/** A client may leave out one of two that are the same: then there is one reply. */
const SECOND_REPLY = that(
  'the second RCPT of one address has the reply that was its own',
  (wire, { outcome }) => {
    const [message] = outcome?.messages ?? [];
    const { rcpt = [] } = wire.transactions[0] ?? {};
    if (rcpt.length < 2 || message?.outcome !== 'resolve' || !message.rejected) return true;
    return (
      message.rejected.length === 1 ||
      `refused: ${message.rejected.map(({ address }) => address).join(', ') || 'none'}`
    );
  },
);

/** Whether those who are told as refused are these, with these codes, where any are told. */
const refusedAs = (
  wanted: Readonly<Record<string, number>>,
  { rejected }: Partial<MessageOutcome> = {},
): true | string => {
  if (!rejected) return true;
  const fits =
    rejected.length === Object.keys(wanted).length &&
    rejected.every(({ address, code = wanted[address] }) => code && code === wanted[address]);
  const shown = rejected.map(({ address, code = '' }) => `${address} ${code}`.trim());
  return fits || `refused: ${shown.join(', ') || 'none'}`;
};
/** The message for three of whom the second is refused at RCPT, and whoever else behind the dot. */
const someGetIt = (
  accepted: readonly string[],
  refused: Readonly<Record<string, number>>,
): Expectation => ({
  client: { outcome: 'settle' },
  wire: [
    that('the message is sent once at most', ({ messages }) =>
      messages.length <= 1 ? true : `${messages.length}`,
    ),
    at('SHOULD', messages(1, 'the message goes to those who were accepted')),
    that('what the client says is what came of it', ({ messages }, { outcome }) => {
      const [said] = outcome?.messages ?? [];
      const [sent] = messages;
      if (!sent) return said?.outcome === 'reject' || 'success, and nothing was sent';
      // An exit code cannot tell that some have it.
      if (said?.accepted && [...said.accepted].sort().join() !== [...accepted].sort().join())
        return `accepted: ${said.accepted.join(', ') || 'none'}`;
      return refusedAs(refused, said);
    }),
  ],
});

/** What two RCPT of one address come to. */
const TWICE = ['250 2.0.0 delivered', '550 5.2.1 disabled'];

const ALL_REFUSED: OutcomeExpectation = {
  outcome: 'reject',
  kind: ['recipient', 'refused'],
  code: 550,
  temporary: false,
  delivery: ['not-sent', 'rejected'],
  accepted: [],
};
/** A client that sends to all or to nobody has no reason to ask for those behind the first. */
const ALL_TOLD: Claim = that('each RCPT is told as refused', (wire, { outcome }) => {
  const [{ rcpt } = { rcpt: [] }] = wire.transactions;
  if (rcpt.length === 0) return 'there was no RCPT';
  const asked = rcpt.map((line) => [/<([^>]*)>/.exec(line)?.[1], 550]);
  return refusedAs(Object.fromEntries(asked), outcome?.messages[0]);
});

export const LMTP: Group = {
  id: 'LMT',
  title: 'LMTP',
  cases: [
    {
      id: 'LMT-01',
      level: 'MUST',
      title: 'An LMTP server',
      requirement: 'Say LHLO; there is no EHLO or HELO to fall back to',
      clause: 'RFC 2033 §4.1',
      tags: ['lmtp', 'sanity'],
      plays: [
        {
          title: 'LHLO is answered',
          task: lmtp([FIRST]),
          server: honest({ lmtp: true }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              dialogue(
                /^LHLO( RSET| NOOP)* MAIL RCPT DATA/,
                'LHLO is the first command, and a message follows',
              ),
              ONLY_LHLO,
              messages(1),
            ],
          },
        },
        {
          title: 'LHLO is refused',
          task: lmtp([FIRST]),
          server: good({ answers: { LHLO: '500 5.5.1 there is no such command' } }),
          expect: {
            client: { outcome: 'reject', code: 500, delivery: 'not-sent' },
            wire: [says(/^LHLO /i, 'LHLO'), ONLY_LHLO, never(/^MAIL\b/i, 'no MAIL')],
          },
        },
      ],
      note: 'RFC 2033 §4.1 has LHLO in place of HELO and EHLO. The smtp-server package cannot refuse LHLO: that is played by a script',
    },
    {
      id: 'LMT-03',
      level: 'MUST',
      title: 'Two replies for three recipients, and then FIN',
      requirement: 'Take the third for a temporary failure',
      clause: 'RFC 2033 §4.2; RFC 5321 §3.8',
      tags: ['lmtp', 'delivery', 'disconnect'],
      plays: [
        {
          title: 'one command for each reply',
          task: lmtp([FIRST, SECOND, THIRD]),
          server: good({
            answers: { dot: [send('250 2.0.0 first', '250 2.0.0 second'), close()] },
          }),
          expect: {
            client: TWO_TOLD,
            wire: [messages(1), THIRD_IN_DOUBT],
          },
        },
        {
          title: 'PIPELINING',
          task: lmtp([FIRST, SECOND, THIRD]),
          server: good({
            offers: ['PIPELINING'],
            answers: { dot: [send('250 2.0.0 first', '250 2.0.0 second'), close()] },
          }),
          expect: {
            client: TWO_TOLD,
            wire: [messages(1), THIRD_IN_DOUBT],
          },
        },
      ],
      note: 'Success for two with a refusal of the third is as good as a failure that names the two',
    },
    {
      id: 'LMT-04',
      level: 'MUST',
      title: 'RCPT is refused for one of three recipients',
      requirement: 'Wait for a reply for each of the others, and tell whose it is',
      clause: 'RFC 2033 §4.2',
      tags: ['lmtp', 'delivery', 'recipients'],
      plays: [
        {
          title: 'the others get the message',
          task: lmtp([FIRST, SECOND, THIRD]),
          server: honest({ lmtp: true, answers: { rcpt: ['', '550 5.1.1 no such user', ''] } }),
          expect: someGetIt([FIRST, THIRD], { [SECOND]: 550 }),
          deadline: 4_000,
        },
        {
          title: 'one of the others is refused behind the dot',
          task: lmtp([FIRST, SECOND, THIRD]),
          server: honest({
            lmtp: true,
            answers: {
              rcpt: ['', '550 5.1.1 no such user', ''],
              dot: [['250 2.0.0 for the first', '452 4.2.2 the third is full']],
            },
          }),
          expect: someGetIt([FIRST], { [SECOND]: 550, [THIRD]: 452 }),
          deadline: 4_000,
        },
      ],
      note: 'A client may send to all or to nobody. It then has to report a failure, and that it does not send is a warning.',
    },
    {
      id: 'LMT-05',
      level: 'MUST',
      title: 'One address twice',
      requirement: 'Wait for a reply for each RCPT that was accepted',
      clause: 'RFC 2033 §4.2',
      tags: ['lmtp', 'delivery', 'recipients'],
      plays: [
        {
          title: 'both replies are positive',
          task: lmtp([FIRST, FIRST]),
          server: good(),
          expect: { client: { outcome: 'resolve' }, wire: [messages(1)] },
          deadline: 4_000,
        },
        {
          title: 'the second is refused',
          task: lmtp([FIRST, FIRST]),
          server: good({ finals: TWICE }),
          expect: { client: { outcome: 'settle' }, wire: [messages(1), SECOND_REPLY] },
          deadline: 4_000,
        },
        {
          title: 'another message on the same connection',
          task: lmtp([FIRST, FIRST], [SECOND]),
          server: good({ finals: TWICE }),
          expect: {
            client: [{ outcome: 'settle' }, { outcome: 'resolve' }],
            wire: [messages(2)],
          },
          deadline: 4_000,
        },
      ],
      note: 'The smtp-server package takes two RCPT of one address for one: this is played by a script',
    },
    {
      id: 'LMT-06',
      level: 'MUST',
      title: 'RCPT is refused for every recipient',
      requirement: 'Send no mail data, and report each refusal',
      clause: 'RFC 2033 §4.2; RFC 5321 §4.1.4; RFC 2920 §3.1',
      tags: ['lmtp', 'recipients', 'refusal'],
      plays: [
        {
          title: 'one command for each reply',
          task: lmtp([FIRST, SECOND, THIRD]),
          server: honest({
            lmtp: true,
            extensions: [],
            answers: { rcpt: ['550 5.1.1 no such user'] },
          }),
          expect: { client: ALL_REFUSED, wire: [never(/^(DATA|BDAT)\b/i, 'no DATA'), ALL_TOLD] },
        },
        {
          title: 'PIPELINING',
          task: lmtp([FIRST, SECOND, THIRD]),
          server: honest({ lmtp: true, answers: { rcpt: ['550 5.1.1 no such user'] } }),
          expect: {
            client: ALL_REFUSED,
            wire: [
              never(
                /^(?!(LHLO|MAIL|RCPT|DATA|RSET|NOOP|QUIT)\b)/i,
                'no mail data behind the 503 to DATA',
              ),
              ALL_TOLD,
            ],
          },
        },
      ],
      note: 'A transaction has a recipient before DATA (RFC 5321 §4.1.4). With PIPELINING, DATA may stand in one group with RCPT: the server answers it with 503',
    },
  ],
};
