/** Line ends (RFC 2046 §4.1.1): "The canonical form of any MIME "text" subtype MUST always represent a line break as a CRLF sequence." */

/** The text with every line break, CRLF or a lone CR or LF, written as CRLF. */
export function canonicalLines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?|\n/g, '\r\n') : text.replaceAll('\n', '\r\n');
}

/** Whether every line of canonical text is at most 998 characters (RFC 5322 §2.1.1). */
export function fitsLines(text: string): boolean {
  let start = 0;
  while (text.length - start > 998) {
    const end = text.lastIndexOf('\r\n', start + 998);
    if (end < start) return false;
    start = end + 2;
  }
  return true;
}
