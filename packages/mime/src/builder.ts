/**
 * MessageBuilder: a message part by part, with its size at each step. In no bundle that does not import it.
 *
 * compose() says what is right and how large it is: it is asked after each call, with all header fields, and bodies that are
 * known by their size alone. So it takes no longer the more there is in them. Here is only how attachments add up.
 */
import { type AttachmentOptions, attachment } from './attachment.ts';
import { utf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import type { Address, Group } from './header/address.ts';
import { arrange } from './leaf.ts';
import {
  type ComposeOptions,
  compose,
  type HeaderField,
  type Leaves,
  type Message,
  type MessageSpec,
} from './message.ts';
import type { BodyPart, Context, Entity, Source } from './part.ts';
import { type Content, deliver } from './source.ts';

type Spec = Partial<MessageSpec>;

/** Stands for the author or the sender until there is one. None is shorter. */
const SHORTEST = 'a@b';

/** What is known of bodies. */
interface Bodies {
  /** By size alone. */
  readonly leaves: Leaves;
  /** As it is behind the last attachment. */
  readonly context: Context;
  /** Attachments without and with a Content-ID. */
  readonly counts: readonly [files: number, related: number];
  /** One attachment, or all that several have in them, by size alone. */
  readonly sum: Entity;
}

type Measured = readonly [bodies: Bodies, size: number | undefined, minimumSize: number];

const NONE = { counts: [0, 0], sum: { head: '', body: [] } } as unknown as Bodies;

function source(size: number | undefined, once?: boolean): Source {
  return { size, once, deliver, open: () => [] };
}

/** The same by size alone. What it ends with decides whether the message needs a last line break. */
function sized({ head, body }: Entity): Entity {
  let known = 0;
  let unknown: 0 | undefined = 0;
  let once: boolean | undefined;
  for (const piece of body) {
    const { size, once: own } =
      typeof piece === 'string' ? source(utf8.encode(piece).length) : piece;
    if (size === undefined) unknown = size;
    known += size ?? 0;
    once ||= own;
  }
  const end = /\n$/.test(body.at(-1) as string) ? '\n' : '';
  return { head, body: [source(known - end.length, once), source(unknown), end] };
}

/** With one attachment more. */
function adding(
  { leaves, counts: [files, related], sum, ...before }: Bodies,
  part: BodyPart,
): Bodies {
  const at = files + related;
  const path = `attachments[${at}]`;
  if (!part?.render) refuse('ERR_MIME_CONTENT', path, part, 'not of attachment()');
  const context = { ...before.context };
  const { head, body } = part.render(context, path);
  return {
    leaves,
    context,
    counts: part.cid ? [files, related + 1] : [files + 1, related],
    sum: sized(at ? { head: '', body: [sum.head, ...sum.body, head, ...body] } : { head, body }),
  };
}

/** All bodies as one entity; none as none. */
function arranged({ leaves, context, counts, sum }: Bodies): readonly Entity[] {
  const marks = counts.map(() => source(0));
  // Two and more make a multipart, whatever they are: two of each kind show what each takes around it.
  const parts = counts
    .flatMap((count, related) => Array<number>(Math.min(count, 2)).fill(related))
    .map((cid, at) => ({
      cid,
      render: () => (at ? { head: '', body: [marks[cid]] } : sum),
    }));
  return arrange({ ...leaves }, parts as unknown as BodyPart[], { ...context }).map(
    ({ head, body }) => {
      const more = counts.map((count, related) => {
        const delimiter = body[body.lastIndexOf(marks[related] as Source) - 1] as string;
        return source(count > 2 ? (count - 2) * delimiter.length : 0);
      });
      return { head, body: [...more, ...body] };
    },
  );
}

/**
 * A message (RFC 5322) part by part: the same as `compose()` makes of the same, with its size, octets as sent, known at
 * each step. A call with what `compose()` refuses throws its MimeError, and so does one that would pass `maxSize`: then the
 * builder is as it was before. Addresses, header fields and attachments add to those that are there; all else replaces.
 *
 * Until `from` is given, and `sender` where there are several authors, the shortest possible one is counted: so
 * `minimumSize` is never more than the message will have, `size` is undefined, and `build()` throws. No stream is
 * opened, and an attachment that is added costs the same time however much is there.
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
  readonly #options: ComposeOptions;
  readonly #measuring: ComposeOptions;
  #spec: Spec = {};
  #texts: Spec = {};
  readonly #attachments: BodyPart[] = [];
  #measured: Measured = [NONE, 0, 0];

  constructor(options: ComposeOptions = {}) {
    this.#options = options;
    // A name as long as that of the message. Chance that was given is asked for messages alone.
    const random = options.random && (() => utf8.encode(crypto.randomUUID().slice(18)));
    this.#measuring = { ...options, random } as ComposeOptions;
    this.#content({});
  }

  /** Octets of the message as it is now (RFC 1870 §3); undefined where a stream does not tell, or an author is missing. */
  get size(): number | undefined {
    return this.#measured[1];
  }

  /** Octets of the message as it is now, without what streams do not tell. */
  get minimumSize(): number {
    return this.#measured[2];
  }

  /** Octets that are left below `maxSize`. An attachment takes about 1.37 times its own, and its header. Infinity without `maxSize`. */
  get remaining(): number {
    return (this.#options.maxSize ?? Number.POSITIVE_INFINITY) - this.minimumSize;
  }

  /** Adds authors. */
  from(addresses: Address | readonly Address[]): this {
    return this.#add('from', addresses);
  }

  sender(address: Address): this {
    return this.#set({ sender: address });
  }

  /** Adds recipients; so do `cc` and `bcc`. */
  to(addresses: Address | readonly Address[]): this {
    return this.#add('to', addresses);
  }

  cc(addresses: Address | readonly Address[]): this {
    return this.#add('cc', addresses);
  }

  bcc(addresses: Address | readonly Address[]): this {
    return this.#add('bcc', addresses);
  }

  replyTo(addresses: Address | readonly Address[]): this {
    return this.#add('replyTo', addresses);
  }

  subject(subject: string): this {
    return this.#set({ subject });
  }

  date(date: Date): this {
    return this.#set({ date });
  }

  messageId(messageId: string): this {
    return this.#set({ messageId });
  }

  inReplyTo(inReplyTo: string | readonly string[]): this {
    return this.#set({ inReplyTo });
  }

  references(references: string | readonly string[]): this {
    return this.#set({ references });
  }

  /** Adds a header field that has no method of its own. */
  header(...field: HeaderField): this {
    return this.#set({ headers: [...(this.#spec.headers ?? []), field] });
  }

  /** Made by `listUnsubscribe()`. */
  listUnsubscribe(fields: readonly HeaderField[]): this {
    return this.#set({ listUnsubscribe: fields });
  }

  autoSubmitted(autoSubmitted: 'auto-generated' | 'auto-replied' | 'no'): this {
    return this.#set({ autoSubmitted });
  }

  priority(priority: 'high' | 'normal' | 'low'): this {
    return this.#set({ priority });
  }

  text(text: string): this {
    return this.#content({ text });
  }

  html(html: string): this {
    return this.#content({ html });
  }

  amp(amp: string): this {
    return this.#content({ amp });
  }

  /** Made by `calendar()`. */
  calendar(calendar: BodyPart): this {
    return this.#content({ calendar });
  }

  /** A tree in place of the texts, made by `part()` or `report()`. */
  body(body: BodyPart): this {
    return this.#content({ body });
  }

  /** Adds an attachment, made here as by `attachment()`. The time it takes does not depend on those that are there. */
  attach(filename: string, content: Content, options?: AttachmentOptions): this;
  /** Adds one made by `attachment()` or `part()`. */
  attach(part: BodyPart): this;
  attach(given: BodyPart | string, content?: Content, options?: AttachmentOptions): this {
    const part =
      content === undefined ? (given as BodyPart) : attachment(given as string, content, options);
    return this.#set({}, undefined, [part]);
  }

  /** Whether `attach(part)` would pass. Nothing is changed or read. */
  fits(part: BodyPart): boolean {
    try {
      this.#measure(this.#spec, [part]);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * The message as it is now. The builder can go on, and build again: each message has a Message-ID of its own, unless it was
   * given.
   *
   * @throws MimeError `ERR_MIME_ADDRESS` where `from` is missing, or `sender` with several authors
   */
  build(): Message {
    const attachments = [...this.#attachments];
    return compose({ ...(this.#spec as MessageSpec), ...this.#texts, attachments }, this.#options);
  }

  #add(
    key: 'from' | 'to' | 'cc' | 'bcc' | 'replyTo',
    addresses: Address | readonly Address[],
  ): this {
    const before = this.#spec[key];
    return this.#set({ [key]: before ? [before, addresses].flat() : addresses });
  }

  #content(change: Spec): this {
    return this.#set({}, { ...this.#texts, ...change });
  }

  /** @param texts - all of them, where one changes: that may write the others otherwise, and attachments too */
  #set(change: Spec, texts?: Spec, parts: readonly BodyPart[] = []): this {
    const spec = { ...this.#spec, ...change };
    this.#measured = this.#measure(spec, texts ? this.#attachments : parts, texts);
    this.#spec = spec;
    this.#texts = texts ?? this.#texts;
    this.#attachments.push(...parts);
    return this;
  }

  /** @param parts - attachments that are not measured yet, or are anew behind `texts` */
  #measure(spec: Spec, parts: readonly BodyPart[], texts?: Spec): Measured {
    const { from = SHORTEST, sender } = spec;
    const [, several] = [from].flat().flatMap((one) => (one as Group)?.members ?? one);
    let [bodies] = this.#measured;
    const probe = {
      arrange(leaves: Leaves, _: unknown, context: Context) {
        if (texts) {
          for (const key in leaves) leaves[key as 'text'] = sized(leaves[key as 'text'] as Entity);
          bodies = { ...NONE, leaves, context };
        }
        bodies = parts.reduce(adding, bodies);
        return arranged(bodies);
      },
    };
    const { size, minimumSize } = compose(
      {
        ...spec,
        ...texts,
        from,
        sender: (sender ?? (several && SHORTEST)) as string,
        attachments: [probe as unknown as BodyPart],
      },
      this.#measuring,
    );
    return [bodies, spec.from && (sender ?? !several) ? size : undefined, minimumSize];
  }
}
