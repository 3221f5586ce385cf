/**
 * Performs a session's actions on a transport and feeds it events, and gives its procedures as promises. Owns the
 * clock: one timer, for whatever the session waits for.
 */
import type { SmtpClient } from '../client.ts';
import { fault, type SmtpError } from '../errors.ts';
import { type ConnectOptions, resolveOptions } from '../options.ts';
import { authenticate } from '../session/authenticate.ts';
import { envelope } from '../session/envelope.ts';
import { FIVE_MINUTES, MINIMUM_RATE, TIMEOUTS, type Timeouts } from '../session/limits.ts';
import { open } from '../session/open.ts';
import type { ProcedureName } from '../session/phase.ts';
import type { Procedure, Wait } from '../session/procedure.ts';
import { quit } from '../session/quit.ts';
import { noop, reset, verify } from '../session/reset.ts';
import { createSession, type Task } from '../session/session.ts';
import { transaction } from '../session/transaction.ts';
import type { Reply } from '../wire/reply.ts';
import type { Transport, TransportOptions } from './transport.ts';

/**
 * connect() for a runtime.
 *
 * @param connecting - what connects where the options name nothing
 */
export async function connectBy(
  connecting: (options: TransportOptions) => Promise<Transport>,
  given: ConnectOptions,
): Promise<SmtpClient> {
  const options = resolveOptions(given, connecting);
  const { clock = globalThis } = options;
  const { performance } = clock;
  const begun = performance.now();
  const session = createSession((direction, text, phase) => {
    try {
      options.onTranscript?.({
        direction,
        text,
        phase,
        secure: session.secure,
        at: performance.now() - begun,
      });
    } catch (error) {
      // Whatever it throws, a caller is told by an SmtpError.
      session.end(error as Error);
    }
  });
  const gone = new AbortController();
  const { signal } = gone;
  const closed = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
  let transport: Transport;
  let choked = false;
  let watched: Wait | undefined;
  let timer: unknown;
  /** When the content that is being written would be where it is at its minimum rate; NaN where there is none. */
  let due = NaN;

  const pump = (): void => {
    let changed = false;
    for (;;) {
      // Every wait has a deadline of its own.
      if (watched !== session.waiting) {
        watched = session.waiting;
        clock.clearTimeout(timer);
        due = watched?.phase === 'content' ? due || performance.now() : NaN;
        changed = true;
      }
      // While the transport is full nothing more is performed, but the end of the session, which waits for nothing.
      const action = choked && watched ? undefined : session.poll();
      if (!action) break;
      if (action.type === 'write') {
        due += (action.octets.length / (options.timeouts?.minimumRate ?? MINIMUM_RATE)) * 1_000;
        choked = !transport.write(action.octets);
      } else if (action.type !== 'close') {
        // Called in this very turn: once a handshake is due, nothing may be read from the plain transport.
        void (async () => (action.type === 'await' ? action.ask() : transport.startTls()))()
          .then(
            (value) => session.answer(action, value),
            (error) => session.refuse(action, error),
          )
          .then(pump);
      } else if (action.abrupt) destroy();
      else {
        transport.end();
        // RFC 5321 §4.1.1.10 lets the server close first; one that does not is not waited for.
        timer = clock.setTimeout(destroy, 1_000);
      }
    }
    // Content that is behind its minimum rate has less time left, whoever holds it up. What was written just now counts.
    if (changed && watched) timer = deadline(watched.phase, session.fail, due - performance.now());
  };
  /** @param ahead - the ms by which content is ahead of its minimum rate: what is behind has less time left */
  const deadline = (name: keyof Timeouts, late: (error: SmtpError) => void, ahead = 0): unknown =>
    clock.setTimeout(
      () => {
        late(
          fault(
            'TIMEOUT',
            `go on: timeouts.${name} passed${
              name === 'greeting' && !session.secure ? "; use tls: 'implicit'?" : ''
            }`,
          ),
        );
        pump();
      },
      // setTimeout() takes what is longer than 2 ** 31 ms for 1 ms: 23 days are enough.
      Math.min(options.timeouts?.[name] ?? TIMEOUTS[name] ?? FIVE_MINUTES, 2_000_000_000) +
        Math.min(0, ahead || 0),
    );
  /** Runs a procedure. What is begun in one turn of the event loop leaves in one write. */
  const run = <T>(
    name: ProcedureName,
    procedure: Procedure<T>,
    aborting?: AbortSignal,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      let task: Task | undefined;
      const onAbort = (): void => {
        session.abort(
          task as Task,
          fault('ABORTED', 'go on: aborted', undefined, {
            cause: aborting?.reason,
          }),
        );
        pump();
      };
      // None of its own where there is no limit: it would be a timer for each message.
      const total =
        options.timeouts?.total && deadline('total', (error) => session.abort(task as Task, error));
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
    clock.clearTimeout(timer);
    // Once: destroy() may call onClose() at once.
    if (signal.aborted) return;
    gone.abort();
    transport?.destroy();
  };
  const close = (): Promise<void> => run('quit', quit(session)).then(() => closed, destroy);
  const connect = async (): Promise<Transport> => {
    transport =
      typeof options.transport === 'function'
        ? // It gets no credentials.
          await options.transport({ ...options, auth: [], signal } as TransportOptions)
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

  await run(
    'open',
    open(session, {
      ...options,
      connect,
      authenticate: options.auth[0] && ((line) => authenticate(line, options)),
    }),
    options.signal,
  ).catch((error) => {
    // The caller is told at once; a server that has refused to go on is told by QUIT.
    void close();
    throw error;
  });
  return {
    capabilities: session.capabilities,
    secure: session.secure,
    greeting: session.greeting as Reply,
    closed,
    get pipelining() {
      return session.pipelining;
    },
    get roundTrips() {
      return session.roundTrips;
    },
    send: async (message, how = {}) =>
      run(
        'transaction',
        transaction(session, envelope(message, session.capabilities, how), how),
        how.signal,
      ),
    verify: async (address) => run('verify', verify(session, address)),
    noop: () => run('noop', noop(session)),
    reset: () => run('reset', reset(session)),
    close,
    destroy,
    [Symbol.asyncDispose]: close,
  };
}
