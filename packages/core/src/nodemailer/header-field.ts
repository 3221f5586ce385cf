/** Header fields in the forms that nodemailer takes, as those of mime: own ones, `List-*`, priority. */
import type { MessageSpec } from '@posthorn/mime';
import { problem, unsupported } from './error.ts';
import type { ListEntry, SendMailOptions } from './message-data.ts';

/** A field, and whether it is written as it is. */
export interface Field {
  readonly name: string;
  readonly value: string;
  readonly prepared?: boolean;
}

/** Fields that a message has keys for. */
const KEYS: Record<string, string> = {
  from: 'from',
  sender: 'sender',
  to: 'to',
  cc: 'cc',
  bcc: 'bcc',
  'reply-to': 'replyTo',
  subject: 'subject',
  date: 'date',
  'message-id': 'messageId',
  'in-reply-to': 'inReplyTo',
  references: 'references',
};

/** All fields that are given, in their order; those without a value are none. */
export function fieldsOf(given: unknown): Field[] {
  const entries = (Array.isArray(given) ? given : [Object(given)]).flatMap((item) =>
    'key' in Object(item) ? [[item.key, item.value]] : Object.entries(Object(item)),
  ) as [string, unknown][];
  return entries.flatMap(([name, values]) =>
    [values].flat().flatMap((item) => {
      const { value = item, prepared } = Object(item);
      const text = `${value ?? ''}`;
      return text.trim() ? [{ name, value: text, prepared }] : [];
    }),
  );
}

/** What the message's own keys say of the header, beside what its `headers` do. */
export function ownFields({ list, priority, xMailer }: SendMailOptions): Field[] {
  const level = { high: ['1 (Highest)', 'High'], low: ['5 (Lowest)', 'Low'] }[
    `${priority}`.toLowerCase() as 'high'
  ];
  return [
    ...(xMailer ? [{ name: 'X-Mailer', value: xMailer }] : []),
    ...(level
      ? ['X-Priority', 'X-MSMail-Priority', 'Importance'].map((name, at) => ({
          name,
          value: level[Math.min(at, 1)] as string,
        }))
      : []),
    ...Object.entries(Object(list)).flatMap(([key, values]) => listFields(key, values)),
  ];
}

/** The fields that a message has keys for go by these, where they are not given already. */
export function withoutKeys(
  fields: readonly Field[],
  data: SendMailOptions,
): { data: SendMailOptions; rest: Field[] } {
  const found: Record<string, unknown> = {};
  const rest = fields.filter(({ name, value }) => {
    const key = KEYS[name.toLowerCase()];
    if (/^(content-|mime-version$)/i.test(name))
      throw unsupported(
        `headers[${JSON.stringify(name)}]`,
        'it is written by what the message holds',
      );
    if (!key) return true;
    if (key in found) throw unsupported(`headers[${JSON.stringify(name)}]`, 'it is there twice');
    found[key] = value;
    return false;
  });
  for (const key in found) if (data[key]) delete found[key];
  return { data: { ...data, ...found }, rest };
}

/** As mime takes them. Prepared ones are unfolded, and not encoded. */
export const mimeFields = (fields: readonly Field[]): NonNullable<MessageSpec['listUnsubscribe']> =>
  fields.map(({ name, value, prepared }) =>
    prepared ? [name, value.replace(/\r?\n(?=[\t ])/g, ''), /[^\t -~]/] : [name, value],
  );

/** RFC 2369, RFC 2919. An array makes a field of each item; an item that is an array makes one of all. */
function listFields(key: string, values: unknown): Field[] {
  const name = `List-${key
    .trim()
    .toLowerCase()
    .replace(/^id$/, 'ID')
    .replace(/^./, (first) => first.toUpperCase())}`;
  return [values].flat().flatMap((items) => {
    const value = [items as ListEntry]
      .flat()
      .filter(Boolean)
      .map((item) => {
        const { url = item as string, comment = '' }: { url?: string; comment?: string } =
          Object(item);
        if (/[\s<>]/.test(url) || /\p{Cc}/u.test(comment))
          throw problem('EMESSAGE', `Cannot use list.${key}`);
        const uri = /^(https?|mailto|ftp):/.test(url)
          ? url
          : `${/^[^@]+@[^@]+$/.test(url) ? 'mailto:' : 'http://'}${url}`;
        if (name === 'List-ID')
          return `${comment && `${phrase(comment)} `}<${uri.replace(/^[^:]+:(\/\/)?/, '')}>`;
        return `<${uri}>${comment && ` (${phrase(comment, /[()\\]/g)})`}`;
      })
      .join(', ');
    return value ? [{ name, value, prepared: true }] : [];
  });
}

/** A comment, or with no specials to escape a quoted-string; as encoded-words (RFC 2047) what is not ASCII. */
function phrase(text: string, specials?: RegExp): string {
  if (/^[ -~]*$/.test(text))
    return specials ? text.replace(specials, '\\$&') : `"${text.replace(/["\\]/g, '\\$&')}"`;
  // Each of 75 characters at most, with whole characters.
  const words = text.match(/.{1,10}/gsu) ?? [];
  return words.map((word) => `=?utf-8?b?${Buffer.from(word).toString('base64')}?=`).join(' ');
}
