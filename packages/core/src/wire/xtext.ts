/**
 * xtext (RFC 3461 §4): how ENVID and ORCPT carry any ASCII text inside a parameter.
 *
 *   xtext = *( xchar / hexchar );  hexchar = "+" 2(%x30-39 / %x41-46)
 */

/** Encodes text as xtext: everything outside `!`–`~`, and `+` and `=`, as `+XX` of its UTF-8 octets. */
export function xtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]+/gu, (run) =>
    Array.from(new TextEncoder().encode(run), (octet) => `+${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
