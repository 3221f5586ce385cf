/** One table for quoted-printable (RFC 2045 §6.7) and the Q encoding (RFC 2047 §4.2). */

/** Never literal in quoted-printable. */
export const ESCAPED = 1;
/** Literal in quoted-printable, except at one end of a line: white space, `.`, `F`; and CR, which ends it. */
export const EDGE = 2;
/** Not literal in an encoded-word of a phrase (RFC 2047 §5 (3)): letters, digits, `!` `*` `+` `-` `/` are, and space as `_`. */
export const WORD_ESCAPED = 4;

/** The class bits of every octet. */
export const OCTET_CLASS: Uint8Array = /*#__PURE__*/ classify();

function classify(): Uint8Array {
  const table = new Uint8Array(256);
  for (let octet = 0; octet < 256; octet++) {
    const character = String.fromCharCode(octet);
    table[octet] =
      (/[\t\r .F]/.test(character) ? EDGE : /[!-<>-~]/.test(character) ? 0 : ESCAPED) +
      (/[\w!*+/ -]/.test(character) && octet !== 0x5f ? 0 : WORD_ESCAPED);
  }
  return table;
}

/** The upper case hexadecimal digit of 0–15, as an octet. */
export function hexDigit(value: number): number {
  return value + (value < 10 ? 48 : 55);
}
