/** Looks for a part of an address. Pure. */
import { domainToASCII, domainToUnicode } from 'node:url';

/**
 * Whether an address holds a text, without regard to case. A domain is the same in Unicode and as A-labels (RFC 5890
 * §2.3.2.1): either form of it is found by either.
 */
export function addressHolds(address: string, part: string): boolean {
  const [whole, wanted] = [address.toLowerCase(), part.toLowerCase()];
  if (whole.includes(wanted)) return true;
  // Neither has two forms.
  if (!hasForms(whole) && !hasForms(wanted)) return false;
  return [domainToASCII, domainToUnicode].some((form) =>
    withDomain(whole, form).includes(withDomain(wanted, form)),
  );
}

function hasForms(text: string): boolean {
  return /\P{ASCII}|xn--/u.test(text);
}

/** A part without `@` may be of a local part or of a domain: it is looked for as it is. */
function withDomain(text: string, form: (domain: string) => string): string {
  const at = text.lastIndexOf('@') + 1;
  if (at === 0) return text;
  const domain = text.slice(at);
  return `${text.slice(0, at)}${form(domain) || domain}`;
}
