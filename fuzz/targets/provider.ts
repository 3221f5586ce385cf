/**
 * The provider's `explain` and `check`: neither ever throws, whatever it is given; a reply that begins with a documented text
 * has that reason; and what is counted is what a second reader counts.
 */
import {
  check,
  type DevinoMessage,
  type DevinoProblem,
  type DevinoReason,
  devino,
  explain,
} from '../../packages/core/src/devino/index.ts';
import { parsePath } from '../../packages/core/src/wire/path.ts';
import { claim, same, thrown } from '../claim.ts';
import { explore } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 600;

export const tokens: readonly string[] = [
  ...devino.refusals.map(({ text }) => text),
  'Not allowed attachment type',
  'Transaction failed',
  '<',
  '>',
  '"',
  '@',
  'user@example.com',
  'USER@EXAMPLE.COM',
  'shop@bücher.example',
  '"a b"@c.example',
  '5.7.1 ',
  '554 ',
  '554-',
  '\n',
  '\r\n',
  ' ',
  ':',
  '.',
  '«',
  '»',
  '\u0085',
  '\x1b',
  '.exe',
  'application/pdf',
  '[Unsubscribe]',
  '[WebVersion]',
];

const REASONS: readonly DevinoReason[] = devino.refusals.map(({ reason }) => reason);
const RULES: readonly DevinoProblem['rule'][] = [
  'recipient-count',
  'invalid-recipient',
  'sender-not-confirmed',
  'attachments',
  'too-large',
  'size-unknown',
  'tags-unknown',
  'tag-missing',
];

export function fuzz(data: Uint8Array): void {
  const reader = new OctetReader(data);
  const way = reader.below(4);
  if (way === 0) explainAnything(reader);
  else if (way === 1) explainReply(reader);
  else if (way === 2) checkAnything(reader);
  else checkMessage(reader);
}

/** Any value that is data. */
function anything(reader: OctetReader, depth = 0): unknown {
  const way = reader.below(depth > 3 ? 8 : 12);
  const plain = [undefined, null, Number.NaN, reader.octet() * 3, -1, Infinity, true];
  if (way < plain.length) return plain[way];
  if (way === 7) return reader.text(tokens, 600);
  if (way === 8) return new TextEncoder().encode(reader.text(tokens, 600));
  if (way < 11) return reader.list(4, () => anything(reader, depth + 1));
  const keys = ['code', 'lines', 'text', 'reply', 'address', 'length', 'recipients', 'sender'];
  return Object.fromEntries(
    reader.list(5, () => [reader.pick(['to', ...keys]), anything(reader, depth + 1)]),
  );
}

function explainAnything(reader: OctetReader): void {
  const context = reader.flag()
    ? { recipients: anything(reader) as string[], sender: anything(reader) as string }
    : undefined;
  const given = anything(reader);
  const error = thrown(
    () => explain(given, context),
    (why) => {
      if (!why) return;
      claim(REASONS.includes(why.reason), 'a known reason', why.reason);
      claim(!/\p{Cc}/u.test(why.text), 'no control character in the text', why.text);
    },
  );
  same(error, undefined, 'explain() never throws');
}

function explainReply(reader: OctetReader): void {
  const code = reader.pick([554, 550, 451, 421, 535, 354, 250]);
  const recipients = reader.list(3, () => reader.text(tokens, 100));
  const lines = ['', ...reader.list(4, () => reader.text(tokens, 1_500))];
  const reply = { code, lines: lines.slice(1), text: lines.slice(1).join(' ') };
  const why = explain(reply, { recipients, sender: recipients[0] });
  same(explain({ reply }, { recipients, sender: recipients[0] }), why, 'of an error, the same');
  if (code < 400) same(why, undefined, 'nothing is refused');
  // RFC 4954 §6.
  if (code === 535) claim(why, '535 is explained', lines);
  const said = reply.lines.join('\n').slice(0, 4_000);
  const first = devino.refusals.find(({ text }) =>
    said.toLowerCase().startsWith(text.toLowerCase()),
  );
  if (first && code >= 400) same(why?.reason, first.reason, 'a documented text in front');
  if (!why) return;
  claim(!/\p{Cc}/u.test(why.text), 'no control character in the text', why.text);
  if (why.address !== undefined && !recipients.includes(why.address))
    claim(!/\p{Cc}/u.test(why.address), 'none in an address that the server gave', why.address);
  if (code < 500) same(why.retry, 'later', '4yz is temporary (RFC 5321 §4.2.1)');
  explore(
    0,
    REASONS.indexOf(why.reason) * 16 +
      (why.address === undefined ? 0 : 1) +
      (why.assumed ? 2 : 0) +
      (why.extension || why.type ? 4 : 0) +
      (recipients.includes(why.address ?? '') ? 8 : 0),
  );
}

function checkAnything(reader: OctetReader): void {
  const keys = [
    'from',
    'to',
    'content',
    'size',
    'minimumSize',
    'attachments',
    'textParts',
    'toCount',
  ];
  const message = Object.fromEntries(
    keys.flatMap((key) => (reader.flag() ? [[key, anything(reader)]] : [])),
  );
  const tags = reader.pick(['off', 'warn', 'reject', undefined]);
  const error = thrown(
    () => check(message as unknown as DevinoMessage, { tags }),
    (problems) => checkProblems(problems),
  );
  same(error, undefined, 'check() never throws for a bad message');
}

function checkProblems(problems: readonly DevinoProblem[]): void {
  const order = problems.map(({ rule }) => RULES.indexOf(rule));
  same(
    order,
    order.toSorted((a, b) => a - b),
    'problems are in a fixed order',
  );
  for (const { rule, severity, limit, actual, excess } of problems) {
    claim(RULES.includes(rule) && /^(error|warning)$/.test(severity), 'a known problem', rule);
    if (excess !== undefined)
      same(excess, (actual ?? Number.NaN) - (limit ?? Number.NaN), `the excess of ${rule}`);
  }
}

/** A message as it should be made, with more or less wrong in it. */
function checkMessage(reader: OctetReader): void {
  const to = reader.list(3, () => reader.text(tokens, 80));
  const from = reader.text(tokens, 80);
  const content = reader.text(tokens, 2_000);
  const textParts = reader.list(3, () => reader.text(tokens, 200));
  const maxSize = 1 + reader.below(4_096);
  const problems = check(
    { from, to, content, textParts },
    { maxSize, sizeWarning: maxSize, tags: 'reject' },
  );
  checkProblems(problems);
  const of = (rule: DevinoProblem['rule']): DevinoProblem[] =>
    problems.filter((one) => one.rule === rule);
  const isMailbox = (address: string): boolean => !thrown(() => parsePath(address, 'to'));
  same(of('recipient-count').length, to.length === 1 ? 0 : 1, 'recipient-count');
  same(of('invalid-recipient').length, to.filter((one) => !isMailbox(one)).length, 'recipients');
  same(of('sender-not-confirmed').length, isMailbox(from) ? 0 : 1, 'the sender');
  if (!/\r(?!\n)/.test(content)) {
    const canonical = content.replace(/\r?\n/g, '\r\n').replace(/(?<!\n)$/, '\r\n');
    const octets = new TextEncoder().encode(canonical).length;
    same(of('too-large')[0]?.actual, octets > maxSize ? octets : undefined, 'too-large');
  }
  for (const tag of devino.tags) {
    const parts = textParts.flatMap((text, at) => (text.includes(tag) ? [] : [at]));
    const found = of('tag-missing').find((one) => one.tag === tag);
    same(found?.parts, parts.length || !textParts.length ? parts : undefined, tag);
  }
  explore(1, problems.length);
}
