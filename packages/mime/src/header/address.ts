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
 * console.log(compose({ from: 'a@example.com', to }).to.length); // 2
 * ```
 */
export type Address = string | Mailbox | Group;

// display-name "<" addr-spec ">": a quoted-string, or text without specials.
const NAMED = /^(?:"(([^"\\]|\\.)*)" *|([^"(),:;<>@[\\\]]*))<(.*)>$/;

// A dot-atom has no specials or white space (RFC 5322 §3.2.3).
const ADDR_SPEC =
  /^(?!.{321})((?!\.)(\.?[^ ."(),:;<>@[\\\]])+|"(([^"\\]|\\.)*)")@((\w([\w-]{0,61}\w)?(\.(?!$)|$))+|\[[\w:.]+\])$/;

/**
 * One field with its CRLF, empty when there is no address.
 *
 * @param addresses - gets each addr-spec as the envelope takes it
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
  const phrase = (text: string, at: string): string =>
    // A quoted-string is no shelter for a look-alike: readers decode encoded-words inside it (RFC 2047 §5 forbids it).
    isPlain(checkText(text, at, undefined, 'ADDRESS')) && !text[60]
      ? /^\w+( \w+)*$/.test(text)
        ? text
        : `"${text.replace(/["\\]/g, '\\$&')}"`
      : encodedWords(text, name.length + 2).join(' ');
  /** One, or a list of them: none is a list itself. */
  const each = (
    items: unknown,
    at: string,
    write: (item: unknown, at: string) => string,
  ): string =>
    (items as unknown[])?.map
      ? (items as unknown[]).map((item, index) => write(item, `${at}[${index}]`)).join(', ')
      : write(items, at);
  const mailbox = (item: unknown, at: string): string => {
    const [, quoted, , plain, inner = item] = (item as string)?.match?.(NAMED) ?? [];
    const {
      name = (quoted ?? plain)?.replace(/\\(.)| $/g, '$1'),
      address = inner as string,
    }: Partial<Mailbox> = Object(item);
    const forwardPath = checkAddress(address, at, smtpUtf8);
    addresses.push(forwardPath);
    // Beside a local part that is not ASCII, neither need the domain be.
    const shown = /[^ -~]/.test(forwardPath) ? address : forwardPath;
    return name ? `${phrase(name, at)} <${shown}>` : shown;
  };
  const whole = each(value, path, (item, at) =>
    (item as Group)?.members
      ? // RFC 2047 §5 (3): an encoded-word is set apart from the specials beside it.
        `${phrase((item as Group).group, at).replace(/=$/, '= ')}: ${each((item as Group).members, `${at}.members`, mailbox)};`
      : mailbox(item, at),
  );
  return whole && fold(name, whole);
}

/**
 * The addr-spec as the envelope takes it: with a domain of A-labels (RFC 5890 §2.3.2.1).
 *
 * `URL` is the only mapping (UTS 46) in every runtime, and it does more than map: it decodes percent signs, cuts at `/`,
 * reads numbers as IPv4 addresses. So it gets one label at a time, of letters, marks, digits and hyphens, and what
 * comes out has to be an A-label. What it refuses is ignored, and `a` stays. (URL.canParse() of Node 20 errs once it is
 * optimised.)
 */
export function checkAddress(address: string, path: string, smtpUtf8: boolean | undefined): string {
  // RFC 5321 §4.5.3.1: 64 octets, `@`, and 255.
  const forwardPath = checkText(
    address,
    path,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
    /[\0-\x1f\x7f]|^.{321}|^.{65,}@/s,
    'ADDRESS',
  ).replace(/(?<![^.@])[^.@]*[^ -~][^.@]*(?!.*@)/gs, (label) => {
    const { hostname } = Object.assign(new URL('http:a'), { hostname: label });
    return /^[\p{L}\p{M}\p{Nd}-]+ xn--/u.test(`${label} ${hostname}`) ? hostname : '';
  });
  return ADDR_SPEC.test(forwardPath) && (smtpUtf8 || !/[^ -~]/.test(forwardPath))
    ? forwardPath
    : refuse('ADDRESS', path, 'invalid, or needs smtpUtf8');
}
