/** Folding (RFC 5322 §2.2.3): a line break before white space that is there already, so that unfolding restores the line. */

/**
 * Folds one header line, its name included, without a final CRLF.
 *
 * Lines are 78 characters at most where the spaces allow it (RFC 5322 §2.1.1), 76 where there may be an encoded-word:
 * "each line of a header field that contains one or more 'encoded-word's is limited to 76 characters" (RFC 2047 §2).
 * No line is ever white space alone.
 */
export function fold(line: string): string {
  const limit = line.includes('=?') ? 76 : 78;
  if (line.length <= limit) return line;
  let folded = '';
  let column = 0;
  for (const word of line.match(/ *[^ ]+/g) as string[]) {
    if (column && column + word.length > limit && (word.length <= limit || folded.includes(' '))) {
      folded += '\r\n';
      column = 0;
    }
    folded += word;
    column += word.length;
  }
  return folded;
}
