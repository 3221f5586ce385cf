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

/** One address, with or without a display name. */
export interface Mailbox {
  readonly name?: string | undefined;
  readonly address: string;
}

/** A named group (RFC 5322 §3.4); it may be empty. */
export interface Group {
  readonly group: string;
  readonly members: readonly (string | Mailbox)[];
}

/** `'a@example.com'`, `'Name <a@example.com>'`, or the same as an object. A list is an array, never one string. */
export type Address = string | Mailbox | Group;

/** What holds for all addresses of one message. */
export interface AddressRules {
  /** A local part that is not ASCII is allowed. */
  readonly smtpUtf8: boolean;
  /** Set when an address needed that. */
  needsSmtpUtf8: boolean;
}

/** One field with its CRLF, empty when there is no address; adds each addr-spec to `addresses`. */
export function addressField(
  name: string,
  value: Address | readonly Address[],
  path: string,
  addresses: string[],
  rules: AddressRules,
): string {
  /** A display name: atoms, a quoted-string, or encoded-words. */
  const phrase = (text: string, at: string): string => {
    checkText(text, at, 'ERR_MIME_ADDRESS');
    // A quoted-string is no shelter for a look-alike: readers decode encoded-words inside it (RFC 2047 §5 forbids it).
    if (text.length > 60 || !isPlain(text)) return encodedWords(text, name.length + 2);
    return /^[\w!#-'*+/=?^`{|}~-]+(?: [\w!#-'*+/=?^`{|}~-]+)*$/.test(text)
      ? text
      : `"${text.replace(/["\\]/g, '\\$&')}"`;
  };
  const list = (items: readonly Address[], at: string): string =>
    items
      .map((item, index) => one(item, Array.isArray(value) || at !== path ? `${at}[${index}]` : at))
      .join(', ');
  const one = (item: Address, at: string): string => {
    // RFC 2047 §5 (3): an encoded-word is set apart from the special beside it.
    if ((item as Group)?.group !== undefined) {
      const { group, members } = item as Group;
      return `${phrase(group, `${at}.group`)}:${list(members, `${at}.members`)};`.replace(
        '?=:',
        '?= :',
      );
    }
    const mailbox = typeof item === 'string' ? parse(item) : (item as Mailbox);
    const address = checkAddress(
      mailbox?.address,
      typeof item === 'string' ? at : `${at}.address`,
      rules,
    );
    addresses.push(address);
    return mailbox.name ? `${phrase(mailbox.name, `${at}.name`)} <${address}>` : address;
  };
  const whole = list([value].flat() as Address[], path);
  return whole && `${fold(`${name}: ${whole}`)}\r\n`;
}

function parse(text: string): Mailbox {
  const [, quoted, plain, address = text] =
    /^(?:"((?:[^"\\]|\\.)*)" *|([^"\\<>()[\],;:@]*))<(.*)>$/.exec(text) ?? [];
  return { name: quoted?.replace(/\\(.)/g, '$1') ?? plain?.trim(), address };
}

/** Characters that no dot-atom has beside the dot: specials, white space and controls (RFC 5322 §3.2.3). */
const LOCAL = /^(?:(?!\.)(?:\.?[^\0- "(),.:;<>@[\\\]\x7f-\x9f])+|"(?:[^"\\]|\\.)*")$/;
const DOMAIN = /^(?:\w(?:[\w-]{0,61}\w)?(?:\.(?!$)|$))+$|^\[(?:[\d.]+|IPv6:[\da-f:.]+)\]$/i;

/** The addr-spec as it goes into header and envelope: a domain that is not ASCII as A-labels (RFC 5890 §2.3.2.1). */
function checkAddress(address: string, path: string, rules: AddressRules): string {
  checkText(address, path, 'ERR_MIME_ADDRESS');
  const at = address.lastIndexOf('@');
  const local = address.slice(0, Math.max(at, 0));
  const given = address.slice(at + 1);
  const domain = DOMAIN.test(given) ? given : toAscii(given);
  const ascii = /^[ -~]*$/.test(local);
  if (!domain || !LOCAL.test(local) || address.length > 320 || !(ascii || rules.smtpUtf8)) {
    refuse(
      'ERR_MIME_ADDRESS',
      path,
      address,
      ascii ? 'not one local@domain; give a list as an array' : 'needs the option smtpUtf8',
    );
  }
  rules.needsSmtpUtf8 ||= !ascii;
  return ascii ? `${local}@${domain}` : address;
}

/**
 * A domain as A-labels, or undefined.
 *
 * `URL` is the only mapping (UTS 46) in every runtime, and it does more than map: it decodes percent signs, cuts at `/`,
 * reads numbers as IPv4 addresses. So only letters, marks, digits and hyphens go in, and what comes out has the same labels: an
 * ASCII one unchanged, any other one as an A-label.
 */
function toAscii(domain: string): string | undefined {
  try {
    const mapped = /^[\p{L}\p{M}\p{Nd}.-]+$/u.test(domain)
      ? new URL(`http://${domain}`).hostname
      : '';
    const labels = domain.toLowerCase().split('.');
    const same = mapped
      .split('.')
      .every(
        (label, i) =>
          label === labels[i] || (label.startsWith('xn--') && /[^ -~]/.test(labels[i] ?? '')),
      );
    return same && mapped.split('.').length === labels.length && DOMAIN.test(mapped)
      ? mapped
      : undefined;
  } catch {
    return undefined;
  }
}
