/** compose(): a message from its description. Everything is checked here, and nothing is read or sent. */
import type { Attachment } from './attachment.ts';
import { NAME_LENGTH, type Random, randomName, systemRandom } from './boundary.ts';
import { encodeText, type TransferEncoding } from './encoding/choose.ts';
import { encodeUtf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import { type Address, addressField } from './header/address.ts';
import { formatDate } from './header/date.ts';
import { customField, textField } from './header/field.ts';
import { checkMessageId, messageIdField } from './header/message-id.ts';
import { join, multipart, type Part } from './part.ts';
import { serialize } from './serialize.ts';
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
  const { random = systemRandom, now = () => new Date(), maxSize, transferEncoding } = options;
  const { text, html, subject, attachments = [] } = spec;
  const rules = { smtpUtf8: options.smtpUtf8 ?? false, needsSmtpUtf8: false };
  const addresses = (
    name: string,
    value: Address | readonly Address[] = [],
    path: string,
    to: string[],
  ): string => addressField(name, value, path, to, rules);
  const authors: string[] = [];
  const senders: string[] = [];
  const recipients: string[] = [];

  let head =
    addresses('From', spec.from, 'from', authors) +
    addresses('Sender', spec.sender, 'sender', senders);
  const author = senders[0] ?? authors[0];
  // RFC 5322 §3.6.2: the Sender field MUST appear if there are several authors, and holds one mailbox.
  if (!author || (authors.length > 1 ? senders.length !== 1 : senders.length > 1)) {
    return refuse('ERR_MIME_ADDRESS', author ? 'sender' : 'from', undefined, 'give one mailbox');
  }
  head +=
    addresses('Reply-To', spec.replyTo, 'replyTo', []) + addresses('To', spec.to, 'to', recipients);
  const toCount = recipients.length;
  head += addresses('Cc', spec.cc, 'cc', recipients);
  addresses('Bcc', spec.bcc, 'bcc', recipients);
  if (subject !== undefined) head += textField('Subject', subject, 'subject');
  const name = randomName(random);
  const messageId =
    spec.messageId === undefined
      ? `<${name.slice(NAME_LENGTH)}@${author.slice(author.lastIndexOf('@') + 1)}>`
      : checkMessageId(spec.messageId, 'messageId');
  head += `Date: ${formatDate(spec.date ?? now())}\r\nMessage-ID: ${messageId}\r\n`;
  if (spec.inReplyTo) head += messageIdField('In-Reply-To', spec.inReplyTo, 'inReplyTo');
  if (spec.references) head += messageIdField('References', spec.references, 'references');
  spec.headers?.forEach(([field, value], at) => {
    head += customField(field, value, `headers[${at}]`);
  });
  head += 'MIME-Version: 1.0\r\n';

  let boundaries = 0;
  const group = (type: string, parts: readonly Part[]): Part =>
    parts.length > 1
      ? multipart(type, `=_${boundaries++}${name.slice(0, NAME_LENGTH)}`, parts)
      : (parts[0] as Part);
  const leaf = (content: string, path: 'text' | 'html'): Part[] => {
    // A text that could hold a delimiter is encoded, and `=_` is in no encoded text.
    const forced =
      `${content}`.includes('=_') && transferEncoding !== 'base64'
        ? 'quoted-printable'
        : transferEncoding;
    const [encoding, body] = encodeText(content, path, forced);
    return [
      [
        `Content-Type: text/${path === 'text' ? 'plain' : path}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`,
      ],
    ];
  };
  const rendered = attachments.map((file, at) => file.render(`attachments[${at}]`));
  const inline = (at: number): boolean => html !== undefined && attachments[at]?.cid !== undefined;
  const root = group(
    'mixed',
    [
      group('alternative', [
        ...(text !== undefined || (html === undefined && !rendered[0])
          ? leaf(text ?? '', 'text')
          : []),
        ...(html === undefined
          ? []
          : [
              group('related; type="text/html"', [
                ...leaf(html, 'html'),
                ...rendered.filter((_, at) => inline(at)),
              ]),
            ]),
      ]),
      ...rendered.filter((_, at) => !inline(at)),
    ].filter((part) => part),
  );
  const pieces = join([head, ...root]);
  const last = pieces.length - 1;
  // RFC 5322 §2.1: a message is a series of lines, and the last one ends like all of them.
  if (!`${pieces[last]}`.endsWith('\r\n')) pieces[last] += '\r\n';

  let minimumSize = 0;
  let size: number | undefined = 0;
  for (const piece of pieces) {
    const octets =
      typeof piece !== 'string'
        ? piece.size
        : rules.needsSmtpUtf8
          ? encodeUtf8(piece).length
          : piece.length;
    minimumSize += octets ?? 0;
    if (size !== undefined) size = octets === undefined ? octets : size + octets;
  }
  if (maxSize !== undefined) limitSize(minimumSize, maxSize);

  const progress = { sent: 0 };
  const iterate = (): AsyncIterator<Uint8Array> =>
    serialize(pieces, minimumSize, maxSize, progress);
  const message: Message = {
    from: author,
    to: [...new Set(recipients)],
    get content() {
      return last === 0 ? encodeUtf8(pieces[0] as string) : message;
    },
    size,
    minimumSize,
    get sent() {
      return progress.sent;
    },
    body: rules.needsSmtpUtf8 ? undefined : '7BIT',
    smtpUtf8: rules.needsSmtpUtf8,
    messageId,
    attachments: attachments.map(({ filename, contentType, size: octets }) => ({
      filename,
      contentType,
      size: octets,
    })),
    hasText: text !== undefined,
    hasHtml: html !== undefined,
    textParts: [text, html].filter((part) => part !== undefined),
    toCount,
    [Symbol.asyncIterator]: iterate,
    stream() {
      const iterator = iterate();
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { done, value } = await iterator.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await iterator.return?.();
        },
      });
    },
    async bytes() {
      const chunks: Uint8Array[] = [];
      for await (const chunk of message) chunks.push(chunk);
      const whole = new Uint8Array(progress.sent);
      let at = 0;
      for (const chunk of chunks) {
        whole.set(chunk, at);
        at += chunk.length;
      }
      return whole;
    },
    async text() {
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await message.bytes());
    },
  };
  return message;
}
