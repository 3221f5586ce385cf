/**
 * The reply as a value (RFC 5321 §4.2) and its enhanced status code (RFC 2034 §4, RFC 3463 §2).
 * Knows nothing of octets, sessions or time.
 */

/**
 * An enhanced status code, `class.subject.detail`, as RFC 3463 §2 writes it: `5.1.1`.
 * The class is 2, 4 or 5 and equals the first digit of the reply code it came with.
 */
export type EnhancedStatusCode = `${2 | 4 | 5}.${number}.${number}`;

/**
 * One whole reply of the server (RFC 5321 §4.2.1), however many lines it had.
 *
 * Control characters in the text are replaced by U+FFFD, and octets that are no UTF-8 likewise, so
 * that a reply can be printed, logged and thrown as it is.
 */
export interface Reply {
  /** The three digits, 200–599. */
  readonly code: number;
  /** The enhanced status code of the first line, where it has one of the reply code's own class. */
  readonly enhanced?: EnhancedStatusCode | undefined;
  /** The text of each line, without the code and its separator, otherwise as received. */
  readonly lines: readonly string[];
  /**
   * The lines joined by a blank, each without its enhanced status code (RFC 2034 §4). Servers that announce
   * no ENHANCEDSTATUSCODES send them as well, also behind HELO.
   */
  readonly text: string;
}

// RFC 3463 §2: subject and detail have one to three digits. The class has to be that of the reply code:
// `550 4.2.1` is permanent, and its 4.2.1 is noise. There is no class 3.
const PREFIX = /^(.)..[ -]?((?!3)(\1(\.\d{1,3}){2})( |$))?/;

/**
 * Makes the reply value.
 *
 * @param text - the reply as it stood on the wire, LF between its lines
 */
export function makeReply(text: string): Reply {
  const lines = text.split('\n');
  return {
    code: +text.slice(0, 3),
    enhanced: PREFIX.exec(text)?.[3] as EnhancedStatusCode | undefined,
    lines: lines.map((line) => line.slice(4)),
    text: lines.map((line) => line.replace(PREFIX, '')).join(' '),
  };
}

/** `550 5.1.1 No such user`: how a reply is named in error messages; bounded to 500 characters. */
export function describeReply({ code, lines }: Reply): string {
  return `${code} ${lines.join(' ')}`.slice(0, 500);
}
