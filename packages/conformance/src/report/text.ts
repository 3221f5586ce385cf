/**
 * Text from the wire and from clients, made fit to be shown: nothing in it moves a cursor, turns the direction of a line,
 * or is there without being seen.
 */

/** A part of a text: as it is, or the escape that stands for what cannot be shown. */
export interface Piece {
  readonly text: string;
  readonly escaped: boolean;
}

/**
 * Control and format characters (bidi marks, soft hyphens), lone surrogates, other line ends, noncharacters, and blanks
 * that are no space.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]|[^\P{Zs} ]/gu;
const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escapeOf(character: string): string {
  const code = character.codePointAt(0) as number;
  const hex = code.toString(16);
  // \x above 7f is kept for octets that are no UTF-8: see octetPieces.
  return (
    SHORT[character] ??
    (code < 0x80
      ? `\\x${hex.padStart(2, '0')}`
      : code > 0xffff
        ? `\\u{${hex}}`
        : `\\u${hex.padStart(4, '0')}`)
  );
}

function split(text: string, pattern: RegExp, asEscape: (found: string) => string): Piece[] {
  const all: Piece[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (index > end) all.push({ text: text.slice(end, index), escaped: false });
    all.push({ text: asEscape(found), escaped: true });
    end = index + found.length;
  }
  if (end < text.length) all.push({ text: text.slice(end), escaped: false });
  return all;
}

/** The pieces of a text. A backslash of its own is left as it is: where that matters, ask `escaped`. */
export const pieces = (text: string): Piece[] => split(text, UNSEEN, escapeOf);

/**
 * The pieces of octets, each a character to U+00FF: what they say as UTF-8; where they are none, every octet above 7f is
 * an escape, so that Latin-1 and UTF-8 do not look alike.
 */
export function octetPieces(octets: string): Piece[] {
  try {
    return pieces(UTF8.decode(Buffer.from(octets, 'latin1')));
  } catch {
    return split(octets, NOT_ASCII, (found) =>
      found < '\x80' ? escapeOf(found) : `\\x${found.charCodeAt(0).toString(16)}`,
    );
  }
}
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NOT_ASCII = /[^ -~]/g;

export const joinedPieces = (all: readonly Piece[]): string => all.map(({ text }) => text).join('');

/** A text in which what cannot be shown is written as an escape; it is one line. */
export const printable = (text: string): string => text.replace(UNSEEN, escapeOf);
