/** compose(): a message from its description. Everything is checked here, and nothing is read or sent. */
import type { Attachment } from './attachment.ts';
import { type Random, randomName } from './boundary.ts';
import { encodeText, type TransferEncoding } from './encoding/choose.ts';
import { utf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import { type Address, addressField } from './header/address.ts';
import { formatDate } from './header/date.ts';
import { textField } from './header/field.ts';
import { messageIdField } from './header/message-id.ts';
import { multipart, type Part } from './part.ts';
import { limitSize } from './size.ts';

/**
 * A message, described by its header fields (RFC 5322 §3.6) and its content. Only `from` has to be there; what is left out
 * makes no field, unless a default is named.
 *
 * @example
 * ```ts
 * import { compose, type MessageSpec } from '@posthorn/mime';
 *
 * const spec: MessageSpec = {
 *   from: 'Shop <shop@example.com>',
 *   to: 'jane@example.net',
 *   bcc: 'archive@example.com',
 *   subject: 'Grüße',
 *   text: 'Hello',
 *   headers: [['X-Campaign', 'spring']],
 * };
 * console.log(compose(spec).to.join(' ')); // jane@example.net archive@example.com
 * ```
 */
export interface MessageSpec {
  /** The authors. */
  readonly from: Address | readonly Address[];
  /** Who sends for several authors; then it is needed (RFC 5322 §3.6.2). */
  readonly sender?: Address;
  readonly to?: Address | readonly Address[];
  readonly cc?: Address | readonly Address[];
  /** In the envelope only, never in the message. */
  readonly bcc?: Address | readonly Address[];
  readonly replyTo?: Address | readonly Address[];
  /** Any text without control characters; outside ASCII as encoded-words (RFC 2047). */
  readonly subject?: string;
  /** Default: now. */
  readonly date?: Date;
  /** `<left@right>`. Default: 24 random letters and digits at the author's domain. */
  readonly messageId?: string;
  /** `<left@right>`, one or several. */
  readonly inReplyTo?: string | readonly string[];
  readonly references?: string | readonly string[];
  /** Further fields, in this order. Those with a key of their own are refused here. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Plain text. Default: empty, where there is neither HTML nor an attachment. */
  readonly text?: string;
  /** HTML, an alternative to the text where there are both (RFC 2046 §5.1.4). */
  readonly html?: string;
  /** Made by `attachment()`. Those with a `cid` go beside the HTML. */
  readonly attachments?: readonly Attachment[];
}

/**
 * How a message is composed: size (RFC 1870), transfer encoding (RFC 2045 §6), where chance and time come from.
 *
 * @example
 * ```ts
 * import { type ComposeOptions, compose, MimeError } from '@posthorn/mime';
 *
 * const options: ComposeOptions = { maxSize: 1_000, now: () => new Date(0) };
 * const spec = { from: 'a@example.com', text: `${'x'.repeat(76)}\n`.repeat(20) };
 * let excess: number | undefined;
 * try {
 *   compose(spec, options);
 * } catch (error) {
 *   if (error instanceof MimeError) excess = error.excess;
 * }
 * console.log(excess === (compose(spec).size ?? 0) - 1_000); // true
 * ```
 */
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
  /** All octets. What they hold is not to be changed. @throws MimeError `ERR_MIME_STREAM`, `ERR_MIME_TOO_LARGE` */
  bytes(): Promise<Uint8Array>;
  /** All octets as text. @throws MimeError as bytes() */
  text(): Promise<string>;
}

/**
 * A composed message (RFC 5322 §2.1) with its envelope (RFC 5321 §2.3.1). It can be given to `client.send()` of
 * `@posthorn/core` as it is, and read in any of four ways: as an async iterable, `stream()`, `bytes()`, `text()`.
 *
 * @example
 * ```ts
 * import { compose, type Message } from '@posthorn/mime';
 *
 * const message: Message = compose({ from: 'a@example.com', to: 'b@example.net', text: 'Hello' });
 * for await (const chunk of message) console.log(chunk.length === message.size, message.from); // true a@example.com
 * ```
 */
export interface Message extends MessageContent {
  /** The reverse-path: of `sender`, else of the first author. */
  readonly from: string;
  /** The forward-paths: To, Cc and Bcc, each once, domains as A-labels. */
  readonly to: readonly string[];
  /** The content is ASCII. Undefined where SMTPUTF8 is needed. */
  readonly body: '7BIT' | undefined;
  /** An address needs SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean;
  /** With its angle brackets. */
  readonly messageId: string;
  readonly attachments: readonly {
    readonly filename: string;
    readonly contentType: string;
    /** Octets before encoding, where they are known. */
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
 * Composes a message (RFC 5322, RFC 2045): octets with CRLF line ends, 7-bit but for addresses with `smtpUtf8`, no line over
 * 998 (RFC 5322 §2.1.1). Synchronous, reads and sends nothing.
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
  const { now = () => new Date(), maxSize } = options;
  const { text, html, subject, headers = [], attachments = [], date = now() } = spec;
  let head = '';
  const addresses = (
    name: string,
    key: 'from' | 'sender' | 'replyTo' | 'to' | 'cc' | 'bcc',
  ): string[] => {
    const list: string[] = [];
    head += addressField(name, spec[key] ?? [], key, list, options.smtpUtf8);
    return list;
  };
  const hidden = addresses('Bcc', 'bcc');
  // RFC 5322 §3.6.3: a message without the field is how its recipients do not learn of one another.
  head = '';
  const authors = addresses('From', 'from');
  const senders = addresses('Sender', 'sender');
  addresses('Reply-To', 'replyTo');
  const to = addresses('To', 'to');
  const recipients = [...to, ...addresses('Cc', 'cc'), ...hidden];
  const [author] = authors;
  const [from = author as string] = senders;
  // RFC 5322 §3.6.2: several authors need a Sender, which is one mailbox.
  if (!author || senders[1] || (authors[1] && !senders[0]))
    refuse('ERR_MIME_ADDRESS', author ? 'sender' : 'from', from, 'needs one mailbox');
  const smtpUtf8 = /[^\n-~]/.test(head + recipients);
  if (subject !== undefined) head += textField('Subject', subject, 'subject');
  const name = randomName(options.random);
  const { messageId = `<${name}@${from.replace(/.*@/s, '')}>` } = spec;
  head +=
    `Date: ${formatDate(date)}\r\n` +
    messageIdField('Message-ID', messageId, 'messageId') +
    messageIdField('In-Reply-To', spec.inReplyTo, 'inReplyTo') +
    messageIdField('References', spec.references, 'references');
  headers.forEach(([field, value], at) => {
    const path = `headers[${at}]`;
    if (
      !/^(?!(From|Sender|Reply-To|To|B?cc|Subject|Date|Message-ID|In-Reply-To|References|MIME-Version|Content-.*)$)[!-9;-~]{1,76}$/i.test(
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
    const [encoding, body] = encodeText(content, path, options.transferEncoding);
    textParts.push(content);
    leaves.push([
      `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`,
    ]);
  };
  const [file] = attachments;
  const hasHtml = html !== undefined;
  const hasText = text !== undefined;
  if (hasText || !(hasHtml || file)) leaf(hasText ? text : '', 'text', 'plain');
  if (hasHtml) leaf(html, 'html', 'html');
  const content =
    file?.assemble(head, attachments, leaves, hasHtml, name, maxSize) ??
    inMemory(head + multipart('alternative', leaves, name).flat().join(''));
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
  const content = utf8.encode(text);
  const { length } = content;
  return {
    content,
    size: length,
    minimumSize: length,
    sent: 0,
    async *[Symbol.asyncIterator]() {
      yield this.bytes();
    },
    stream() {
      this.sent = length;
      return new Blob([content]).stream();
    },
    async bytes() {
      this.sent = length;
      return content;
    },
    async text() {
      this.sent = length;
      return text;
    },
  };
}
