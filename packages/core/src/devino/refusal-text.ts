/**
 * Reads the text of a refusing reply: takes off what may surround a documented text, and takes out
 * the value behind it. Knows no reasons. A line break of the reply stays in the text as LF, because
 * a server that folds may fold inside an address.
 *
 * No pattern here is meant to recognise an address. A server may echo anything that was given to
 * it, blanks, colons and other documented texts included, and a value is only ever unwrapped.
 */
import type { Reply } from '../wire/reply.ts';
import { findMailbox } from './mailbox.ts';

/** Characters of a normalised text that are looked at: a reply line has at most 512 octets. */
const MAX_TEXT = 4096;

// RFC 2034 §4: every line of a reply may carry the enhanced status code.
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3}) /;
// "стандартный код ошибки SMTP 554 Transaction failed и текстовое описание": the name of the code
// may come before the description, behind it, or not at all.
const NAME_FIRST = /^transaction\sfailed\s?[-–—:.,;]?\s?(?:[245]\.\d{1,3}\.\d{1,3}\s)?/i;
const NAME_LAST = /\stransaction\sfailed\.?$/i;

/** The lines of a reply without codes, with single blanks, joined by LF, at most 4096 characters. */
export function normalise(reply: Reply): string {
  const lines = Array.isArray(reply.lines) && reply.lines.length > 0 ? reply.lines : [reply.text];
  let text = '';
  let enhanced: string | undefined;
  for (const line of lines) {
    if (typeof line !== 'string') continue;
    if (text.length > MAX_TEXT) break;
    const coded = withoutCode(printable(line.replace(/[ \t]+/g, ' ')).trim(), reply.code);
    enhanced ??= ENHANCED.exec(coded)?.[1];
    // Alone on its line, only the code of a line before: the end of an address may look like one.
    const bare = coded === enhanced ? '' : coded.replace(ENHANCED, '');
    if (bare !== '') text += text === '' ? bare : `\n${bare}`;
  }
  return text.slice(0, MAX_TEXT).replace(NAME_FIRST, '').replace(NAME_LAST, '');
}

/** The text with U+FFFD for each control character. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/**
 * Finds the address that stands behind a documented text. One of `known`, in its spelling there,
 * where the text names it in any way; else as the text has it.
 *
 * @param rest - the normalised text behind the documented one
 * @param known - addresses of the envelope
 */
export function readAddress(rest: string, known: readonly string[]): string {
  const lines = linesOf(rest);
  const whole = unwrap(lines.join(' '));
  const first = lines[0] ?? '';
  const sent = [lines.join(' '), whole, unwrap(first)]
    .map((spelling) => findMailbox(known, spelling))
    .find((address) => address !== undefined);
  if (sent !== undefined) return sent;
  // Blanks stand in quoted local parts only (RFC 5321 §4.1.2), so the blank that a fold seems to
  // put into any other address is none of it.
  if (lines.length < 2 || /[ "]/.test(first)) return whole;
  if (lines.every((line) => !line.includes(' '))) return unwrap(lines.join(''));
  return first.includes('@') ? unwrap(first) : whole;
}

/** The file extension or media type behind a documented text: lower case, no leading dot. */
export function readFileKind(rest: string): string {
  return unwrap(linesOf(rest)[0] ?? '')
    .replace(/^\./, '')
    .toLowerCase();
}

function withoutCode(line: string, code: number): string {
  const isCoded = /^[45]\d\d /.test(line) || /^[45]\d\d-\D/.test(line);
  return isCoded && line.startsWith(String(code)) ? line.slice(4).trimStart() : line;
}

function linesOf(rest: string): string[] {
  return rest
    .replace(/^\s?:?/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const CLOSING: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '«': '»',
  '“': '”',
  '(': ')',
  '[': ']',
};

/** What is inside `<...>` or quotes, else all of it, without one final `.`, `,` or `;`. */
function unwrap(value: string): string {
  const text = value.trim().replace(/[.,;]$/, '');
  if (text.endsWith('>') || text[0] === '<') {
    const start = text[0] === '<' ? 0 : text.lastIndexOf('<');
    // A quoted local part may hold a `>`.
    const end = text.startsWith('<') && text[1] !== '"' ? text.indexOf('>') : text.lastIndexOf('>');
    if (start >= 0 && end > start) return text.slice(start + 1, end).trim();
  }
  const last = text.at(-1) ?? '';
  if (text.length > 1 && CLOSING[text[0] ?? ''] === last) return text.slice(1, -1).trim();
  // The quotes may stand around the whole description: then only the closing one is here.
  return /^[^"(«]+[")»]$/.test(text) ? text.slice(0, -1) : text;
}
