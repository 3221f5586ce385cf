/** The phases of a session, and what runs in them. */

/**
 * Where a session stands: `ready` once `open()` has succeeded (RFC 5321 §4.1.4), `closed` when nothing more is written.
 * Before `ready` nothing runs but `open` and `quit`, and what was started before them waits.
 */
export type SessionPhase = 'connected' | 'ready' | 'closed';

/** The procedures, by name. A transaction may begin behind another one's content; everything else waits for the line to be free. */
export type ProcedureName = 'open' | 'transaction' | 'verify' | 'noop' | 'reset' | 'quit';
