/** What a transport is given and gives back: the contract of nodemailer's plugins, as types. Knows nothing of how it is kept. */
import type { Readable } from 'node:stream';
import type { NodemailerError } from './error.ts';

/** Who gets a message, whatever its header says. */
export interface MailEnvelope {
  from: string | false;
  to: string[];
  readonly [more: string]: unknown;
}

/** DSN (RFC 3461), by either name. */
export interface DsnOptions {
  readonly id?: string | undefined;
  readonly envid?: string | undefined;
  readonly return?: string | undefined;
  readonly ret?: string | undefined;
  readonly notify?: string | readonly string[] | undefined;
  readonly recipient?: string | undefined;
  readonly orcpt?: string | undefined;
}

/** A composed message, nodemailer's or ours. */
export interface MailContent {
  /** From whom, and to whom. */
  getEnvelope(): MailEnvelope;
  /** With its angle brackets. */
  messageId(): string;
  /** The octets, each time anew where what it is made of can be read again. */
  createReadStream(): Readable;
  /** The addresses of its header, by field. */
  getAddresses?(): Record<string, unknown>;
}

/** What a transport reads of a message's data. */
export interface MailData {
  readonly dsn?: DsnOptions | undefined;
  readonly requireTLSExtensionEnabled?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A message on its way to a transport. */
export interface Mail {
  readonly data: MailData;
  readonly message: MailContent;
}

/** What became of a message. Durations are in ms. */
export interface SentMessageInfo {
  /** The recipients that it was accepted for. */
  accepted: string[];
  rejected: string[];
  /** For each of `rejected` its refusal, where there are any. */
  rejectedErrors?: NodemailerError[];
  /** What the server offers. */
  ehlo: string[];
  /** Until the content began; with CHUNKING it goes with the envelope. */
  envelopeTime: number;
  /** From there to the final reply. */
  messageTime: number;
  /** Octets of the content. */
  messageSize: number;
  /** The final reply with its code. */
  response: string;
  envelope: { from: string; to: string[] };
  messageId: string;
  // biome-ignore lint/suspicious/noExplicitAny: as nodemailer declares what other transports may add
  [more: string]: any;
}
