/** The phases of a session, as a table: which procedure may run where, and where its success leads. */

/** The states of RFC 5321 §4.1.4 as a client sees them. */
export type SessionPhase = 'connected' | 'greeted' | 'ready' | 'closed';

/** The procedures of this folder, by name. */
export type ProcedureName =
  | 'greet'
  | 'hello'
  | 'startTls'
  | 'authenticate'
  | 'transaction'
  | 'verify'
  | 'noop'
  | 'reset'
  | 'quit';

export const PHASES: Readonly<
  Record<SessionPhase, Readonly<Partial<Record<ProcedureName, SessionPhase>>>>
> = {
  connected: { greet: 'greeted', quit: 'closed' },
  greeted: { hello: 'ready', quit: 'closed' },
  ready: {
    // RFC 3207 §4.2: "The client MUST discard any knowledge obtained from the server", so EHLO is due again.
    startTls: 'greeted',
    authenticate: 'ready',
    transaction: 'ready',
    verify: 'ready',
    noop: 'ready',
    reset: 'ready',
    quit: 'closed',
  },
  closed: {},
};
