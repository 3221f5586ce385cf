/**
 * Performs a session's actions on a transport and feeds it events. Owns the clock: one timer, for
 * whatever the session waits for.
 */
import { fault, type SmtpError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Timeouts } from '../session/limits.ts';
import { open } from '../session/open.ts';
import type { ProcedureName } from '../session/phase.ts';
import type { Procedure } from '../session/procedure.ts';
import { quit } from '../session/quit.ts';
import type { Session, Task, Wait } from '../session/session.ts';
import type { Transport, TransportOptions } from './transport.ts';

/** A session under way. */
export interface Driver {
  /** Runs a procedure. What is begun in one turn of the event loop leaves in one write. */
  run<T>(name: ProcedureName, procedure: Procedure<T>, aborting?: AbortSignal): Promise<T>;
  /** Says QUIT behind all that runs. Resolves when nothing is left of the connection. */
  close(): Promise<void>;
  /** Resolves when nothing is left of the connection. */
  readonly closed: Promise<void>;
  /** Fails everything that runs, and closes at once. */
  destroy(cause?: Error): void;
}

/** Connects and opens a session; resolves when it is ready. */
export async function drive(session: Session, options: ResolvedOptions): Promise<Driver> {
  const { timeouts, clock } = options;
  const gone = new AbortController();
  const { signal } = gone;
  let leave!: () => void;
  const closed = new Promise<void>((resolve) => {
    leave = resolve;
  });
  let transport: Transport | undefined;
  let choked = false;
  let watched: Wait | undefined;
  let timer: unknown;
  /** Octets written since the content began that is being written, and when it did; Infinity where there is none. */
  let written = 0;
  let begun = Infinity;

  const pump = (): void => {
    // Every wait has a deadline of its own.
    const { waiting } = session;
    if (waiting !== watched) {
      watched = waiting;
      clock.clearTimeout(timer);
      const { phase } = waiting ?? {};
      if (phase !== 'content') begun = Infinity;
      else if (begun === Infinity) {
        begun = clock.performance.now();
        written = 0;
      }
      // Content that is behind its minimum rate has less time left, whoever holds it up.
      if (phase)
        timer = deadline(
          phase,
          session.fail,
          Math.min(0, begun - clock.performance.now() + (written / timeouts.minimumRate) * 1_000),
        );
    }
    // While the transport is full nothing more is performed, but the end of the session, which waits for nothing.
    while (!(choked && waiting)) {
      const action = session.poll();
      if (!action) break;
      if (action.type === 'write') {
        written += action.octets.length;
        choked = !transport?.write(action.octets);
      } else if (action.type !== 'close') {
        // Called in this very turn: once a handshake is due, nothing may be read from the plain transport.
        void (async () => (action.type === 'await' ? action.ask() : transport?.startTls()))()
          .then(
            (value) => session.answer(action, value),
            (error) => session.refuse(action, error),
          )
          .then(pump);
      } else if (action.abrupt) finish();
      else {
        transport?.end();
        // RFC 5321 §4.1.1.10 lets the server close first; one that does not is not waited for.
        timer = clock.setTimeout(finish, 1_000);
      }
    }
  };
  const finish = (): void => {
    clock.clearTimeout(timer);
    // Once: destroy() may call onClose() at once.
    if (signal.aborted) return;
    gone.abort();
    transport?.destroy();
    leave();
  };
  const deadline = (name: keyof Timeouts, late: (error: SmtpError) => void, ahead = 0): unknown =>
    clock.setTimeout(
      () => {
        late(
          fault(
            'ERR_SMTP_TIMEOUT',
            `go on: timeouts.${name} passed${
              name === 'greeting' && !session.secure
                ? `; if port ${options.port} speaks TLS, use tls: 'implicit'`
                : ''
            }`,
          ),
        );
        pump();
      },
      // setTimeout() takes what is longer than 2 ** 31 ms for 1 ms: 23 days are enough.
      Math.min(timeouts[name] + ahead, 2_000_000_000),
    );
  const run: Driver['run'] = (name, procedure, aborting) =>
    new Promise((resolve, reject) => {
      let task: Task | undefined;
      const onAbort = (): void => {
        session.abort(
          task as Task,
          fault('ERR_SMTP_ABORTED', 'go on: aborted', 'idle', {
            cause: aborting?.reason,
          }),
        );
        pump();
      };
      const total = deadline('total', (error) => session.abort(task as Task, error));
      aborting?.addEventListener('abort', onAbort);
      task = session.start(name, procedure, (error, value) => {
        clock.clearTimeout(total);
        aborting?.removeEventListener('abort', onAbort);
        if (error) reject(error);
        else resolve(value);
      });
      // Before there was one to abort, or by a callback while it was started.
      if (aborting?.aborted) onAbort();
      queueMicrotask(pump);
    });
  const destroy = (cause?: Error): void => {
    session.end(cause);
    finish();
  };
  const close = (): Promise<void> =>
    run('quit', quit(session))
      .catch(destroy)
      .then(() => closed);
  const connect = async (): Promise<Transport> => {
    transport =
      typeof options.transport === 'function'
        ? await options.transport({ ...options, mechanisms: [], signal } as TransportOptions)
        : options.transport;
    if (signal.aborted) transport.destroy();
    transport.attach({
      onData(octets) {
        session.receive(octets);
        pump();
      },
      onDrain() {
        choked = false;
        pump();
      },
      onClose: destroy,
    });
    return transport;
  };

  try {
    await run('open', open(session, { ...options, connect }), options.signal);
  } catch (error) {
    // The caller is told at once; a server that has refused to go on is told by QUIT.
    void close();
    throw error;
  }
  return { run, close, closed, destroy };
}
