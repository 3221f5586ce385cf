/** The phases of a session, as a table: which procedure may run where, and where its success leads. */

/** The states of RFC 5321 §4.1.4 as a client sees them. */
export type SessionPhase = 'connected' | 'greeted' | 'ready' | 'closed';

/** The procedures that depend on the phase, by name. */
export type ProcedureName =
  | 'greet'
  | 'hello'
  | 'startTls'
  | 'transaction'
  | 'verify'
  | 'noop'
  | 'reset'
  | 'quit';

/** From where, and where to. What is not in the table runs when the session is ready, and leaves it so. */
export const PHASES: { readonly [name in ProcedureName]?: readonly [SessionPhase, SessionPhase] } =
  {
    greet: ['connected', 'greeted'],
    hello: ['greeted', 'ready'],
    // RFC 3207 §4.2: "The client MUST discard any knowledge obtained from the server", so EHLO is due again.
    startTls: ['ready', 'greeted'],
  };
