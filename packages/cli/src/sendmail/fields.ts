/** The header section that goes out: names completed, and the fields put in that each message has to have. */
import { randomUUID } from 'node:crypto';
import { compose } from '@posthorn/mime';
import { type ListedMailbox, parseAddressList } from '../message/address-list.ts';
import { decode, type Field, isUtf8, makeField } from '../message/head.ts';
import { wordsDecoded } from '../message/parameter.ts';
import { mailboxesOrNone } from '../message/recipients.ts';

/** What a mailbox without a domain is called in the field of that name; undefined leaves it. */
export type Completion = (mailbox: ListedMailbox, field: string) => string | undefined;

const WITH_ADDRESSES = /^(resent-)?(from|sender|reply-to|to|cc)$/;

/** Fields with their addresses completed. What cannot be read, or is complete, stays as it was. */
export function completed(fields: readonly Field[], by: Completion): Field[] {
  return fields.map((field) => {
    if (!WITH_ADDRESSES.test(field.name)) return field;
    const at = field.raw.indexOf(':') + 1;
    // Of the same length, so that places are the same.
    const text = decode(field.raw.slice(at)).replace(/[\r\n]/g, ' ');
    let out = '';
    let end = 0;
    for (const mailbox of read(text)) {
      const full = mailbox.domain ? undefined : by(mailbox, field.name);
      if (full === undefined) continue;
      out += text.slice(end, mailbox.from) + full;
      end = mailbox.to;
    }
    if (end === 0) return field;
    const value = `${out}${text.slice(end)}`.trim();
    const octets = isUtf8(field.raw) ? Buffer.from(value, 'utf8').toString('latin1') : value;
    // RFC 5322 §2.2.3: it may be folded where a space stands.
    const folded = octets.replace(/(.{60,}?) (?=\S)/g, '$1\r\n ');
    return { name: field.name, raw: `${field.raw.slice(0, at)} ${folded}\r\n` };
  });
}

function read(text: string): ListedMailbox[] {
  try {
    return parseAddressList(text);
  } catch {
    return [];
  }
}

export interface Missing {
  /** The author's address and name, where there is none. */
  readonly from: string;
  readonly name: string;
  /** They are the author also where there is another, but for his name. */
  readonly isForced: boolean;
  readonly now: Date;
}

/** RFC 5322 §3.6: From and Date have to be there, and Message-ID should. They go on top, as a relay would put them. */
export function withMissing(
  fields: readonly Field[],
  { from, name, isForced, now }: Missing,
): Field[] {
  const find = (wanted: string): Field | undefined => fields.find((field) => field.name === wanted);
  const added: Field[] = [];
  let kept = fields;
  const before = find('from');
  if (before && isForced) {
    const [author] = mailboxesOrNone(before);
    kept = fields.filter((field) => field.name !== 'from' && field.name !== 'sender');
    added.push(fromField(from, (author && nameOf(author)) || name));
    // An answer goes to who wrote it.
    const isOther = author?.domain !== undefined && `${author.local}@${author.domain}` !== from;
    if (isOther && !find('reply-to'))
      added.push({ name: 'reply-to', raw: before.raw.replace(/^[^:]*/, 'Reply-To') });
  } else if (!before) added.push(fromField(from, name));
  // RFC 5322 §3.3: +0000 is UTC.
  if (!find('date')) added.push(makeField('Date', now.toUTCString().replace('GMT', '+0000')));
  if (!find('message-id'))
    added.push(makeField('Message-ID', `<${randomUUID()}@${from.replace(/.*@/s, '')}>`));
  return [...added, ...kept];
}

/** The name of a mailbox, without quotes: its phrase, else its comment. */
export function nameOf({ phrase, comment }: ListedMailbox): string {
  const text = phrase.replace(/"((?:[^"\\]|\\.)*)"/g, (_, inner) =>
    String(inner).replace(/\\(.)/g, '$1'),
  );
  return wordsDecoded(text || comment) ?? '';
}

/** Written as `compose()` writes it: quoted or encoded where it has to be. */
function fromField(address: string, name: string): Field {
  const { content } = compose({ from: { name, address } }, { smtpUtf8: true });
  const text = Buffer.from(content as Uint8Array).toString('latin1');
  return { name: 'from', raw: /^From: .*\r\n(?:[ \t].*\r\n)*/m.exec(text)?.[0] ?? '' };
}
