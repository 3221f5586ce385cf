/** PIP: commands in groups, and the replies to them. */
import type { Group, OutcomeExpectation, Play } from '../case.ts';
import { at, leaves, messages, noMessage, says, that } from '../judge/claims.ts';
import { MESSAGE, SENDER } from '../runner/run-case.ts';
import { good, honest } from '../server/plan.ts';
import {
  close,
  delay,
  expectNothing,
  flood,
  match,
  pauseReading,
  resumeReading,
  type Step,
  send,
  silence,
  type Turn,
} from '../server/steps.ts';
import type { TaskMessage } from '../task.ts';
import { isMessage } from './sending.ts';

/** The same message to several. */
const to = (...addresses: readonly string[]): readonly TaskMessage[] => [
  { from: SENDER, to: addresses, content: { octets: MESSAGE } },
];
const THREE = ['one@example.org', 'two@example.org', 'three@example.org'] as const;
const OFFERED = ['PIPELINING'];

const WHOLE = that('the content is the message', (wire) => {
  const text = wire.messages[0]?.text;
  return text === undefined
    ? 'there is no message'
    : isMessage(text, MESSAGE) || JSON.stringify(text);
});

/** Nothing was sent, whoever had been accepted by then. */
const UNSENT: OutcomeExpectation = { outcome: 'reject', delivery: ['not-sent', 'rejected'] };
/** Nobody was accepted either. */
const NOBODY: OutcomeExpectation = { ...UNSENT, accepted: [] };

/** A reply that comes late: who does not wait for it is seen. */
const late = (reply: string): readonly Step[] => [delay(60), send(reply)];

/** Two are accepted, the second of three is refused. */
const MIXED: Turn = match([[/<two@/i, '550 5.1.1 nobody']]);

/** DATA is refused behind an accepted recipient. */
const dataRefused = (code: number, temporary: boolean): Play => ({
  title: `${code}`,
  server: good({
    offers: OFFERED,
    answers: { DATA: `${code} ${Math.floor(code / 100)}.3.0 not now` },
  }),
  expect: {
    client: { ...UNSENT, kind: 'data', kindLevel: 'SHOULD', code, temporary },
    wire: [noMessage()],
  },
});

/** A reply is missing, and no more comes. */
const tooFew = (title: string, answers: { readonly [verb: string]: Turn }): Play => ({
  title,
  task: { timeouts: { command: 500 }, messages: to(...THREE) },
  server: good({ offers: OFFERED, answers }),
  expect: {
    // 354 in the place of a reply to RCPT may be seen for what it is.
    client: { outcome: 'reject', kind: ['timeout', 'protocol'], delivery: 'not-sent' },
    wire: [noMessage(), leaves()],
  },
  deadline: 6_000,
});

/** A thousand recipients with commands of about 220 octets. */
const THOUSAND = Array.from(
  { length: 1_000 },
  (_, place) => `r${place}@${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.example.org`,
);
/** Six kilobytes for one recipient; for a thousand more than the buffers between the two hold by default. */
const LONG: readonly Step[] = [
  pauseReading(),
  flood(`250-2.1.5 ${'y'.repeat(490)}\r\n`, 12),
  send('250 2.1.5 ok'),
  resumeReading(),
];

export const PIPELINING: Group = {
  id: 'PIP',
  title: 'Pipelining',
  cases: [
    {
      id: 'PIP-01',
      level: 'MUST',
      title: 'PIPELINING is not offered',
      requirement: 'Say one command, and wait for its reply before the next',
      clause: 'RFC 2920 §3.1',
      tags: ['pipelining', 'lock-step'],
      plays: [
        {
          title: 'replies at once',
          task: { messages: to(...THREE) },
          server: honest({ extensions: [] }),
          expect: {
            client: { outcome: 'resolve', accepted: THREE },
            wire: [says(/^RCPT TO:/i, 'three RCPT', 3), WHOLE],
          },
        },
        {
          title: 'late replies',
          task: { messages: to(...THREE) },
          server: good({
            answers: {
              MAIL: late('250 2.1.0 ok'),
              RCPT: late('250 2.1.5 ok'),
              DATA: late('354 go ahead'),
              dot: late('250 2.0.0 queued'),
            },
          }),
          expect: {
            client: { outcome: 'resolve', accepted: THREE },
            wire: [says(/^RCPT TO:/i, 'three RCPT', 3), WHOLE],
          },
        },
      ],
      note: 'The rule itself is judged in every case. The second play is scripted: with replies that come late nothing that is early is missed.',
    },
    {
      id: 'PIP-02',
      level: 'MUST',
      title: 'PIPELINING is offered, and 354 comes 0.5 s late',
      requirement: 'Say DATA last in its group, and write no content before 354',
      clause: 'RFC 2920 §3.1; RFC 5321 §3.3',
      tags: ['pipelining', 'delivery'],
      plays: [
        {
          server: good({
            offers: OFFERED,
            answers: { DATA: [expectNothing(500), send('354 go ahead')] },
          }),
          expect: { client: { outcome: 'resolve' }, wire: [WHOLE] },
        },
      ],
    },
    {
      id: 'PIP-04',
      level: 'MUST',
      title: '550 to MAIL, 503 to RCPT, and yet 354 to DATA',
      requirement: 'Write no content, a lone dot perhaps, and report that the sender was refused',
      clause: 'RFC 2920 §3.1',
      tags: ['pipelining', 'refusal', 'delivery'],
      requires: ['pipelining'],
      plays: [
        {
          server: good({
            offers: OFFERED,
            answers: {
              MAIL: '550 5.7.1 not you',
              RCPT: '503 5.5.1 MAIL comes first',
              dot: '554 5.5.1 no recipients',
            },
          }),
          expect: {
            client: { ...NOBODY, kind: 'sender', kindLevel: 'SHOULD', code: 550, temporary: false },
            wire: [noMessage()],
          },
        },
      ],
      note: 'RFC 2920 says "should" of the lone dot where DATA was accepted behind refused recipients; a client that breaks the connection off sends nothing either. To send content rests on nothing: who has accepted 354 is not obliged to throw it away.',
    },
    {
      id: 'PIP-05',
      level: 'MUST',
      title: 'Of three recipients the second is refused, and 354 to DATA',
      requirement: 'Send to those who were accepted, and say who was not',
      clause: 'RFC 2920 §3.1',
      tags: ['pipelining', 'recipients'],
      plays: [
        {
          task: { messages: to(...THREE) },
          server: good({ offers: OFFERED, answers: { RCPT: MIXED } }),
          expect: {
            client: {
              outcome: 'settle',
              rejected: [{ address: THREE[1], code: 550 }],
            },
            wire: [
              at('SHOULD', messages(1, 'the message goes to those who were accepted')),
              that('what the client says is what it has done', (wire, { outcome }) => {
                const [said] = outcome?.messages ?? [];
                const [sent] = wire.messages;
                if (!sent) return said?.outcome === 'reject' || 'success, and nothing was sent';
                const accepted = said?.accepted && [...said.accepted].sort().join(', ');
                if (accepted !== undefined && accepted !== [THREE[0], THREE[2]].sort().join(', '))
                  return `accepted: ${accepted || 'none'}`;
                return isMessage(sent.text, MESSAGE) || 'other content';
              }),
            ],
          },
        },
      ],
      note: 'A client may send to all or to nobody. It then has to report a failure. Whether a message that not all get is a success is not said: who tells the recipients may call it either.',
    },
    {
      id: 'PIP-06',
      level: 'MUST',
      title: '250 to RCPT, and 451 or 554 to DATA',
      requirement: 'Write no content, and report the reply to DATA',
      clause: 'RFC 2920 §3.1; RFC 5321 §3.3',
      tags: ['pipelining', 'refusal'],
      plays: [dataRefused(451, true), dataRefused(554, false)],
    },
    {
      id: 'PIP-07',
      level: 'MUST',
      title: 'Replies of several lines inside the group',
      requirement: 'Count each reply once, however many lines it has',
      clause: 'RFC 2920 §3.1',
      tags: ['pipelining', 'multiline'],
      plays: [
        {
          title: 'all are accepted',
          task: { messages: to(...THREE) },
          server: good({
            offers: OFFERED,
            answers: {
              MAIL: '250-2.1.0 so\n250-2.1.0 far\n250 2.1.0 ok',
              RCPT: '250-2.1.5 and\n250 2.1.5 ok',
              DATA: '354-go\n354 ahead',
              dot: '250-2.0.0 queued\n250 2.0.0 as 4711',
            },
          }),
          expect: {
            client: { outcome: 'resolve', accepted: THREE },
            wire: [says(/^RCPT TO:/i, 'three RCPT', 3), WHOLE],
          },
          deadline: 4_000,
        },
        {
          title: 'the only recipient is refused',
          server: good({
            offers: OFFERED,
            answers: {
              MAIL: '250-2.1.0 so\n250-2.1.0 far\n250 2.1.0 ok',
              RCPT: '550-5.1.1 there\n550-5.1.1 is\n550 5.1.1 nobody',
              DATA: '503-5.5.1 no\n503 5.5.1 recipients',
            },
          }),
          expect: {
            client: {
              ...NOBODY,
              // Whose reply it was is not to be mistaken; a name for all refusals is as good.
              kind: ['recipient', 'refused'],
              code: 550,
              temporary: false,
            },
            wire: [noMessage()],
          },
          deadline: 4_000,
        },
      ],
    },
    {
      id: 'PIP-09',
      level: 'MUST',
      title: 'One reply too few, and then silence',
      requirement: 'Time out without having written content',
      clause: 'RFC 2920 §3.1; RFC 5321 §4.5.3.2',
      tags: ['pipelining', 'timeout'],
      requires: ['timeouts'],
      plays: [
        tooFew('that to DATA', { DATA: silence() }),
        tooFew('that to one of the recipients', { RCPT: match([[/<two@/i, silence()]]) }),
      ],
    },
    {
      id: 'PIP-10',
      level: 'MUST',
      title: 'The end of the connection behind the reply to MAIL',
      requirement: 'Report the loss of the connection; nobody was accepted',
      clause: 'RFC 2920 §3.1; RFC 5321 §3.8',
      tags: ['pipelining', 'disconnect'],
      plays: [
        {
          server: good({
            offers: OFFERED,
            answers: { MAIL: [send('250 2.1.0 ok'), close()] },
          }),
          expect: {
            client: { ...NOBODY, kind: 'closed', kindLevel: 'SHOULD', delivery: 'not-sent' },
            wire: [noMessage()],
          },
          deadline: 4_000,
        },
      ],
    },
    {
      id: 'PIP-11',
      level: 'MUST',
      title:
        'A thousand recipients, and a server that reads no more before its long replies are taken',
      requirement: 'Read replies while there is more to write',
      clause: 'RFC 2920 §3.1',
      tags: ['pipelining', 'recipients', 'flow-control'],
      requires: ['pipelining'],
      plays: [
        {
          task: { messages: to(...THOUSAND) },
          server: good({ offers: OFFERED, answers: { RCPT: LONG } }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              says(/^RCPT TO:/i, 'a thousand RCPT', 1_000),
              WHOLE,
              that('a thousand are reported as accepted', (_wire, { outcome }) => {
                const accepted = outcome?.messages[0]?.accepted ?? THOUSAND;
                return accepted.length === THOUSAND.length || `${accepted.length}`;
              }),
            ],
          },
        },
      ],
      note: 'The commands, 220 kilobytes, may fit in the buffers: a client that writes them all before it reads is seen only where they do not.',
    },
    {
      id: 'PIP-12',
      level: 'MUST',
      title: 'Texts that say something else than their codes, and name other commands',
      requirement: 'Pair replies with commands by their number, and not by their text',
      clause: 'RFC 2920 §3.1; RFC 5321 §4.2',
      tags: ['pipelining', 'codes'],
      plays: [
        {
          title: 'success',
          task: { messages: to(...THREE) },
          server: good({
            offers: OFFERED,
            answers: {
              MAIL: '250 RCPT refused, 550 5.1.1 nobody',
              RCPT: '250 DATA refused, 503 no recipients',
              DATA: '354 250 2.0.0 queued, MAIL ok',
              dot: '250 554 5.6.0 refused, QUIT 221',
            },
          }),
          expect: {
            client: { outcome: 'resolve', accepted: THREE },
            wire: [WHOLE],
          },
        },
        {
          title: 'refusal',
          server: good({
            offers: OFFERED,
            answers: {
              MAIL: '250 RCPT ok, 354 go ahead',
              RCPT: '550 250 2.1.5 RCPT ok',
              DATA: '503 354 go ahead, 250 RCPT ok',
            },
          }),
          expect: {
            client: {
              ...NOBODY,
              kind: ['recipient', 'refused'],
              code: 550,
              temporary: false,
            },
            wire: [noMessage()],
          },
        },
      ],
    },
  ],
};
