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
  const column = name.length + 2;
  const mailbox = (item: string | Mailbox, at: string): string => {
    const parsed = typeof item === 'string' ? parse(item, at) : item;
    const address = checkAddress(
      parsed.address,
      typeof item === 'string' ? at : `${at}.address`,
      rules,
    );
    addresses.push(address);
    return parsed.name
      ? `${phrase(parsed.name, typeof item === 'string' ? at : `${at}.name`, column)} <${address}>`
      : address;
  };
  const one = (item: Address, at: string): string => {
    if (typeof item === 'string' || !('group' in item)) return mailbox(item, at);
    const label = phrase(item.group, `${at}.group`, column);
    const members = item.members.map((member, i) => mailbox(member, `${at}.members[${i}]`));
    // RFC 2047 §5 (3): an encoded-word is set apart from the special beside it.
    return `${label}${label.endsWith('?=') ? ' :' : ':'}${members.join(', ')};`;
  };
  const list = Array.isArray(value)
    ? value.map((item: Address, i) => one(item, `${path}[${i}]`)).join(', ')
    : one(value as Address, path);
  return list && `${fold(`${name}: ${list}`)}\r\n`;
}

function parse(text: string, path: string): Mailbox {
  const match = /^(?:"((?:[^"\\]|\\.)*)" *|([^"\\<>()[\],;:@]*))<(.*)>$/.exec(text);
  return match
    ? { name: match[1]?.replace(/\\(.)/g, '$1') ?? match[2]?.trim(), address: match[3] as string }
    : { address: checkText(text, path, 'ERR_MIME_ADDRESS') };
}

/** A display name: atoms, a quoted-string, or encoded-words. */
function phrase(name: string, path: string, column: number): string {
  checkText(name, path, 'ERR_MIME_ADDRESS');
  // A quoted-string is no shelter for a look-alike: readers decode encoded-words inside it (RFC 2047 §5 forbids it).
  if (name.length > 60 || !isPlain(name)) return encodedWords(name, column);
  return /^[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*$/.test(name)
    ? name
    : `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** The addr-spec as it goes into header and envelope: a domain that is not ASCII as A-labels (RFC 5890 §2.3.2.1). */
function checkAddress(address: string, path: string, rules: AddressRules): string {
  checkText(address, path, 'ERR_MIME_ADDRESS');
  const fail = (why: string): never => refuse('ERR_MIME_ADDRESS', path, address, why);
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  if (
    at < 1 ||
    address.length > 320 ||
    !/^(?:[^\0- "(),.:;<>@[\\\]\x7f-\x9f]+(?:\.[^\0- "(),.:;<>@[\\\]\x7f-\x9f]+)*|"(?:[^"\\]|\\.)*")$/.test(
      local,
    )
  ) {
    fail('not one local@domain; give a list as an array');
  }
  const ascii =
    /^(?:\w(?:[\w-]{0,61}\w)?(?:\.\w(?:[\w-]{0,61}\w)?)*|\[(?:[\d.]+|IPv6:[\da-f:.]+)\])$/i.test(
      domain,
    )
      ? domain
      : toAscii(domain);
  if (!ascii) return fail('not a domain name');
  if (/^[ -~]*$/.test(local)) return `${local}@${ascii}`;
  if (!rules.smtpUtf8) fail('not ASCII before the @; needs the option smtpUtf8');
  rules.needsSmtpUtf8 = true;
  return address;
}

/**
 * A domain as A-labels, or undefined.
 *
 * `URL` is the only mapping (UTS 46) in every runtime, and it does more than map: it decodes percent signs, cuts at `/`,
 * reads numbers as IPv4 addresses. So only letters, marks, digits and hyphens go in, and what comes out has the same labels: an
 * ASCII one unchanged, any other one as an A-label.
 */
function toAscii(domain: string): string | undefined {
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(domain)) return;
  try {
    const mapped = new URL(`http://${domain}`).hostname;
    const labels = domain.toLowerCase().split('.');
    const same = mapped
      .split('.')
      .every(
        (label, i) =>
          label === labels[i] || (label.startsWith('xn--') && /[^ -~]/.test(labels[i] ?? '')),
      );
    if (same && mapped.split('.').length === labels.length && mapped.length < 254) return mapped;
  } catch {
    // Not a host name to URL either.
  }
  return;
}
