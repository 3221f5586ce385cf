/** compose(): a message from its description. Everything is checked here, and nothing is read or sent. */
import type { Random } from './boundary.ts';
import type { Dkim } from './dkim/dkim.ts';
import { encodeText, type TransferEncoding } from './encoding/text.ts';
import { utf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import { type Address, addressField } from './header/address.ts';
import { checkText, field } from './header/field.ts';
import { type BodyPart, type Context, type Entity, multipart, type Piece } from './part.ts';
import { limitSize } from './size.ts';

/**
 * A header field of free text (RFC 5322 §2.2.1): what is not ASCII becomes encoded-words (RFC 2047). A name has 49 characters
 * at most.
 *
 * @example
 * ```ts
 * import { compose, type HeaderField } from '@posthorn/mime';
 *
 * const headers: HeaderField[] = [['X-Campaign', 'Frühling'], ['X-Mailer', 'Posthorn']];
 * const message = compose({ from: 'a@example.com', headers });
 * console.log((await message.text()).includes('X-Campaign: =?utf-8?b?RnLDvGhsaW5n?=')); // true
 * ```
 */
export type HeaderField = readonly [name: string, value: string];

/**
 * A header field with a grammar, made by a function for its kind (`listUnsubscribe()`). Its third item finds what the grammar
 * forbids, and with it what is not ASCII, spaces at the ends, and words of more than 900: it is not encoded.
 */
export type StructuredField = readonly [...HeaderField, forbidden?: RegExp];

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
  /** Who sends for several authors: one mailbox, and then it is needed (RFC 5322 §3.6.2). Else `from` is refused. */
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
  /** `<left@right>`. Default: a random left at the author's domain. */
  readonly messageId?: string;
  /** `<left@right>`, one or several. */
  readonly inReplyTo?: string | readonly string[];
  readonly references?: string | readonly string[];
  /** Further fields, in this order. Those with a key of their own are refused here. */
  readonly headers?: readonly HeaderField[];
  /** Plain text. Default: empty, where there is neither HTML nor an attachment. */
  readonly text?: string;
  /** AMP for Email, an alternative between the two. */
  readonly amp?: string;
  /** HTML, an alternative to the text where there are both (RFC 2046 §5.1.4). */
  readonly html?: string;
  /** An invitation, the last alternative, made by `calendar()`. */
  readonly calendar?: BodyPart;
  /** A tree of your own, made by `part()` or `report()`: in place of the texts, or one more alternative beside them. */
  readonly body?: BodyPart;
  /** Made by `attachment()` or `part()`. Those with a `cid` go beside the HTML. */
  readonly attachments?: readonly BodyPart[];
  /** How to unsubscribe, made by `listUnsubscribe()`. */
  readonly listUnsubscribe?: readonly StructuredField[];
  /** For what no person sent: `auto-generated`, `auto-replied` (RFC 3834 §5). */
  readonly autoSubmitted?: 'auto-generated' | 'auto-replied' | 'no';
  /** As X-Priority and Importance. Default: neither. */
  readonly priority?: 'high' | 'normal' | 'low';
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
  /**
   * What happens before a stream of unknown length is sent: `prebuffer` reads it into memory, up to `maxSize`; `guard` sends
   * it, and fails before the octet that would pass `maxSize`. Default: `prebuffer` where `maxSize` is 1 MiB or less.
   */
  readonly onUnknownSize?: 'prebuffer' | 'guard';
  /** Writes Bcc into the message, for the sender's own copy. Default false. */
  readonly keepBcc?: boolean;
  /** `flowed`, imported: the text as format=flowed (RFC 3676). Default: none. */
  readonly flowed?: (text: string) => string;
  /** `dkim()`: signs the message (RFC 6376). Default: none. */
  readonly dkim?: Dkim;
  /** Allows local parts outside ASCII: the server has to offer SMTPUTF8 (RFC 6531). Default false. */
  readonly smtpUtf8?: boolean;
  /**
   * For the texts. Default: by content, `7bit` or the shorter of `quoted-printable` and `base64`. `asIs()` is for all parts: it
   * leaves them as they are where the server allows that.
   */
  readonly transferEncoding?: TransferEncoding;
  /** Where chance comes from; fixed chance and time give the same octets. Default: the runtime's. */
  readonly random?: Random;
  /** What time it is. Default: the runtime's clock. */
  readonly now?: () => Date;
}

/** What ReadableStream has in every runtime, and not in lib.dom. */
export interface Streams {
  from(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array>;
}

/** A message while it is made and read: its figures change. */
type Running = { -readonly [key in keyof Message]: Message[key] };

/** Makes a message give out pieces that are not in memory. */
export type Deliver = (message: Running, pieces: readonly Piece[], options: ComposeOptions) => void;

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
export interface Message extends AsyncIterable<Uint8Array> {
  /** The whole content: octets where all of it is in memory, else this message as their source. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** Its exact octets with CR LF line ends (RFC 1870 §3), or undefined where a stream does not tell. Never an estimate. */
  readonly size: number | undefined;
  /** Octets that are certain before a stream of unknown length is read. */
  readonly minimumSize: number;
  /** Octets given out by the stream under way, or by the last one. What bytes() and text() give of a message in memory is no stream. */
  readonly sent: number;
  /**
   * Reads streams that do not tell their length into memory, up to `maxSize`: then `size` is exact. Resolves with this message.
   * A stream that can be read once has one reader until then.
   *
   * @throws MimeError `ERR_MIME_TOO_LARGE`, `ERR_MIME_STREAM`, or what a stream failed with
   */
  ready(): Promise<Message>;
  /** The octets as a web stream. */
  stream(): ReadableStream<Uint8Array>;
  /** All octets. What they hold is not to be changed. @throws MimeError `ERR_MIME_STREAM`, `ERR_MIME_TOO_LARGE` */
  bytes(): Promise<Uint8Array>;
  /** All octets as text. @throws MimeError as bytes() */
  text(): Promise<string>;
  /** The reverse-path: of `sender`, else of the first author. */
  readonly from: string;
  /** The forward-paths: To, Cc and Bcc, each once, domains as A-labels. */
  readonly to: readonly string[];
  /** BODY of MAIL (RFC 6152, RFC 3030). Undefined where the message is 7bit, but perhaps for addresses: SMTPUTF8 says that. */
  readonly body: '8BITMIME' | 'BINARYMIME' | undefined;
  /** An address needs SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean;
  /** With its angle brackets. */
  readonly messageId: string;
  readonly attachments: readonly {
    readonly filename: string | undefined;
    readonly contentType: string;
    /** Octets before encoding, where they are known. */
    readonly size: number | undefined;
  }[];
  readonly hasText: boolean;
  readonly hasHtml: boolean;
  /** The texts as they were given, plain text first. */
  readonly textParts: readonly string[];
}

/** The texts and parts that are alternatives to each other, in this order, with their subtypes. */
const SUBTYPES = { text: 'plain', amp: 'x-amp-html', html: 'html', calendar: '', body: '' };

type Key = keyof typeof SUBTYPES;

export type Leaves = { [key in Key]?: Entity };

/** Finds what is no series of message identifiers, `<left@right>` (RFC 5322 §3.6.4). */
const NO_IDS = /^(?!((^| )<[!-;=?A-~]{1,490}@[!-;=?A-~]{1,490}>)+$)/;

/** Finds what is no field name, or that of a field with a key of its own. */
const NO_NAME =
  /^(?!(?!(From|Sender|Reply-To|To|B?cc|Subject|Date|Message-ID|In-Reply-To|References|MIME-Version|Content-.*)$)[!-9;-~]{1,49}$)/i;

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
  const { now = () => new Date() } = options;
  const { date = now(), attachments = [], headers = [], listUnsubscribe = [] } = spec;
  let head = '';
  const addresses = (
    name: string,
    key: 'from' | 'sender' | 'replyTo' | 'to' | 'cc' | 'bcc',
  ): string[] => {
    const list: string[] = [];
    if (spec[key] !== undefined)
      head += addressField(name, spec[key] as Address, key, list, options.smtpUtf8);
    return list;
  };
  const hidden = addresses('Bcc', 'bcc');
  // RFC 5322 §3.6.3: a message without the field is how its recipients do not learn of one another.
  if (!options.keepBcc) head = '';
  const authors = addresses('From', 'from');
  const senders = addresses('Sender', 'sender');
  addresses('Reply-To', 'replyTo');
  const recipients = [...addresses('To', 'to'), ...addresses('Cc', 'cc'), ...hidden];
  const [author] = authors;
  const [from = author as string] = senders;
  // RFC 5322 §3.6.2: several authors need a Sender, which is one mailbox.
  if (!author || senders[1] || (authors[1] && !senders[0])) refuse('ADDRESS', 'from');
  const smtpUtf8 = /[^\n-~]/.test(head + recipients);

  const context: Context = {
    ...options,
    // Of three digits each: the same length for every message.
    name:
      options
        .random?.(12)
        .map((octet) => octet | 128)
        .join('') ?? crypto.randomUUID(),
    count: 0,
  };
  const put = (
    name: string,
    path: string,
    forbidden?: RegExp,
    value: string | readonly string[] | undefined = spec[path as 'references'],
  ): void => {
    // No identifiers make no field.
    const text = (value as string[])?.join ? (value as string[]).join(' ') || undefined : value;
    if (text !== undefined) head += field(name, text, path, forbidden);
  };
  const { messageId = `<${context.name}@${from.replace(/.*@/s, '')}>` } = spec;
  put('Subject', 'subject');
  // An invalid date, or a year before the first.
  put('Date', 'date', /[I-]/, `${new Date(date).toUTCString().slice(0, -3)}+0000`);
  put('Message-ID', 'messageId', NO_IDS, checkText(messageId, 'messageId', / /));
  put('In-Reply-To', 'inReplyTo', NO_IDS);
  put('References', 'references', NO_IDS);
  put('Auto-Submitted', 'autoSubmitted', /^(?![!-9;-~]{1,49}$)/);
  put(
    'X-Priority',
    'priority',
    /^(?!\d$)/,
    { high: '1', normal: '3', low: '5' }[spec.priority as 'low'],
  );
  put('Importance', 'priority');
  [...headers, ...listUnsubscribe].forEach(([name, value, forbidden], at) => {
    const path = `headers[${at}]`;
    head += field(checkText(name, path, NO_NAME), value, path, forbidden);
  });

  const textParts: string[] = [];
  const leaf = (key: Key, content: unknown): Entity => {
    if ((content as BodyPart)?.render) return (content as BodyPart).render(context, key);
    // What is made by a function is no text.
    const text = (SUBTYPES[key] ? content : 0) as string;
    const isFlowed = key === 'text' && options.flowed;
    textParts.push(text);
    const [encoding, body] = encodeText(isFlowed ? isFlowed(text) : text, key, context);
    return [
      `Content-Type: text/${SUBTYPES[key]}${isFlowed ? '; format=flowed' : ''}; charset=utf-8\r\n` +
        `Content-Transfer-Encoding: ${encoding}\r\n`,
      body,
    ];
  };
  const leaves: Leaves = {};
  for (const key in SUBTYPES)
    if (spec[key as Key] !== undefined) leaves[key as Key] = leaf(key as Key, spec[key as Key]);
  const [file] = attachments;
  if (attachments.length && !file?.arrange) refuse('CONTENT', 'attachments[0]');
  const [[about, ...body] = leaf('text', '')] =
    file?.arrange(leaves, attachments, context) ??
    multipart('alternative', Object.values(leaves), context);
  const pieces: Piece[] = [
    `${head}MIME-Version: 1.0\r\n${about}\r\n`,
    ...body,
    // RFC 5322 §2.1: a message is a series of lines, and the last one ends like all of them.
    /[^\n]$/.test(body.at(-1) as string) ? '\r\n' : '',
  ];
  options.dkim?.attach(pieces, options, context);

  // What is not in memory makes this wrong, and mends it.
  const text = pieces.join('');
  let content = new Uint8Array(text.length);
  // For ASCII, of which the length is known, less time than encode() (Node 20).
  if (utf8.encodeInto(text, content).read < text.length) content = utf8.encode(text);
  const message: Running = {
    from,
    to: [...new Set(recipients)],
    body: context.body,
    smtpUtf8,
    messageId,
    attachments,
    hasText: !!leaves.text,
    hasHtml: !!leaves.html,
    textParts,
    content,
    size: content.length,
    minimumSize: content.length,
    sent: 0,
    async *[Symbol.asyncIterator]() {
      yield message.bytes();
    },
    bytes: async () => {
      message.sent = content.length;
      return content;
    },
    text: async () => text,
    stream: () => (ReadableStream as unknown as Streams).from(message),
    ready: async () => message,
  };
  context.deliver?.(message, pieces, options);
  limitSize(message.minimumSize, options.maxSize);
  return message;
}
