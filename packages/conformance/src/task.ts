/** What a client is asked to do in one play, and what it says of it. Plain data, so that both cross a process. */

/**
 * How TLS is wanted: not at all; by STARTTLS where it is offered (opportunistic); by STARTTLS or not at all; or from
 * the first octet.
 */
export type TlsMode = 'off' | 'opportunistic' | 'starttls' | 'implicit';

/**
 * What a client can be asked for. A case whose `requires` a subject lacks is skipped.
 *
 * `timeouts`: every limit can be set. `streams`: content may come in pieces. `abort`: a send can be given up.
 * `reuse`: several messages in one session. `pool`: several connections. `compose`: messages are built from fields.
 * `provider`: the provider's 554 texts are understood. `preflight`: the provider's rules are checked before connecting.
 */
export type Feature =
  | 'abort'
  | 'auth-cram-md5'
  | 'auth-external'
  | 'auth-login'
  | 'auth-oauthbearer'
  | 'auth-plain'
  | 'auth-scram'
  | 'auth-scram-plus'
  | 'auth-xoauth2'
  | 'binarymime'
  | 'chunking'
  | 'client-name'
  | 'compose'
  | 'dsn'
  | 'implicit-tls'
  | 'limits'
  | 'lmtp'
  | 'null-sender'
  | 'opportunistic-tls'
  | 'pipelining'
  | 'pool'
  | 'preflight'
  | 'provider'
  | 'requiretls'
  | 'reuse'
  | 'size'
  | 'smtputf8'
  | 'starttls'
  | 'streams'
  | 'timeouts';

/** Limits in ms, each for one wait for the server. `command` is that of whatever has no limit of its own. */
export interface TaskTimeouts {
  readonly connect?: number;
  readonly greeting?: number;
  readonly ehlo?: number;
  readonly tls?: number;
  readonly auth?: number;
  readonly mail?: number;
  readonly rcpt?: number;
  readonly data?: number;
  readonly content?: number;
  readonly final?: number;
  readonly quit?: number;
  readonly command?: number;
}

/** A message to be composed, for clients that do. */
export interface TaskFields {
  readonly from?: string | { readonly name: string; readonly address: string };
  readonly to?: readonly (string | { readonly name: string; readonly address: string })[];
  readonly bcc?: readonly string[];
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: readonly { readonly filename: string; readonly content: string }[];
}

/**
 * What is sent: text (as UTF-8); octets (each a character to U+00FF); the same octets over and over, as a stream where
 * `stream` says so; pieces of octets, of which the source fails after `failsAfter`, or waits `gap` ms between them
 * where a gap is given; or fields to compose from.
 */
export type TaskContent =
  | { readonly text: string }
  | { readonly octets: string }
  | { readonly repeat: string; readonly times: number; readonly stream?: boolean }
  | { readonly pieces: readonly string[]; readonly failsAfter?: number; readonly gap?: number }
  | { readonly fields: TaskFields };

/** A recipient, with the parameters of RFC 3461 §4 where they are wanted. */
export interface TaskRecipient {
  readonly address: string;
  readonly notify?: readonly ('never' | 'success' | 'failure' | 'delay')[];
  readonly orcpt?: string;
}

/** One message, with its envelope. Without what is optional a client decides by itself. */
export interface TaskMessage {
  /** The reverse-path; '' is the null one. */
  readonly from: string;
  readonly to: readonly (string | TaskRecipient)[];
  readonly content: TaskContent;
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  readonly smtpUtf8?: boolean;
  readonly ret?: 'full' | 'hdrs';
  readonly envid?: string;
  /** The size to declare, for clients that can be told. No number: what no type allows is what some cases ask for. */
  readonly size?: number | string;
  readonly requireTls?: boolean;
  /** Give up so many ms after the send began. */
  readonly abortAfter?: number;
}

/** What a client is asked to do: to connect as said, and to send. */
export interface ClientTask {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMode;
  /** The certificates to trust, in PEM. */
  readonly ca: string;
  /** The same as a file. */
  readonly caFile: string;
  readonly protocol: 'smtp' | 'lmtp';
  /** The argument of EHLO. */
  readonly name?: string;
  /** Credentials: a user with a password, or with a bearer token. */
  readonly auth?: {
    readonly user: string;
    readonly pass?: string;
    readonly token?: string;
    /** The only mechanisms that may be used, strongest first. */
    readonly mechanisms?: readonly string[];
    /** PLAIN and LOGIN are wanted outside TLS too. */
    readonly insecure?: boolean;
  };
  readonly messages: readonly TaskMessage[];
  /** One after the other on one connection; or all at once on as many connections as said. Default: one after the other. */
  readonly connections?: number;
  /** Between two messages, in ms. */
  readonly gap?: number;
  readonly timeouts?: TaskTimeouts;
  /** Octets of one BDAT chunk, where a client can be told. */
  readonly chunk?: number;
  /** The provider whose rules and texts are in force. */
  readonly provider?: 'devino';
}

/** Why a client did not send. */
export type FailureKind =
  | 'aborted'
  | 'auth'
  | 'closed'
  | 'connect'
  | 'content'
  | 'data'
  | 'invalid'
  | 'other'
  | 'protocol'
  | 'recipient'
  | 'refused'
  | 'sender'
  | 'size'
  | 'timeout'
  | 'tls'
  | 'unsupported';

/** What became of one message, as the client says. What it does not say is undefined. */
export interface MessageOutcome {
  readonly outcome: 'resolve' | 'reject';
  readonly kind?: FailureKind | undefined;
  /** The reply code that is the reason. */
  readonly code?: number | undefined;
  readonly enhanced?: string | undefined;
  /** The text of that reply, where the client gives it apart from the codes, on one line. */
  readonly replyText?: string | undefined;
  /** What people are shown. */
  readonly text?: string | undefined;
  /** Whether trying later may help. */
  readonly temporary?: boolean | undefined;
  /** What is certain about the message. */
  readonly delivery?: 'not-sent' | 'rejected' | 'unknown' | undefined;
  readonly accepted?: readonly string[] | undefined;
  readonly rejected?:
    | readonly { readonly address: string; readonly code?: number | undefined }[]
    | undefined;
  /** What the provider's text means, and what it names. */
  readonly reason?: string | undefined;
  readonly stage?: string | undefined;
  readonly address?: string | undefined;
  readonly extension?: string | undefined;
  /** The client's own name of the failure. */
  readonly native?: string | undefined;
}

/** What a client says of a whole task. */
export interface TaskOutcome {
  /** 'unimplemented': it cannot do what it was asked, and says so. */
  readonly outcome: 'done' | 'unimplemented';
  /** One for each message of the task, in its order. */
  readonly messages: readonly MessageOutcome[];
  /** What it logged. */
  readonly log?: string | undefined;
  /** How much more memory was held at once than before, in octets. */
  readonly memory?: number | undefined;
  /** Why it is not implemented. */
  readonly why?: string | undefined;
}

/** What an outcome of this client tells; expectations of what it cannot tell are not judged. */
export type Report =
  | 'accepted'
  | 'code'
  | 'delivery'
  | 'enhanced'
  | 'kind'
  | 'log'
  | 'memory'
  | 'reason'
  | 'rejected'
  | 'reply-text'
  | 'temporary'
  | 'text';

/**
 * A client under test, seen by the runner.
 *
 * @example
 * ```ts
 * import type { ClientTask, Subject } from '@posthorn/conformance';
 *
 * const silent: Subject = {
 *   name: 'silent',
 *   version: '1.0.0',
 *   features: [],
 *   reports: [],
 *   run: async (task: ClientTask) => ({
 *     outcome: 'done',
 *     messages: task.messages.map(() => ({ outcome: 'reject' as const })),
 *   }),
 * };
 * console.log(silent.features.length); // 0
 * ```
 */
export interface Subject {
  readonly name: string;
  readonly version: string;
  readonly features: readonly Feature[];
  readonly reports: readonly Report[];
  /** Awaited before each play: what it does is no part of the client's time. It does not throw. */
  prepare?(signal: AbortSignal): Promise<void>;
  /** Does what is asked and never throws for what the server does; a throw counts as a crash. */
  run(task: ClientTask, signal: AbortSignal): Promise<TaskOutcome>;
  /** Releases what it holds. */
  close?(): Promise<void>;
}
