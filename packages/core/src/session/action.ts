/**
 * The contract between the session and whoever drives it, on one page.
 *
 * The driver feeds events by calling the session's methods: `receive(octets)` for what the transport
 * read, `end()` when it ended, `fail(error)` when the deadline of `waiting` has passed, and
 * `answer(action, value)` or `refuse(action, error)` for what it was asked. After each of them, and after
 * `start()` and `abort()`, it performs what `poll()` gives, until that gives nothing.
 *
 * The session is synchronous: it never waits, never touches a socket, and knows no clock.
 */
import type { Phase } from '../errors.ts';

/** Write these octets. While the transport is full, do not call `poll()` until it has drained. */
export interface WriteAction {
  readonly type: 'write';
  readonly octets: Uint8Array;
}

/**
 * Start the TLS handshake, at once and before anything else is read from the transport; answer when it is done,
 * with the `channel` of SaslContext, which SASL can bind itself to (RFC 9266) where the runtime has it, else with undefined.
 */
export interface StartTlsAction {
  readonly type: 'start-tls';
  readonly phase: 'tls';
}

/** Call `ask`, and answer with what it returns, or with what the promise that it returns resolves to. */
export interface AwaitAction {
  readonly type: 'await';
  readonly phase: Phase;
  /** What there is to do; it is called once. */
  readonly ask: () => unknown;
}

/** Close the transport: `abrupt` at once, else after what was written has left. It comes last. */
export interface CloseAction {
  readonly type: 'close';
  readonly abrupt: boolean;
}

/** What the session asks of its driver, and waits for. */
export type Question = StartTlsAction | AwaitAction;

/** What the session wants done. */
export type Action = WriteAction | Question | CloseAction;
