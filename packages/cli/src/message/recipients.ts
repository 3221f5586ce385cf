/** Who gets a message, and who sends it, by its own fields. */
import { because, CliError } from '../cli-error.ts';
import { type ListedMailbox, parseAddressList } from './address-list.ts';
import { type Field, fieldValue } from './head.ts';

/** Fields that no recipient is to see (RFC 5322 §3.6.3), and one that is written at delivery (RFC 5321 §4.4). */
export const HIDDEN: readonly string[] = ['bcc', 'resent-bcc'];

/**
 * The mailboxes of To, Cc and Bcc; of a message that was sent again, those of Resent-To, -Cc and -Bcc of the last time alone
 * (RFC 5322 §3.6.6).
 *
 * @throws CliError EX_DATAERR
 */
export function recipientsIn(fields: readonly Field[]): ListedMailbox[] {
  const resent = lastResent(fields).filter(({ name }) => /^resent-(to|cc|bcc)$/.test(name));
  const named = resent[0] ? resent : fields.filter(({ name }) => /^(to|cc|bcc)$/.test(name));
  return named.flatMap(mailboxesIn);
}

/** Fields of one time stand together at the top, each name once but for lists: what comes again is of the time before. */
function lastResent(fields: readonly Field[]): Field[] {
  const seen = new Set<string>();
  const block: Field[] = [];
  for (const field of fields) {
    if (!field.name.startsWith('resent-')) continue;
    if (seen.has(field.name)) break;
    seen.add(field.name);
    block.push(field);
  }
  return block;
}

/** The mailbox of Sender, else the first of From; the resent ones before them. None where they cannot be read. */
export function senderIn(fields: readonly Field[]): ListedMailbox | undefined {
  const block = lastResent(fields);
  for (const [name, among] of [
    ['resent-sender', block],
    ['resent-from', block],
    ['sender', fields],
    ['from', fields],
  ] as const) {
    const field = among.find((one) => one.name === name);
    const [mailbox] = field ? mailboxesOrNone(field) : [];
    if (mailbox) return mailbox;
  }
  return undefined;
}

/** How many addresses the fields To have, as far as they can be read. */
export const toCount = (fields: readonly Field[]): number =>
  fields.filter(({ name }) => name === 'to').flatMap(mailboxesOrNone).length;

/** Those of a field that nobody relies on: none where it cannot be read. */
export function mailboxesOrNone(field: Field): ListedMailbox[] {
  try {
    return mailboxesIn(field);
  } catch {
    return [];
  }
}

/** @throws CliError EX_DATAERR */
export function mailboxesIn(field: Field): ListedMailbox[] {
  return readList(fieldValue(field), `the field ${field.name}`);
}

/** @param where - how it is called in errors */
export function readList(text: string, where: string): ListedMailbox[] {
  try {
    return parseAddressList(text);
  } catch (error) {
    throw new CliError('DATAERR', `Cannot read the addresses of ${where}: ${because(error)}`);
  }
}

/** Each once, in order. */
export const unique = (addresses: readonly string[]): string[] => [...new Set(addresses)];
