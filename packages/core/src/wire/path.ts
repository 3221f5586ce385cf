/**
 * Mailboxes as SMTP paths carry them (RFC 5321 §4.1.2, RFC 6531 §3.3). Nothing of an address is ever
 * repaired: what is not a mailbox is refused, so that one cannot become two or change its domain.
 *
 *   Mailbox = Local-part "@" ( Domain / address-literal )
 *   Local-part = Dot-string / Quoted-string
 */
import { unusable } from './command.ts';
import { MAX_PATH } from './limits.ts';
import { utf8 } from './octets.ts';

/**
 * Parses a mailbox for MAIL, RCPT or VRFY.
 *
 * @param address - `local@domain` without angle brackets; domains outside ASCII become A-labels
 * @param where - what it is for, as it is named in the error
 * @returns `local@domain` as it goes between `<` and `>`; ASCII, unless its local part is not
 * @throws TypeError where it is not one mailbox
 */
export function parsePath(address: string, where: string): string {
  const text = /[^ -~]/.test(address) ? toAscii(address) : address;
  // Dots may stand anywhere in an unquoted local part: docomo.ne.jp has mailboxes like `a..b@` and `a.@`. A label
  // may hold `_` too, but only letters and digits at its ends. Of address literals, what IPv4, IPv6 and tagged
  // ones are made of.
  const mailbox =
    /^([^\p{Cc} "(),:-<>@[-\]]+|"([^\\"\p{Cc}]|\\[ -~])*")@(([^\W_]([\w-]{0,61}[^\W_])?(\.\b|$))+|\[[\w.:-]+\])$/u;
  if (!mailbox.test(text) || utf8(text).length > MAX_PATH)
    throw unusable(address, `${where}: no mailbox`);
  return text;
}

/**
 * A domain, alone or at the end of an address, in the form that goes on the wire; as it is where it has none.
 *
 * U-labels become A-labels (RFC 5891 §4) by the only UTS 46 mapper that every runtime has, the URL
 * parser. It also rewrites what is no domain name (`1.2` becomes `1.0.0.2`, `a/b` becomes `a`), so only
 * letters, digits, marks and hyphens go in, never ASCII alone, and each label outside ASCII must come out as
 * an A-label.
 */
export function toAscii(text: string): string {
  return text.replace(/(?<![^@])(?=[^@]*[^ -~])[\p{L}\p{Nd}\p{M}.-]{1,254}$/u, (domain) => {
    // What the URL parser refuses is ignored, and `a` stays.
    const { hostname } = Object.assign(new URL('http://a'), { hostname: domain });
    const aLabels = (name: string): number => name.split(/[^.]*([^ -~]|xn--)[^.]*/i).length;
    return aLabels(hostname) === aLabels(domain) ? hostname : domain;
  });
}

/** The address literal of a local end (RFC 5321 §4.1.3). */
export function addressLiteral(address = '127.0.0.1'): string {
  // A zone means nothing to the server.
  return `[${/:/.test(address) ? 'IPv6:' : ''}${address.replace(/%.*/, '')}]`;
}
