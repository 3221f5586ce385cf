/** A plain conversation with a server that need not be a good one: bounded in time, in lines and in octets. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/** A reply, as far as one can be read. */
export interface Answer {
  readonly code: number;
  /** Each line without its code. */
  readonly lines: readonly string[];
}

export interface TalkOptions {
  readonly host: string;
  readonly port: number;
  /** For each wait, in ms. */
  readonly timeout: number;
  /** Certificates to trust in place of the runtime's own, in PEM. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** Takes out of what a server says what is not to be shown. */
  readonly hide?: ((text: string) => string) | undefined;
}

/** More than this in one reply is no reply. */
const LONGEST = 65_536;

export class Talk {
  readonly #options: TalkOptions;
  #socket: Socket;
  #text = '';
  #error: Error | undefined;
  #wake: () => void = () => {};

  private constructor(socket: Socket, options: TalkOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#listen();
  }

  /** Connects; under TLS from the first octet where `secure` says so. */
  static async open(options: TalkOptions, secure: boolean): Promise<Talk> {
    const { host, port } = options;
    const socket = connectTcp({ host, port, noDelay: true });
    const talk = new Talk(socket, options);
    let connected = false;
    socket.once('connect', () => {
      connected = true;
    });
    try {
      await talk.#until(() => connected, `connecting to ${host}:${port}`);
      if (secure) await talk.secure();
      return talk;
    } catch (error) {
      talk.#socket.destroy();
      socket.destroy();
      throw error;
    }
  }

  /** The TLS socket, where there is one. */
  get tls(): TLSSocket | undefined {
    return 'encrypted' in this.#socket ? (this.#socket as TLSSocket) : undefined;
  }

  #listen(): void {
    const socket = this.#socket;
    const decoder = new StringDecoder('utf8');
    socket.on('data', (octets: Buffer) => {
      this.#text += decoder.write(octets);
      if (this.#text.length > LONGEST)
        this.#fail(new Error(`more than ${LONGEST} octets in one reply`));
      this.#wake();
    });
    socket.on('connect', () => this.#wake());
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  /**
   * Whatever the certificate is: what is wrong with it stands in the report.
   *
   * @returns how much had been said outside TLS and not been read, which is dropped (RFC 3207 §4.2)
   */
  async secure(): Promise<number> {
    const { host, ca } = this.#options;
    const dropped = this.#text.length;
    this.#text = '';
    const plain = this.#socket;
    plain.removeAllListeners('data').removeAllListeners('close');
    const socket = connectTls({
      socket: plain,
      host,
      servername: isIP(host) ? '' : host,
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca }),
    });
    this.#socket = socket;
    let done = false;
    socket.once('secureConnect', () => {
      done = true;
      this.#wake();
    });
    this.#listen();
    await this.#until(() => done, 'the TLS handshake');
    return dropped;
  }

  /** The next reply. */
  async answer(what: string): Promise<Answer> {
    const whole = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/;
    await this.#until(() => whole.test(this.#text) || this.#malformed(), what);
    const [text] = whole.exec(this.#text) ?? [];
    if (text === undefined) {
      const { hide = (said: string) => said } = this.#options;
      throw new Error(
        `${what}: this is no reply: ${JSON.stringify(hide(this.#text).slice(0, 80))}`,
      );
    }
    this.#text = this.#text.slice(text.length);
    const lines = text.split(/\r?\n/).slice(0, -1);
    return { code: Number(text.slice(0, 3)), lines: lines.map((line) => line.slice(4)) };
  }

  #malformed(): boolean {
    return /^(?:\d{3}-[^\n]*\n)*(?!\d{3}[ \r\n-])[^\n]*\n/.test(this.#text);
  }

  /** Says a line, and gives its reply. */
  async say(line: string, shown: string = line): Promise<Answer> {
    this.#check(shown);
    this.#socket.write(`${line}\r\n`);
    return this.answer(shown);
  }

  /** Writes mail data with its final dot, and gives the reply. */
  async data(content: string): Promise<Answer> {
    this.#socket.write(`${content.replace(/^\./gm, '..')}\r\n.\r\n`);
    return this.answer('the message');
  }

  /** Takes leave; does not throw. */
  async close(): Promise<void> {
    if (!this.#error) await this.say('QUIT').catch(() => {});
    this.#socket.destroy();
  }

  #check(what: string): void {
    const { message, code } = (this.#error ?? {}) as NodeJS.ErrnoException;
    // Where a name has several addresses, and none of them answers, there is a code and no message.
    if (this.#error) throw new Error(`${what}: ${message || code}`);
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const { timeout, signal } = this.#options;
    const end = performance.now() + timeout;
    while (!holds()) {
      signal.throwIfAborted();
      this.#check(what);
      const left = end - performance.now();
      if (left <= 0) {
        this.#socket.destroy();
        throw new Error(`${what}: nothing came within ${timeout} ms`);
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#wake = wake;
        signal.addEventListener('abort', wake);
      });
    }
  }
}
