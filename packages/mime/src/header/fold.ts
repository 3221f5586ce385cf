/** Folding (RFC 5322 §2.2.3): a line break before white space that is there already, so that unfolding restores the line. */

/**
 * One field with its CRLF, folded.
 *
 * Lines are 76 characters at most where the spaces allow it: "each line of a header field that contains one or more 'encoded-word's
 * is limited to 76 characters" (RFC 2047 §2), and RFC 5322 §2.1.1 asks for 78. Where they do not, a line goes on to the next
 * space. No line is white space alone, and none is the name alone.
 */
export function fold(name: string, value: string): string {
  const line = `${name}: ${value}`;
  return line[76] ? line.replace(/(.{0,75}|.+?)[^ ](?= |$)(?<!^[^ ]+)/g, '$&\r\n') : `${line}\r\n`;
}
