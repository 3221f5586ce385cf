/**
 * Addresses and parameters on their way into command lines (RFC 5321 §4.1.2, CWE-93): what is refused is refused by a known
 * error, and what is not becomes one line, in which a second reader finds the same mailbox and no parameter that was not asked
 * for.
 */
import { envelope, type OutgoingMessage } from '../../packages/core/src/session/envelope.ts';
import { isSmtpError } from '../../packages/core/src/session/index.ts';
import { commandLine } from '../../packages/core/src/wire/command.ts';
import { parseCapabilities } from '../../packages/core/src/wire/extension.ts';
import { parsePath } from '../../packages/core/src/wire/path.ts';
import { makeReply } from '../../packages/core/src/wire/reply.ts';
import { claim, same, thrown } from '../claim.ts';
import { explore } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 500;

export const tokens: readonly string[] = [
  '@',
  '.',
  '"',
  '\\',
  '<',
  '>',
  ' ',
  '\r\n',
  'RCPT TO:<b@b>',
  '@example.com',
  'xn--bcher-kva',
  'bücher',
  'почта',
  '。',
  '．',
  '[IPv6:::1]',
  '[127.0.0.1]',
  '"a b"',
  '\\"',
  '_',
  '-',
  'ß',
  '\u0130',
  '\u00ad',
  '\u200d',
  '\u202e',
  '%41',
  '/',
  'x'.repeat(63),
  '> SIZE=1',
  'rfc822;',
  '+',
  '=',
];

/** Offers everything. */
const OFFERED = parseCapabilities(
  makeReply(
    'x SIZE;8BITMIME;SMTPUTF8;CHUNKING;BINARYMIME;DSN;DELIVERBY;MT-PRIORITY;FUTURERELEASE;REQUIRETLS;PRDR'
      .split(/[ ;]/)
      .map((keyword) => `250-${keyword}`)
      .join('\n'),
  ),
);

const PARAMETERS =
  /^(SIZE|SMTPUTF8|BODY|REQUIRETLS|RET|ENVID|BY|MT-PRIORITY|HOLDFOR|HOLDUNTIL|PRDR|NOTIFY|ORCPT)(=[!-<>-~]+)?$/;

export function fuzz(data: Uint8Array): void {
  const reader = new OctetReader(data);
  if (reader.flag()) checkPath(reader.text(tokens, 1_000));
  else checkEnvelope(reader);
}

function checkPath(address: string): void {
  const error = thrown(
    () => parsePath(address, 'to[0]'),
    (path) => {
      // Half of a surrogate pair is refused where the path becomes part of a line.
      const refusal = thrown(() => commandLine(path));
      same(refusal === undefined, path.isWellFormed(), 'a path that fits no line');
      if (refusal) return checkRefusal(refusal);
      const line = commandLine(`RCPT TO:<${path}>`);
      checkLine(line);
      same(readPath(line.slice('RCPT TO:'.length, -2)), path, 'the path between < and >');
      same(parsePath(path, 'again'), path, 'parsed again');
      claim(new TextEncoder().encode(path).length <= 254, 'a path has 254 octets at most', path);
      const at = path.lastIndexOf('@');
      const domain = path.slice(at + 1);
      same(path.slice(0, at), address.slice(0, address.lastIndexOf('@')), 'the local part');
      claim(/^[ -~]+$/.test(domain), 'the domain is ASCII', domain);
      if (/^[ -~]*$/.test(address)) same(path, address, 'ASCII stays as it is');
      explore(
        0,
        Math.min(9, domain.split('.').length) +
          (path[0] === '"' ? 16 : 0) +
          (path === address ? 32 : 0),
      );
    },
  );
  if (error) checkRefusal(error);
}

function checkEnvelope(reader: OctetReader): void {
  const some = <T>(value: () => T): T | undefined => (reader.flag() ? value() : undefined);
  const address = (): string =>
    reader.flag()
      ? reader.text(tokens, 300)
      : reader.pick(['a@example.com', '"b>"@[::1]', 'ж@д.example']);
  const message: OutgoingMessage = {
    from: some(address) ?? '',
    to: reader.list(3, () =>
      reader.flag()
        ? address()
        : {
            address: address(),
            notify: some(() => reader.text(tokens, 40) as 'NEVER'),
            orcpt: some(() => reader.text(tokens, 600)),
          },
    ),
    content: 'x\r\n',
    envid: some(() => reader.text(tokens, 200)),
    ret: some(() => reader.text(tokens, 10) as 'FULL'),
    body: some(() => reader.pick(['7BIT', '8BITMIME', 'BINARYMIME', '8BIT\r\nX' as '7BIT'])),
    smtpUtf8: some(() => reader.flag()),
    requireTls: some(() => reader.flag()),
    deliverBy: some(() => ({
      seconds: reader.below(65_536) - 3_000,
      mode: reader.text(tokens, 4) as 'R',
      trace: reader.flag(),
    })),
    priority: some(() => reader.octet() - 20),
    holdFor: some(() => reader.below(65_536)),
    holdUntil: some(() => new Date(reader.below(65_536) * 1e9)),
  };
  const error = thrown(
    () => envelope(message, OFFERED, {}),
    ({ commands }) => {
      same(commands.length, [message.to].flat().length + 1, 'a command for each path');
      for (const { line } of commands) {
        checkLine(line);
        const [, verb, rest = ''] = /^(MAIL FROM:|RCPT TO:)(.*)\r\n$/s.exec(line) ?? [];
        claim(verb, 'a known command', line);
        const path = readPath(rest);
        const parameters = rest.slice(path.length + 2).split(' ');
        same(parameters.shift(), '', 'a blank behind the path');
        for (const one of parameters) claim(PARAMETERS.test(one), 'a known parameter', one);
        const names = parameters.map((one) => one.split('=')[0]);
        for (const one of parameters) checkXtext(one, message);
        same(new Set(names).size, names.length, 'each parameter once');
        explore(1, parameters.length * 16 + commands.length);
      }
    },
  );
  if (!error) return;
  checkRefusal(error);
  // What can be written is not refused.
  const [, name] = / as (envid|orcpt)$/.exec((error as Error).message) ?? [];
  if (name === 'envid') claim(!fits(message.envid, 100), 'an envid that fits', message.envid);
  if (name === 'orcpt') {
    const all = originals(message);
    claim(
      all.some((one) => !fits(one, 494)),
      'an orcpt that fits',
      all,
    );
  }
}

/** What each recipient was first written as, with its type. */
const originals = ({ to }: OutgoingMessage): string[] =>
  [to].flat().flatMap((recipient) => {
    const { orcpt }: { orcpt?: string | undefined } = Object(recipient);
    if (orcpt === undefined) return [];
    // One of nothing is none.
    return orcpt === '' ? [orcpt] : [/^[\w-]+;/.test(orcpt) ? orcpt : `rfc822;${orcpt}`];
  });

/** RFC 3461 §4: printable ASCII, of so many octets at the most when `+`, `=` and blanks have three. */
function fits(text: string | undefined, most: number): boolean {
  const length = [...(text ?? '')].reduce((sum, one) => sum + ('+= '.includes(one) ? 3 : 1), 0);
  return /^[ -~]+$/.test(text ?? '') && length <= most;
}

/** ENVID and ORCPT are what was asked for, when they are read as xtext. */
function checkXtext(parameter: string, message: OutgoingMessage): void {
  const [, name, value = ''] = /^(ENVID|ORCPT)=(.*)$/.exec(parameter) ?? [];
  if (!name) return;
  claim(!/\+(?![0-9A-F]{2})/.test(value), 'xtext', value);
  const text = value.replace(/\+(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const asked = name === 'ENVID' ? [message.envid] : originals(message);
  claim(asked.includes(text), `${name} is what was asked for`, [text, asked]);
  explore(2, (name === 'ENVID' ? 0 : 8) + Math.min(7, value.split('+').length));
}

function checkRefusal(error: unknown): void {
  const known = error instanceof TypeError ? /^Cannot use / : /^Cannot send the message/;
  // An invalid Date names itself.
  if (error instanceof RangeError && error.message === 'Invalid time value') return;
  claim(isSmtpError(error) || error instanceof TypeError, 'a known error', String(error));
  claim(known.test(error.message) && error.message.length < 700, 'known words', error.message);
}

/** One line: CR LF at its end, and no control character anywhere else. */
function checkLine(line: string): void {
  claim(line.endsWith('\r\n'), 'a command line ends with CR LF', line);
  for (const character of line.slice(0, -2)) {
    const code = character.codePointAt(0) ?? 0;
    const control = code < 32 || (code > 126 && code < 160) || (code > 0xd7ff && code < 0xe000);
    claim(!control, 'no control character in a command line', line);
  }
}

/**
 * `<Mailbox>` or `<>`, character by character (RFC 5321 §4.1.2, RFC 6531 §3.3); dots may stand anywhere in a local part, and
 * `_` in a label.
 */
function readPath(text: string): string {
  let at = 1;
  claim(text[0] === '<', 'a path begins with <', text);
  if (text[1] === '>') return '';
  if (text[1] === '"') {
    for (at = 2; text[at] !== '"'; at += 1) {
      claim(at < text.length, 'a quoted local part ends', text);
      if (text[at] === '\\') at += 1;
    }
    at += 1;
  } else
    for (; text[at] !== '@'; at += 1) {
      const character = text[at] ?? '';
      claim(character > ' ' && !'"(),:;<>@[\\]'.includes(character), 'an atom', text);
    }
  claim(at > 1 && text[at] === '@', '@ behind the local part', text);
  const end = text.indexOf('>', at);
  const domain = text.slice(at + 1, end);
  const literal = /^\[[\w:.]+\]$/.test(domain);
  const labels = domain.split('.');
  claim(end > 0, 'a path ends with >', text);
  claim(
    literal || labels.every((label) => /^[a-z0-9]([\w-]{0,61}[a-z0-9])?$/i.test(label)),
    'a domain of labels, or an address literal',
    text,
  );
  return text.slice(1, end);
}
