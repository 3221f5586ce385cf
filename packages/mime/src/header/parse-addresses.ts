/**
 * parseAddresses(): an address list as text (RFC 5322 §3.4, RFC 6532 §3.2), as people type or store it. Knows the list, its
 * phrases and its groups; what one addr-spec is, address.ts knows.
 *
 *   address-list = address *("," address)
 *   address      = mailbox / display-name ":" [mailbox *("," mailbox)] ";"
 *   mailbox      = addr-spec / [display-name] "<" addr-spec ">"
 *   display-name = 1*(atom / quoted-string)
 *
 * Strict: no comment, no route, no obsolete form, and no white space around the `@`. Each character is read once.
 */
import { refuse } from '../errors.ts';
import { checkAddress, type Group, type Mailbox } from './address.ts';
import { checkText } from './field.ts';

/**
 * White space, and what is behind it: a delimiter, a run of all else, or the end. A run is one word of a phrase, or one
 * addr-spec. No two of its parts begin alike, and nothing has to match behind it: it is never tried again. The limits keep
 * the stack of the regular expression small; what is longer is no address, and no name that mail can carry.
 */
const TOKEN =
  /[ \t]*((?:"(?:[^"\\\t]|\\[^\t]){0,65535}"|\[[^[\]\t]*\]|[^\t "(),:;<>[\\\]]+){1,999}|[,:;<>]|$)/y;

/** A quoted-string or an atom, and nothing else. */
const WORD = /^(?:"((?:[^"\\]|\\.){0,65535})"|[^".@[,:;<>]+)$/su;

/**
 * Reads a list of addresses (RFC 5322 §3.4; RFC 6532 §3.2 for what is not ASCII) for `from`, `to`, `cc`, `bcc` or `replyTo`:
 * mailboxes and groups, with a comma between them. What is not exactly the grammar is refused rather than guessed at, so
 * that one address never becomes two, and none another.
 *
 * Not read are comments, routes, obsolete forms (an unquoted `.` in a name too), empty items, and an empty list. Spaces and
 * tabs may stand between tokens, but not around the `@`. A name is given without its quotes; an encoded-word is not decoded:
 * it is a name that looks like one. A domain stays as it is, and `compose()` makes A-labels of it.
 *
 * @param options.smtpUtf8 - allows local parts outside ASCII (RFC 6531). Default false
 * @throws MimeError `ERR_MIME_ADDRESS` with `path` `addresses`; the message has the place, in characters from 0, and what stands there
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
  options: { readonly smtpUtf8?: boolean } = {},
): (Mailbox | Group)[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  checkText(text, 'addresses', 'ERR_MIME_ADDRESS', /[\0-\x08\n-\x1f\x7f]/);
  const list: (Mailbox | Group)[] = [];
  /** Of the group that is open. */
  let members: Mailbox[] | undefined;
  let token = '';
  let at = 0;
  let end = 0;
  const fail = (): never =>
    refuse('ERR_MIME_ADDRESS', 'addresses', text.slice(at), `not in the grammar, at ${at}`);
  const is = (delimiter: string): boolean => token === delimiter;
  const next = (): void => {
    at = TOKEN.lastIndex = end;
    token = TOKEN.exec(text)?.[1] ?? fail();
    end = TOKEN.lastIndex;
    at = end - token.length;
  };
  const mailbox = (name: string): void => {
    try {
      checkAddress(token, 'addresses', options.smtpUtf8);
    } catch {
      fail();
    }
    // An empty name is none.
    (members ?? list).push(name ? { name, address: token } : { address: token });
    next();
  };

  next();
  for (;;) {
    const words: string[] = [];
    for (let word = WORD.exec(token); word; word = WORD.exec(token)) {
      words.push(word[1]?.replace(/\\(.)/gs, '$1') ?? token);
      next();
    }
    const phrase = words.join(' ');
    if (is('<')) {
      next();
      mailbox(phrase);
      if (!is('>')) fail();
      next();
    } else if (!words.length) mailbox('');
    else if (is(':') && !members) {
      members = [];
      list.push({ group: phrase, members });
      next();
      if (!is(';')) continue;
    } else fail();
    if (is(';') && members) {
      members = undefined;
      next();
    }
    if (is('') && !members) return list;
    if (!is(',')) fail();
    next();
  }
}
