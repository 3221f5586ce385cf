/**
 * A server on the loopback that plays a script for each connection, good or bad, octet for octet. It knows
 * nothing of SMTP beyond lines. `useServers()` looks after every test of a file: no socket is left open, no
 * script went wrong, no rejection stayed unhandled.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { type SecureVersion, TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type ConnectOptions, isSmtpError, type SmtpError } from '../../src/index.ts';

/** A certificate with its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  readonly maxVersion?: SecureVersion;
}

/** What a connection is played; it stays open when the script returns, until the client leaves. */
export type Script = (peer: Peer, index: number) => Promise<void> | void;

/** The other side has left: what a script was waiting for will not come. Ends the script, and is no error. */
class Left extends Error {}

/** One accepted connection, as its script sees it. */
export class Peer {
  /** What was read, as it came: one entry for each read. Under TLS: one for each record. */
  readonly chunks: Buffer[] = [];
  /** What was read outside TLS. */
  plain = '';
  /** What was read inside TLS. */
  secured = '';
  /** Every line that the script has heard, without CR LF. */
  readonly lines: string[] = [];
  gone = false;
  /** The TCP connection itself. */
  readonly tcp: Socket;

  #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(tcp: Socket) {
    this.tcp = tcp;
    this.#socket = tcp;
    tcp.setNoDelay(true);
    tcp.on('error', () => {});
    tcp.on('close', () => {
      this.gone = true;
      this.#wake();
    });
  }

  /** Begins to read. */
  listen(): void {
    this.#socket.on('data', (octets: Buffer) => {
      this.chunks.push(octets);
      if (this.#socket === this.tcp) this.plain += octets.toString('latin1');
      else this.secured += octets.toString('latin1');
      this.#buffer = Buffer.concat([this.#buffer, octets]);
      this.#wake();
    });
    this.#socket.on('end', () => this.#wake());
  }

  /** Writes lines, each with its CR LF, in one write. */
  say(...lines: readonly string[]): void {
    this.raw(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** Writes octets as they are; false where no more should come before {@link drained}. */
  raw(octets: string | Uint8Array): boolean {
    return this.gone || this.#socket.destroyed
      ? true
      : this.#socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** The next line, without CR LF. A line that is not the expected one fails the test. */
  async hear(expected?: string | RegExp): Promise<string> {
    const end = await this.#find('\r\n');
    const line = this.#take(end + 2).slice(0, -2);
    this.lines.push(line);
    const fits =
      expected === undefined ||
      (typeof expected === 'string' ? line === expected : expected.test(line));
    if (!fits) throw new Error(`the client said ${JSON.stringify(line)}, not ${expected}`);
    return line;
  }

  /** Mail data up to the final dot, which is left out. */
  async content(): Promise<string> {
    let end = -1;
    await this.#until(() => {
      // Content that is empty has no line end before its dot.
      const dot = this.#buffer.indexOf('.\r\n') === 0 ? -2 : this.#buffer.indexOf('\r\n.\r\n');
      if (dot === -1) return false;
      end = dot + 5;
      return true;
    });
    return this.#take(end).slice(0, -3);
  }

  /** Waits until so many octets wait to be heard. */
  async octets(count: number): Promise<void> {
    await this.#until(() => this.#buffer.length >= count);
  }

  /** Waits until what was written has been taken. */
  async drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve);
      this.tcp.once('close', () => resolve());
    });
    if (this.gone) throw new Left();
  }

  /** TLS from here on, as the server. */
  async startTls(pair: KeyPair): Promise<void> {
    this.tcp.removeAllListeners('data').removeAllListeners('end');
    const socket = new TLSSocket(this.tcp, { isServer: true, ...pair });
    this.#socket = socket;
    socket.on('error', () => {});
    this.listen();
    await new Promise<void>((resolve) => {
      socket.once('secure', resolve);
      socket.once('close', () => resolve());
      this.tcp.once('close', () => resolve());
    });
    if (this.gone || socket.destroyed) throw new Left();
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends in order, behind what was written. */
  end(): void {
    this.#socket.end();
  }

  /** Closes at once; `reset` by RST in place of FIN. */
  destroy(reset = false): void {
    if (reset) this.tcp.resetAndDestroy();
    else this.tcp.destroy();
  }

  #take(length: number): string {
    const text = this.#buffer.toString('latin1', 0, length);
    this.#buffer = this.#buffer.subarray(length);
    return text;
  }

  async #find(text: string): Promise<number> {
    let at = -1;
    await this.#until(() => {
      at = this.#buffer.indexOf(text, 0, 'latin1');
      return at >= 0;
    });
    return at;
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.gone || this.#socket.readableEnded) throw new Left();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A listening server. */
export class ScriptedServer {
  /** Every connection so far, the first one first. */
  readonly peers: Peer[] = [];
  /** What went wrong in a script. */
  readonly failures: unknown[] = [];
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(script: Script) {
    this.#server = createServer((socket) => {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
      const peer = new Peer(socket);
      const index = this.peers.push(peer) - 1;
      peer.listen();
      (async () => script(peer, index))().catch((error: unknown) => {
        if (error instanceof Left) return;
        this.failures.push(error);
        peer.destroy();
      });
    });
  }

  async listen(host: string): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, host, resolve);
    });
    return this;
  }

  get port(): number {
    const address = this.#server.address();
    if (!address || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  /** Connections that are open at this moment, seen from here. */
  get open(): number {
    return this.#open.size;
  }

  /** The only connection, or the one asked for. */
  peer(index = 0): Peer {
    const peer = this.peers[index];
    if (!peer) throw new Error(`there was no connection ${index}`);
    return peer;
  }

  /** What connections were told outside TLS, all of them. */
  get plain(): string {
    return this.peers.map((peer) => peer.plain).join('');
  }

  /** Closes everything. */
  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Waits until something holds; fails the test where it does not within the time. */
export async function eventually(
  holds: () => boolean,
  what: string,
  within = 3_000,
): Promise<void> {
  const end = performance.now() + within;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** What a promise comes to, within a time: a test never hangs. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The SmtpError that a promise rejects with, within a time. */
export async function failureOf(promise: Promise<unknown>, ms = 4_000): Promise<SmtpError> {
  const error = await within(ms, promise).then(
    (value) => {
      throw new Error(`it did not fail, but came to ${inspect(value)}`);
    },
    (reason: unknown) => reason,
  );
  if (!isSmtpError(error)) throw error;
  return error;
}

/** Code, phase, delivery and retry: what a caller may decide by. */
export const verdict = ({ code, phase, delivery, retry }: SmtpError): string =>
  `${code} in ${phase}, ${delivery}, ${retry}`;

/** Everything that an error says anywhere: message, stack, cause, own fields, JSON, hidden ones too. */
export function everythingIn(error: unknown): string {
  const seen = inspect(error, {
    depth: Infinity,
    showHidden: true,
    maxStringLength: Infinity,
    maxArrayLength: Infinity,
    breakLength: Infinity,
  });
  const { message, stack, cause } = error as Error;
  return [seen, message, stack, String(cause), JSON.stringify(error)].join('\n');
}

/** Sockets of this process that are not closed, of clients and servers both. */
const sockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(TCPSocketWrap|TLSWrap)$/.test(name)).length;

/** Servers for the tests of a file, and what has to be true after each of these tests. */
export function useServers(): (script: Script, host?: string) => Promise<ScriptedServer> {
  let servers: ScriptedServer[] = [];
  let unhandled: unknown[] = [];
  let before = 0;
  const onUnhandled = (reason: unknown): void => {
    unhandled.push(reason);
  };
  beforeAll(() => {
    before = sockets();
    process.on('unhandledRejection', onUnhandled);
  });
  afterAll(() => {
    process.off('unhandledRejection', onUnhandled);
  });
  afterEach(async () => {
    const [played, rejections] = [servers, unhandled];
    servers = [];
    try {
      for (const server of played) {
        await eventually(() => server.open === 0, 'the client leaves no connection open');
        expect(server.failures, 'scripts that went wrong').toEqual([]);
      }
    } finally {
      await Promise.all(played.map((server) => server.close()));
    }
    await eventually(() => sockets() <= before, 'every socket is closed on both sides');
    // Rejections are reported when the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    unhandled = [];
    expect(rejections, 'unhandled rejections').toEqual([]);
  });
  return async (script, host = '127.0.0.1') => {
    const server = await new ScriptedServer(script).listen(host);
    servers.push(server);
    return server;
  };
}

/** Options for a server: long deadlines for what should not pass, a short one for the QUIT of a lost case. */
export function options(
  server: ScriptedServer,
  { timeouts, ...more }: Partial<ConnectOptions> = {},
): ConnectOptions {
  return {
    host: '127.0.0.1',
    port: server.port,
    timeouts: {
      ...Object.fromEntries(
        [
          'connect',
          'tls',
          'greeting',
          'ehlo',
          'starttls',
          'auth',
          'mail',
          'rcpt',
          'data',
          'content',
          'final',
        ].map((name) => [name, 10_000]),
      ),
      quit: 60,
      ...timeouts,
    },
    ...more,
  };
}

export const USER = '1website';
export const PASS = 'correct-horse-battery';
/** What AUTH PLAIN says of them. */
export const PLAIN: string = Buffer.from(`\0${USER}\0${PASS}`).toString('base64');
/** A small message. */
export const MESSAGE = {
  from: 'a@client.example',
  to: 'b@example.com',
  content: 'Subject: a\r\n\r\nHi\r\n',
} as const;

/** An EHLO reply that announces these keywords. */
export function offer(...keywords: readonly string[]): string[] {
  const lines = ['mail.example.com', ...keywords];
  return lines.map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}`);
}

/** Greeting and EHLO. */
export async function greet(peer: Peer, ...keywords: readonly string[]): Promise<void> {
  peer.say('220 mail.example.com ESMTP');
  await peer.hear(/^EHLO /);
  peer.say(...offer(...keywords));
}

/** Greeting, EHLO, STARTTLS, handshake, EHLO. */
export async function greetSecurely(
  peer: Peer,
  pair: KeyPair,
  ...keywords: readonly string[]
): Promise<void> {
  await greet(peer, 'STARTTLS');
  await peer.hear('STARTTLS');
  peer.say('220 go ahead');
  await peer.startTls(pair);
  await peer.hear(/^EHLO /);
  peer.say(...offer(...keywords));
}

/** Messages, one after the other, until QUIT; returns each one's content. Refuses recipients that begin with `no`. */
export async function takeMessages(peer: Peer, taken: string[] = []): Promise<string[]> {
  for (;;) {
    const line = await peer.hear();
    if (line === 'DATA') {
      peer.say('354 go ahead');
      taken.push(await peer.content());
      peer.say(`250 queued as ${taken.length}`);
    } else if (line === 'QUIT') {
      peer.say('221 bye');
      peer.end();
      return taken;
    } else if (line.startsWith('RCPT TO:<no')) peer.say('550 5.1.1 nobody there');
    else if (line.startsWith('AUTH ')) peer.say('235 welcome');
    else peer.say('250 ok');
  }
}
