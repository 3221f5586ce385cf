/** A message on its way through the steps of `sendMail()`: its data, with the defaults of the transporter in it. */
import { plainAddresses } from './address-list.ts';
import { contentTypeOf, filenameOf } from './body-part.ts';
import { type Callback, callBack } from './call-back.ts';
import type { ComposedMail } from './composed-mail.ts';
import { isContentObject, load, type Policy, resolve } from './content.ts';
import { type Field, fieldsOf } from './header-field.ts';
import type { AttachmentInput, SendMailOptions } from './message-data.ts';
import { streamsOf } from './outgoing.ts';

/** What plugins are given. They may change `data`; `message` is there from the step `stream` on. */
export class MailMessage {
  // biome-ignore lint/suspicious/noExplicitAny: plugins add to it and change it
  data: Record<string, any>;
  message!: ComposedMail;
  /** Whose message it is. */
  readonly mailer: object;

  /** @param options - of the transporter: what it forbids, no message allows */
  constructor(
    mailer: object,
    given: SendMailOptions,
    defaults: SendMailOptions,
    options: SendMailOptions,
  ) {
    this.mailer = mailer;
    const own = fieldsOf(given.headers);
    const names = own.map(({ name }) => name.toLowerCase());
    const more = fieldsOf(defaults.headers).filter(
      ({ name }) => !names.includes(name.toLowerCase()),
    );
    this.data = {
      ...defaults,
      ...given,
      headers: more[0] ? [...own, ...more].map(asEntry) : (given.headers ?? {}),
    };
    for (const key of ['disableFileAccess', 'disableUrlAccess'])
      if (options[key] ?? defaults[key]) this.data[key] = true;
    for (const key of ['maxRecipients', 'dkim'])
      if (options[key] && (key !== 'dkim' || !this.data[key])) this.data[key] = options[key];
  }

  /** The content of a key of something, in memory. */
  resolveContent(from: object, key: string | number, callback: Callback<unknown>): void;
  resolveContent(
    from: object,
    key: string | number,
    policy: Policy | undefined | false,
    callback: Callback<unknown>,
  ): void;
  resolveContent(from: object, key: string | number, policy?: Policy | false): Promise<unknown>;
  resolveContent(
    from: object,
    key: string | number,
    policy?: Policy | Callback<unknown> | false,
    callback?: Callback<unknown>,
  ): Promise<unknown> | void {
    const done = typeof policy === 'function' ? policy : callback;
    const resolved = this.#resolve(
      (from as Record<string, unknown>)[key],
      `${key}`,
      Object(policy),
    );
    if (!done) return resolved;
    callBack(resolved, done);
  }

  async #resolve(given: unknown, what: string, policy: Policy = {}): Promise<string | Buffer> {
    const disableFileAccess = this.data['disableFileAccess'] || policy.disableFileAccess;
    return resolve(await load(given, what, { disableFileAccess }));
  }

  /** The whole message as plain data, for transports that send no octets. */
  normalize(callback: Callback<unknown>): void {
    callBack(this.plain(), callback);
  }

  /** As {@link normalize}. */
  async plain(): Promise<Record<string, unknown>> {
    const { data, message } = this;
    const found: Record<string, unknown> = { ...data };
    for (const key of ['from', 'sender', 'to', 'cc', 'bcc', 'replyTo'])
      if (key in data) {
        const list = plainAddresses(data[key], key);
        const value = /from|sender/.test(key) ? list[0] : list[0] && list;
        found[key] = value ?? null;
      }
    for (const key of ['text', 'html', 'watchHtml', 'amp'])
      if (data[key]) found[key] = `${await this.#resolve(data[key], key)}`;
    if (data['icalEvent'])
      found['icalEvent'] = await this.#plainPart(data['icalEvent'], 'icalEvent');
    for (const key of ['alternatives', 'attachments'])
      if (data[key])
        found[key] = await Promise.all(
          [data[key]].flat().map((one: AttachmentInput, at) => {
            const contentType = contentTypeOf(one, 'bin');
            return this.#plainPart(
              one,
              `${key}[${at}]`,
              key === 'attachments' && {
                filename: filenameOf(one, at, contentType),
                contentType,
              },
            );
          }),
        );
    return {
      ...found,
      normalizedHeaders: Object.fromEntries(
        fieldsOf(data['headers']).map(({ name, value }) => [name.toLowerCase(), value]),
      ),
      envelope: message.getEnvelope(),
      messageId: message.messageId(),
    };
  }

  async #plainPart(given: unknown, what: string, more: object | false = {}): Promise<object> {
    const { path, href, raw, ...rest } = isContentObject(given) ? given : {};
    if (raw) return { ...rest, raw: `${raw}` };
    const content = await this.#resolve(given, what);
    return typeof content === 'string'
      ? { ...rest, ...more, content }
      : { ...rest, ...more, content: content.toString('base64'), encoding: 'base64' };
  }

  /** Nobody reads on in what has failed: what its streams hold open is let go. */
  releaseStreams(): void {
    for (const stream of streamsOf(this.data)) stream.destroy?.();
  }
}

const asEntry = ({ name, value, prepared }: Field): { key: string; value: unknown } => ({
  key: name,
  value: prepared ? { value, prepared } : value,
});
