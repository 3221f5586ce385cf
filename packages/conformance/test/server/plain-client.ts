/** A client on plain sockets of node:net and node:tls: it writes what it is told, and keeps what it reads. */
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

/** Far above what anything here takes, in ms: it only has to end what hangs. */
const LIMIT = 8_000;

export class PlainClient {
  /** What was read, each piece as the socket gave it; octets are characters to U+00FF. */
  readonly pieces: string[] = [];
  /** The server has ended its side. */
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;
  #socket: Socket;
  #read = '';
  #taken = 0;
  readonly #tcp: Socket;

  private constructor(tcp: Socket) {
    this.#tcp = tcp;
    this.#socket = tcp;
    this.#listen();
  }

  /** Connected; this side stays open when the server ends its own. */
  static async open(port: number): Promise<PlainClient> {
    const client = new PlainClient(
      connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }),
    );
    await until(() => !client.#tcp.connecting || client.closed, 'to be connected');
    return client;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (octets: Buffer) => {
      const text = octets.toString('latin1');
      this.pieces.push(text);
      this.#read += text;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error) => {
      this.error ??= error;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** All that was read. */
  get text(): string {
    return this.#read;
  }

  /** What was read and not taken. */
  get unread(): string {
    return this.#read.slice(this.#taken);
  }

  get tls(): TLSSocket {
    return this.#socket as TLSSocket;
  }

  /** Octets that were written and are still here. */
  get backlog(): number {
    return this.#socket.writableLength;
  }

  write(text: string): void {
    this.#socket.write(Buffer.from(text, 'latin1'));
  }

  /** The next so many lines, joined by LF. */
  async lines(count = 1): Promise<string> {
    const pattern = new RegExp(`^(?:[^\\n]*\\n){${count}}`);
    await until(() => pattern.test(this.unread), `${count} line(s) behind ${this.#shown()}`);
    const [found = ''] = pattern.exec(this.unread) ?? [];
    this.#taken += found.length;
    return found.replaceAll('\r\n', '\n').slice(0, -1);
  }

  /** The next reply, its lines joined by LF. */
  async reply(): Promise<string> {
    const whole = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/;
    await until(() => whole.test(this.unread), `a reply behind ${this.#shown()}`);
    const [found = ''] = whole.exec(this.unread) ?? [];
    this.#taken += found.length;
    return found.replaceAll('\r\n', '\n').slice(0, -1);
  }

  /** Says a line, and gives the reply. */
  ask(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** So many octets were read in all. */
  octets(count: number): Promise<void> {
    return until(
      () => this.#read.length >= count,
      `${count} octets, of which there are ${this.#read.length}`,
    );
  }

  /** The server ends its side, in order or not. */
  leaves(): Promise<void> {
    return until(() => this.ended || this.closed, `the end behind ${this.#shown()}`);
  }

  #shown(): string {
    return JSON.stringify(this.#read.slice(-80));
  }

  /** A handshake on this connection; `through` sees what the server writes in it. */
  async startTls(options: ConnectionOptions, through?: (octets: Buffer) => void): Promise<this> {
    this.#tcp.removeAllListeners('data').removeAllListeners('end');
    const socket = connectTls({
      host: '127.0.0.1',
      servername: 'localhost',
      ...options,
      socket: through ? tapped(this.#tcp, through) : this.#tcp,
    });
    this.#socket = socket;
    let secure = false;
    socket.once('secureConnect', () => {
      secure = true;
    });
    this.#listen();
    await until(() => secure || this.error !== undefined || this.closed, 'a handshake');
    if (!secure) throw this.error ?? new Error('closed in the handshake');
    return this;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#tcp.destroy();
  }
}

/** What node:tls reads from and writes to a socket, seen on its way. */
function tapped(tcp: Socket, through: (octets: Buffer) => void): Duplex {
  const duplex = new Duplex({
    read: () => void tcp.resume(),
    write: (octets: Buffer, _encoding, done) => void tcp.write(octets, () => done()),
    final: (done) => void tcp.end(() => done()),
  });
  tcp.on('data', (octets: Buffer) => {
    through(octets);
    duplex.push(octets);
  });
  tcp.on('end', () => duplex.push(null));
  tcp.on('close', () => duplex.destroy());
  return duplex;
}

/** Waits until it is so. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const limit = performance.now() + LIMIT;
  while (!isSo()) {
    if (performance.now() > limit) throw new Error(`waited in vain for ${what}`);
    await sleep(2);
  }
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
