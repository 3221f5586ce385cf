/** The sans-IO session, for other runtimes and for library authors. docs/writing-a-driver.md drives it; action.ts is the contract. */
export {
  type Delivery,
  isSmtpError,
  type Phase,
  type RejectedRecipient,
  type Retry,
  SmtpError,
  type SmtpErrorCode,
  type SmtpErrorDetails,
} from '../errors.ts';
export type { Capabilities } from '../wire/extension.ts';
export type { DeliverBy, MailParameters } from '../wire/mail-parameter.ts';
export type { EnhancedStatusCode, Reply } from '../wire/reply.ts';
export type {
  Action,
  AwaitAction,
  CloseAction,
  Question,
  StartTlsAction,
  WriteAction,
} from './action.ts';
export type { Content } from './content.ts';
export {
  type Envelope,
  type EnvelopeCommand,
  envelope,
  type OutgoingMessage,
  type Recipient,
  type SendOptions,
} from './envelope.ts';
export { TIMEOUTS, type Timeouts } from './limits.ts';
export { type Connected, type OpenOptions, open } from './open.ts';
export type { ProcedureName, SessionPhase } from './phase.ts';
export type { Command, Line, Procedure, Wait } from './procedure.ts';
export { quit } from './quit.ts';
export { noop, reset, verify } from './reset.ts';
export { createSession, type Session, type Task, type WireListener } from './session.ts';
export { type TransactionResult, transaction } from './transaction.ts';
