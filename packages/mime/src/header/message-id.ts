/** Message-ID, In-Reply-To and References (RFC 5322 §3.6.4). */
import { refuse } from '../errors.ts';
import { fold } from './fold.ts';

/** A field of one or more message identifiers, `<left@right>`, with its CRLF: never encoded, never cut. Empty without any. */
export function messageIdField(
  name: string,
  ids: string | readonly string[] | undefined,
  path: string,
): string {
  const list = [ids ?? []].flat().join(' ');
  return /^(<[!-;=?A-~]{1,450}@[!-;=?-~]{1,450}>( (?=<)|$))*$/.test(list)
    ? list && fold(name, list)
    : refuse('ERR_MIME_HEADER', path, list, 'write <left@right>');
}
