/** Line ends (RFC 2046 §4.1.1): "The canonical form of any MIME "text" subtype MUST always represent a line break as a CRLF sequence." */

/** The text with every line break, CRLF or a lone CR or LF, written as CRLF. */
export function canonicalLines(text: string): string {
  return text.replace(/\r\n?|\n/g, '\r\n');
}

/** Whether every line of canonical text is at most 998 characters (RFC 5322 §2.1.1). */
export function fitsLines(text: string): boolean {
  return !/[^\r]{999}/.test(text);
}
