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
  if (!list) return list;
  if (!/^(<[!-;=?A-~]+@[!-;=?-~]+>( (?=<)|$))+$/.test(list) || /[^ ]{900}/.test(list))
    refuse('ERR_MIME_HEADER', path, list, 'write <left@right>');
  return fold(name, list);
}
