/** quoted-printable (RFC 2045 §6.7) for texts, written so that no encoded line starts with `.` or `F`. */

import { escapeOctet } from '../header/encoded-word.ts';

/**
 * Encodes text whose line ends are CRLF, in lines of at most 76 characters.
 *
 * White space is escaped at the end of a line: it MUST NOT be literal there (RFC 2045 §6.7 (3)). `.` and `F` are escaped at
 * the start, because relays double the one and mailbox files quote `From `: a soft line break leaves room for that.
 */
export function quotedPrintable(octets: string): string {
  return octets
    .replace(/[^\t\r\n -<>-~]|[\t ](?=\r|$)/g, escapeOctet)
    .replace(/(.{71,73}(?<!=.?)(?=..))|.+/g, (part, soft) => (soft ? `${part}=\r\n` : part))
    .replace(/^[.F]/gm, escapeOctet);
}
