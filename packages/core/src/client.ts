/** connect() and SmtpClient: the promise API over a session and its driver. */
import { type Driver, drive, systemClock } from './driver/driver.ts';
import { nodeTransport } from './driver/node-transport.ts';
import { fault, type RejectedRecipient } from './errors.ts';
import { addressLiteral, type ConnectOptions, resolveOptions } from './options.ts';
import { envelope, type OutgoingMessage, type SendOptions } from './session/envelope.ts';
import { type OpenOptions, open } from './session/open.ts';
import { quit } from './session/quit.ts';
import { noop, reset, verify } from './session/reset.ts';
import { Session } from './session/session.ts';
import { transaction } from './session/transaction.ts';
import type { Capabilities } from './wire/extension.ts';
import type { Reply } from './wire/reply.ts';

/** What became of a message that the server accepted, for all its recipients or for some. */
export interface Receipt {
  /** The recipients it was accepted for, as they were given. */
  readonly accepted: readonly string[];
  /** The recipients that the server refused, each with the reply. */
  readonly rejected: readonly RejectedRecipient[];
  /** The final reply. */
  readonly reply: Reply;
  /** All final replies: one, or with LMTP one for each recipient that RCPT had accepted. */
  readonly replies: readonly Reply[];
  /** Octets of content written, without the dots of transparency. */
  readonly octets: number;
  /** How often the client had to wait for the server during this send. */
  readonly roundTrips: number;
}

/** A connection that is ready to send. Made by {@link connect}. */
export class SmtpClient {
  readonly #session: Session;
  readonly #driver: Driver;
  readonly #lmtp: boolean;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(session: Session, driver: Driver, protocol: 'smtp' | 'lmtp') {
    this.#session = session;
    this.#driver = driver;
    this.#lmtp = protocol === 'lmtp';
  }

  /** What the server offers, as its last EHLO reply said. */
  get capabilities(): Capabilities {
    return this.#session.context.capabilities;
  }

  /** Whether the connection is under TLS. */
  get secure(): boolean {
    return this.#session.context.secure;
  }

  /** The server's greeting. */
  get greeting(): Reply {
    return this.#session.context.greeting as Reply;
  }

  /** How often the client had to wait for the server since it connected; a TLS handshake counts as one wait. */
  get roundTrips(): number {
    return this.#session.roundTrips;
  }

  /**
   * Sends one message (RFC 5321 §3.3). May be called again before the first settles: messages leave in
   * the order of the calls.
   *
   * @throws TypeError, RangeError for addresses and options that no server could be asked, before an octet is written
   * @throws SmtpError with `delivery`, which says what is certain about the message
   *
   * @example
   * ```ts
   * import { connect } from '@posthorn/core';
   *
   * const client = await connect({ host, port, tlsOptions: { ca }, auth: { user, pass } });
   * const receipt = await client.send({
   *   from: 'noreplay@devinotele.com',
   *   to: 'test@devinotele.com',
   *   content: 'Subject: Test from smtp\r\n\r\nHello\r\n',
   * });
   * console.log(receipt.reply.code); // 250
   * await client.close();
   * ```
   */
  async send(message: OutgoingMessage, options: SendOptions = {}): Promise<Receipt> {
    const { context } = this.#session;
    const prepared = envelope(message, context.capabilities, options);
    const procedure = transaction(prepared, { ...options, lmtp: this.#lmtp }, context);
    const { value, roundTrips } = await this.#driver.run('transaction', procedure, options.signal);
    return { ...value, roundTrips };
  }

  /** VRFY (RFC 5321 §3.5). The reply is given as it is, refusals included. @throws SmtpError, TypeError */
  async verify(address: string): Promise<Reply> {
    return (await this.#driver.run('verify', verify(address))).value;
  }

  /** NOOP (RFC 5321 §4.1.1.9): whether the server is still there. @throws SmtpError */
  async noop(): Promise<Reply> {
    return (await this.#driver.run('noop', noop())).value;
  }

  /** RSET (RFC 5321 §4.1.1.5). Not needed between messages. @throws SmtpError */
  async reset(): Promise<Reply> {
    return (await this.#driver.run('reset', reset(this.#session.context))).value;
  }

  /**
   * Ends the session: waits for what is being sent, says QUIT, closes. Resolves when the connection is
   * gone; a server that does not answer QUIT is left after `timeouts.quit`. Never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= this.#quit();
    return this.#closing;
  }

  /** Closes at once. What is being sent fails with `error`, or with ERR_SMTP_CLOSED. */
  destroy(error?: Error): void {
    this.#driver.fail(fault('ERR_SMTP_CLOSED', error?.message ?? 'the connection was destroyed', { phase: 'idle', cause: error }));
  }

  /** As {@link SmtpClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #quit(): Promise<void> {
    if (this.#session.phase !== 'closed') await this.#driver.run('quit', quit()).catch(() => this.destroy());
    await this.#driver.closed;
  }
}

/**
 * Connects to a submission server: greeting, EHLO, TLS and AUTH. Resolves when it is ready to send.
 *
 * @throws TypeError, RangeError for options that cannot be used, before anything is sent
 * @throws SmtpError ERR_SMTP_CONNECT, ERR_SMTP_TLS, ERR_SMTP_AUTH, ERR_SMTP_REPLY, ERR_SMTP_TIMEOUT, ERR_SMTP_PROTOCOL, ERR_SMTP_CLOSED, ERR_SMTP_ABORTED
 *
 * @example
 * ```ts
 * import { connect } from '@posthorn/core';
 *
 * const client = await connect({ host, port, tlsOptions: { ca }, auth: { user, pass } });
 * console.log(client.secure, client.capabilities.has('PIPELINING')); // true true
 * await client.close();
 * ```
 */
export async function connect(options: ConnectOptions): Promise<SmtpClient> {
  const resolved = resolveOptions(options);
  const { port, tls, timeouts } = resolved;
  const { host, protocol = 'smtp', clock = systemClock, onTranscript, localAddress, tlsOptions = {}, transport = nodeTransport } = options;
  const begun = clock.now();
  const session = new Session(
    onTranscript &&
      ((direction, text, phase) => {
        try {
          onTranscript({ direction, text, phase, secure: session.context.secure, at: clock.now() - begun });
        } catch {
          // An observer cannot fail the session.
        }
      }),
  );
  const driver = drive(session, timeouts, clock, () =>
    session.waiting === 'greeting' && !session.context.secure
      ? `; if port ${port} speaks TLS from the first octet, use tls: 'implicit'`
      : '',
  );
  const client = new SmtpClient(session, driver, protocol);
  let localEnd: string | undefined;
  const how: OpenOptions = {
    ...resolved,
    protocol,
    connect: () =>
      driver.connect(async (signal) => {
        const opened =
          typeof transport === 'function'
            ? await transport({ host, port, secure: tls === 'implicit', tlsOptions, localAddress, signal })
            : transport;
        localEnd = opened.localAddress;
        return opened;
      }),
    name: () => resolved.name ?? addressLiteral(localEnd),
    ignoreExtensions: options.ignoreExtensions ?? [],
    allowInsecureAuth: options.allowInsecureAuth ?? false,
    pipelining: options.pipelining ?? 'overlap',
  };
  try {
    await driver.run('open', open(session, how), options.signal);
    return client;
  } catch (error) {
    // The caller is told at once. A server that has greeted is told by QUIT, and left soon if it does not answer.
    if (session.context.greeting) client.close().then(clock.after(Math.min(timeouts.quit, 1_000), () => client.destroy()));
    else client.destroy();
    throw error;
  }
}
