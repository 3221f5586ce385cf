/**
 * Values into command lines (RFC 5321 §4.1). The only place that writes one, and so the only place
 * where a line break could slip in: `commandLine` is the guard against command injection (CWE-93).
 *
 *   command = verb *( SP argument ) CRLF
 */

/**
 * One command line with its CRLF.
 *
 * @throws TypeError where it would hold a control character, CR, LF and NUL among them, or half a surrogate pair
 */
export function commandLine(text: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(text)) throw unusable(text, 'command');
  return `${text}\r\n`;
}

/** The caller's fault: what was given cannot be used as what it was given for. */
export function unusable(value: unknown, as: string): TypeError {
  return new TypeError(`Cannot use ${JSON.stringify(value)?.slice(0, 300)} as ${as}`);
}
