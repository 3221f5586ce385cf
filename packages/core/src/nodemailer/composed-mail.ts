/** A composed message as plugins and transports of nodemailer see it. It composes nothing itself. */
import { Readable, type Transform } from 'node:stream';
import type { Field } from './header-field.ts';
import type { MailContent, MailEnvelope } from './mail.ts';
import type { OwnContent } from './outgoing.ts';

/** Makes the content, with further fields, and with Bcc in it if it is to be kept. */
export type Make = (more: readonly Field[], keepBcc: boolean) => OwnContent;

/** What `mail.message` is to plugins of the step `stream`, and to transports. */
export class ComposedMail implements MailContent {
  /** Writes Bcc into the message: for what is no delivery. */
  keepBcc = false;
  readonly #envelope: MailEnvelope;
  readonly #messageId: string;
  readonly #once: boolean;
  readonly #make: Make;
  readonly #fields: Field[] = [];
  readonly #steps: ((input: Readable) => Readable)[] = [];

  /** @param once - whether its content can be read only once */
  constructor(envelope: MailEnvelope, messageId: string, once: boolean, make: Make) {
    this.#envelope = envelope;
    this.#messageId = messageId;
    this.#once = once;
    this.#make = make;
  }

  getEnvelope(): MailEnvelope {
    return this.#envelope;
  }

  messageId(): string {
    return this.#messageId;
  }

  /** Adds a header field. */
  addHeader(name: string, value: string): this {
    this.#fields.push({ name, value });
    return this;
  }

  /** Has the message pass through a stream. */
  transform(step: Transform | (() => Transform)): void {
    this.#steps.push((input) => {
      const output = typeof step === 'function' ? step() : step;
      input.on('error', (error) => output.destroy(error));
      return input.pipe(output);
    });
  }

  /** Has the message pass through a function. */
  processFunc(step: (input: Readable) => Readable): void {
    this.#steps.push(step);
  }

  /** The content, as core sends it best; undefined where plugins change it on its way. */
  ownContent(): OwnContent | undefined {
    if (this.#steps[0]) return undefined;
    const { content, size, body, smtpUtf8 } = this.#make(this.#fields, this.keepBcc);
    const once = this.#once && !(content instanceof Uint8Array);
    return { content: once ? onlyOnce(content) : content, size, body, smtpUtf8 };
  }

  createReadStream(): Readable {
    const { content } = this.#make(this.#fields, this.keepBcc);
    const source =
      content instanceof Uint8Array ? [content] : (content as AsyncIterable<Uint8Array>);
    return this.#steps.reduce(
      (stream, step) => step(stream),
      Readable.from(source, { objectMode: false }),
    );
  }

  /** All of it. */
  async build(): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.createReadStream()) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

/** Whoever has begun to read it cannot begin anew, and the pool can tell. */
async function* onlyOnce(content: OwnContent['content']): AsyncGenerator<Uint8Array> {
  yield* content as AsyncIterable<Uint8Array>;
}
