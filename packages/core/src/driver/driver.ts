/**
 * Performs a session's actions on a transport and feeds it events. Owns the clock: one timer, for
 * whatever the session waits for.
 */
import { fault, type Phase, type SmtpError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Timeouts } from '../session/limits.ts';
import type { ProcedureName } from '../session/phase.ts';
import type { Procedure } from '../session/procedure.ts';
import type { Session, Wait } from '../session/session.ts';
import type { Transport } from './transport.ts';

/** A session under way. */
export interface Driver {
  /** Resolves when nothing is left of the connection. */
  readonly closed: Promise<unknown>;
  /** Connects, and begins to drive the session over the transport. */
  connect(): Promise<Transport>;
  /** Runs a procedure. What is begun in one turn of the event loop leaves in one write. */
  run<T>(name: ProcedureName | 'open', procedure: Procedure<T>, signal?: AbortSignal): Promise<T>;
  /** Fails everything that runs, and closes at once. */
  fail(error: SmtpError): void;
}

/** Drives a session. */
export function drive(session: Session, options: ResolvedOptions): Driver {
  const { timeouts, clock } = options;
  let transport: Transport | undefined;
  let choked = false;
  let watched: Wait | undefined;
  let cancel = (): void => {};
  const gone = new AbortController();
  const { signal } = gone;
  const closed = new Promise((resolve) => signal.addEventListener('abort', resolve));

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
    while (!signal.aborted && (!choked || session.phase === 'closed')) {
      const action = session.poll();
      if (!action) break;
      if (action.type === 'write') choked = !transport?.write(action.octets);
      else if (action.type !== 'close') {
        // Called in this very turn: once a handshake is due, nothing may be read from the plain transport.
        (async () => (action.type === 'await' ? action.ask() : transport?.startTls()))()
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
    phase?: Phase,
  ): (() => void) =>
    clock.after(timeouts[name], () =>
      late(
        fault(
          'ERR_SMTP_TIMEOUT',
          `go on: timeouts.${name}, ${timeouts[name]} ms, has passed${
            phase === 'greeting' && !session.secure
              ? `; if port ${options.port} speaks TLS, use tls: 'implicit'`
              : ''
          }`,
          phase,
        ),
      ),
    );

  return {
    closed,
    fail,
    async connect() {
      const { host, port, tls, tlsOptions, localAddress, transport: given } = options;
      transport =
        typeof given === 'function'
          ? await given({ host, port, secure: tls === 'implicit', tlsOptions, localAddress, signal })
          : given;
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
        onClose(error) {
          session.end(error);
          pump();
          finish();
        },
      });
      return transport;
    },
    run: (name, procedure, aborting) =>
      new Promise((resolve, reject) => {
        const abort = (error: SmtpError): void => {
          session.abort(task, error);
          pump();
        };
        const onAbort = (): void =>
          abort(fault('ERR_SMTP_ABORTED', 'go on: the caller aborted', 'idle', { cause: aborting?.reason }));
        const cancelTotal = limit('total', abort);
        aborting?.addEventListener('abort', onAbort);
        const task = session.start(name, procedure, (error, value) => {
          cancelTotal();
          aborting?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve(value);
          else reject(error);
        });
        if (aborting?.aborted) onAbort();
        queueMicrotask(pump);
      }),
  };
}
