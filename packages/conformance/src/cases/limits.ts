/** LIM: servers that send without end, and one that hardly reads. */
import type { Expectation, Group, OutcomeExpectation, Play } from '../case.ts';
import { type Claim, leaves, noContent, that } from '../judge/claims.ts';
import { RECIPIENT, SENDER } from '../runner/run-case.ts';
import { good, script } from '../server/plan.ts';
import {
  close,
  delay,
  flood,
  ifSilent,
  raw,
  readOctets,
  readSlowly,
  type Step,
  send,
  slowly,
} from '../server/steps.ts';

const MIB = 1_048_576;
/** What a server may make a client hold. */
const HELD = 32 * MIB;

/** The client names a limit of its own, and does not wait until something else ends it. */
const OVER_LIMIT: OutcomeExpectation = {
  outcome: 'reject',
  kind: 'protocol',
  delivery: 'not-sent',
};

/** The client leaves before all of a flood has come: what it does not take, the server cannot send. */
const leavesFlood = (octets: number): Claim =>
  that('the client leaves before the whole flood has come', ({ dialogues }) => {
    let sent = 0;
    for (const event of dialogues[0]?.events ?? [])
      if (event.who === 'server') sent += event.text.length + (event.omitted ?? 0);
    return (sent > 0 && sent < octets) || `${sent} octets were taken`;
  });

/** What people are shown is no longer than people read. */
const SHORT_TEXT = that('a text for people of 20,000 characters at most', (_wire, { outcome }) => {
  // What has neither a kind nor a code is all that a program has printed, its log included.
  const shown = (outcome?.messages ?? []).filter(({ kind, code }) => kind ?? code);
  const longest = Math.max(0, ...shown.map(({ text = '' }) => text.length));
  return longest <= 20_000 || `${longest} characters`;
});

const FLOOD = 64 * MIB;
const FLOODED: Expectation = {
  client: OVER_LIMIT,
  wire: [leavesFlood(FLOOD)],
  memory: HELD,
};

/** Continuation lines of 80 octets. */
const LINE = `250-${'x'.repeat(74)}\r\n`;

/** 554 with a text of the provider in which a part of an address is said over and over. */
const TEXT = 'Invalid recipient address: ';
const inOneLine = (part: string): string => `554 ${TEXT}${part.repeat(100_000 / part.length)}\r\n`;
const inLines = (part: string): string => {
  const line = part.repeat(480 / part.length);
  return `554-${TEXT}\r\n${`554-${line}\r\n`.repeat(110)}554 end\r\n`;
};
/** The time is that of the client: none of it is spent on octets that come one by one. */
const refusing = (part: string): readonly [Play, Play] => [
  {
    title: `${JSON.stringify(part)}, 100,000 octets in one line`,
    task: { provider: 'devino' },
    server: good({ answers: { RCPT: raw(inOneLine(part), true) } }),
    expect: { client: { outcome: 'reject' }, wire: [noContent(), SHORT_TEXT], within: 3_000 },
  },
  {
    title: `${JSON.stringify(part)}, 53,000 octets in lines of 486`,
    task: { provider: 'devino' },
    server: good({ answers: { RCPT: raw(inLines(part), true) } }),
    expect: {
      client: { outcome: 'reject', code: 554, delivery: 'rejected' },
      wire: [noContent(), SHORT_TEXT],
      within: 3_000,
    },
  },
];

/** A stream of 50 MB, far beyond the buffers of both sides. */
const STREAM = { repeat: `${'x'.repeat(998)}\r\n`.repeat(50), times: 1_000, stream: true };
const HARDLY_READS: readonly Step[] = [
  send('354 go ahead'),
  readOctets(1),
  readSlowly(65_536, 50),
  delay(800),
  // The rest would only take time.
  close('reset'),
];

export const LIMITS: Group = {
  id: 'LIM',
  title: 'Limits and denial of service',
  cases: [
    {
      id: 'LIM-01',
      level: 'SHOULD',
      title: 'A line of 64 MB in place of a greeting',
      requirement: 'Give up at a limit, and hold no more than that',
      clause: 'CWE-400, RFC 5321 §4.5.3.1.5',
      tags: ['limits', 'memory', 'security'],
      plays: [
        {
          server: script(raw('220 '), flood('x'.repeat(65_536), FLOOD / 65_536), close()),
          expect: FLOODED,
        },
      ],
    },
    {
      id: 'LIM-02',
      level: 'SHOULD',
      title: 'A reply to EHLO that has no last line, of 64 MB',
      requirement: 'Give up at a limit, and hold no more than that',
      clause: 'CWE-400, RFC 5321 §4.2.1',
      tags: ['limits', 'memory', 'security'],
      plays: [
        {
          server: good({
            answers: {
              EHLO: [send('250-mail.example.com'), flood(LINE.repeat(1_024), 820), close()],
            },
          }),
          expect: FLOODED,
        },
      ],
    },
    {
      id: 'LIM-03',
      level: 'SHOULD',
      title: '100,000 replies that nobody asked for, behind the reply to EHLO',
      requirement: 'Give up: none of them is the reply to a command that follows',
      clause: 'CWE-400, RFC 5321 §4.2',
      tags: ['limits', 'desync', 'security'],
      plays: [
        {
          server: good({
            answers: {
              EHLO: [
                send('250 mail.example.com'),
                flood('250 2.0.0 unasked\r\n'.repeat(1_000), 100),
              ],
            },
          }),
          expect: { client: OVER_LIMIT, wire: [noContent(), leaves()], within: 3_000 },
        },
      ],
    },
    {
      id: 'LIM-04',
      level: 'SHOULD',
      title: 'A reply of 1 MB whose end comes one octet at a time',
      requirement:
        'Take a time that grows with the length and not with its square, or give up at a limit',
      clause: 'CWE-400, RFC 5321 §2.3.8',
      tags: ['limits', 'time', 'segments'],
      plays: [
        {
          server: good({
            answers: {
              MAIL: [flood(LINE.repeat(1_000), 13), slowly(`${LINE.repeat(100)}250 2.1.0 ok\r\n`)],
            },
          }),
          expect: { client: { outcome: 'settle' }, within: 4_000 },
          deadline: 5_000,
        },
      ],
      note: 'Only the last 8,000 octets are segments of their own: who looks at all that came for each of them is found out, and others lose no time',
    },
    {
      id: 'LIM-06',
      level: 'SHOULD',
      title: 'A refusal of 1 MB in lines of 10 octets',
      requirement:
        'Report it, with a text of a length that people can read, in a time that grows with the length',
      clause: 'CWE-400, RFC 5321 §4.2.1',
      tags: ['limits', 'time', 'diagnostics'],
      plays: [
        {
          server: good({
            answers: { MAIL: [flood('550-abcd\r\n'.repeat(1_000), 105), send('550 abcd')] },
          }),
          expect: {
            client: { outcome: 'reject', kind: ['protocol', 'refused', 'sender'] },
            wire: [noContent(), SHORT_TEXT],
            within: 3_000,
          },
        },
      ],
    },
    {
      id: 'LIM-07',
      level: 'SHOULD',
      title: "The provider's refusal with 100 KB of what an address is made of",
      requirement: 'Look for what it names in a time that grows with its length',
      clause: 'CWE-1333',
      tags: ['limits', 'time', 'provider'],
      requires: ['provider'],
      plays: [...refusing('<'), ...refusing(':'), ...refusing('a@')],
    },
    {
      id: 'LIM-08',
      level: 'SHOULD',
      title: 'A reply code of 100,000 digits',
      requirement: 'Report a protocol error: it is not the 250 that it begins with',
      clause: 'CWE-400, RFC 5321 §4.2',
      tags: ['limits', 'replies'],
      plays: [
        {
          // Who waits for a reply behind that line would wait for ever.
          server: good({
            answers: { MAIL: [raw(`25${'0'.repeat(99_998)}\r\n`), ifSilent(1_500, close())] },
          }),
          expect: { client: OVER_LIMIT, wire: [noContent(), SHORT_TEXT] },
        },
      ],
    },
    {
      id: 'LIM-09',
      level: 'SHOULD',
      title: 'A stream of 50 MB, and a server that hardly reads',
      requirement: 'Read no more of the stream than the connection takes',
      clause: 'CWE-400, RFC 5321 §4.5.3.2.5',
      tags: ['limits', 'memory', 'streams'],
      plays: [
        {
          task: { messages: [{ from: SENDER, to: [RECIPIENT], content: STREAM }] },
          server: good({ answers: { DATA: HARDLY_READS } }),
          expect: {
            client: { outcome: 'reject', kind: 'closed', delivery: 'not-sent' },
            memory: HELD,
          },
        },
      ],
      note: 'smtp-server reads as fast as it can, so that this server is scripted',
    },
  ],
};
