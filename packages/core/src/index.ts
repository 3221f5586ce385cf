/** Public names, nothing else. */
export { type Classification, classify } from './classify.ts';
export type { Receipt, SmtpClient } from './client.ts';
export { connect } from './connect.ts';
export { type SocketTransportOptions, socketTransport } from './driver/node-transport.ts';
export type {
  TlsOptions,
  TlsResumption,
  Transport,
  TransportEvents,
  TransportOptions,
} from './driver/transport.ts';
export {
  type Delivery,
  isSmtpError,
  type Phase,
  type RejectedRecipient,
  type Retry,
  SmtpError,
  type SmtpErrorCode,
  type SmtpErrorDetails,
} from './errors.ts';
export type { Clock, ConnectOptions, TranscriptEvent } from './options.ts';
export type { SaslContext, SaslExchange, SaslMechanism, TlsChannel } from './sasl/mechanism.ts';
export type { Content } from './session/content.ts';
export type { OutgoingMessage, Recipient, SendOptions } from './session/envelope.ts';
export type { Timeouts } from './session/limits.ts';
export type { Capabilities } from './wire/extension.ts';
export type { DeliverBy, MailParameters } from './wire/mail-parameter.ts';
export type { EnhancedStatusCode, Reply } from './wire/reply.ts';
