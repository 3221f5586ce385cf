/**
 * parseAddresses(): an address list as text (RFC 5322 §3.4, RFC 6532 §3.2), as people type or store it. Knows the list, its
 * phrases and its groups; what one addr-spec is, address.ts knows.
 *
 *   address-list = address *("," address)
 *   address      = mailbox / display-name ":" [mailbox *("," mailbox)] ";"
 *   mailbox      = addr-spec / [display-name] "<" addr-spec ">"
 *   display-name = word *(word / ".")
 *
 * Strict: no comment, no route, no obsolete form but the dot in a name, and no white space around the `@`.
 */
import { refuse } from '../errors.ts';
import { checkAddress, type Group, type Mailbox } from './address.ts';
import { checkText } from './field.ts';

/**
 * Reads a list of addresses (RFC 5322 §3.4; RFC 6532 §3.2 for what is not ASCII) for `from`, `to`, `cc`, `bcc` or `replyTo`:
 * mailboxes and groups, with a comma between them. What is not exactly the grammar is refused rather than guessed at, so
 * that one address never becomes two, and none another.
 *
 * Not read are comments, routes, obsolete forms other than an unquoted `.` in a name, empty items, and an empty list. Spaces and
 * tabs may stand between tokens, but not around the `@`; a tab is a space in quotes, too. A name is given without its quotes;
 * an encoded-word is not decoded: it is a name that looks like one. A domain stays as it is, and `compose()` makes A-labels of it.
 *
 * @param text - `addresses` in the paths of errors
 * @param options - `smtpUtf8` allows local parts outside ASCII (RFC 6531). Default false
 * @throws MimeError `ERR_MIME_ADDRESS` with `path` `addresses`; the message has the index of what is not in the grammar
 *
 * @example
 * ```ts
 * import { compose, parseAddresses } from '@posthorn/mime';
 *
 * const to = parseAddresses('"Doe, Jane" <jane@example.net>, Team: a@example.net, Bob <b@example.net>;');
 * console.log(compose({ from: 'a@example.com', to }).to.join(' ')); // jane@example.net a@example.net b@example.net
 * ```
 */
export function parseAddresses(
  text: string,
  { smtpUtf8 }: { readonly smtpUtf8?: boolean } = {},
): (Mailbox | Group)[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  const line = checkText(text, 'addresses', /[\0-\x08\n-\x1f\x7f]/, 'ADDRESS').replaceAll(
    '\t',
    ' ',
  );
  const list: (Mailbox | Group)[] = [];
  /** Of the group that is open. */
  let members: Mailbox[] | undefined;
  // No two ways through a part of it begin alike, so it takes linear time. The limits keep its stack small: what is longer is
  // no address, and no name that mail can carry.
  const word = String.raw`(?:"(?:[^"\\]|\\.){0,999}"|[^ "(),:;<>@[\\\]]+)`;
  const words = `(${word}(?: +${word}){0,999}) *`;
  const spec = String.raw`(${word}@(?:${word}|\[[\w:.]+])) *`;
  const item = new RegExp(
    ` *(?:${words}: *)?(?:(?:${words})?< *${spec}>|${spec})? *(;?) *(,|$)`,
    'y',
  );
  const nameOf = (phrase: string): string =>
    phrase.replace(/"((\\.|[^"])*)"| +/g, (_, quoted) => quoted?.replace(/\\(.)/g, '$1') ?? ' ');
  for (;;) {
    const at = item.lastIndex;
    const [, group, phrase = '', angle, address = angle, close, comma] = item.exec(line) ?? [];
    const open = group ? [] : members;
    // A group is in no group, and only one that is all there is may be empty.
    if ((group && members) || !(address || (group && close)) || (close ? !open : open && !comma))
      refuse('ADDRESS', 'addresses', `invalid at ${at}`);
    if (group) list.push({ group: nameOf(group), members: open as Mailbox[] });
    if (address) {
      checkAddress(address, 'addresses', smtpUtf8);
      // An empty name is none.
      (open ?? list).push({ name: nameOf(phrase) || undefined, address });
    }
    members = close ? undefined : open;
    if (!comma) return list;
  }
}
