/** Message-ID, In-Reply-To and References (RFC 5322 §3.6.4). */
import { refuse } from '../errors.ts';
import { fold } from './fold.ts';

/** Lets `<left@right>` pass: visible ASCII, never encoded, never cut. */
export function checkMessageId(id: string, path: string): string {
  if (!(/^<[!-;=?-~]{3,900}>$/.test(id) && id.includes('@'))) {
    refuse('ERR_MIME_HEADER', path, id, 'write it as <left@right>');
  }
  return id;
}

/** A field of one or more message identifiers, with its CRLF. */
export function messageIdField(
  name: string,
  ids: string | readonly string[],
  path: string,
): string {
  const list = typeof ids === 'string' ? ids.split(' ') : ids;
  return `${fold(`${name}: ${list.map((id, i) => checkMessageId(id, `${path}[${i}]`)).join(' ')}`)}\r\n`;
}
