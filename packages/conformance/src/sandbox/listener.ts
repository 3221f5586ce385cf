/**
 * One SMTP server of the sandbox: listens, knows who is connected, writes down what is said, and closes within bounds.
 * Knows nothing of rules.
 */
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import type { FaultPlan, FaultPoint, Strike } from './faults.ts';
import { explained } from './handshake-fault.ts';
import type { Trouble } from './platform/platform.ts';
import { behind, drip, withWrite } from './slow-write.ts';
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
  /** Whether a reply of ours is due: nobody is idle then, however long it takes. */
  busy(is: boolean): void;
  /** The negative reply that comes next is known elsewhere: it is no trouble of its own. */
  known(): void;
  /** Tells of a fault that strikes, and of the reply to it no more. */
  struck(what: string): void;
}

/** What a listener tells of: TLS that fails, replies that no rule gave, faults. */
export type TellTrouble = (trouble: Omit<Trouble, 'id' | 'at'>) => void;

/** A reply of the rules. */
export interface MalformedReply {
  readonly code: number;
  readonly text: string;
}

/** What the rules say of an address that is none. */
export type AnswerMalformed = (
  stage: 'mail' | 'rcpt',
  address: string,
  session: SMTPServerSession,
) => MalformedReply;

/** What a listener works with, beside the hooks. */
export interface ListenerOptions {
  readonly plan: FaultPlan;
  readonly tell: TellTrouble;
  readonly malformed: AnswerMalformed;
  /** What EHLO announces as SIZE now. */
  readonly size: (() => number) | undefined;
}

/** smtp-server with an ear on each connection. */
class Server extends SMTPServer {
  readonly lines: Map<string, Line>;
  readonly plan: FaultPlan;
  readonly tell: TellTrouble;
  readonly malformed: AnswerMalformed;

  constructor(
    options: SMTPServerOptions,
    { plan, tell, malformed }: ListenerOptions,
    lines: Map<string, Line>,
  ) {
    super(options);
    this.plan = plan;
    this.tell = tell;
    this.malformed = malformed;
    this.lines = lines;
  }

  get port(): Trouble['port'] {
    return this.options.secure ? 'implicit' : 'starttls';
  }

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
    let isKnown = false;
    const trouble = (kind: 'reply' | 'fault', what: string): void =>
      this.tell({
        kind,
        what,
        port: this.port,
        remoteAddress: connection.remoteAddress,
        transcript: transcript.lines,
      });
    const line: Line = {
      transcript,
      drop: () => connection._socket.destroy(),
      slow(ms) {
        pace = ms;
      },
      busy(is) {
        connection._handlerPending = is;
      },
      known() {
        isKnown = true;
      },
      struck(what) {
        isKnown = true;
        trouble('fault', what);
      },
    };
    this.lines.set(id, line);

    const onCommand = connection._onCommand.bind(connection);
    connection._onCommand = (command, callback) => {
      const text = command.toString();
      const continued = Boolean(connection._nextHandler);
      transcript.client(text, connection.secure);
      const ready = connection._ready && !connection._upgrading && !continued;
      const malformed = ready ? malformedIn(connection, text) : undefined;
      const point = malformed?.stage ?? POINTS[text.split(' ', 1)[0]?.toUpperCase() ?? ''];
      if (point === undefined || !ready) {
        onCommand(command, callback);
        return;
      }
      line.busy(true);
      const reply = (code: number, said: string): void => {
        line.busy(false);
        connection.send(code, said);
        callback?.();
      };
      const strike: Strike = {
        goOn: () => {
          if (malformed) {
            const { code, text: said } = this.malformed(
              malformed.stage,
              malformed.address,
              connection.session,
            );
            reply(code, said);
          } else {
            line.busy(false);
            onCommand(command, callback);
          }
        },
        reply,
        drop: line.drop,
        slow: line.slow,
        struck: line.struck,
      };
      this.plan.strike(point, strike);
    };

    const send = connection.send.bind(connection);
    connection.send = (...args) => {
      const socket = connection._socket;
      const ms = pace;
      const [code] = args;
      const isTrouble = code >= 400 && !isKnown;
      pace = 0;
      isKnown = false;
      withWrite(
        socket,
        (octets, write) => {
          const said = octets.toString();
          transcript.server(said, connection.secure);
          if (isTrouble) trouble('reply', said.trimEnd());
          return ms > 0 ? drip(socket, octets, ms) : behind(socket, octets, write);
        },
        () => send(...args),
      );
    };
  }
}

/** MAIL or RCPT whose address is none: smtp-server has a reply of its own to it, before any hook. */
function malformedIn(
  connection: Connection,
  text: string,
): { readonly stage: 'mail' | 'rcpt'; readonly address: string } | undefined {
  const [, verb = '', address = ''] = /^(MAIL FROM|RCPT TO):\s*<(.*)>/i.exec(text) ?? [];
  const stage = verb.toUpperCase() === 'RCPT TO' ? 'rcpt' : 'mail';
  if (verb === '' || connection.openingCommand === false) return undefined;
  if (connection._parseAddressCommand(verb, text) !== false) return undefined;
  // Out of its order it is told so.
  if (stage === 'rcpt' && !connection.session.envelope.mailFrom) return undefined;
  return { stage, address };
}

/** An smtp-server on one port. */
export class Listener {
  readonly #server: Server;
  readonly #lineOf = new WeakMap<SMTPServerSession, Line>();
  /**
   * Those that are open, and closed ones until the next client connects: smtp-server takes every listener off
   * a socket on which TLS starts, so that none can be told of its end.
   */
  readonly #sockets = new Set<Socket>();

  constructor(options: SMTPServerOptions, beside: ListenerOptions) {
    const lines = new Map<string, Line>();
    this.#server = new Server(
      {
        ...options,
        closeTimeout: GRACE,
        onClose: ({ id }) => {
          lines.delete(id);
        },
      },
      beside,
      lines,
    );
    const { size } = beside;
    if (size) Object.defineProperty(this.#server.options, 'size', { get: size });
    this.#server.server.on('connection', (socket) => {
      for (const other of this.#sockets) if (other.destroyed) this.#sockets.delete(other);
      this.#sockets.add(socket);
    });
  }

  /** Begins to listen, and gives the port. Rejects with EADDRINUSE, EACCES, … where it cannot. */
  listen(port: number, bind: string): Promise<number> {
    const server = this.#server;
    const { tell } = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, bind, () => {
        server.off('error', reject);
        // What a client does to its connection is not the sandbox's fault, and must not end the process.
        server.on('error', (error: Error & { readonly remoteAddress?: string }) => {
          const { meta } = error as { readonly meta?: { readonly remoteAddress?: string } };
          tell({
            kind: 'connection',
            what: explained(error.message),
            port: server.port,
            remoteAddress: error.remoteAddress ?? meta?.remoteAddress,
            transcript: [],
          });
        });
        resolve((server.server.address() as AddressInfo).port);
      });
    });
  }

  /** The connections that are open. */
  get connections(): number {
    return this.#open().length;
  }

  /** The connection of a session, where it is one of this server's. */
  lineOf(session: SMTPServerSession): Line | undefined {
    // Who has left may still be spoken of.
    const line = this.#server.lines.get(session.id) ?? this.#lineOf.get(session);
    if (line) this.#lineOf.set(session, line);
    return line;
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
