/**
 * The transporter of nodemailer, over a transport of this module or of others. It knows the steps of `sendMail()`; what
 * happens in each it leaves to whoever does it.
 */
import { EventEmitter } from 'node:events';
import { type Callback, callBack } from './call-back.ts';
import { composeMail } from './compose-mail.ts';
import { composerError } from './composer-error.ts';
import { attachDataImages } from './data-image.ts';
import { ABORTED, problem, unsupported } from './error.ts';
import { type Logger, loggerOf } from './logger.ts';
import type { SentMessageInfo } from './mail.ts';
import { MailMessage } from './mail-message.ts';
import type { SendMailOptions } from './message-data.ts';

/** A transport: of this module, or a plugin for nodemailer. */
export interface Transport<Info = SentMessageInfo> {
  name: string;
  version: string;
  /** Sends a message that has been composed. */
  // biome-ignore lint/suspicious/noExplicitAny: a plugin declares as much of a message as it reads
  send(mail: any, callback: Callback<Info>): void;
  /** Whether it could send now. */
  // biome-ignore lint/suspicious/noExplicitAny: each has arguments of its own
  verify?(...args: any[]): any;
  /** Whether there is room for another message. */
  isIdle?(): boolean;
  /** Leaves. */
  // biome-ignore lint/suspicious/noExplicitAny: each has arguments of its own
  close?(...args: any[]): any;
  mailer?: unknown;
}

/** A step of `sendMail()`: 'compile' before the message is composed, 'stream' before it is sent. */
export type Plugin = (mail: MailMessage, callback: (error?: Error | null) => void) => void;

/** What `createTransport()` makes. Emits `idle` when a pool can take messages, and `token`. */
export class Transporter<Info = SentMessageInfo> extends EventEmitter {
  readonly transporter: Transport<Info>;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was given, by whatever name
  readonly options: any;
  readonly meta: Map<string, unknown> = new Map();
  readonly logger: Logger;
  readonly #defaults: SendMailOptions;
  readonly #plugins: Record<string, Plugin[]> = { compile: [attachDataImages], stream: [] };
  /** Messages that the transport does not have yet. */
  readonly #preparing = new Set<Promise<unknown>>();

  constructor(transport: Transport<Info>, options: object, defaults: SendMailOptions) {
    super();
    this.transporter = transport;
    this.options = options;
    this.logger = loggerOf(this.options.logger);
    this.#defaults = defaults;
    transport.mailer = this;
    const events = transport as Partial<EventEmitter>;
    for (const event of ['error', 'idle', 'clear'])
      events.on?.(event, (...args: unknown[]) => this.emit(event, ...args));
  }

  /**
   * Sends a message. Resolves, or calls back, as soon as the server has accepted it for somebody.
   *
   * @throws NodemailerError
   */
  sendMail(data: SendMailOptions): Promise<Info>;
  sendMail(data: SendMailOptions, callback: Callback<Info>): void;
  sendMail(data: SendMailOptions, callback?: Callback<Info>): Promise<Info> | void {
    const sent = this.#send(data);
    if (!callback) return sent;
    callBack(sent, callback);
  }

  /** Adds a plugin. */
  use(step: 'compile' | 'stream', plugin: Plugin): this {
    const plugins = this.#plugins[step];
    if (!plugins) throw unsupported(`use('${step}')`, 'the steps are compile and stream');
    plugins.push(plugin);
    return this;
  }

  /** Connects, authenticates and leaves again. Resolves to true. @throws NodemailerError */
  verify(): Promise<true>;
  verify(callback: Callback<true>): void;
  verify(...args: unknown[]): unknown {
    return this.#call('verify', args);
  }

  /** Whether it would take a message at once. */
  isIdle(): boolean {
    return !!this.#call('isIdle', []);
  }

  /** Lets what was given come to its end, and leaves. Resolves then. With `force` what is under way fails at once. */
  async close(options?: { readonly force?: boolean }): Promise<void> {
    if (!options?.force && this.#preparing.size) await Promise.allSettled(this.#preparing);
    await this.#call('close', options ? [options] : []);
  }

  /** Keeps something beside it: plugins do. */
  set(key: string, value: unknown): Map<string, unknown> {
    return this.meta.set(key, value);
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever was kept
  get(key: string): any {
    return this.meta.get(key);
  }

  getVersionString(): string {
    return `${this.transporter.name}/${this.transporter.version}`;
  }

  #call(method: 'verify' | 'isIdle' | 'close', args: unknown[]): unknown {
    const { transporter } = this;
    return typeof transporter[method] === 'function'
      ? (transporter[method] as (...args: unknown[]) => unknown)(...args)
      : false;
  }

  async #send(data: SendMailOptions): Promise<Info> {
    const mail = new MailMessage(this, data ?? {}, this.#defaults, this.options);
    // In an object, so that it is settled as soon as the transport has the message.
    const given = this.#prepare(mail).then(() => ({ sent: this.#give(mail) }));
    this.#preparing.add(given);
    try {
      const { sent } = await given;
      return await sent;
    } catch (error) {
      mail.releaseStreams();
      this.logger.error({ err: error, tnx: 'send' }, 'Send Error: %s', (error as Error)?.message);
      throw error;
    } finally {
      this.#preparing.delete(given);
    }
  }

  #give(mail: MailMessage): Promise<Info> {
    return new Promise((resolve, reject) => {
      this.transporter.send(mail, (error, info) => (error ? reject(error) : resolve(info)));
    });
  }

  async #prepare(mail: MailMessage): Promise<void> {
    const { signal } = mail.data;
    if (signal && typeof signal.addEventListener !== 'function')
      throw unsupported('signal', 'it is no AbortSignal');
    stopped(mail);
    await this.#run('compile', mail);
    mail.message = await composeMail(mail.data).catch((error) => {
      throw composerError(error);
    });
    const { to } = mail.message.getEnvelope();
    const most = mail.data['maxRecipients'] ?? 100_000;
    if (most && to.length > most)
      throw problem('EMAXRECIPIENTS', `Cannot send to ${to.length}: maxRecipients is ${most}`);
    await this.#run('stream', mail);
    this.logger.info(
      { tnx: 'send', messageId: mail.message.messageId() },
      'Sending message %s to <%s>',
      mail.message.messageId(),
      to.slice(0, 3).join(', '),
    );
  }

  async #run(step: string, mail: MailMessage): Promise<void> {
    for (const plugin of this.#plugins[step] ?? []) {
      await new Promise<void>((resolve, reject) => {
        plugin(mail, (error) => (error ? reject(error) : resolve()));
      });
      stopped(mail);
    }
  }
}

/** @throws NodemailerError `EABORT` where the message has been given up */
function stopped({ data: { signal } }: MailMessage): void {
  if (signal?.aborted)
    throw problem('EABORT', 'Cannot send the message: aborted', {
      ...ABORTED,
      cause: signal.reason,
    });
}
