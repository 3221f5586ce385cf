/**
 * Performs a session's actions on a transport and feeds it events. Owns the clock: one timer, for
 * whatever the session waits for.
 */
import { fault, SmtpError } from '../errors.ts';
import { type Timeouts, timeoutOf } from '../session/limits.ts';
import type { ProcedureName } from '../session/phase.ts';
import type { Procedure } from '../session/procedure.ts';
import type { Session, Task } from '../session/session.ts';
import type { Transport } from './transport.ts';

/** Time as the driver needs it. */
export interface Clock {
  /** Milliseconds from any fixed point; never goes back. */
  now(): number;
  /** Calls `action` after `ms`; returns what cancels it. */
  after(ms: number, action: () => void): () => void;
}

/** The clock of the runtime. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** A session under way. */
export interface Driver {
  /** Resolves when nothing is left of the connection. */
  readonly closed: Promise<void>;
  /** Begins to drive the session over a transport; returns whether that is under TLS. */
  connect(open: (signal: AbortSignal) => Transport | Promise<Transport>): Promise<boolean>;
  /** Runs a procedure. What is begun in one turn of the event loop leaves in one write. */
  run<T>(
    name: ProcedureName | 'open',
    procedure: Procedure<T>,
    signal?: AbortSignal,
  ): Promise<{ readonly value: T; readonly roundTrips: number }>;
  /** Fails everything that runs, and closes at once. */
  fail(error: SmtpError): void;
}

/**
 * Drives a session.
 *
 * @param hint - what may be the cause when a deadline passes
 */
export function drive(session: Session, timeouts: Timeouts, clock: Clock, hint: () => string): Driver {
  let transport: Transport | undefined;
  let choked = false;
  let scheduled = false;
  let progress = -1;
  let cancel = (): void => {};
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) => gone.signal.addEventListener('abort', () => resolve()));

  const finish = (): void => {
    cancel();
    transport?.destroy();
    gone.abort();
  };
  const fail = (error: SmtpError): void => {
    session.fail(error);
    pump();
  };
  const pump = (): void => {
    // While the transport is full nothing more is performed, but the end of the session.
    while (!gone.signal.aborted && (!choked || session.phase === 'closed')) {
      const action = session.poll();
      if (!action) break;
      if (action.type === 'write') choked = !transport?.write(action.octets);
      else if (action.type === 'close') {
        if (action.abrupt) finish();
        else {
          transport?.end();
          // RFC 5321 §4.1.1.10 lets the server close first; one that does not is not waited for.
          cancel();
          cancel = clock.after(Math.min(timeouts.quit, 1_000), finish);
        }
      } else {
        // A handshake begins in this very turn: nothing may be read from the plain transport any more.
        const asked = action.type === 'await' ? attempt(action.ask) : transport?.startTls();
        Promise.resolve(asked)
          .then(
            (value) => (action.type === 'await' ? session.answer(action, value) : session.secured()),
            (error) =>
              action.type === 'await'
                ? session.refuse(action, error)
                : session.fail(error instanceof SmtpError ? error : fault('ERR_SMTP_TLS', String(error), { phase: 'tls', cause: error })),
          )
          .then(pump);
      }
    }
    watch();
  };
  /** Sets the deadline of what the session waits for, anew whenever it has got on. */
  const watch = (): void => {
    if (session.progress === progress || session.phase === 'closed') return;
    progress = session.progress;
    cancel();
    const phase = session.waiting;
    const limit = phase && timeoutOf(phase);
    if (limit) cancel = after(limit, () => fail(fault('ERR_SMTP_TIMEOUT', late(limit) + hint(), { phase })));
  };
  const after = (limit: keyof Timeouts, action: () => void): (() => void) =>
    timeouts[limit] < Number.POSITIVE_INFINITY ? clock.after(timeouts[limit], action) : () => {};
  const late = (limit: keyof Timeouts): string => `${timeouts[limit]} ms have passed (timeouts.${limit})`;

  return {
    closed,
    fail,
    async connect(open) {
      const opened = await open(gone.signal);
      if (gone.signal.aborted) opened.destroy();
      transport = opened;
      opened.attach({
        onData(octets) {
          session.receive(octets);
          pump();
        },
        onDrain() {
          choked = false;
          pump();
        },
        onClose(error) {
          session.end(error);
          pump();
          finish();
        },
      });
      return opened.secure;
    },
    run: (name, procedure, signal) =>
      new Promise((resolve, reject) => {
        let task: Task | undefined;
        let over = false;
        const abort = (error: SmtpError): void => {
          if (task) session.abort(task, error);
          pump();
        };
        const onAbort = (): void => abort(fault('ERR_SMTP_ABORTED', 'the caller aborted', { phase: 'idle', cause: signal?.reason }));
        const cancelTotal =
          name === 'open' || name === 'transaction'
            ? after('total', () => abort(fault('ERR_SMTP_TIMEOUT', late('total'), { phase: 'idle' })))
            : () => {};
        task = session.start(name, procedure, (error, value) => {
          over = true;
          cancelTotal();
          signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve({ value, roundTrips: task?.roundTrips ?? 0 });
          else reject(error);
        });
        if (over) return;
        signal?.addEventListener('abort', onAbort);
        if (signal?.aborted) onAbort();
        if (scheduled) return;
        scheduled = true;
        queueMicrotask(() => {
          scheduled = false;
          pump();
        });
      }),
  };
}

/** Calls; what it throws becomes a rejection. */
async function attempt(ask: () => unknown): Promise<unknown> {
  return ask();
}
