/**
 * One SMTP server of the sandbox: listens, knows who is connected, and closes within bounds. Knows nothing of
 * rules.
 */
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';

/** How long a client that is still connected has to leave before it is told to, in ms. */
const GRACE = 500;
/** How long one that was told to may keep its side open, in ms. */
const LAST_WORDS = 100;

/** An smtp-server on one port. */
export class Listener {
  readonly #server: SMTPServer;
  /**
   * Those that are open, and closed ones until the next client connects: smtp-server takes every listener off
   * a socket on which TLS starts, so that none can be told of its end.
   */
  readonly #sockets = new Set<Socket>();

  constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({ ...options, closeTimeout: GRACE });
    this.#server.server.on('connection', (socket) => {
      for (const other of this.#sockets) if (other.destroyed) this.#sockets.delete(other);
      this.#sockets.add(socket);
    });
  }

  /** Begins to listen, and gives the port. Rejects with EADDRINUSE, EACCES, … where it cannot. */
  listen(port: number, bind: string): Promise<number> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, bind, () => {
        server.off('error', reject);
        // What a client does to its connection is not the sandbox's fault, and must not end the process.
        server.on('error', () => {});
        resolve((server.server.address() as AddressInfo).port);
      });
    });
  }

  /** The connections that are open. */
  get connections(): number {
    return this.#open().length;
  }

  /** Ends a session's connection without a word, where it is one of this server's. */
  drop({ remotePort, localPort }: SMTPServerSession): void {
    for (const socket of this.#open()) {
      if (socket.remotePort === remotePort && socket.localPort === localPort) socket.destroy();
    }
  }

  /** Listens no more, and ends when no connection is left. */
  async close(): Promise<void> {
    if (!this.#server.server.listening) return;
    const closed = new Promise((resolve) => this.#server.server.once('close', resolve));
    // Calls back when all have left, or after the grace, with a 421 for those that have not.
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const timer = setTimeout(() => {
      for (const socket of this.#open()) socket.destroy();
    }, LAST_WORDS);
    await closed;
    clearTimeout(timer);
  }

  #open(): Socket[] {
    return [...this.#sockets].filter(({ destroyed }) => !destroyed);
  }
}
