/** listUnsubscribe(): how to leave a list, for mail readers (RFC 2369, RFC 8058). In no bundle that does not import it. */
import { checkText } from './header/field.ts';
import type { StructuredField } from './message.ts';

/**
 * How a list is left (RFC 8058).
 *
 * @example
 * ```ts
 * import { listUnsubscribe, type ListUnsubscribeOptions } from '@posthorn/mime';
 *
 * const options: ListUnsubscribeOptions = { oneClick: true };
 * console.log(listUnsubscribe('https://example.com/u?t=abc', options).length); // 2
 * ```
 */
export interface ListUnsubscribeOptions {
  /** The https: URI does it by a POST and asks nothing (RFC 8058 §3.1). DKIM has to sign both fields. Default false. */
  readonly oneClick?: boolean;
}

/** Finds what is no list of `https:`, `http:` and `mailto:` URIs, in angle brackets. */
const NO_URIS = /^(?!((^|, )<(https?:\/\/|mailto:)[!#-+\--;=?-_a-~]{1,890}>)+$)/i;

/**
 * `listUnsubscribe` of a message: `List-Unsubscribe` (RFC 2369 §3.2) and, for one click, `List-Unsubscribe-Post` (RFC 8058).
 *
 * @param uris - `https:`, `http:` or `mailto:`, the preferred one first; each of less than 900 octets of ASCII without `<`, `>`,
 * `"`, `,`, a backtick and spaces, which are percent-encoded in a URI
 * @throws MimeError `ERR_MIME_HEADER` for what is no such URI, and where one click has no https: URI
 *
 * @example
 * ```ts
 * import { compose, listUnsubscribe } from '@posthorn/mime';
 *
 * const uris = ['https://example.com/u?t=abc', 'mailto:leave@example.com'];
 * const message = compose({
 *   from: 'news@example.com',
 *   text: 'News',
 *   listUnsubscribe: listUnsubscribe(uris, { oneClick: true }),
 * });
 * console.log((await message.text()).includes('List-Unsubscribe=One-Click')); // true
 * ```
 */
export function listUnsubscribe(
  uris: string | readonly string[],
  options: ListUnsubscribeOptions = {},
): readonly StructuredField[] {
  const list = [uris].flat().map((uri) => `<${uri}>`);
  const value = checkText(list.join(', '), 'listUnsubscribe', NO_URIS);
  const fields: StructuredField[] = [['List-Unsubscribe', value, NO_URIS]];
  if (options.oneClick) {
    checkText(value, 'listUnsubscribe.oneClick', /^(?!.*<https:)/i);
    fields.push(['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click']);
  }
  return fields;
}
