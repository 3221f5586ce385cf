/**
 * The pool: which message begins when, on which connection, and what is tried again. It knows clients
 * and their errors, and nothing of what is on the wire.
 */
import type { SmtpClient } from '../client.ts';
import type { SmtpError } from '../errors.ts';
import type { ConnectOptions } from '../options.ts';
import { isLoss, refusal } from './failure.ts';
import type { Connection, Job } from './job.ts';
import { limitOf } from './limit.ts';
import { checkOptions, type PoolOptions, type SmtpPool } from './options.ts';
import { inParts } from './parts.ts';
import { createQueue } from './queue.ts';
import { replay } from './replay.ts';

/** How long a probe may take: who is there answers NOOP at once. */
const PROBE_TIMEOUT = 5_000;

const isUsable = (one: Connection): boolean => one.left > 0;

/** createPool() for a runtime. */
export function poolBy(
  connectBy: (options: ConnectOptions) => Promise<SmtpClient>,
  given: PoolOptions,
): SmtpPool {
  checkOptions(given);
  const {
    maxConnections = 5,
    maxMessages = 100,
    maxInFlight,
    maxQueue = 10_000,
    overflow,
    queueTimeout = Infinity,
    rate: { messages = 1, per = 1_000 } = { per: 0 },
    idleTimeout = 30_000,
    probeAfter = 10_000,
    maxAttempts = 3,
    backoff: { initial = 1_000, max = 30_000 } = {},
    random = Math.random,
    connect = connectBy,
    closeTimeout = 30_000,
    signal,
    ...options
  } = given;
  const { clock = globalThis, resumption = {}, timeouts, window } = options;
  const { total = Infinity } = timeouts ?? {};

  const queue = createQueue<Job>();
  const connections = new Set<Connection>();
  /** Each is called whenever something may have changed. */
  const watches = new Set<() => void>();
  /** Aborted when no further connection is wanted. */
  const enough = new AbortController();
  /** When the last messages have begun, as many as may begin in one span. */
  const begins: number[] = [];
  let [ids, active, begun, connecting, failures, sent, failed, resent] = [0, 0, 0, 0, 0, 0, 0, 0];
  /** No connection is made before. */
  let resume = -Infinity;
  /** Connections can be made, as far as is known; where they cannot, they are tried one by one. */
  let reachable = false;
  let destroyed = false;
  let closing: Promise<void> | undefined;
  let wake: unknown;

  const now = (): number => clock.performance.now();
  // setTimeout() takes what is longer than 2 ** 31 ms for 1 ms: 23 days are enough.
  const later = (callback: () => void, ms: number): unknown =>
    clock.setTimeout(callback, Math.min(ms, 2_000_000_000));
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const watch = (): void => {
        if (!destroyed && !holds()) return;
        watches.delete(watch);
        resolve();
      };
      watches.add(watch);
      watch();
    });
  const isDrained = (): boolean => !queue.size && !active;

  /** How many messages are given to a connection at once. */
  const room = ({ client: { pipelining } }: Connection): number =>
    pipelining === 'flight'
      ? (maxInFlight ?? window?.transactions ?? 32)
      : pipelining === 'overlap'
        ? (maxInFlight ?? 2)
        : 1;

  /** Full jitter: clients that have lost a server together do not come back together. */
  const backOff = (): void => {
    reachable = false;
    if (now() >= resume) resume = now() + random() * Math.min(max, initial * 2 ** failures++);
  };

  const open = (): void => {
    connecting += 1;
    void (async () => connect({ ...options, resumption, signal: enough.signal }))()
      .then(
        (client) => {
          connecting -= 1;
          reachable = true;
          if (enough.signal.aborted) return client.destroy();
          const left = Math.min(maxMessages, limitOf(client.capabilities, 'MAILMAX'));
          const connection: Connection = { client, load: 0, left, since: 0 };
          connections.add(connection);
          rest(connection);
          void client.closed.then(() => {
            connections.delete(connection);
            clock.clearTimeout(connection.timer);
            pump();
          });
        },
        (error: SmtpError) => {
          connecting -= 1;
          backOff();
          // As long as another connection may serve what waits, that has lost nothing.
          if (connecting || [...connections].some(isUsable)) return;
          queue.sift((job) => {
            job.attempts += 1;
            if (job.attempts < maxAttempts && /later|reconnect/.test(error?.retry)) return true;
            job.settle(error);
            return false;
          });
        },
      )
      .then(pump);
  };

  /** A connection has nothing to do. */
  const rest = (connection: Connection): void => {
    connection.since = now();
    if (isUsable(connection)) connection.timer = later(() => leave(connection), idleTimeout);
    else leave(connection);
  };

  const leave = (connection: Connection): void => {
    if (connection.left >= 0) void connection.client.close();
    connection.left = -1;
  };

  const probe = (connection: Connection): void => {
    const { client } = connection;
    connection.probed = true;
    clock.clearTimeout(connection.timer);
    const timer = later(() => client.destroy(), PROBE_TIMEOUT);
    void (async () => client.noop())()
      .catch(() => {
        connection.left = 0;
      })
      .then(() => {
        clock.clearTimeout(timer);
        connection.probed = false;
        if (connections.has(connection)) rest(connection);
        pump();
      });
  };

  const begin = (connection: Connection, job: Job): void => {
    const { client } = connection;
    clock.clearTimeout(job.timer);
    clock.clearTimeout(connection.timer);
    begins[begun++ % messages] = now();
    if (!job.begun) job.due = Math.min(job.due, now() + total);
    job.begun = true;
    connection.load += 1;
    connection.left -= 1;
    active += 1;
    void inParts(client, job.message, job.how)
      .then(
        (receipt) => {
          connection.proven = true;
          failures = 0;
          job.settle(undefined, receipt);
        },
        (error: SmtpError) => {
          const loss = isLoss(error);
          // Where its first messages fail, it is no better than one that could not be made.
          if (loss && !connection.proven) backOff();
          if (loss) connection.left = 0;
          else connection.proven = true;
          // What had not begun, on a connection that has served others, was not tried.
          if (error?.phase !== 'idle' || !connection.proven) job.attempts += 1;
          if (
            loss &&
            error.delivery === 'not-sent' &&
            // Some may have it already, where it went to them in parts.
            !error.accepted?.[0] &&
            job.attempts < maxAttempts &&
            now() < job.due &&
            !destroyed &&
            !job.how.signal?.aborted &&
            job.readable()
          ) {
            resent += 1;
            wait(job);
          } else job.settle(error);
        },
      )
      .then(() => {
        active -= 1;
        connection.load -= 1;
        // A server that does not bear overlap is remembered.
        if (client.pipelining === 'envelope') options.pipelining = 'envelope';
        if (!connection.load && connections.has(connection)) rest(connection);
        pump();
      });
  };

  const wait = (job: Job): void => {
    queue.put(job);
    if (job.due < Infinity)
      job.timer = later(() => {
        queue.remove(job);
        job.settle(refusal('TIMEOUT', 'too late'));
        pump();
      }, job.due - now());
  };

  /** Does what can be done now. */
  const pump = (): void => {
    let pause = 0;
    while (queue.size) {
      pause = (begins[begun % messages] as number) + per - now();
      if (pause > 0) break;
      const [connection] = [...connections]
        .filter((one) => isUsable(one) && !one.probed && one.load < room(one))
        // Of those that have nothing to do the one that had it last: the others may come to their end.
        .sort((a, b) => a.load - b.load || b.since - a.since);
      if (!connection) break;
      if (!connection.load && now() - connection.since >= probeAfter) probe(connection);
      else begin(connection, queue.take() as Job);
    }
    const usable = [...connections].filter(isUsable);
    const wanted = usable.reduce((sum, { load }) => sum + load - 1, queue.size);
    while (
      !(pause > 0 || enough.signal.aborted) &&
      connecting < Math.min(wanted, maxConnections - connections.size, reachable ? Infinity : 1)
    ) {
      pause = resume - now();
      if (!(pause > 0)) open();
    }
    clock.clearTimeout(wake);
    // Where no message waits for it, no timer keeps the process alive.
    if (queue.size && pause > 0) wake = later(pump, pause);
    for (const watch of watches) watch();
  };

  const destroy = (cause?: Error): void => {
    if (destroyed) return;
    destroyed = true;
    signal?.removeEventListener('abort', onAbort);
    enough.abort();
    queue.sift((job) => {
      job.settle(refusal('CLOSED', 'the pool is closed', cause));
      return false;
    });
    for (const { client } of connections) client.destroy(cause);
    pump();
  };
  const onAbort = (): void => destroy(signal?.reason);
  const close = (): Promise<void> => {
    closing ??= (async () => {
      const timer = later(destroy, closeTimeout);
      await until(isDrained);
      enough.abort();
      for (const connection of connections) leave(connection);
      await until(() => !connections.size);
      clock.clearTimeout(timer);
      destroy();
    })();
    return closing;
  };
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();

  return {
    get stats() {
      return {
        connections: connections.size,
        idle: [...connections].filter(({ load }) => !load).length,
        connecting,
        active,
        queued: queue.size,
        sent,
        failed,
        resent,
      };
    },
    send: (message, how = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = how;
        const job: Job = {
          ...replay(message),
          id: ++ids,
          how,
          attempts: 0,
          due: now() + queueTimeout,
          settle(error, receipt) {
            clock.clearTimeout(job.timer);
            signal?.removeEventListener('abort', abandon);
            if (receipt) {
              sent += 1;
              resolve(receipt);
            } else {
              failed += 1;
              reject(error);
            }
          },
        };
        const abort = (): void => job.settle(refusal('ABORTED', 'aborted', signal?.reason));
        // What has begun is given up by its client.
        const abandon = (): void => {
          if (!queue.remove(job)) return;
          abort();
          pump();
        };
        if (closing || destroyed) job.settle(refusal('CLOSED', 'the pool is closed'));
        else if (signal?.aborted) abort();
        else if (overflow !== 'wait' && queue.size >= maxQueue)
          job.settle(refusal('QUEUE_FULL', `${maxQueue} messages are waiting`));
        else {
          signal?.addEventListener('abort', abandon);
          wait(job);
          pump();
        }
      }),
    ready: () => until(() => queue.size < maxQueue),
    drain: () => until(isDrained),
    close,
    destroy,
    [Symbol.asyncDispose]: close,
  };
}
