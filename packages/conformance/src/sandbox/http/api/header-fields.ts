/** What stands in a message's header, decoded: who a mail program says it is from and for. Pure. */
import { addressParser } from 'postal-mime';
import type { CapturedMessage } from '../../inbox.ts';

/** An address of the header. */
interface Mailbox {
  /** Decoded; '' where there is none. */
  readonly name: string;
  readonly address: string;
}

/** The fields of RFC 5322 §3.6 that tests ask for. The envelope may say something else. */
export interface HeaderFields {
  readonly from: Mailbox | null;
  /** Of all fields of this name; groups are taken apart. */
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  /** ISO 8601; null where there is none, or none that can be read. */
  readonly date: string | null;
  readonly messageId: string | null;
}

export function headerFields({ headers }: Pick<CapturedMessage, 'headers'>): HeaderFields {
  const values = (name: string): readonly string[] =>
    headers.filter((field) => field.name === name).map(({ value }) => value);
  const mailboxes = (name: string): readonly Mailbox[] =>
    values(name).flatMap((value) =>
      addressParser(value, { flatten: true }).flatMap((one) =>
        one.address === undefined ? [] : [{ name: one.name, address: one.address }],
      ),
    );
  const [date = ''] = values('date');
  const at = new Date(date);
  return {
    from: mailboxes('from')[0] ?? null,
    to: mailboxes('to'),
    cc: mailboxes('cc'),
    replyTo: mailboxes('reply-to'),
    date: Number.isNaN(at.getTime()) ? null : at.toISOString(),
    messageId: values('message-id')[0] || null,
  };
}
