/** compose(): a message from its description. Everything is checked here, and nothing is read or sent. */
import type { Attachment } from './attachment.ts';
import { NAME_LENGTH, type Random, randomName, systemRandom } from './boundary.ts';
import { encodeText, type TransferEncoding } from './encoding/choose.ts';
import { decodeUtf8, encodeUtf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import { type Address, addressField } from './header/address.ts';
import { formatDate } from './header/date.ts';
import { customField, textField } from './header/field.ts';
import { messageIdField } from './header/message-id.ts';
import { multiparts, type Part } from './part.ts';
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

/** A composed message. It can be given to `client.send()` of `@posthorn/core` as it is. */
export interface Message extends AsyncIterable<Uint8Array> {
  /** The reverse-path: of `sender`, else of the first author. */
  readonly from: string;
  /** The forward-paths: To, Cc and Bcc, each once, domains as A-labels. */
  readonly to: readonly string[];
  /** The whole content: octets where all of it is in memory, else this message as their source. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** Its exact octets with CR LF line ends (RFC 1870 §3), or undefined where a stream does not tell. Never an estimate. */
  readonly size: number | undefined;
  /** Octets that are certain before a stream of unknown length is read. */
  readonly minimumSize: number;
  /** Octets given out by the stream under way, or by the last one. */
  readonly sent: number;
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
  /** The octets as a web stream. */
  stream(): ReadableStream<Uint8Array>;
  /** All octets. @throws MimeError `ERR_MIME_STREAM`, `ERR_MIME_TOO_LARGE` */
  bytes(): Promise<Uint8Array>;
  /** All octets as text. @throws MimeError as bytes() */
  text(): Promise<string>;
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
  const {
    random = systemRandom,
    now = () => new Date(),
    maxSize,
    transferEncoding,
    smtpUtf8 = false,
  } = options;
  const { text, html, subject, headers = [], attachments = [], date = now() } = spec;
  const rules = { smtpUtf8, needsSmtpUtf8: false };
  const recipients: string[] = [];
  const addresses = (
    name: string,
    key: 'from' | 'sender' | 'replyTo' | 'to' | 'cc' | 'bcc',
    list: string[] = [],
  ): string => addressField(name, spec[key] ?? [], key, list, rules);
  const authors: string[] = [];
  const senders: string[] = [];
  let head =
    addresses('From', 'from', authors) +
    addresses('Sender', 'sender', senders) +
    addresses('Reply-To', 'replyTo') +
    addresses('To', 'to', recipients);
  const toCount = recipients.length;
  head += addresses('Cc', 'cc', recipients);
  addresses('Bcc', 'bcc', recipients);
  const [from] = [...senders, ...authors];
  // RFC 5322 §3.6.2: several authors need a Sender, which is one mailbox.
  if (
    !from ||
    senders.length > 1 ||
    authors.length - senders.length > 1 ||
    !authors[0] ||
    (authors[1] && !senders[0])
  ) {
    return refuse(
      'ERR_MIME_ADDRESS',
      authors[1] ? 'sender' : 'from',
      spec.from,
      'needs one mailbox',
    );
  }
  if (subject !== undefined) head += textField('Subject', subject, 'subject');
  const name = randomName(random);
  const {
    messageId = `<${name.slice(NAME_LENGTH)}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    inReplyTo,
    references,
  } = spec;
  head += `Date: ${formatDate(date)}\r\n${messageIdField('Message-ID', messageId, 'messageId')}`;
  if (inReplyTo) head += messageIdField('In-Reply-To', inReplyTo, 'inReplyTo');
  if (references) head += messageIdField('References', references, 'references');
  headers.forEach(([field, value], at) => {
    head += customField(field, value, `headers[${at}]`);
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
  const multipart = multiparts(name.slice(0, NAME_LENGTH));
  const pieces = [
    head,
    ...(attachments[0]?.assemble(attachments, leaves, hasHtml, multipart) ??
      multipart('alternative', leaves)),
  ];
  // RFC 5322 §2.1: a message is a series of lines, and the last one ends like all of them.
  if (!`${pieces.at(-1)}`.endsWith('\r\n')) pieces.push('\r\n');

  const streamed = pieces.some((piece) => typeof piece !== 'string');
  const octets = streamed ? undefined : encodeUtf8(pieces.join(''));
  const sizes = pieces.map((piece) =>
    typeof piece === 'string' ? encodeUtf8(piece).length : piece.size,
  );
  const minimumSize = octets?.length ?? sizes.reduce<number>((sum, size = 0) => sum + size, 0);
  limitSize(minimumSize, maxSize);
  let sent = 0;
  async function* iterate(): AsyncGenerator<Uint8Array, void, undefined> {
    let total = minimumSize;
    sent = 0;
    for (const piece of octets ? [octets] : pieces) {
      const chunks =
        typeof piece === 'string' ? [encodeUtf8(piece)] : 'open' in piece ? piece.open() : [piece];
      for await (const chunk of chunks) {
        // What would pass the limit is not given out.
        if (typeof piece === 'object' && 'open' in piece && piece.size === undefined) {
          total += chunk.length;
          limitSize(total, maxSize);
        }
        sent += chunk.length;
        yield chunk;
      }
    }
  }
  const message: Message = {
    from,
    to: [...new Set(recipients)],
    get content() {
      return octets ?? message;
    },
    size: sizes.includes(undefined) ? undefined : minimumSize,
    minimumSize,
    get sent() {
      return sent;
    },
    body: rules.needsSmtpUtf8 ? undefined : '7BIT',
    smtpUtf8: rules.needsSmtpUtf8,
    messageId,
    attachments,
    hasText,
    hasHtml,
    textParts,
    toCount,
    [Symbol.asyncIterator]: iterate,
    stream() {
      const chunks = iterate();
      return new ReadableStream({
        async pull(controller) {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await chunks.return();
        },
      });
    },
    async bytes() {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      for await (const chunk of iterate()) chunks.push(chunk as Uint8Array<ArrayBuffer>);
      return new Uint8Array(await new Blob(chunks).arrayBuffer());
    },
    text: async () => decodeUtf8(await message.bytes()),
  };
  return message;
}
