/**
 * A pool as a transport of nodemailer. It knows what a message's envelope and content are to a transport, and how the
 * receipt is told; it knows nothing of options by other names, and composes nothing.
 */
import { EventEmitter } from 'node:events';
import {
  type ConnectOptions,
  connect,
  type OutgoingMessage,
  type SendOptions,
  type SmtpClient,
} from '../index.ts';
import { createPool, type PoolOptions, type SmtpPool } from '../pool/index.ts';
import { type Callback, callBack } from './call-back.ts';
import { nodemailerError, problem, rejectedErrors, responseOf, unsupported } from './error.ts';
import type { Mail, SentMessageInfo } from './mail.ts';
import { outgoing } from './outgoing.ts';

/** How to connect and to share connections, as `createPool()` takes it. */
export interface PosthornTransportOptions extends PoolOptions {
  /**
   * What to do where the server lacks what a message asks for: 'drop' (default) leaves DSN and 8BITMIME out, as nodemailer
   * does; 'error' refuses the message.
   */
  readonly onUnsupported?: SendOptions['onUnsupported'];
}

/** What was seen of a message while it was sent. */
interface Sending extends SendOptions {
  onClient?(client: SmtpClient): void;
}

/** Options of nodemailer that this takes by another name, or not at all. */
const FOREIGN =
  /TLS$|^(secure|url|service|authMethod|pool|rate.+|(connection|greeting|socket|dns)T.*|logger|debug|proxy|getSocket|dkim)$/;

const now = (): number => Math.round(performance.now());

/** The version of this package. */
export const VERSION = '0.1.0';

/** The transport that nodemailer, or `createTransport()` of this module, sends by. */
export class PosthornTransport extends EventEmitter {
  readonly name: string = 'Posthorn';
  readonly version: string = VERSION;
  readonly supportsAbortSignal = true;
  readonly options: PosthornTransportOptions;
  /** Who sends by it: set by nodemailer. */
  // biome-ignore lint/suspicious/noExplicitAny: nodemailer's own class, whatever its version
  mailer?: any;
  readonly #words: ((message: string) => string) | undefined;
  readonly #reopens: boolean;
  #pool: SmtpPool;
  #idling = false;

  /**
   * @param words - what errors say, where the options have other names
   * @param reopens - whether it can be used after close(), and has no events: each message has a connection of its own
   */
  constructor(
    options: PosthornTransportOptions,
    words?: (message: string) => string,
    reopens = false,
  ) {
    super();
    this.options = options;
    this.#words = words;
    this.#reopens = reopens;
    this.#pool = this.#create();
    setImmediate(() => this.#turn());
  }

  /** Sends a message that has been composed. Called by nodemailer. */
  send(mail: Mail, callback: Callback<SentMessageInfo>): void {
    callBack(this.#inWords(this.#deliver(mail)), callback);
    this.#turn();
  }

  /** Connects, authenticates and leaves again. Resolves to true. @throws NodemailerError */
  verify(): Promise<true>;
  verify(callback: Callback<true>): void;
  verify(callback?: Callback<true>): Promise<true> | void {
    const verified = this.#inWords(
      this.#connect(this.options).then(async (client): Promise<true> => {
        await client.close();
        return true;
      }),
    );
    return callback ? callBack(verified, callback) : verified;
  }

  /** Whether fewer messages wait than there may be connections. */
  isIdle(): boolean {
    return this.#pool.stats.queued < (this.options.maxConnections ?? 5);
  }

  /**
   * Lets what was given come to its end, and leaves. Resolves when the last connection is closed. With `force` what is under way
   * fails at once.
   */
  close({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    const pool = this.#pool;
    if (this.#reopens) this.#pool = this.#create();
    if (force) pool.destroy();
    return pool.close();
  }

  /** What went wrong, as nodemailer tells it. */
  #inWords<Value>(promise: Promise<Value>): Promise<Value> {
    return promise.catch((error) => {
      throw nodemailerError(error, this.#words);
    });
  }

  #create(): SmtpPool {
    return createPool({ ...this.options, connect: (options) => this.#connect(options) });
  }

  async #connect(options: ConnectOptions): Promise<SmtpClient> {
    const client = await (this.options.connect ?? connect)(options).catch((error) => {
      // Before anything is sent: what no connection can be made with.
      throw error instanceof TypeError
        ? problem('ECONFIG', error.message, { cause: error })
        : error;
    });
    const { send } = client;
    client.send = (message: OutgoingMessage, how: Sending = {}) => {
      how.onClient?.(client);
      return send.call(client, message, how);
    };
    return client;
  }

  async #deliver({ data, message }: Mail): Promise<SentMessageInfo> {
    const { from, to } = message.getEnvelope();
    const messageId = message.messageId();
    let client!: SmtpClient;
    let begun = 0;
    let content = 0;
    const how: Sending = {
      onUnsupported: this.options.onUnsupported ?? 'drop',
      ...(data.signal && { signal: data.signal }),
      onProgress() {
        content ||= now();
      },
      onClient(used) {
        client = used;
        begun = now();
        content = 0;
      },
    };
    const receipt = await this.#pool
      .send(outgoing(data, message), how)
      .finally(() => setImmediate(() => this.#turn()));
    const { accepted, rejected, reply, octets } = receipt;
    const done = now();
    content ||= done;
    return {
      accepted: accepted as string[],
      rejected: rejected.map(({ address }) => address),
      ehlo: [...client.capabilities.keywords].map((offer) => offer.flat().join(' ')),
      ...(rejected[0] && { rejectedErrors: rejectedErrors(rejected) }),
      envelopeTime: content - begun,
      messageTime: done - content,
      messageSize: octets,
      response: responseOf(reply),
      envelope: { from: from || '', to },
      messageId,
    };
  }

  /** Tells when there is room again. */
  #turn(): void {
    const was = this.#idling;
    this.#idling = this.isIdle();
    if (this.#idling && !was && !this.#reopens) this.emit('idle');
  }
}

/**
 * A transport for `nodemailer.createTransport()`: what nodemailer composes is sent by a pool of this package. Streams are read
 * as the connection takes them. `close()` it when nothing more is to be sent: until `idleTimeout` its connections keep the process
 * alive.
 *
 * @param options - as for `createPool()`
 * @throws TypeError for limits that are not above 0, NodemailerError `ECONFIG` for options that only nodemailer has
 *
 * @example
 * ```ts
 * import { posthornTransport } from '@posthorn/core/nodemailer';
 * import nodemailer from 'nodemailer';
 *
 * const transporter = nodemailer.createTransport(
 *   posthornTransport({ host, port, tlsOptions: { ca }, auth: { user, pass } }),
 * );
 * const info = await transporter.sendMail({
 *   from: 'noreplay@devinotele.com',
 *   to: 'test@devinotele.com',
 *   subject: 'Test from smtp',
 *   text: 'Hello',
 * });
 * console.log(info.accepted, info.response.slice(0, 3)); // [ 'test@devinotele.com' ] 250
 * transporter.close();
 * ```
 */
export function posthornTransport(options: PosthornTransportOptions): PosthornTransport {
  const { tls, auth } = options;
  const foreign =
    Object.keys(options).find((name) => FOREIGN.test(name)) ??
    (typeof tls === 'object' ? 'tls' : 'type' in Object(auth) ? 'auth.type' : undefined);
  if (foreign)
    throw unsupported(
      foreign,
      "posthornTransport() takes options of createPool(), as tls: 'implicit' for secure: true",
    );
  return new PosthornTransport(options);
}
