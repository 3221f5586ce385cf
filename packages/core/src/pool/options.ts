/** What a pool is told, and what it offers: types, defaults, units. */
import type { Receipt, SmtpClient } from '../client.ts';
import type { Transport, TransportOptions } from '../driver/transport.ts';
import type { ConnectOptions } from '../options.ts';
import type { OutgoingMessage, SendOptions } from '../session/envelope.ts';
import { unusable } from '../wire/command.ts';

/** How to connect, and how to share the connections. Durations are in ms; all numbers are above 0, and may be Infinity. */
export interface PoolOptions extends ConnectOptions {
  /** Connections at once, those that are being made or closed included. Default 5. */
  readonly maxConnections?: number;
  /** Messages for one connection, refused ones included; then it says QUIT. MAILMAX of the server (RFC 9422) counts where it is less. Default 100. */
  readonly maxMessages?: number;
  /**
   * Messages under way at once on a connection that overlaps them. Default 2: one that awaits its final reply, and one
   * whose envelope is behind it; more would wait there rather than for whichever connection is free first. In
   * 'flight': `window.transactions`. Where nothing overlaps it is 1.
   */
  readonly maxInFlight?: number;
  /** Messages that wait for a connection. Default 10,000. */
  readonly maxQueue?: number;
  /**
   * What happens to a message beyond `maxQueue`. 'reject' (default): it fails with ERR_SMTP_QUEUE_FULL. 'wait': it is
   * queued all the same, and only the caller bounds how many: by awaiting `send()`, or `ready()` before each.
   */
  readonly overflow?: 'reject' | 'wait';
  /** How long after its `send()` a message may begin, or begin again; one that still waits then fails with ERR_SMTP_TIMEOUT. Default Infinity. */
  readonly queueTimeout?: number;
  /**
   * At most so many `messages`, by default 1, begin in any span of `per` ms, by default 1,000, over all connections,
   * re-sent ones included. Default: no limit.
   */
  readonly rate?: { readonly messages?: number; readonly per?: number };
  /** How long an unused connection is kept; then it says QUIT. Until then it keeps the process alive. Default 30,000. */
  readonly idleTimeout?: number;
  /** A connection that was unused for longer is asked by NOOP before it is used. Default 10,000. */
  readonly probeAfter?: number;
  /**
   * How often a message is tried: connections that fail while it waits and none is open, and losses of the connection
   * under it. Default 3.
   */
  readonly maxAttempts?: number;
  /**
   * How long no connection is made after one has failed: a random time, up to `initial`, which doubles with each further
   * failure, but `max` at the most. Default 1,000 and 30,000.
   */
  readonly backoff?: { readonly initial?: number; readonly max?: number };
  /** From 0 to 1, for the backoff. Default: Math.random. */
  readonly random?: () => number;
  /** What makes a connection. Default: `connect()` of this package. */
  readonly connect?: (options: ConnectOptions) => Promise<SmtpClient>;
  /** How long `close()` lets messages and QUIT go on. Default 30,000. */
  readonly closeTimeout?: number;
  /** Destroys the pool. */
  readonly signal?: AbortSignal;
  /** What makes a transport: one for each connection. */
  readonly transport?: (options: TransportOptions) => Promise<Transport>;
}

/** A pool at one moment. */
export interface PoolStats {
  /** Connections that are open, those that say QUIT included. */
  readonly connections: number;
  /** Those with no message on them. */
  readonly idle: number;
  /** Connections that are being made. */
  readonly connecting: number;
  /** Messages under way. */
  readonly active: number;
  /** Messages that wait. */
  readonly queued: number;
  /** Messages accepted so far. */
  readonly sent: number;
  /** Messages whose `send()` has failed so far. */
  readonly failed: number;
  /** How often a message was put back to be sent on another connection. */
  readonly resent: number;
}

/** Connections to one server, made as they are needed. */
export interface SmtpPool {
  /** The pool at this moment. */
  readonly stats: PoolStats;

  /**
   * Sends one message on the connection that has least to do. Messages begin in the order of the calls.
   *
   * A message is sent again only where its connection failed and its `delivery` is 'not-sent', with content that can be
   * read again: a string, octets, a function, an iterable that begins anew, or what nobody has begun to read. It
   * keeps its place. It is not begun again later than `timeouts.total` after its begin, which else bounds each attempt.
   *
   * @param options - as for `client.send()`; `signal` also ends the wait for a connection
   * @throws TypeError as `client.send()`
   * @throws SmtpError with `delivery`; ERR_SMTP_QUEUE_FULL beyond `maxQueue`
   */
  send(message: OutgoingMessage, options?: SendOptions): Promise<Receipt>;

  /**
   * Resolves as soon as fewer than `maxQueue` messages wait: backpressure for a producer that does not await its
   * messages. Keeps no place: several that wait for it are all told at the same time. Never rejects.
   */
  ready(): Promise<void>;

  /** Resolves as soon as no message waits or is under way. Never rejects. */
  drain(): Promise<void>;

  /**
   * Refuses further messages, lets the others come to their end, says QUIT on each connection. What is not done after
   * `closeTimeout` fails with ERR_SMTP_CLOSED. Resolves when nothing is left. Never rejects.
   */
  close(): Promise<void>;

  /** Closes all connections at once. What waits or is under way fails with ERR_SMTP_CLOSED, `error` as its cause. */
  destroy(error?: Error): void;

  /** As {@link SmtpPool.close}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** @throws TypeError for numbers that are not above 0, and for one transport in place of what makes them */
export function checkOptions(options: PoolOptions): void {
  const { rate, backoff, transport } = options;
  for (const [name, value = 1] of Object.entries({ ...options, ...rate, ...backoff }))
    if (
      /^(max|probe|messages|per|initial)|Timeout$/.test(name) &&
      (!((value as number) > 0) || (name === 'messages' && (value as number) % 1))
    )
      throw unusable(value, name);
  if (typeof transport === 'object') throw unusable(transport, 'transport');
}
