/** One accepted connection of the scripted server: what was read, what is written, TLS, and its end. */
import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { cut, type Delivery, type WireLog } from './wire-log.ts';

/** The client has left: what a script was waiting for will not come. */
export class Left extends Error {}

/** One turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How long is waited for a client to read what is written. */
const STUCK = 30_000;

export class Peer {
  readonly log: WireLog;
  readonly tcp: Socket;
  readonly #delivery: Delivery;
  #socket: Socket;
  #secure = false;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #gone = false;
  #closing = false;
  #paused = false;
  #wake: () => void = () => {};
  #slow: { octets: number; every: number } | undefined;

  constructor(tcp: Socket, log: WireLog, delivery: Delivery) {
    this.tcp = tcp;
    this.log = log;
    this.#delivery = delivery;
    this.#socket = tcp;
    tcp.setNoDelay(true);
    tcp.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') log.end('client', true);
    });
    tcp.on('close', () => {
      if (!this.#closing) log.end('client');
      this.#gone = true;
      this.#wake();
    });
    this.#listen();
  }

  get secure(): boolean {
    return this.#secure;
  }

  /** The TLS socket, where there is one. */
  get tls(): TLSSocket | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket : undefined;
  }

  get gone(): boolean {
    return this.#gone || this.#socket.destroyed;
  }

  /** Whether the client has ended its side. */
  get ended(): boolean {
    return this.#ended || this.gone;
  }

  /** Whether nothing is read until resume(). */
  get paused(): boolean {
    return this.#paused;
  }

  /** Octets that were read and not taken. */
  get waiting(): number {
    return this.#length;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (octets: Buffer) => {
      if (!this.log.client(octets, this.#secure)) {
        this.reset();
        return;
      }
      this.#chunks.push(octets);
      this.#length += octets.length;
      this.#wake();
      if (this.#slow) {
        socket.pause();
        const resume = (): void => void (this.#paused || socket.resume());
        setTimeout(resume, (octets.length / this.#slow.octets) * this.#slow.every);
      }
    });
    socket.on('end', () => {
      this.log.end('client');
      this.#ended = true;
      this.#wake();
    });
  }

  /** Writes, cut as the delivery says; comes back when the last piece is with the socket. */
  async write(text: string, whole = false): Promise<void> {
    if (text === '') return;
    const pieces = whole ? [text] : cut(text, this.#delivery);
    for (const [at, piece] of pieces.entries()) {
      if (at > 0) await turn();
      if (this.gone) throw new Left();
      this.#write(piece);
    }
  }

  #write(piece: string): boolean {
    this.log.server(piece, this.#secure);
    return this.#socket.write(Buffer.from(piece, 'latin1'));
  }

  /** One octet after the other. */
  async slowly(text: string, every: number): Promise<void> {
    for (const octet of text) {
      if (this.gone) throw new Left();
      this.#write(octet);
      await (every > 0 ? this.delay(every) : turn());
    }
  }

  /** The same octets over and over, as fast as they are taken; ends early where the client has left. */
  async flood(text: string, times: number): Promise<void> {
    const octets = Buffer.from(text, 'latin1');
    this.log.server(text, this.#secure);
    for (let time = 0; time < times; time += 1) {
      if (this.gone) throw new Left();
      if (time > 0) this.log.more(octets.length);
      if (!this.#socket.write(octets)) await this.#drained();
    }
  }

  async #drained(): Promise<void> {
    const socket = this.#socket;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        socket.off('drain', done);
        this.tcp.off('close', done);
        resolve();
      };
      const timer = setTimeout(done, STUCK);
      socket.once('drain', done);
      this.tcp.once('close', done);
    });
  }

  /** The next line, without its line end: CR LF, or LF, where a client writes that. */
  async line(): Promise<string> {
    // What was looked through is not looked through again, however long the line becomes.
    let place = 0;
    let before = 0;
    let end = 0;
    await this.until(() => {
      for (; place < this.#chunks.length; place += 1) {
        const chunk = this.#chunks[place] as Buffer;
        end = before + chunk.indexOf(0x0a) + 1;
        if (end > before) return true;
        before += chunk.length;
      }
      return false;
    });
    return this.#take(end)
      .toString('latin1')
      .replace(/\r?\n$/, '');
  }

  /** Mail data as it is on the wire, without the final dot. */
  async data(): Promise<string> {
    const read: string[] = [];
    // What the end may have begun in: the content's first line begins behind a line end too.
    let tail = '\r\n';
    for (;;) {
      await this.until(() => this.#length > 0);
      const text = this.#take(this.#length).toString('latin1');
      const end = (tail + text).indexOf('\r\n.\r\n');
      if (end === -1) {
        read.push(text);
        tail = (tail + text).slice(-4);
        continue;
      }
      const behind = end + 5 - tail.length;
      this.#chunks.unshift(Buffer.from(text.slice(behind), 'latin1'));
      this.#length += text.length - behind;
      return (read.join('') + text.slice(0, behind)).slice(0, -3);
    }
  }

  /** So many octets. */
  async octets(count: number): Promise<string> {
    await this.until(() => this.#length >= count);
    return this.#take(count).toString('latin1');
  }

  /** Throws away what was read by now. */
  discard(): void {
    this.#take(this.#length);
  }

  /** Waits until something holds; the client's leaving ends it. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.ended) throw new Left();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits, but no longer than the client is there. */
  async delay(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.tcp.off('close', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.tcp.once('close', done);
    });
    if (this.gone) throw new Left();
  }

  /** Whether the client says something, or leaves, within a time. */
  async speaks(ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (this.#length === 0 && !this.ended && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return this.#length > 0 || this.ended;
  }

  /** Whether the client ends its side within a time. */
  async leaves(ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (!this.ended && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return this.ended;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  /** From here on at most so many octets are read every so many ms. */
  slow(octets: number, every: number): void {
    this.#slow = { octets, every };
  }

  /** Becomes a TLS server. What was read and not taken stays where it is: it was no TLS. */
  async startTls(options: TLSSocketOptions): Promise<void> {
    this.tcp.removeAllListeners('data').removeAllListeners('end');
    this.log.handshake();
    const socket = new TLSSocket(this.tcp, { ...options, isServer: true });
    this.#socket = socket;
    await new Promise<void>((resolve) => {
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') this.log.end('client', true);
        else if (!this.#secure) this.log.failed(error.message);
        resolve();
      });
      socket.once('secure', () => {
        this.#secure = true;
        const name = (socket as { servername?: string | false }).servername;
        this.log.secured(name || undefined, socket.getProtocol() ?? undefined);
        this.#listen();
        resolve();
      });
      this.tcp.once('close', () => resolve());
    });
    if (!this.#secure || this.gone) {
      this.tcp.destroy();
      throw new Left();
    }
  }

  /** The handshake is expected from here on, and is never begun by this side. */
  stall(): void {
    this.log.handshake();
  }

  /** Ends in order, behind what was written. */
  end(): void {
    this.#closing = true;
    this.log.end('server');
    this.#socket.end();
  }

  /** Ends this side only. */
  half(): void {
    this.log.end('server');
    this.#socket.end();
  }

  /** Ends the TCP connection under TLS, without a close_notify. */
  cutOff(): void {
    this.#closing = true;
    this.log.end('server');
    this.tcp.end();
  }

  /** Closes at once, by RST. */
  reset(): void {
    this.#closing = true;
    this.log.end('server', true);
    this.tcp.resetAndDestroy();
  }

  destroy(): void {
    this.#closing = true;
    this.tcp.destroy();
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(length: number): Buffer {
    const all = this.#joined();
    this.#chunks = length < all.length ? [all.subarray(length)] : [];
    this.#length -= length;
    return all.subarray(0, length);
  }
}
