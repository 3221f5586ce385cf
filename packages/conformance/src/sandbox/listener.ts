/**
 * One SMTP server of the sandbox: listens, knows who is connected, writes down what is said, and closes within bounds.
 * Knows nothing of rules.
 */
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import type { FaultPlan, FaultPoint, Strike } from './faults.ts';
import { Transcript } from './transcript.ts';

/** How long a client that is still connected has to leave before it is told to, in ms. */
const GRACE = 500;
/** How long one that was told to may keep its side open, in ms. */
const LAST_WORDS = 100;

/** Commands that smtp-server has no hook for. */
const POINTS: Readonly<Record<string, FaultPoint>> = {
  EHLO: 'ehlo',
  HELO: 'ehlo',
  STARTTLS: 'starttls',
  DATA: 'data',
  QUIT: 'quit',
};

type Connection = SMTPServer['connections'] extends Set<infer One> ? One : never;

/** One connection, as the rules see it. */
export interface Line {
  readonly transcript: Transcript;
  /** Ends it without a word. */
  drop(): void;
  /** Lets what is sent next leave octet by octet, so many ms apart. */
  slow(ms: number): void;
}

/** smtp-server with an ear on each connection. */
class Server extends SMTPServer {
  lines: Map<string, Line> = new Map();
  plan: FaultPlan | undefined;

  override connect(...args: Parameters<SMTPServer['connect']>): void {
    const before = new Set(this.connections);
    super.connect(...args);
    for (const connection of this.connections)
      if (!before.has(connection)) this.#attend(connection);
  }

  #attend(connection: Connection): void {
    const transcript = new Transcript();
    const { id } = connection;
    let pace = 0;
    const line: Line = {
      transcript,
      drop: () => connection._socket.destroy(),
      slow(ms) {
        pace = ms;
      },
    };
    this.lines.set(id, line);

    const onCommand = connection._onCommand.bind(connection);
    connection._onCommand = (command, callback) => {
      const text = command.toString();
      const continued = Boolean(connection._nextHandler);
      transcript.client(text, connection.secure);
      const point = continued ? undefined : POINTS[text.split(' ', 1)[0]?.toUpperCase() ?? ''];
      const ready = connection._ready && !connection._upgrading;
      if (point === undefined || !ready) {
        onCommand(command, callback);
        return;
      }
      const strike: Strike = {
        goOn: () => onCommand(command, callback),
        reply(code, said) {
          connection.send(code, said);
          callback?.();
        },
        drop: line.drop,
        slow: line.slow,
      };
      if (this.plan) this.plan.strike(point, strike);
      else strike.goOn();
    };

    const send = connection.send.bind(connection);
    connection.send = (...args) => {
      const socket = connection._socket;
      const ms = pace;
      pace = 0;
      withWrite(
        socket,
        (octets, write) => {
          transcript.server(octets.toString(), connection.secure);
          return ms > 0 ? drip(socket, octets, ms) : behind(socket, octets, write);
        },
        () => send(...args),
      );
    };
  }
}

/** Does something during which another function writes to the socket. */
function withWrite(
  socket: Socket,
  other: (octets: Buffer, write: (octets: Buffer) => boolean) => boolean,
  act: () => void,
): void {
  const own = Object.getOwnPropertyDescriptor(socket, 'write');
  const write = socket.write.bind(socket) as (octets: Buffer) => boolean;
  socket.write = ((chunk: string | Buffer) => other(Buffer.from(chunk), write)) as Socket['write'];
  try {
    act();
  } finally {
    if (own) Object.defineProperty(socket, 'write', own);
    else Reflect.deleteProperty(socket, 'write');
  }
}

/** What leaves octet by octet; all else of that socket waits for it. */
const dripping = new WeakMap<Socket, Promise<void>>();

function drip(socket: Socket, octets: Buffer, ms: number): boolean {
  if (!dripping.has(socket)) {
    // Nor is it closed before.
    const end = socket.end.bind(socket) as () => Socket;
    socket.end = (() => {
      queue(socket, async () => {
        end();
      });
      return socket;
    }) as Socket['end'];
  }
  queue(socket, async () => {
    for (const octet of octets) {
      if (socket.destroyed || !socket.writable) return;
      socket.write(Buffer.of(octet));
      await new Promise((resolve) => setTimeout(resolve, ms).unref());
    }
  });
  return true;
}

function behind(socket: Socket, octets: Buffer, write: (octets: Buffer) => boolean): boolean {
  if (!dripping.has(socket)) return write(octets);
  queue(socket, async () => {
    if (!socket.destroyed && socket.writable) write(octets);
  });
  return true;
}

function queue(socket: Socket, act: () => Promise<void>): void {
  dripping.set(socket, (dripping.get(socket) ?? Promise.resolve()).then(act));
}

/** An smtp-server on one port. */
export class Listener {
  readonly #server: Server;
  /**
   * Those that are open, and closed ones until the next client connects: smtp-server takes every listener off
   * a socket on which TLS starts, so that none can be told of its end.
   */
  readonly #sockets = new Set<Socket>();

  constructor(options: SMTPServerOptions, plan: FaultPlan) {
    const lines = new Map<string, Line>();
    this.#server = new Server({
      ...options,
      closeTimeout: GRACE,
      onClose: ({ id }) => {
        lines.delete(id);
      },
    });
    this.#server.lines = lines;
    this.#server.plan = plan;
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

  /** The connection of a session, where it is one of this server's. */
  lineOf({ id }: SMTPServerSession): Line | undefined {
    return this.#server.lines.get(id);
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
