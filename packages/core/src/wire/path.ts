/**
 * Mailboxes as SMTP paths carry them (RFC 5321 §4.1.2, RFC 6531 §3.3). Nothing of an address is ever
 * repaired: what is not a mailbox is refused, so that one cannot become two or change its domain.
 *
 *   Mailbox = Local-part "@" ( Domain / address-literal )
 */
import { unusable } from './command.ts';

/** RFC 5321 §4.5.3.1.3: a path has at most 256 octets with its `<` and `>`. */
const MAX_PATH = 254;

// Local-part = Dot-string / Quoted-string. Dots may stand anywhere in an unquoted one: docomo.ne.jp
// has mailboxes like `a..b@` and `a.@`. Of address literals, what IPv4, IPv6 and tagged ones are made of.
const MAILBOX =
  /^([\w!#-'*+/=?^`{|}~.\u0080-\u{10ffff}-]+|"([^\\"\p{Cc}]|\\[ -~])*")@(([a-z\d]([\w-]{0,61}[a-z\d])?(\.(?!$)|$))+|\[[\w.:-]+\])$/iu;

/** A mailbox that the grammar accepted. It is never parsed again. */
export interface Path {
  /** `local@domain` as it goes between `<` and `>`, the domain in A-labels. */
  readonly text: string;
  /** Whether it can only be sent with SMTPUTF8: its local part is not ASCII. */
  readonly needsUtf8: boolean;
}

/**
 * Parses a mailbox for MAIL, RCPT or VRFY.
 *
 * @param address - `local@domain` without angle brackets; domains outside ASCII become A-labels
 * @param where - what it is for, as it is named in the error
 * @throws TypeError where it is not one mailbox
 */
export function parsePath(address: string, where: string): Path {
  const text = `${address}`.slice(0, MAX_PATH + 1).replace(/[^@]*$/, toAscii);
  if (!MAILBOX.test(text) || new TextEncoder().encode(text).length > MAX_PATH)
    throw unusable(address, `${where}: not a mailbox`);
  return { text, needsUtf8: /[^ -~]/.test(text) };
}

/**
 * A domain in the form that goes on the wire; empty where it is none.
 *
 * U-labels become A-labels (RFC 5891 §4) by the only UTS 46 mapper that every runtime has, the URL
 * parser. It also rewrites what is no domain name (`1.2` becomes `1.0.0.2`, `a/b` becomes `a`), so
 * only letters, digits, marks and hyphens go in, an ASCII label must come out as it went in, and any
 * other as an A-label.
 */
export function toAscii(domain: string): string {
  if (!/[^ -~]/.test(domain)) return domain;
  const url = `http://${domain}`;
  const mapped =
    /^[\p{L}\p{Nd}\p{M}.-]+$/u.test(domain) && URL.canParse(url) ? new URL(url).hostname : '';
  const ascii = (text: string): string =>
    text.replace(/[^.]*([^ -~]|xn--)[^.]*/gi, 'xn--').toLowerCase();
  return ascii(mapped) === ascii(domain) ? mapped : '';
}

/** The address literal of a local end (RFC 5321 §4.1.3). */
export function addressLiteral(address = '127.0.0.1'): string {
  // An IPv4 address mapped into IPv6 is written as what it is; a zone means nothing to the server.
  const bare = address.replace(/^::ffff:(?=\d+\.)|%.*/gi, '');
  return `[${bare.includes(':') ? 'IPv6:' : ''}${bare}]`;
}
