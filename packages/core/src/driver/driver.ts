/**
 * Performs a session's actions on a transport and feeds it events. Owns the clock: one timer, for
 * whatever the session waits for.
 */
import { fault, type Phase, type SmtpError } from '../errors.ts';
import type { Timeouts } from '../session/limits.ts';
import type { ProcedureName } from '../session/phase.ts';
import type { Procedure } from '../session/procedure.ts';
import type { Session, Wait } from '../session/session.ts';
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
export function drive(
  session: Session,
  timeouts: Timeouts,
  clock: Clock,
  hint: () => string,
): Driver {
  let transport: Transport | undefined;
  let choked = false;
  let watched: Wait | undefined;
  let cancel = (): void => {};
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) =>
    gone.signal.addEventListener('abort', () => resolve()),
  );

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
      else if (action.type !== 'close') {
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
        cancel();
        cancel = clock.after(1_000, finish);
      }
    }
    // Every wait has a deadline of its own.
    const { waiting } = session;
    if (waiting === watched || session.phase === 'closed') return;
    watched = waiting;
    cancel();
    if (waiting)
      cancel = limit(waiting.phase === 'idle' ? 'mail' : waiting.phase, fail, waiting.phase);
  };
  const limit = (
    name: keyof Timeouts,
    late: (error: SmtpError) => void,
    phase: Phase = 'idle',
  ): (() => void) =>
    timeouts[name] < Number.POSITIVE_INFINITY
      ? clock.after(timeouts[name], () =>
          late(
            fault(
              'ERR_SMTP_TIMEOUT',
              `${timeouts[name]} ms have passed (timeouts.${name})${hint()}`,
              { phase },
            ),
          ),
        )
      : () => {};

  return {
    closed,
    fail,
    async connect(open) {
      transport = await open(gone.signal);
      if (gone.signal.aborted) transport.destroy();
      transport.attach({
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
      return transport.secure;
    },
    run: (name, procedure, signal) =>
      new Promise((resolve, reject) => {
        const abort = (error: SmtpError): void => {
          session.abort(task, error);
          pump();
        };
        const onAbort = (): void =>
          abort(
            fault('ERR_SMTP_ABORTED', 'the caller aborted', {
              phase: 'idle',
              cause: signal?.reason,
            }),
          );
        const cancelTotal = limit('total', abort);
        signal?.addEventListener('abort', onAbort);
        const task = session.start(name, procedure, (error, value, roundTrips) => {
          cancelTotal();
          signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve({ value, roundTrips });
          else reject(error);
        });
        if (signal?.aborted) onAbort();
        queueMicrotask(pump);
      }),
  };
}
