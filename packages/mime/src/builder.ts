/**
 * MessageBuilder: a message part by part, with its size at each step. In no bundle that does not import it.
 *
 * compose() says what is right and how large it is: it is asked at each call. Here is only what it need not encode again: the
 * texts and attachments that were there before, as it rendered them.
 */

import { arrange } from './arrange.ts';
import { type AttachmentOptions, attachment } from './attachment.ts';
import type { Address } from './header/address.ts';
import {
  type ComposeOptions,
  compose,
  type HeaderField,
  type Leaves,
  type Message,
  type MessageSpec,
  type StructuredField,
} from './message.ts';
import type { BodyPart, Context, Entity } from './part.ts';
import type { Content } from './source.ts';

/** Keys of a message, each with a method: the first seven add, all else replaces, and the last five are texts. */
const KEYS = [
  'from',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'headers',
  'attachments',
  'sender',
  'subject',
  'date',
  'messageId',
  'inReplyTo',
  'references',
  'listUnsubscribe',
  'autoSubmitted',
  'priority',
  'text',
  'amp',
  'html',
  'calendar',
  'body',
];

/** Parts that are rendered, where they were: what the texts became, by their keys, and the attachments. */
interface Ready {
  readonly texts?: Record<string, BodyPart>;
  readonly attachments?: readonly BodyPart[];
}

/** A part that is rendered once, and then leaves the context as it did. What is no part is for `arrange()` to refuse. */
function once(part: Pick<BodyPart, 'render'>): BodyPart {
  return (
    part?.render
      ? {
          ...part,
          render(context, path) {
            const entity = part.render(context, path);
            const after = { ...context };
            this.render = (now) => Object.assign(now, after) && entity;
            return entity;
          },
        }
      : part
  ) as BodyPart;
}

/**
 * A message (RFC 5322) part by part: the same as `compose()` makes of the same, with its size, octets as sent, known at
 * each step. A call with what `compose()` refuses throws its MimeError, and so does one that would pass `maxSize`: then the
 * builder is as it was before. Addresses, header fields and attachments add to those that are there; all else replaces.
 *
 * Until `from` is given, the shortest possible author is counted: so `minimumSize` is never more than the message will have,
 * `size` is undefined, and `build()` throws. Several authors need their `sender` first. No stream is opened, and no text or
 * attachment is encoded again where one more is added. `random` is asked at each call.
 *
 * @throws MimeError `ERR_MIME_TOO_LARGE` with `limit`, `actual` and `excess` octets where `maxSize` would be passed, by
 * the constructor where no message is as small as that; else the codes of `compose()`
 *
 * @example
 * ```ts
 * import { attachment, MessageBuilder, MimeError } from '@posthorn/mime';
 *
 * const builder = new MessageBuilder({ maxSize: 500_000 })
 *   .from('Shop <shop@example.com>')
 *   .to('jane@example.net')
 *   .text('Your photos:')
 *   .attach('1.jpg', new Uint8Array(300_000), { contentType: 'image/jpeg' });
 * const second = attachment('2.jpg', new Uint8Array(200_000), { contentType: 'image/jpeg' });
 * try {
 *   builder.attach(second);
 * } catch (error) {
 *   if (error instanceof MimeError) console.log(error.code); // ERR_MIME_TOO_LARGE
 * }
 * console.log(builder.fits(second), builder.remaining > 80_000); // false true
 * console.log(builder.build().size === builder.size); // true
 * ```
 */
export class MessageBuilder {
  /** Octets of the message as it is now (RFC 1870 §3); undefined where a stream does not tell, or an author is missing. */
  declare readonly size: number | undefined;
  /** Octets of the message as it is now, without what streams do not tell. */
  declare readonly minimumSize: number;
  /** Octets that are left below `maxSize`. An attachment takes about 1.37 times its own, and its header. Infinity without `maxSize`. */
  declare readonly remaining: number;

  /** Adds authors. Give the `sender` of several before the second (RFC 5322 §3.6.2). */
  declare readonly from: (addresses: Address | readonly Address[]) => this;
  /** Who sends for several authors (RFC 5322 §3.6.2). */
  declare readonly sender: (address: Address) => this;
  /** Adds recipients; so do `cc` and `bcc`. */
  declare readonly to: (addresses: Address | readonly Address[]) => this;
  /** Adds recipients of a copy. */
  declare readonly cc: (addresses: Address | readonly Address[]) => this;
  /** Adds recipients that the message does not show: they are in the envelope only. */
  declare readonly bcc: (addresses: Address | readonly Address[]) => this;
  /** Adds addresses that replies should go to. */
  declare readonly replyTo: (addresses: Address | readonly Address[]) => this;
  /** Any text without control characters; outside ASCII as encoded-words (RFC 2047). */
  declare readonly subject: (subject: string) => this;
  /** Without it the date is the moment of `build()`. */
  declare readonly date: (date: Date) => this;
  /** `<left@right>`, the same in each message that is built. */
  declare readonly messageId: (messageId: string) => this;
  /** `<left@right>` of what this answers, one or several. */
  declare readonly inReplyTo: (inReplyTo: string | readonly string[]) => this;
  /** `<left@right>` of what this belongs to, the eldest first (RFC 5322 §3.6.4). */
  declare readonly references: (references: string | readonly string[]) => this;
  /** Made by `listUnsubscribe()`. */
  declare readonly listUnsubscribe: (fields: readonly StructuredField[]) => this;
  /** For what no person sent (RFC 3834 §5). */
  declare readonly autoSubmitted: (how: 'auto-generated' | 'auto-replied' | 'no') => this;
  /** As X-Priority and Importance. */
  declare readonly priority: (priority: 'high' | 'normal' | 'low') => this;
  /** The plain text. */
  declare readonly text: (text: string) => this;
  /** The HTML, an alternative to the text where there are both (RFC 2046 §5.1.4). */
  declare readonly html: (html: string) => this;
  /** AMP for Email, an alternative between the two. */
  declare readonly amp: (amp: string) => this;
  /** Made by `calendar()`. */
  declare readonly calendar: (calendar: BodyPart) => this;
  /** A tree in place of the texts, made by `part()` or `report()`. */
  declare readonly body: (body: BodyPart) => this;
  declare private readonly headers: (fields: readonly HeaderField[]) => this;
  declare private readonly attachments: (parts: readonly BodyPart[]) => this;

  readonly #options: ComposeOptions;
  #spec: Partial<MessageSpec> = {};
  #ready: Ready = {};

  constructor(options: ComposeOptions = {}) {
    this.#options = options;
    for (const key of KEYS)
      Object.assign(this, { [key]: (value: unknown) => this.#change(key, value)() });
    this.attachments([]);
  }

  /** Adds a header field that has no method of its own. */
  header(...field: HeaderField): this {
    return this.headers([field]);
  }

  /** Adds an attachment, made here as by `attachment()`. */
  attach(filename: string, content: Content, options?: AttachmentOptions): this;
  /** Adds one made by `attachment()` or `part()`. */
  attach(part: BodyPart): this;
  attach(given: BodyPart | string, content?: Content, options?: AttachmentOptions): this {
    return this.attachments([
      typeof given === 'string' ? attachment(given, content as Content, options) : given,
    ]);
  }

  /** Whether `attach(part)` would pass. Nothing is changed or read. */
  fits(part: BodyPart): boolean {
    try {
      return !!this.#change('attachments', [part]);
    } catch {
      return false;
    }
  }

  /**
   * The message as it is now. The builder can go on, and build again: each message has a Message-ID of its own, unless it was
   * given.
   *
   * @throws MimeError `ERR_MIME_ADDRESS` where `from` is missing
   */
  build(): Message {
    return compose(this.#spec as MessageSpec, this.#options);
  }

  /** Measures the message with the change, and returns what makes it. */
  #change(key: string, value: unknown): () => this {
    const at = KEYS.indexOf(key);
    const spec = {
      ...this.#spec,
      [key]: at < 7 ? [this.#spec[key as 'from'] ?? [], value].flat() : value,
    };
    // Another text may be written otherwise, and so may all that is behind it.
    const { texts = {}, attachments: before = [] }: Ready = at < 16 ? this.#ready : {};
    const attachments = [
      ...before,
      ...(spec.attachments as BodyPart[]).slice(before.length).map(once),
    ];
    const probe = {
      arrange(leaves: Leaves, _: unknown, context: Context) {
        for (const key in leaves) {
          texts[key] = once({ render: () => leaves[key as 'text'] as Entity });
          texts[key].render(context, key);
        }
        return arrange(leaves, attachments, context);
      },
    };
    const { size, minimumSize } = compose(
      { from: 'a@b', ...spec, ...texts, attachments: [probe as unknown as BodyPart] },
      this.#options,
    );
    return () => {
      this.#spec = spec;
      this.#ready = { texts, attachments };
      return Object.assign(this, {
        size: spec.from && size,
        minimumSize,
        remaining: (this.#options.maxSize ?? 1 / 0) - minimumSize,
      });
    };
  }
}
