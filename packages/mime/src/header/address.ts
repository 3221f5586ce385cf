/**
 * Addresses (RFC 5322 §3.4, RFC 6532 §3.2). Knows what an address is; knows nothing of envelopes.
 *
 *   mailbox     = addr-spec / [display-name] "<" addr-spec ">"
 *   addr-spec   = (dot-atom / quoted-string) "@" (dot-atom / domain-literal)
 *
 * Strict: one string is one mailbox, and no comment, route or obsolete form is read. The expressions below are such that
 * at no place two of their parts can take the same character: each runs in linear time.
 */
import { refuse } from '../errors.ts';
import { encodedWords } from './encoded-word.ts';
import { checkText, isPlain } from './field.ts';
import { fold } from './fold.ts';

/**
 * One address, with or without a display name: `mailbox` of RFC 5322 §3.4. The address is an addr-spec without angle
 * brackets; a name may be any text, and an empty one is none. Neither is parsed further.
 *
 * @example
 * ```ts
 * import { compose, type Mailbox } from '@posthorn/mime';
 *
 * const to: Mailbox = { name: 'Doe, Jane', address: 'jane@bücher.example' };
 * console.log(compose({ from: 'a@example.com', to }).to[0]); // jane@xn--bcher-kva.example
 * ```
 */
export interface Mailbox {
  readonly name?: string | undefined;
  readonly address: string;
}

/**
 * A named group (RFC 5322 §3.4). It may be empty, and then shows recipients that it names none of.
 *
 * @example
 * ```ts
 * import { compose, type Group } from '@posthorn/mime';
 *
 * const to: Group = { group: 'Team', members: ['a@example.net', 'Bob <bob@example.net>'] };
 * console.log(compose({ from: 'a@example.com', to }).to.length); // 2
 * ```
 */
export interface Group {
  readonly group: string;
  readonly members: readonly (string | Mailbox)[];
}

/**
 * An address (RFC 5322 §3.4): `'a@example.com'`, `'Name <a@example.com>'`, or the same as an object, or a group. One string
 * is one mailbox: a list is an array. A domain outside ASCII becomes A-labels (RFC 5890 §2.3.2.1).
 *
 * @example
 * ```ts
 * import { type Address, compose } from '@posthorn/mime';
 *
 * const to: Address[] = ['Bob <bob@example.net>', { name: 'Doe, J.', address: 'j@example.net' }];
 * console.log(compose({ from: 'a@example.com', to }).toCount); // 2
 * ```
 */
export type Address = string | Mailbox | Group;

/**
 * One field with its CRLF, empty when there is no address.
 *
 * @param addresses - gets each addr-spec
 * @param smtpUtf8 - a local part that is not ASCII is allowed
 */
export function addressField(
  name: string,
  value: Address | readonly Address[],
  path: string,
  addresses: string[],
  smtpUtf8: boolean | undefined,
): string {
  /** A display name: atoms, a quoted-string, or encoded-words. */
  const phrase = (text: string, at: string): string => {
    checkText(text, at, 'ERR_MIME_ADDRESS');
    // A quoted-string is no shelter for a look-alike: readers decode encoded-words inside it (RFC 2047 §5 forbids it).
    if (text[60] || !isPlain(text)) return encodedWords(text, name.length + 2);
    return /^\w+( \w+)*$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
  };
  const mailbox = (item: string | Mailbox, at: string): string => {
    const { name, address } = typeof item === 'string' ? parse(item) : item;
    const checked = checkAddress(address, at, smtpUtf8);
    addresses.push(checked);
    return name ? `${phrase(name, at)} <${checked}>` : checked;
  };
  const list = <T>(
    items: readonly T[],
    at: string,
    write: (item: T, at: string) => string,
  ): string => items.map((item, index) => write(item, `${at}[${index}]`)).join(', ');
  const one = (item: Address, at: string): string => {
    const { group, members } = item as Group;
    return members
      ? // RFC 2047 §5 (3): an encoded-word is set apart from the specials beside it.
        `${phrase(group, at).replace(/=$/, '= ')}: ${list(members, `${at}.members`, mailbox)};`
      : mailbox(item as Mailbox, at);
  };
  const whole = Array.isArray(value) ? list(value, path, one) : one(value as Address, path);
  return whole && fold(name, whole);
}

function parse(text: string): Mailbox {
  const [, quoted, plain, address = text] =
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what is trimmed must not be one
    /^(?:"((?:[^"\\]|\\.)*)" *|([^\0-\x1f"\\<>()[\],;:@]*))<(.*)>$/.exec(text) ?? [];
  return { name: quoted?.replace(/\\(.)/g, '$1') ?? plain?.trim(), address };
}

// A dot-atom has no specials, white space or controls (RFC 5322 §3.2.3).
const ADDR_SPEC =
  /^((?!\.)(\.?[^\0- "(),.:;<>@[\\\]\x7f-\x9f])+|"([^"\\]|\\.)*")@((\w([\w-]{0,61}\w)?(\.(?!$)|$))+|\[[\w:.]+\])$/i;

/** The addr-spec as it goes into header and envelope: a domain that is not ASCII as A-labels (RFC 5890 §2.3.2.1). */
function checkAddress(address: string, path: string, smtpUtf8: boolean | undefined): string {
  checkText(address, path, 'ERR_MIME_ADDRESS');
  const text = address[320] ? '' : address.replace(/[^@]*$/, toAscii);
  return ADDR_SPEC.test(text) && (smtpUtf8 || !/[^ -~]/.test(text))
    ? text
    : refuse('ERR_MIME_ADDRESS', path, address, 'not one local@domain, ASCII without smtpUtf8');
}

/**
 * A domain as A-labels, or what is none.
 *
 * `URL` is the only mapping (UTS 46) in every runtime, and it does more than map: it decodes percent signs, cuts at `/`,
 * reads numbers as IPv4 addresses. So only letters, marks, digits and hyphens go in, and what comes out has the same labels: an
 * ASCII one unchanged, any other one as an A-label.
 */
function toAscii(domain: string): string {
  if (!/[^ -~]/.test(domain)) return domain;
  // What the URL parser refuses is ignored, and `a` stays. (URL.canParse() of Node 20 errs once it is optimised.)
  const { hostname } = Object.assign(new URL('http://a'), {
    hostname: /^[\p{L}\p{M}\p{Nd}.-]+$/u.test(domain) && domain,
  });
  const ascii = (text: string): string =>
    text.replace(/[^.]*([^ -~]|xn--)[^.]*/gi, 'xn--').toLowerCase();
  return ascii(hostname) === ascii(domain) ? hostname : '';
}
