/**
 * Header fields of free text (RFC 2047, RFC 5322 §2.2.3): whatever is written is read back by the strict reader of the tests
 * and by postal-mime, no word has over 75 characters or part of one, and no line over 998.
 */
import { encodedWords } from '../../packages/mime/src/header/encoded-word.ts';
import { field } from '../../packages/mime/src/header/field.ts';
import { fold } from '../../packages/mime/src/header/fold.ts';
import { nameParameters } from '../../packages/mime/src/header/parameter.ts';
import { MimeError } from '../../packages/mime/src/index.ts';
import {
  encodedWordsOf,
  readEncodedWord,
  readParameters,
  readUnstructured,
  unfold,
} from '../../packages/mime/test/reader.ts';
import { claim, same, thrown } from '../claim.ts';
import { explore, near } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 500;

export const tokens: readonly string[] = [
  '=?utf-8?q?x?=',
  '=?',
  '?=',
  ' ',
  '  ',
  '_',
  '=',
  '?',
  'é',
  '漢',
  '😀',
  '\u0301',
  '\u200d',
  '\ufeff',
  '\u2028',
  '\u0085',
  '\r\n',
  '\r\nBcc: a@b',
  '\t',
  '"',
  '\\',
  "''",
  '%41',
  ';',
  'x'.repeat(60),
  'x'.repeat(75),
  'x'.repeat(989),
];

const NAMES = ['Subject', 'X', 'X-A-Name-As-Long-As-A-Name-May-Be-Which-Is-49-Ch.'] as const;

export function fuzz(data: Uint8Array): void {
  const reader = new OctetReader(data);
  const name = reader.pick(NAMES);
  // A name, a colon and a blank stand in front, or more.
  const column = 3 + reader.below(49);
  const text = reader.text(tokens, 3_000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  const refused = /[\0-\x1f\x7f]/.test(text) || !text.isWellFormed();

  const error = thrown(
    () => field(name, text, 'path'),
    (line) => checkField(name, text, line),
  );
  same(error !== undefined, refused, 'control characters and halves of pairs are refused');
  if (error) claim(error instanceof MimeError && error.code === 'ERR_MIME_HEADER', 'a MimeError');
  if (refused || text === '') return;
  const words = encodedWords(text, column);
  for (const word of words) claim(word.length <= 75, 'a word has 75 characters at most', word);
  claim(column + (words[0]?.length ?? 0) <= 76, 'the first word ends at 76', [column, words[0]]);
  same(words.map(readEncodedWord).join(''), text, 'the words together');
  checkName(text);
  explore(0, Math.min(15, words.length) * 4 + (words[0]?.includes('?q?') ? 1 : 0));
}

function checkField(name: string, text: string, line: string): void {
  claim(line.startsWith(`${name}: `) && line.endsWith('\r\n'), 'a field', line);
  const lines = line.slice(0, -2).split('\r\n');
  for (const [at, one] of lines.entries()) {
    claim(/^[ -~]*$/.test(one), 'a line is ASCII', one);
    claim(one.length <= 998, 'a line has 998 octets at most', one.length);
    near(1, one.length, 998);
    near(2, one.length, 76);
    claim(at === 0 || /^ +[^ ]/.test(one), 'a line goes on, and has something', one);
    if (encodedWordsOf(one).length > 0) claim(one.length <= 76, 'of words, 76', one);
  }
  const value = unfold(line).slice(name.length + 2, -2);
  same(readUnstructured(value), text, 'the field read again');
  // Folded by itself it is the same when it is unfolded.
  if (/^[!-~]([ -~]*[!-~])?$/.test(text))
    same(unfold(fold(name, text)), `${name}: ${text}\r\n`, 'fold()');
}

/** RFC 2231: the name of a file. */
function checkName(text: string): void {
  const [name, file] = nameParameters(text);
  const [, parameters] = readParameters(unfold(`attachment${file}`));
  same(parameters.get('filename'), text, 'the name of a file');
  const shown = unfold(name);
  const quoted = shown.replace(/\\(.)/g, '$1');
  same(/^=\?/.test(shown) ? readUnstructured(shown) : quoted, text, 'the name for old readers');
}
