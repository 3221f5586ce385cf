/** DAT: mail data, and what the reply to it means. */
import type { Group, OutcomeExpectation, Play, TaskPlan } from '../case.ts';
import { type Claim, content, messages, never, that, unlessRefused } from '../judge/claims.ts';
import { RECIPIENT } from '../runner/run-case.ts';
import { good, honest, type ServerPlan } from '../server/plan.ts';
import { delay, drain, pauseReading, send, silence } from '../server/steps.ts';
import type { TaskContent, TaskFields } from '../task.ts';
import { HEADER, sending } from './sending.ts';

const octets = (text: string): TaskPlan => sending({ content: { octets: text } });
const pieces = (...each: readonly string[]): TaskPlan => sending({ content: { pieces: each } });

/** Lines that begin with a dot, among them what would end the mail data and go on with a command. */
const DOTS = `${HEADER}.\r\n..\r\n.x\r\n...\r\nx.\r\n. \r\n\r\n.\r\nRSET\r\n.\r\n`;
/** The first octet of all is a dot. */
const NO_HEADER = '.\r\n..\r\n.x\r\n';
/** 175 KB of two lines with 7 octets: whatever power of 2 a client writes at once, its blocks end at many places of them. */
const MANY_DOTS = HEADER + '.\r\n..\r\n'.repeat(25_000);
/** A line of 1,000 octets. */
const LONG_LINE = `${'x'.repeat(998)}\r\n`;
/** A message whose body has one octet above 127, and says so. */
const EIGHT_BIT = `${HEADER.slice(0, -2)}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xe9\r\n`;

/** It is sent, and arrives as it was given. */
const arrives = (
  title: string,
  task: TaskPlan,
  text: string,
  server: ServerPlan = honest(),
): Play => ({
  title,
  task,
  server,
  expect: {
    client: { outcome: 'resolve' },
    wire: [content(text, 'the content arrives, without the dots that were doubled'), messages(1)],
  },
});

/** An empty line at the end is not looked at: DAT-05 does that. */
const trimmed = (text: string): string => text.replace(/(\r\n)+$/, '\r\n');
const arrivesAs = (text: string, expected: string): Claim =>
  that(expected, (wire) => {
    const got = trimmed(wire.messages[0]?.text ?? '');
    return got === text || JSON.stringify(got.slice(HEADER.length));
  });

/** RFC 2045 §6: 7 bits and short lines for octets that are neither. */
const encoded = (says: string): Claim =>
  that(says, (wire) => {
    const text = wire.messages[0]?.text ?? '';
    const longest = Math.max(...text.split('\r\n').map(({ length }) => length));
    const field = /^Content-Transfer-Encoding: *(quoted-printable|base64)/im.test(text);
    return (
      (field && longest <= 998 && /^[\t\r\n -~]*$/.test(text)) ||
      `${field ? '' : 'not '}encoded, a line of ${longest} octets, ${JSON.stringify(text.slice(-40))}`
    );
  });

/** Nothing of the content is written, whatever it would be taken for. */
const NOTHING_SENT = that('nothing of the content is written', ({ plain, secured }) => {
  const found = /^(From|To|Subject): [^\r]*/m.exec(plain + secured);
  return found === null || JSON.stringify(found[0]);
});

/** A client that gives a message up does not end it, and does not go on with its session. */
const GIVEN_UP: readonly Claim[] = [
  messages(0, 'no end of the mail data is written'),
  that('the client closes its side of each connection', ({ dialogues }) => {
    const open = dialogues.filter(({ left }) => !left).length;
    return open === 0 || `${open} left open`;
  }),
];
/** Behind 354 a command would be taken for mail data. */
const beginOf = (text: string): Claim =>
  that('what is written is the begin of the content, and nothing else', ({ transactions }) => {
    const other = transactions.find((transaction) => !text.startsWith(transaction.text));
    return other === undefined || JSON.stringify(other.text.slice(-60));
  });

/** Sent as said, or refused: what a client does of it is its own choice. */
const settles = (title: string, task: TaskPlan, claim: Claim, ...more: readonly Claim[]): Play => ({
  title,
  task,
  server: honest(),
  expect: { client: { outcome: 'settle' }, wire: [unlessRefused(claim), ...more] },
});

/** Content by LF alone; where its dots were doubled before its line ends were mended, it ends at the first of them. */
const BY_LF = `${HEADER}a\nb\n.\nMAIL FROM:<x@example.com>\n.\r\nend\n`;

/** What is answered to DATA, and what that has to be taken for. */
const refusedData = (
  reply: string,
  client: Omit<OutcomeExpectation, 'outcome'>,
  offers: readonly string[] = [],
): Play => ({
  title: reply.slice(0, 3),
  server: good({ offers, answers: { DATA: reply } }),
  expect: {
    client: { outcome: 'reject', delivery: ['not-sent', 'rejected'], ...client },
    wire: [NOTHING_SENT],
  },
});

/** Not all that tell why a message was not sent tell the code by which it was. */
const SENT_AS_4711: OutcomeExpectation = {
  outcome: 'resolve',
  code: [250, undefined],
  text: /queued as 4711/,
};

const refusedFinally = (reply: string, temporary: boolean): Play => ({
  title: reply.slice(0, 3),
  server: honest({ answers: { dot: [reply] } }),
  expect: {
    client: {
      outcome: 'reject',
      kind: ['data', 'refused'],
      code: Number(reply.slice(0, 3)),
      text: /not this one/,
      temporary,
      delivery: 'rejected',
    },
  },
});

/** Behind 354 the server reads no more. */
const stuck = (title: string, what: TaskContent, memory?: number): Play => ({
  title,
  task: { ...sending({ content: what }), timeouts: { content: 400 } },
  server: good({ answers: { DATA: [send('354 go ahead'), pauseReading(), drain()] } }),
  expect: {
    client: { outcome: 'reject', kind: 'timeout', delivery: 'not-sent' },
    ...(memory === undefined ? {} : { memory }),
  },
  // A program may need seconds for so large a file before it connects.
  deadline: 12_000,
});

const unanswered = (title: string, task: TaskPlan = {}): Play => ({
  title,
  task: { ...task, timeouts: { final: 400 } },
  server: good({ answers: { dot: silence() } }),
  expect: {
    client: { outcome: 'reject', kind: 'timeout', delivery: 'unknown' },
    wire: [messages(1, 'the message is sent once')],
  },
  deadline: 5_000,
});

/** The source fails behind these. */
const HALF = [HEADER, LONG_LINE.repeat(100), LONG_LINE.repeat(100)];
/** 20 lines in 2 s. */
const SLOW = [HEADER, ...Array.from({ length: 20 }, (_, at) => `Line ${at}\r\n`)];

/** What CRLF in a field would make of it. */
const INJECTED = 'Hello\r\nX-Injected: 1';
const injected = (title: string, fields: TaskFields): Play =>
  settles(
    title,
    sending({ content: { fields: { subject: 'A test', text: 'Hello.', ...fields } } }),
    that('no line begins with what stood behind the line end', (wire) => {
      const [found] = wire.messages.flatMap(({ text }) => /^X-Injected.*/im.exec(text) ?? []);
      return found === undefined || JSON.stringify(found);
    }),
  );

export const DATA: Group = {
  id: 'DAT',
  title: 'Mail data',
  cases: [
    {
      id: 'DAT-01',
      level: 'MUST',
      title: 'Lines that begin with a dot',
      requirement: 'Double the first dot of each line, and no other',
      clause: 'RFC 5321 §4.5.2',
      tags: ['data', 'transparency'],
      plays: [
        arrives('in the body', octets(DOTS), DOTS),
        settles(
          'from the first octet on',
          octets(NO_HEADER),
          // RFC 5322 §3.6 wants a header: a client may write one in front, or refuse what has none.
          that('the content arrives, without the dots that were doubled', (wire) => {
            const text = wire.messages[0]?.text ?? '';
            return `\r\n${text}`.endsWith(`\r\n${NO_HEADER}`) || JSON.stringify(text);
          }),
        ),
        arrives('in pieces cut at each dot', pieces(...DOTS.split(/(?=\.)|(?<=\.)/)), DOTS),
        arrives('in 50,000 lines', octets(MANY_DOTS), MANY_DOTS, good()),
      ],
      note: 'A client that writes a header in front of what has none may do so. So many lines are scripted: smtp-server takes long for them.',
    },
    {
      id: 'DAT-02',
      level: 'MUST',
      title: 'Line ends in the content that are not CR LF',
      requirement: 'Write CR LF for them, or refuse the message',
      clause: 'RFC 5321 §2.3.8',
      tags: ['data', 'line-ends', 'injection'],
      plays: [
        settles(
          'LF',
          octets(BY_LF),
          arrivesAs(BY_LF.replace(/\r?\n/g, '\r\n'), 'each LF arrives as CR LF'),
          never(/x@example\.com/, 'no line of the content is a command'),
        ),
        settles(
          'CR',
          octets(`${HEADER}a\rb\r\r\nend\r\n`),
          that('no CR without its LF, and all else as it was', (wire) => {
            const text = wire.messages[0]?.text ?? '';
            return (
              /^a(\r\n)?b(\r\n){0,2}end(\r\n)+$/.test(text.slice(HEADER.length)) ||
              JSON.stringify(text.slice(HEADER.length))
            );
          }),
        ),
      ],
    },
    {
      id: 'DAT-04',
      level: 'MUST',
      title: 'Content without a final CR LF',
      requirement: 'Add exactly one, or refuse the message',
      clause: 'RFC 5321 §4.1.1.4',
      tags: ['data', 'line-ends'],
      plays: [
        settles('in memory', octets(`${HEADER}end`), content(`${HEADER}end\r\n`, 'CR LF is added')),
        settles('in pieces', pieces(HEADER, 'end'), content(`${HEADER}end\r\n`, 'CR LF is added')),
      ],
    },
    {
      id: 'DAT-05',
      level: 'MUST',
      title: 'Content with its final CR LF',
      requirement: 'Add none',
      clause: 'RFC 5321 §4.1.1.4',
      tags: ['data', 'line-ends'],
      plays: [
        arrives('one', octets(`${HEADER}end\r\n`), `${HEADER}end\r\n`),
        arrives('three', octets(`${HEADER}end\r\n\r\n\r\n`), `${HEADER}end\r\n\r\n\r\n`),
        arrives('cut in two', pieces(`${HEADER}end\r`, '\n'), `${HEADER}end\r\n`),
      ],
    },
    {
      id: 'DAT-06',
      level: 'MUST',
      title: 'An empty body',
      requirement: 'Send the header, the empty line and the dot',
      clause: 'RFC 5321 §4.1.1.4',
      tags: ['data', 'line-ends'],
      plays: [
        arrives('in memory', octets(HEADER), HEADER),
        arrives('in pieces', pieces(HEADER), HEADER),
      ],
    },
    {
      id: 'DAT-07',
      level: 'SHOULD',
      title: 'A line of 2,000 octets in the content',
      requirement:
        'Encode the body, or refuse the message; do not send the line as it is, nor cut it',
      clause: 'RFC 5321 §4.5.3.1.6',
      tags: ['data', 'line-length'],
      plays: [
        settles(
          'in memory',
          octets(`${HEADER}${'x'.repeat(2_000)}\r\n`),
          encoded('a body with short lines'),
        ),
        settles(
          'in pieces',
          pieces(HEADER, 'x'.repeat(900), 'x'.repeat(1_100), '\r\n'),
          encoded('a body with short lines'),
        ),
      ],
    },
    {
      id: 'DAT-09',
      level: 'MUST',
      title: 'Octets above 127 in the content',
      requirement:
        'Declare BODY=8BITMIME where that is offered; send no such octet where it is not',
      clause: 'RFC 6152 §3',
      tags: ['data', '8bitmime'],
      plays: [
        {
          title: 'offered',
          task: octets(EIGHT_BIT),
          server: honest(),
          expect: {
            // A client that has no 8BITMIME can only refuse, or encode.
            client: { outcome: 'settle' },
            wire: [
              unlessRefused(
                that('the content as it is, with BODY=8BITMIME, or encoded', (wire, context) => {
                  const { mail = '', text = '' } = wire.messages[0] ?? {};
                  if (trimmed(text) !== EIGHT_BIT) return encoded('').holds(wire, context);
                  return / BODY=8BITMIME( |$)/i.test(mail) || mail;
                }),
              ),
              that('at most one message, and a success where there is one', (wire, { outcome }) => {
                const sent = wire.messages.length;
                const how = outcome?.messages[0]?.outcome;
                return sent === 0 || (sent === 1 && how === 'resolve') || `${how}, ${sent} sent`;
              }),
            ],
          },
        },
        {
          title: 'not offered',
          task: octets(EIGHT_BIT),
          server: honest({ extensions: ['PIPELINING'], no8BitMime: true }),
          expect: {
            client: { outcome: 'settle' },
            wire: [
              unlessRefused(encoded('the content is encoded')),
              never(/ BODY=/i, 'no BODY parameter'),
            ],
          },
        },
      ],
    },
    {
      id: 'DAT-10',
      level: 'SHOULD',
      title: 'NUL in the content',
      requirement: 'Encode the body, or refuse the message; do not send NUL, nor leave it out',
      clause: 'RFC 5321 §4.1.1.4, RFC 2045 §2.7, §2.8',
      tags: ['data', 'nul'],
      plays: [
        settles('in memory', octets(`${HEADER}a\0b\r\n`), encoded('a body without NUL')),
        settles('in pieces', pieces(HEADER, 'a\0', 'b\r\n'), encoded('a body without NUL')),
      ],
    },
    {
      id: 'DAT-11',
      level: 'MUST',
      title: 'Another reply to DATA than 354',
      requirement: 'Send nothing of the content, and report the reply',
      clause: 'RFC 5321 §3.3',
      tags: ['data', 'refusal'],
      plays: [
        refusedData('451 4.3.0 no data now', {
          kind: ['data', 'refused'],
          code: 451,
          text: /no data now/,
          temporary: true,
        }),
        refusedData(
          '554 5.3.0 no data here',
          { kind: ['data', 'refused'], code: 554, text: /no data here/, temporary: false },
          ['PIPELINING'],
        ),
        refusedData('250 2.0.0 no data asked for', { kind: ['data', 'refused', 'protocol'] }),
      ],
    },
    {
      id: 'DAT-13',
      level: 'MUST',
      title: '4yz or 5yz to the final dot',
      requirement: 'Report the reply, temporary or permanent by its first digit',
      clause: 'RFC 5321 §4.2.5',
      tags: ['data', 'refusal'],
      plays: [
        refusedFinally('451 4.3.0 not this one', true),
        refusedFinally('452 4.3.1 not this one', true),
        refusedFinally('550 5.7.1 not this one', false),
        refusedFinally('554 5.6.0 not this one', false),
      ],
    },
    {
      id: 'DAT-14',
      level: 'MUST',
      title: '250 with a queue id to the final dot',
      requirement: 'Report success, with the text of the reply',
      clause: 'RFC 5321 §6.1, §4.2.1',
      tags: ['data', 'multiline'],
      plays: [
        {
          title: 'one line',
          server: honest({ answers: { dot: ['250 2.0.0 Ok: queued as 4711'] } }),
          expect: {
            client: SENT_AS_4711,
            wire: [messages(1)],
          },
        },
        {
          title: 'three lines',
          server: good({
            answers: { dot: '250-2.0.0 Ok:\n250-2.0.0 queued as 4711\n250 2.0.0 bye' },
          }),
          expect: {
            client: SENT_AS_4711,
            wire: [messages(1)],
          },
        },
      ],
      note: 'That the text is told rests on no RFC, but on its use: a message is looked for by its queue id. A program that prints something else is warned. The reply of several lines is scripted: smtp-server writes one line.',
    },
    {
      id: 'DAT-15',
      level: 'MUST',
      title: 'A server that reads no more behind 354',
      requirement:
        'Time out by the limit of a block of mail data, and read no more of the source meanwhile',
      clause: 'RFC 5321 §4.5.3.2.5',
      tags: ['data', 'timeout', 'memory'],
      requires: ['timeouts'],
      plays: [
        stuck('16 MB in memory', { repeat: LONG_LINE, times: 16_000 }),
        stuck(
          '256 MB in pieces',
          { repeat: LONG_LINE.repeat(1_000), times: 256, stream: true },
          64 * 1_048_576,
        ),
      ],
      note: 'So much that no buffer of a network takes it all.',
    },
    {
      id: 'DAT-17',
      level: 'MUST',
      title: 'No reply to the final dot',
      requirement:
        'Time out, say that nobody knows what became of the message, and do not send it again',
      clause: 'RFC 5321 §4.5.3.2.6, §6.1',
      tags: ['data', 'timeout', 'delivery'],
      requires: ['timeouts'],
      plays: [unanswered('one connection'), unanswered('a pool', { connections: 1 })],
      note: 'RFC 5321 §4.5.3.2.6 warns of the copies that come of it. A queue may try again later (§4.5.4.1): at once, and unasked, nobody may.',
    },
    {
      id: 'DAT-18',
      level: 'MUST',
      title: 'The source of the content fails half-way',
      requirement: 'Close the connection without the final dot, or LAST',
      clause: 'RFC 5321 §4.1.1.4, RFC 3030 §2',
      tags: ['data', 'delivery', 'streams'],
      requires: ['streams'],
      plays: [
        {
          title: 'DATA',
          task: sending({ content: { pieces: [...HALF, LONG_LINE], failsAfter: HALF.length } }),
          server: honest(),
          expect: {
            client: { outcome: 'reject', delivery: 'not-sent' },
            wire: [...GIVEN_UP, beginOf(HALF.join(''))],
          },
        },
        {
          title: 'BDAT',
          requires: ['chunking'],
          task: sending({ content: { pieces: [...HALF, LONG_LINE], failsAfter: HALF.length } }),
          server: good({ offers: ['CHUNKING'] }),
          expect: {
            client: { outcome: 'reject', delivery: 'not-sent' },
            wire: GIVEN_UP,
          },
        },
      ],
      note: 'In mail data there is no QUIT to say, whatever RFC 5321 §4.1.1.10 asks. BDAT is scripted: smtp-server has none.',
    },
    {
      id: 'DAT-19',
      level: 'MUST',
      title: 'Pieces of content that end inside CR LF, and in front of a dot',
      requirement: 'Write what the whole would have been',
      clause: 'RFC 5321 §4.5.2, §2.3.8',
      tags: ['data', 'transparency', 'streams'],
      requires: ['streams'],
      plays: [
        arrives(
          'CR | LF',
          pieces(HEADER, 'a\r', '\n.b\r', '\n', 'c\r\n'),
          `${HEADER}a\r\n.b\r\nc\r\n`,
        ),
        arrives(
          'LF | dot',
          pieces(HEADER, 'a\r\n', '.\r\n', '.', '.\r', '\n', '.', 'x\r\n'),
          `${HEADER}a\r\n.\r\n..\r\n.x\r\n`,
        ),
        arrives('octet by octet, and nothing', pieces(...DOTS, '', ''), DOTS),
      ],
    },
    {
      id: 'DAT-20',
      level: 'MUST',
      title: 'The message is given up during DATA',
      requirement: 'Close the connection without the final dot',
      clause: 'RFC 5321 §3.3, §4.1.1.4',
      tags: ['data', 'abort', 'delivery'],
      requires: ['abort'],
      plays: [
        {
          title: 'in the middle of the content',
          task: sending({ content: { pieces: SLOW, gap: 100 }, abortAfter: 300 }),
          server: honest(),
          expect: {
            client: { outcome: 'reject', kind: 'aborted', delivery: 'not-sent' },
            wire: [...GIVEN_UP, beginOf(SLOW.join(''))],
          },
        },
        {
          title: 'before 354',
          task: sending({ abortAfter: 300 }),
          server: good({ answers: { DATA: [delay(2_000), send('354 go ahead')] } }),
          expect: {
            client: { outcome: 'reject', kind: 'aborted', delivery: 'not-sent' },
            wire: GIVEN_UP,
          },
        },
      ],
      note: 'The late 354 is scripted: smtp-server gives it at once.',
    },
    {
      id: 'DAT-21',
      level: 'MUST',
      title: 'CR or LF in a field of a message that the client composes',
      requirement: 'Refuse it, or encode it: no header field more',
      clause: 'RFC 5322 §2.2, CWE-93',
      tags: ['data', 'security', 'injection'],
      requires: ['compose'],
      plays: [
        injected('in the subject', { subject: INJECTED }),
        injected('in the subject, LF alone', { subject: INJECTED.replace('\r', '') }),
        injected('in the subject, CR alone', { subject: INJECTED.replace('\n', '') }),
        injected('in a display name', { to: [{ name: INJECTED, address: RECIPIENT }] }),
        injected('in a file name', { attachments: [{ filename: INJECTED, content: 'x' }] }),
      ],
    },
  ],
};
