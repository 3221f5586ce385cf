/** CHU: CHUNKING and BINARYMIME. */
import type { Group, OneOf, Play, TaskPlan } from '../case.ts';
import {
  type Claim,
  content,
  dialogue,
  never,
  says,
  that,
  unlessRefused,
} from '../judge/claims.ts';
import { MESSAGE, RECIPIENT, SENDER } from '../runner/run-case.ts';
import { good, type ScriptedPlan, scripts } from '../server/plan.ts';
import { converse, match, nth, send, silence, type Turn } from '../server/steps.ts';
import type { TaskContent, TaskMessage } from '../task.ts';
import { HEADER, sending } from './sending.ts';

/** One message with this content; a client that can be told takes more than one chunk for a large one. */
const chunked = (content: TaskContent, more: Partial<TaskMessage> = {}): TaskPlan => ({
  ...sending({ content, ...more }),
  chunk: 65_536,
});

/** 200 KB, of which each second line begins with a dot: more than a client sends by one chunk, or by one write. */
const LINES = HEADER + `.${'x'.repeat(76)}\r\n.\r\n`.repeat(2_440);
/** 57 KB: one chunk, but not so little that DATA would do. */
const ONE = LINES.slice(0, HEADER.length + 82 * 700);
/** No text at all: NUL, bare CR and LF, all of what DATA would change. */
const BINARY = `${HEADER.slice(0, -2)}MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b\nc\rd.\n.\r\n..\r\n\xff\xfe`;

const LOCK_STEP = ['CHUNKING'];
const PIPELINED = ['CHUNKING', 'PIPELINING'];

/** What `requires: ['chunking']` says of a client. */
const BY_BDAT: readonly Claim[] = [
  says(/^BDAT \d+( LAST)?$/i, 'the content goes by BDAT'),
  never(/^DATA/i, 'no DATA beside it'),
];
const ONE_LAST = that('LAST stands in the last BDAT, and in no other', ({ commands }) => {
  const lines = commands.filter(({ verb }) => verb === 'BDAT').map(({ line }) => line);
  const last = lines.filter((line) => / LAST$/i.test(line));
  return (last.length === 1 && last[0] === lines.at(-1)) || lines.join(', ') || 'no BDAT';
});
/** RFC 3030 §2: RSET clears what a failed BDAT leaves behind; so does EHLO, or a new connection. */
const RESET = that('behind a refused BDAT: RSET, EHLO, QUIT or nothing', ({ dialogues }) => {
  const wrong = dialogues
    .map(({ verbs }) => verbs.join(' '))
    .find((verbs) => /BDAT( (?!RSET|EHLO|QUIT)\w+)*? (MAIL|RCPT|DATA)/.test(verbs));
  return wrong ?? true;
});
const arrives = (text: string): Claim => content(text, 'the chunks together are the content');

/** One message by chunks. */
const chunks = (
  title: string,
  what: TaskContent,
  text: string,
  offers: readonly string[] = LOCK_STEP,
): Play => ({
  title,
  task: chunked(what),
  server: good({ offers }),
  expect: { client: { outcome: 'resolve' }, wire: [...BY_BDAT, ONE_LAST, arrives(text)] },
});
/** The same for a message so small that a client may choose DATA for it. */
const byEither = (title: string, what: TaskContent, text: string): Play => ({
  title,
  task: chunked(what),
  server: good({ offers: LOCK_STEP }),
  expect: {
    client: { outcome: 'resolve' },
    wire: [
      that(`${ONE_LAST.says}, where it goes by BDAT`, (wire, context) =>
        wire.verbs.includes('BDAT') ? ONE_LAST.holds(wire, context) : true,
      ),
      that('not by DATA and BDAT', ({ verbs }) => {
        const both = verbs.includes('BDAT') && verbs.includes('DATA');
        return !both || verbs.join(' ');
      }),
      arrives(text),
    ],
  },
});

/** Line ends that a client has to mend, which it may refuse to do. */
const mended = (title: string, octets: string, text: string): Play => {
  const { expect, ...play } = chunks(title, { octets }, text);
  return {
    ...play,
    expect: { client: { outcome: 'settle' }, wire: (expect.wire ?? []).map(unlessRefused) },
  };
};

const SECOND = `${HEADER}Second.\r\n`;
/** So answers the first connection to BDAT; any other is good. */
const firstConnection = (offers: readonly string[], BDAT: Turn): ScriptedPlan =>
  scripts(
    [send('220 mail.example.com ESMTP'), converse({ offers, answers: { BDAT } })],
    [send('220 mail.example.com ESMTP'), converse({ offers })],
  );
/** Two messages, of which the first is refused at its first chunk. */
const firstRefused = (
  title: string,
  what: TaskContent,
  offers: readonly string[],
  reply: string,
  delivery: OneOf<'rejected' | 'not-sent'>,
  ...more: readonly Claim[]
): Play => ({
  title,
  task: {
    messages: [what, { octets: SECOND }].map((content) => ({
      from: SENDER,
      to: [RECIPIENT],
      content,
    })),
    chunk: 65_536,
  },
  server: firstConnection(offers, nth(reply, match([]))),
  expect: {
    client: [
      {
        outcome: 'reject',
        code: Number(reply.slice(0, 3)),
        temporary: reply.startsWith('4'),
        text: /no room/,
        delivery,
      },
      // What is answered to RSET, MAIL and RCPT has other texts.
      { outcome: 'resolve', code: [250, undefined], text: /taken|queued/ },
    ],
    wire: [
      RESET,
      ...more,
      that('the second message arrives', ({ messages }) => {
        const text = messages.at(-1)?.text;
        return text === SECOND || JSON.stringify(text?.slice(-40));
      }),
    ],
  },
});
/** The rest was not sent: the message may be called rejected, or not sent. */
const IN_PART = ['rejected', 'not-sent'] as const;
const NO_CHUNK_MORE = dialogue(
  /^((?!BDAT)\w+ )*BDAT(?! BDAT)/,
  'no BDAT behind the one that was refused',
);

/** The first chunk is never answered; those behind it as said. */
const unanswered = (
  title: string,
  what: TaskContent,
  offers: readonly string[],
  ...behind: readonly Turn[]
): Play => ({
  title,
  task: { ...chunked(what), timeouts: { data: 400, content: 400, final: 400 } },
  server: good({ offers, answers: { BDAT: nth(silence(), ...behind) } }),
  expect: {
    client: { outcome: 'reject', kind: 'timeout', delivery: ['not-sent', 'unknown'] },
    wire: [never(/^DATA/i, 'no DATA beside it')],
  },
  deadline: 5_000,
});

const binary = (title: string, what: TaskContent): Play => ({
  title,
  task: chunked(what, { body: 'BINARYMIME' }),
  server: good({ offers: ['8BITMIME', 'BINARYMIME', 'CHUNKING'] }),
  expect: {
    client: { outcome: 'resolve' },
    wire: [
      says(/^MAIL FROM:\S+( \S+)*? BODY=BINARYMIME( |$)/i, 'BODY=BINARYMIME'),
      ...BY_BDAT,
      arrives(BINARY),
    ],
  },
});

const unknownCommand = (title: string, text: string): Play => ({
  title,
  task: chunked({ octets: text }),
  server: good({ offers: LOCK_STEP, answers: { BDAT: '500 5.5.1 what is BDAT' } }),
  expect: {
    client: { outcome: 'settle', code: [500, 250] },
    wire: [
      that('BDAT and DATA are not in one transaction', ({ transactions }) => {
        const mixed = transactions.find(({ by }) => by.includes('BDAT') && by.includes('DATA'));
        return mixed === undefined || mixed.by.join(' ');
      }),
      RESET,
      that('no success but by DATA', ({ messages }, { outcome }) => {
        const sent = messages.some(({ by }) => by.includes('DATA'));
        return sent || outcome?.messages[0]?.outcome !== 'resolve' || 'success';
      }),
    ],
  },
});

export const CHUNKING: Group = {
  id: 'CHU',
  title: 'CHUNKING and BINARYMIME',
  cases: [
    {
      id: 'CHU-01',
      level: 'MUST',
      title: 'CHUNKING is not offered',
      requirement: 'Send by DATA',
      clause: 'RFC 3030 §2',
      tags: ['chunking', 'extensions'],
      plays: [
        {
          server: good({ offers: ['XCHUNKING', 'PIPELINING'] }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [never(/^BDAT/i, 'no BDAT'), says(/^DATA$/i, 'DATA', 1)],
          },
        },
      ],
    },
    {
      id: 'CHU-02',
      level: 'MUST',
      title: 'CHUNKING is offered',
      requirement: 'Count each chunk exactly, say LAST once, and double no dot',
      clause: 'RFC 3030 §2',
      tags: ['chunking', 'data'],
      requires: ['chunking'],
      plays: [
        chunks('one reply for each', { octets: LINES }, LINES),
        chunks('with PIPELINING', { octets: LINES }, LINES, PIPELINED),
        chunks('in pieces', { pieces: ['.\r', `\n.${LINES}`] }, `.\r\n.${LINES}`),
        mended('line ends that are not CR LF', `${LINES}a\nb`, `${LINES}a\r\nb\r\n`),
      ],
      note: 'DATA is allowed as well; a client that names the feature is expected to use BDAT for 200 KB.',
    },
    {
      id: 'CHU-04',
      level: 'MUST',
      title: 'A chunk is refused, and a second message is to be sent',
      requirement: 'Send no chunk more, and RSET in front of the next transaction',
      clause: 'RFC 3030 §2',
      tags: ['chunking', 'reuse', 'refusal'],
      requires: ['chunking', 'reuse'],
      plays: [
        firstRefused(
          'in memory',
          { octets: LINES },
          LOCK_STEP,
          '452 4.3.1 no room',
          IN_PART,
          NO_CHUNK_MORE,
        ),
        firstRefused(
          'in pieces',
          { pieces: [LINES, LINES] },
          LOCK_STEP,
          '552 5.3.4 no room',
          IN_PART,
          NO_CHUNK_MORE,
        ),
      ],
    },
    {
      id: 'CHU-05',
      level: 'MUST',
      title: 'Content whose length is not known before its end',
      requirement: 'End with a chunk that is LAST, which may have 0 octets',
      clause: 'RFC 3030 §2',
      tags: ['chunking', 'streams'],
      requires: ['chunking', 'streams'],
      plays: [
        byEither('small', { pieces: [HEADER, 'Hello.\r\n'] }, `${HEADER}Hello.\r\n`),
        chunks('with nothing at its end', { pieces: [LINES, LINES, ''] }, LINES + LINES),
        chunks(
          'of a power of 2',
          { pieces: Array.from({ length: 4 }, () => `${'x'.repeat(62)}\r\n`.repeat(1_024)) },
          `${'x'.repeat(62)}\r\n`.repeat(4_096),
        ),
        chunks('with PIPELINING', { pieces: [LINES, LINES] }, LINES + LINES, PIPELINED),
      ],
    },
    {
      id: 'CHU-06',
      level: 'MUST',
      title: 'The reply to the first chunk never comes',
      requirement: 'Time out; report no success before each chunk has its 250',
      clause: 'RFC 3030 §2',
      tags: ['chunking', 'timeout', 'delivery'],
      requires: ['chunking', 'timeouts'],
      plays: [
        unanswered('no reply at all', { octets: LINES }, LOCK_STEP),
        unanswered('one reply too few', { octets: LINES }, PIPELINED, '250 2.0.0 taken'),
        unanswered(
          'one too few, in pieces',
          { pieces: [LINES, LINES] },
          PIPELINED,
          '250 2.0.0 taken',
        ),
      ],
    },
    {
      id: 'CHU-07',
      level: 'MUST',
      title: 'BINARYMIME is offered with CHUNKING',
      requirement: 'Declare BODY=BINARYMIME, and send the octets as they are by BDAT',
      clause: 'RFC 3030 §3',
      tags: ['chunking', 'binarymime'],
      requires: ['chunking', 'binarymime'],
      plays: [
        binary('in memory', { octets: BINARY }),
        binary('in pieces', { pieces: [BINARY.slice(0, -9), BINARY.slice(-9)] }),
      ],
    },
    {
      id: 'CHU-08',
      level: 'MUST',
      title: 'BINARYMIME is offered without CHUNKING',
      requirement: 'Do not use it: encode the content, or refuse the message',
      clause: 'RFC 3030 §3',
      tags: ['chunking', 'binarymime', 'extensions'],
      requires: ['binarymime'],
      plays: [
        {
          task: chunked({ octets: BINARY }, { body: 'BINARYMIME' }),
          server: good({ offers: ['8BITMIME', 'BINARYMIME'] }),
          expect: {
            client: { outcome: 'settle' },
            wire: [
              never(/ BODY=BINARYMIME/i, 'no BODY=BINARYMIME'),
              never(/^BDAT/i, 'no BDAT'),
              unlessRefused(
                that('the content is encoded', (wire) => {
                  const text = wire.messages[0]?.text ?? '';
                  return (
                    /^Content-Transfer-Encoding: *(quoted-printable|base64)/im.test(text) ||
                    JSON.stringify(text.slice(-60))
                  );
                }),
              ),
            ],
          },
        },
      ],
    },
    {
      id: 'CHU-09',
      level: 'MUST',
      title: '500 to BDAT although CHUNKING is offered',
      requirement: 'Report it, or send by DATA in a new transaction behind RSET',
      clause: 'RFC 3030 §2',
      tags: ['chunking', 'refusal'],
      requires: ['chunking'],
      plays: [unknownCommand('small', MESSAGE), unknownCommand('several chunks', LINES)],
    },
    {
      id: 'CHU-10',
      level: 'MUST',
      title: 'Chunks in groups, and the first is refused',
      requirement: 'Count the replies to what is on its way, and take none of them for another',
      clause: 'RFC 3030 §2, RFC 2920 §3.1',
      tags: ['chunking', 'pipelining', 'reuse'],
      requires: ['chunking', 'pipelining', 'reuse'],
      plays: [
        firstRefused('several chunks', { octets: LINES }, PIPELINED, '554 5.6.0 no room', IN_PART),
        firstRefused('one chunk', { octets: ONE }, PIPELINED, '554 5.6.0 no room', 'rejected'),
        firstRefused(
          'in pieces',
          { pieces: [LINES, LINES] },
          PIPELINED,
          '452 4.3.1 no room',
          IN_PART,
        ),
      ],
    },
  ],
};
