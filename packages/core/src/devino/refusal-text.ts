/**
 * Reads the text of a refusing reply: takes off what may surround a documented text, and takes out
 * the value behind it. Knows no reasons. A line break of the reply stays in the text as LF, because
 * a server that folds may fold inside an address.
 *
 * No pattern here is meant to recognise an address. A server may echo anything that was given to
 * it, blanks, colons and other documented texts included, and a value is only ever unwrapped.
 */
import { findMailbox } from './mailbox.ts';

/** Characters of a reply that are read: a reply line has at most 512 octets. */
const MAX_TEXT = 4096;

// "стандартный код ошибки SMTP 554 Transaction failed и текстовое описание": the name of the code
// may come before the description, behind it, or not at all.
const NAME = /^transaction\sfailed\s?[-:.,]?\s?|\stransaction\sfailed\.?$/gi;

/** The text with U+FFFD for each control character. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/** The lines of a reply without codes and empty lines, with single blanks, joined by LF. */
export function normalise(code: number, lines: readonly string[]): string {
  // RFC 2034 §4: every line of a reply may carry the enhanced status code.
  const codes = new RegExp(`^ ?(${code}[ -])?([245](\\.\\d{1,3}){2}( |$))?`, 'gm');
  return lines
    .join('\n')
    .slice(0, MAX_TEXT)
    .replace(/[^\S\n]+/g, ' ')
    .replace(codes, '')
    .trim()
    .replace(/\s*\n\s*/g, '\n')
    .replace(NAME, '');
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
  const [first] = lines;
  const whole = lines.join(' ');
  const solid = lines.join('');
  // Blanks stand in quoted local parts only (RFC 5321 §4.1.2), so the blank that a fold seems to
  // put into any other address is none of it.
  const likely = !/[ "]/.test(solid) ? solid : first.includes('@') ? first : whole;
  return findMailbox(known, unwrap(whole)) ?? findMailbox(known, unwrap(first)) ?? unwrap(likely);
}

/** The file extension or media type behind a documented text: lower case, no leading dot. */
export function readFileKind(rest: string): string {
  return unwrap(linesOf(rest)[0]).replace(/^\./, '').toLowerCase();
}

/** The lines behind a documented text and its colon; the first of them may be empty. */
function linesOf(rest: string): [string, ...string[]] {
  return rest.replace(/^\s?:?\s?/, '').split('\n') as [string, ...string[]];
}

// What is inside `<...>`, whatever is before and behind. A quoted local part may hold `<` and `>`.
const BRACKETED = /^("(\\.|[^\\"])*"|[^"<])*<(("(\\.|[^\\"])*"|[^">])*)>/;
// What is inside quotes. They may stand around the whole description: then only the last is here.
const QUOTED = /^(["'`])(.*)\1$|^[«“(](.*)[»”)]$|^([^"(«]*)[")»]$/;

/** What is inside `<...>` or quotes, else all of it, without one final `.`, `,` or `;`. */
function unwrap(value: string): string {
  const text = printable(value).replace(/[.,;]$/, '');
  return (BRACKETED.exec(text)?.[3] ?? text.replace(QUOTED, '$2$3$4')).trim();
}
