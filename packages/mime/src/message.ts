/** compose(): a message from its description. Everything is checked here, and nothing is read or sent. */
import type { Attachment } from './attachment.ts';
import { type Random, randomName, systemRandom } from './boundary.ts';
import { encodeText, type TransferEncoding } from './encoding/choose.ts';
import { encodeUtf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import { type Address, addressField } from './header/address.ts';
import { formatDate } from './header/date.ts';
import { textField } from './header/field.ts';
import { messageIdField } from './header/message-id.ts';
import { multipart, type Part } from './part.ts';
import { limitSize } from './size.ts';

/** A message, described. Only `from` has to be there. */
export interface MessageSpec {
  readonly from: Address | readonly Address[];
  /** Who sends for several authors; then it is needed (RFC 5322 §3.6.2). */
  readonly sender?: Address;
  readonly to?: Address | readonly Address[];
  readonly cc?: Address | readonly Address[];
  /** In the envelope only, never in the message. */
  readonly bcc?: Address | readonly Address[];
  readonly replyTo?: Address | readonly Address[];
  readonly subject?: string;
  /** Default: now. */
  readonly date?: Date;
  /** `<left@right>`. Default: 24 random letters and digits at the author's domain. */
  readonly messageId?: string;
  readonly inReplyTo?: string | readonly string[];
  readonly references?: string | readonly string[];
  /** Further fields, in this order. Those with a key of their own are refused here. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly text?: string;
  readonly html?: string;
  /** Made by `attachment()`. Those with a `cid` go beside the HTML. */
  readonly attachments?: readonly Attachment[];
}

/** How a message is composed. */
export interface ComposeOptions {
  /** The largest message allowed, octets as sent. Default: none. */
  readonly maxSize?: number;
  /** Allows local parts outside ASCII: the server has to offer SMTPUTF8 (RFC 6531). Default false. */
  readonly smtpUtf8?: boolean;
  /** For the texts. Default: by content, `7bit` or the shorter of `quoted-printable` and `base64`. */
  readonly transferEncoding?: TransferEncoding;
  /** Where chance comes from; fixed chance and time give the same octets. Default: the runtime's. */
  readonly random?: Random;
  /** What time it is. Default: the runtime's clock. */
  readonly now?: () => Date;
}

/** The octets of a message, and what is known of them. */
export interface MessageContent extends AsyncIterable<Uint8Array> {
  /** The whole content: octets where all of it is in memory, else this message as their source. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** Its exact octets with CR LF line ends (RFC 1870 §3), or undefined where a stream does not tell. Never an estimate. */
  readonly size: number | undefined;
  /** Octets that are certain before a stream of unknown length is read. */
  readonly minimumSize: number;
  /** Octets given out by the stream under way, or by the last one. */
  sent: number;
  /** The octets as a web stream. */
  stream(): ReadableStream<Uint8Array>;
  /** All octets. @throws MimeError `ERR_MIME_STREAM`, `ERR_MIME_TOO_LARGE` */
  bytes(): Promise<Uint8Array>;
  /** All octets as text. @throws MimeError as bytes() */
  text(): Promise<string>;
}

/** A composed message. It can be given to `client.send()` of `@posthorn/core` as it is. */
export interface Message extends MessageContent {
  /** The reverse-path: of `sender`, else of the first author. */
  readonly from: string;
  /** The forward-paths: To, Cc and Bcc, each once, domains as A-labels. */
  readonly to: readonly string[];
  /** The content is ASCII. Undefined where SMTPUTF8 is needed. */
  readonly body: '7BIT' | undefined;
  /** An address needs SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean;
  readonly messageId: string;
  readonly attachments: readonly {
    readonly filename: string;
    readonly contentType: string;
    readonly size: number | undefined;
  }[];
  readonly hasText: boolean;
  readonly hasHtml: boolean;
  /** The texts as they were given, plain text first. */
  readonly textParts: readonly string[];
  /** Addresses in To. */
  readonly toCount: number;
}

/**
 * Composes a message (RFC 5322, RFC 2045). Synchronous, reads and sends nothing.
 *
 * @throws MimeError for what cannot be put into a message, with `code` and `path`; `ERR_MIME_TOO_LARGE` with `limit`, `actual`
 * and `excess` octets where `maxSize` is passed and the size is known
 *
 * @example
 * ```ts
 * import { compose } from '@posthorn/mime';
 *
 * const message = compose({
 *   from: 'noreplay@devinotele.com',
 *   to: 'test@devinotele.com',
 *   subject: 'Test from smtp',
 *   html: 'Привет! <a href="http://www.devinotele.com">Кликни меня</a>',
 * });
 * console.log(message.size === (await message.bytes()).length); // true
 * ```
 */
export function compose(spec: MessageSpec, options: ComposeOptions = {}): Message {
  const { random = systemRandom, now = () => new Date(), maxSize, transferEncoding } = options;
  const { text, html, subject, headers = [], attachments = [], date = now() } = spec;
  let head = '';
  const addresses = (
    name: string,
    key: 'from' | 'sender' | 'replyTo' | 'to' | 'cc' | 'bcc',
  ): string[] => {
    const list: string[] = [];
    const field = addressField(name, spec[key] ?? [], key, list, options.smtpUtf8);
    // RFC 5322 §3.6.3: a message without the field is how its recipients do not learn of one another.
    if (key !== 'bcc') head += field;
    return list;
  };
  const authors = addresses('From', 'from');
  const senders = addresses('Sender', 'sender');
  addresses('Reply-To', 'replyTo');
  const to = addresses('To', 'to');
  const recipients = [...to, ...addresses('Cc', 'cc'), ...addresses('Bcc', 'bcc')];
  const [author] = authors;
  const [from = author as string] = senders;
  // RFC 5322 §3.6.2: several authors need a Sender, which is one mailbox.
  if (!author || senders[1] || (authors[1] && !senders[0]))
    refuse('ERR_MIME_ADDRESS', author ? 'sender' : 'from', from, 'needs one mailbox');
  const smtpUtf8 = /[^\n-~]/.test(head + recipients);
  if (subject !== undefined) head += textField('Subject', subject, 'subject');
  const name = randomName(random);
  const { messageId = `<${name}@${from.replace(/.*@/, '')}>` } = spec;
  head +=
    `Date: ${formatDate(date)}\r\n` +
    messageIdField('Message-ID', messageId, 'messageId') +
    messageIdField('In-Reply-To', spec.inReplyTo, 'inReplyTo') +
    messageIdField('References', spec.references, 'references');
  headers.forEach(([field, value], at) => {
    const path = `headers[${at}]`;
    if (
      !/^[!-9;-~]{1,76}$/.test(field) ||
      /^(From|Sender|Reply-To|To|B?cc|Subject|Date|Message-ID|In-Reply-To|References|MIME-Version|Content-.*)$/i.test(
        field,
      )
    )
      refuse('ERR_MIME_HEADER', path, field, 'no name, or has its own key');
    head += textField(field, value, path);
  });
  head += 'MIME-Version: 1.0\r\n';

  const leaves: Part[] = [];
  const textParts: string[] = [];
  const leaf = (content: string, path: 'text' | 'html', subtype: string): void => {
    const [encoding, body] = encodeText(content, path, transferEncoding);
    textParts.push(content);
    leaves.push([
      `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`,
    ]);
  };
  const hasHtml = html !== undefined;
  const hasText = text !== undefined;
  if (hasText || !(hasHtml || attachments[0])) leaf(text ?? '', 'text', 'plain');
  if (hasHtml) leaf(html, 'html', 'html');
  const content =
    attachments[0]?.assemble(head, attachments, leaves, hasHtml, name, maxSize) ??
    inMemory(head + multipart('alternative', leaves, name).join(''));
  limitSize(content.minimumSize, maxSize);
  return Object.assign(content, {
    from,
    to: [...new Set(recipients)],
    body: smtpUtf8 ? undefined : ('7BIT' as const),
    smtpUtf8,
    messageId,
    attachments,
    hasText,
    hasHtml,
    textParts,
    toCount: to.length,
  });
}

/** The content of a message without attachments. */
function inMemory(given: string): MessageContent {
  // RFC 5322 §2.1: a message is a series of lines, and the last one ends like all of them.
  const text = given.replace(/(\r\n)?$/, '\r\n');
  const content = encodeUtf8(text);
  const { length } = content;
  return {
    content,
    size: length,
    minimumSize: length,
    sent: 0,
    async *[Symbol.asyncIterator]() {
      this.sent = length;
      yield content;
    },
    stream() {
      this.sent = length;
      return new Blob([content]).stream();
    },
    bytes: async () => content,
    text: async () => text,
  };
}
