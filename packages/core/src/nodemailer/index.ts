/** Public names, nothing else: nodemailer's, and the plugin for nodemailer itself. */
import { createTransport } from './create-transport.ts';
import type { SentMessageInfo } from './mail.ts';
import type { MailMessage as MailOnItsWay } from './mail-message.ts';
import { createTestAccount, getTestMessageUrl } from './test-account.ts';
import type { PosthornTransport as PoolTransport } from './transport.ts';
import type { Transporter as MailTransporter } from './transporter.ts';

export type { AuthOptions, ProvisionCallback } from './auth-options.ts';
export type { Callback } from './call-back.ts';
export type { NodemailerError } from './error.ts';
export type { JsonTransportOptions, LocalInfo, StreamTransportOptions } from './local-transport.ts';
export type { Log, Logger, LoggerOption } from './logger.ts';
export type {
  DsnOptions,
  Mail,
  MailContent,
  MailData,
  MailEnvelope,
  SentMessageInfo,
} from './mail.ts';
export type {
  AddressInput,
  AddressObject,
  AlternativeInput,
  AttachmentInput as Attachment,
  ContentInput,
  ContentObject,
  DkimInput,
  HeadersInput,
  HeaderValue,
  ListEntry,
  SendMailOptions,
} from './message-data.ts';
export { type PosthornTransportOptions, posthornTransport } from './transport.ts';
export type { SmtpTransportOptions } from './transport-options.ts';
export type { Plugin, Transport } from './transporter.ts';
export { createTestAccount, createTransport, getTestMessageUrl };

// Classes as types alone: each has one function that makes it.
/** What `createTransport()` makes. */
export type Transporter<Info = SentMessageInfo> = MailTransporter<Info>;
/** What `posthornTransport()` makes. */
export type PosthornTransport = PoolTransport;
/** What plugins are given. */
export type MailMessage = MailOnItsWay;

/** What `import nodemailer from 'nodemailer'` gives, as far as it is there. */
const nodemailer: {
  createTransport: typeof createTransport;
  createTestAccount: typeof createTestAccount;
  getTestMessageUrl: typeof getTestMessageUrl;
} = { createTransport, createTestAccount, getTestMessageUrl };

export default nodemailer;
