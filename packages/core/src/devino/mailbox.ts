/**
 * Whether two spellings name one mailbox. Knows addresses as text: nothing here decides whether a
 * text is an address.
 */
import { toAscii } from '../wire/path.ts';

/** What comes from outside need not be what its type says. */
export const isText = (value: unknown): value is string => typeof value === 'string';

/**
 * Finds `address` among the known ones and gives their spelling: equal as it is; else equal but for
 * blanks and for the domain's case and form (A-label = U-label); else, where only one comes into
 * question, equal but for the case of the local part too.
 *
 * RFC 5321 §2.4 makes local parts case-sensitive, but a server that changes the case of its replies
 * changes theirs as well.
 */
export function findMailbox(known: readonly string[], address: string): string | undefined {
  const wanted = canonical(address);
  const alike = known.filter((one) => canonical(one).toLowerCase() === wanted.toLowerCase());
  return (
    alike.find((one) => one === address) ??
    alike.find((one) => canonical(one) === wanted || alike.length === 1)
  );
}

function canonical(address: string): string {
  return address
    .replace(/\s/g, '')
    .replace(/(?<![^@])[^@]*$/, (domain) => toAscii(domain).toLowerCase());
}
