/**
 * The reply parser (RFC 5321 §4.2): however the octets are cut, what comes out is what a second reader makes of the whole,
 * which was written from the RFC and from what docs say of bounds, and holds all octets at once.
 */
import { MAX_REPLY, MAX_REPLY_LINE } from '../../packages/core/src/wire/limits.ts';
import { describeReply, makeReply } from '../../packages/core/src/wire/reply.ts';
import { createReplyParser } from '../../packages/core/src/wire/reply-parser.ts';
import { cutAt, perOctet } from '../../packages/core/test/wire/cuts.ts';
import { claim, same } from '../claim.ts';
import { explore, near } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 1_000;

export const tokens: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '250 ',
  '250-',
  '250',
  '354 go\r\n',
  '550 5.1.1 ',
  '421 4.3.2 ',
  '199 ',
  '600 ',
  '2500',
  '5.7.1 ',
  '2.0.0',
  '\xef\xbb\xbf',
  '\xe2\x82\xac',
  '\xf0\x9f\x98\x80',
  '\xc2\x85',
  '\xe2\x80\xa8',
  '\xff',
  `250 ${'x'.repeat(MAX_REPLY_LINE - 6)}`,
  `250-${'x'.repeat(1_018)}\r\n`.repeat(63),
];

/** What came out: each reply as it stood on the wire, and how it ended. */
interface Parsed {
  readonly replies: readonly string[];
  readonly end: 'fault' | 'fine';
}

export function fuzz(data: Uint8Array): void {
  const reader = new OctetReader(data);
  const places = reader.list(8, () => reader.below(65_536));
  const silentBehind = reader.octet();
  const octets = reader.octets(tokens);

  const expected = reference(octets);
  same(parse([octets]), expected, 'at once');
  same(parse(cutAt(places)(octets)), expected, 'cut');
  if (octets.length < 1_000) same(parse(perOctet(octets)), expected, 'octet by octet');
  expected.replies.forEach(checkReply);
  checkSilence(octets, silentBehind, expected);
  explore(0, Math.min(9, expected.replies.length) * 2 + Number(expected.end === 'fault'));
}

function parse(chunks: readonly Uint8Array[]): Parsed {
  const next = createReplyParser();
  const replies: string[] = [];
  try {
    for (const chunk of chunks)
      for (let reply = next(chunk); reply !== undefined; reply = next(new Uint8Array()))
        replies.push(reply);
  } catch (error) {
    claim(/^no reply: "/.test((error as Error).message), 'the fault is known', String(error));
    // 500 characters, some of them escaped.
    claim((error as Error).message.length < 1_100, 'the fault is short');
    return { replies, end: 'fault' };
  }
  return { replies, end: 'fine' };
}

/** Where the server has to be silent, any octet is a fault, and none is not. */
function checkSilence(octets: Uint8Array, behind: number, { replies }: Parsed): void {
  if (behind >= replies.length) return;
  const next = createReplyParser();
  let rest = octets;
  for (let at = 0; at <= behind; at += 1) {
    next(rest);
    rest = new Uint8Array();
  }
  let fault = false;
  try {
    claim(next(rest, true) === undefined, 'where it has to be silent there is no reply');
  } catch (error) {
    if (!/^no reply/.test((error as Error).message)) throw error;
    fault = true;
  }
  const taken = lineEnds(octets)[linesOf(replies.slice(0, behind + 1))] ?? 0;
  same(fault, taken < octets.length, 'a fault where something follows');
}

const linesOf = (replies: readonly string[]): number =>
  replies.reduce((sum, reply) => sum + reply.split('\n').length, -1);

function lineEnds(octets: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = octets.indexOf(10); at >= 0; at = octets.indexOf(10, at + 1)) ends.push(at + 1);
  return ends;
}

/** RFC 5321 §4.2 on all octets at once. */
function reference(octets: Uint8Array): Parsed {
  const replies: string[] = [];
  let lines: string[] = [];
  let total = 0;
  let start = startsWithMark(octets) ? 3 : 0;
  for (const end of lineEnds(octets)) {
    // RFC 5321 §2.3.8: a line ends with CR LF, and with nothing else.
    const ends = end - start >= 2 && octets[end - 2] === 13;
    const text = printable(Buffer.from(octets.subarray(start, end - (ends ? 2 : 1))).toString());
    const length = text.length + 2;
    const code = text.slice(0, 3);
    const separator = text[3];
    total += length;
    near(2, length, MAX_REPLY_LINE);
    near(3, total, MAX_REPLY);
    if (
      !ends ||
      !/^[2-5][0-9][0-9]$/.test(code) ||
      (separator !== undefined && separator !== ' ' && separator !== '-') ||
      (lines.length > 0 && !lines[0]?.startsWith(code)) ||
      length > MAX_REPLY_LINE ||
      total > MAX_REPLY
    )
      return { replies, end: 'fault' };
    lines.push(text);
    start = end;
    if (separator !== '-') {
      replies.push(lines.join('\n'));
      lines = [];
      total = 0;
    }
  }
  // What has no end is not held without one.
  const fault = octets.length - start > 3 * MAX_REPLY_LINE;
  return { replies, end: fault ? 'fault' : 'fine' };
}

const startsWithMark = (octets: Uint8Array): boolean =>
  octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf;

/** Control characters but TAB are no text. */
const printable = (text: string): string => text.replace(/(?!\t)\p{Cc}/gu, '\ufffd');

function checkReply(text: string): void {
  const reply = makeReply(text);
  const lines = text.split('\n');
  same(reply.code, Number(text.slice(0, 3)), 'the code');
  same(
    reply.lines,
    lines.map((line) => line.slice(4)),
    'the lines',
  );
  const own = new RegExp(`^(${text[0]}\\.\\d{1,3}\\.\\d{1,3})(?: |$)`);
  const found = text[0] === '3' ? undefined : own.exec(reply.lines[0] ?? '')?.[1];
  same(reply.enhanced, found, 'the enhanced status code');
  const bare = reply.lines.map((line) => (text[0] === '3' ? line : line.replace(own, '')));
  same(reply.text, bare.join(' '), 'the text');
  claim(describeReply(reply).length <= 500, 'a description has 500 characters at most');
  explore(1, Math.min(9, reply.lines.length) * 4 + (found ? 1 : 0) + (reply.text === '' ? 2 : 0));
}
