/** The sans-IO session, for other runtimes and for library authors. See action.ts for the contract. */
export { type Delivery, isSmtpError, type Phase, type RejectedRecipient, type Retry, SmtpError, type SmtpErrorCode } from '../errors.ts';
export type { Capabilities } from '../wire/extension.ts';
export type { MailParameters, Recipient } from '../wire/mail-parameter.ts';
export type { EnhancedStatusCode, Reply } from '../wire/reply.ts';
export type { Action, AwaitAction, CloseAction, StartTlsAction, WriteAction } from './action.ts';
export type { Content } from './content.ts';
export { envelope, type Envelope, type OutgoingMessage, type SendOptions } from './envelope.ts';
export { type Timeouts, TIMEOUTS, timeoutOf } from './limits.ts';
export { open, type OpenOptions } from './open.ts';
export type { SessionPhase } from './phase.ts';
export { quit } from './quit.ts';
export { noop, reset, verify } from './reset.ts';
export { Session, type SessionContext, type Task, type WireListener } from './session.ts';
export { transaction, type TransactionOptions, type TransactionResult } from './transaction.ts';
