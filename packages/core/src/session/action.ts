/**
 * The contract between the session and whoever drives it, on one page.
 *
 * The driver feeds events by calling the session's methods: `receive(octets)` for what the transport
 * read, `end()` when it ended, `fail(error)` when it broke or the deadline of `waiting` has passed,
 * `secured()` when TLS is up, `answer(action, value)` or `refuse(action, error)` for an `await`. After each of them it performs what `poll()` gives, until that gives nothing.
 *
 * The session is synchronous: it never waits, never touches a socket, and knows no clock.
 */

/** Write these octets. While the transport is full, do not call `poll()` until it has drained. */
export interface WriteAction {
  readonly type: 'write';
  readonly octets: Uint8Array;
}

/**
 * Start the TLS handshake, at once and before anything else is read from the transport; then call
 * `secured()`, or `fail()`.
 */
export interface StartTlsAction {
  readonly type: 'start-tls';
}

/**
 * Call `ask`. Pass on what it returns, or what the promise that it returns resolves to, by
 * `answer(action, value)`; what it throws or rejects with, by `refuse(action, error)`.
 */
export interface AwaitAction {
  readonly type: 'await';
  readonly ask: () => unknown;
}

/** Close the transport: `abrupt` at once, else after what was written has left. It comes last. */
export interface CloseAction {
  readonly type: 'close';
  readonly abrupt: boolean;
}

/** What the session asks of its driver. */
export type Action = WriteAction | StartTlsAction | AwaitAction | CloseAction;
