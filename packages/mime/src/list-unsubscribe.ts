/** listUnsubscribe(): how to leave a list, for mail readers (RFC 2369, RFC 8058). In no bundle that does not import it. */
import { refuse } from './errors.ts';
import { checkText } from './header/field.ts';
import type { HeaderField } from './message.ts';

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

/** What an `https:`, `http:` or `mailto:` URI is not, of those that can stand in a list of them. */
const NO_URI = /^(?!(https?:\/\/|mailto:)[!#-+\--;=?-_a-~]{1,890}$)/i;

/** Printable, and checked already. */
const UNPRINTABLE = /[^ -~]/;

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
): readonly HeaderField[] {
  const list = [uris].flat();
  const value = list.map(
    (uri, at) => `<${checkText(uri, `listUnsubscribe[${at}]`, undefined, NO_URI)}>`,
  );
  if (!list[0] || (options.oneClick && !list.some((uri) => /^https:/i.test(uri))))
    refuse('ERR_MIME_HEADER', 'listUnsubscribe', list, 'needs a URI; an https: one for one click');
  const fields: HeaderField[] = [['List-Unsubscribe', value.join(', '), UNPRINTABLE]];
  if (options.oneClick)
    fields.push(['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click', UNPRINTABLE]);
  return fields;
}
