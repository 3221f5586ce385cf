/**
 * The EHLO reply (RFC 5321 §4.1.1.1, RFC 1870, 4954, 9422): read by a second reader, word for word; and a message is prepared
 * for whatever is offered.
 */
import { limitOf } from '../../packages/core/src/pool/limit.ts';
import { envelope } from '../../packages/core/src/session/envelope.ts';
import { isSmtpError } from '../../packages/core/src/session/index.ts';
import { parseCapabilities } from '../../packages/core/src/wire/extension.ts';
import { makeReply } from '../../packages/core/src/wire/reply.ts';
import { claim, same, thrown } from '../claim.ts';
import { explore } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 600;

export const tokens: readonly string[] = [
  '\n250-',
  '\n250 ',
  'AUTH ',
  'AUTH=',
  'auth',
  'PLAIN',
  'LOGIN',
  'CRAM-MD5',
  'SIZE ',
  'SIZE',
  '35882577',
  '0',
  'CHUNKING',
  'BINARYMIME',
  '8BITMIME',
  'PIPELINING',
  'SMTPUTF8',
  'DSN',
  'LIMITS ',
  'RCPTMAX=',
  'MAILMAX=',
  'ſize',
  'ı',
  '\t',
  '  ',
  '__proto__',
];

const BLANK = /[ \t]+/;

export function fuzz(data: Uint8Array): void {
  const reader = new OctetReader(data);
  const ignore = reader.list(3, () => reader.text(tokens, 40));
  const text = `250-${reader.text(tokens, 4_000)}`.replace(/\n(?!250[ -])/g, '');
  const reply = makeReply(text);
  const capabilities = parseCapabilities(reply, ignore);

  const keywords = new Map<string, readonly string[]>();
  for (const line of reply.lines.slice(1)) {
    if ([...line].some((one) => one !== '\t' && (one < ' ' || one > '~'))) continue;
    const words = line.replace(/^(auth)=/i, '$1 ').split(BLANK);
    const [keyword = '', ...parameters] = words.map((word) => word.toUpperCase());
    keywords.set(keyword, [...(keywords.get(keyword) ?? []), ...parameters.filter(Boolean)]);
  }
  for (const one of ignore) keywords.delete(one.toUpperCase());
  if (!keywords.has('CHUNKING')) keywords.delete('BINARYMIME');
  // Where a blank stands at the end, what is behind it is a parameter without a name: it asks for nothing.
  const named = [...capabilities.keywords].map(([keyword, parameters]) => [
    keyword,
    parameters.filter(Boolean),
  ]);
  same(named, [...keywords], 'the keywords');
  same([...capabilities.auth].filter(Boolean), [...new Set(keywords.get('AUTH'))], 'AUTH');
  same(capabilities.limits.filter(Boolean), keywords.get('LIMITS') ?? [], 'the limits');
  for (const keyword of keywords.keys()) claim(capabilities.has(keyword), 'has()', keyword);

  const { size } = capabilities;
  const [declared = ''] = capabilities.keywords.get('SIZE') ?? [];
  claim(size === undefined || size > 0, 'a size is over 0', size);
  same(size !== undefined, /^[0-9]*[1-9][0-9]*$/.test(declared), 'a size is a number');
  for (const name of ['RCPTMAX', 'MAILMAX']) {
    const limit = limitOf(capabilities, name);
    claim(limit === Infinity || limit >= 1, 'a limit is one at least', limit);
  }
  const message = { from: 'a@example.com', to: ['b@example.net', 'c@example.net'], content: 'ж' };
  const error = thrown(
    () => envelope(message, capabilities, { onUnsupported: 'drop' }),
    ({ by }) => {
      const chunking = keywords.has('CHUNKING');
      same(by, chunking ? 'BDAT' : 'DATA', 'how content goes');
    },
  );
  claim(error === undefined || isSmtpError(error), 'a refusal is an SmtpError', String(error));
  explore(0, Math.min(9, keywords.size) * 4 + (size ? 1 : 0) + (capabilities.auth.size ? 2 : 0));
}
