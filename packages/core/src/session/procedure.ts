/**
 * Procedures: dialogues as generators. A procedure writes on the line that it is given, and yields to
 * wait: nothing for its next reply, or a question for the driver. It touches nothing else. Only
 * session.ts runs one.
 */
import type { Phase, SmtpErrorDetails } from '../errors.ts';
import type { Capabilities } from '../wire/extension.ts';
import type { Reply } from '../wire/reply.ts';
import type { Question } from './action.ts';
import type { ProcedureName } from './phase.ts';

/** A dialogue that comes to a T. */
export type Procedure<T> = Generator<Question | undefined, T, unknown>;

/** One command line on its way out; each owes one reply. */
export interface Command {
  /** With its CRLF. */
  readonly line: string;
  readonly phase: Phase;
  /** What follows it in the same write, and is no command: a chunk. */
  readonly content?: Uint8Array;
}

/** The session as a procedure sees it. What is written before the next yield leaves as one group (RFC 2920 §3.1). */
export interface Line {
  capabilities: Capabilities;
  /** Whether the transport is under TLS. */
  secure: boolean;
  greeting?: Reply;
  /** The `tls-exporter` binding of the channel (RFC 9266), where there is one. */
  channelBinding?: Uint8Array | undefined;
  /** Times the client had to wait for the server so far, a TLS handshake among them. */
  roundTrips: number;
  /** Times that the running procedure had to wait for it. */
  waited: number;
  /** How far commands are grouped. */
  pipelining: 'flight' | 'overlap' | 'envelope' | 'off';
  /** How much may be on its way at once in 'flight': messages, and octets of content. */
  window: { readonly transactions: number; readonly octets: number };
  /** Whether the server speaks LMTP (RFC 2033). */
  lmtp?: boolean;
  /** What is blotted out of what is said in AUTH, and of what answers nothing: the password, if it is known, and each response. None is empty. */
  secrets: string[];
  /** A MAIL was accepted, and content has not ended its transaction, or may not have: RSET goes before the next one. */
  transactionOpen?: boolean;
  /** Whether replies are still awaited that others have to get first. */
  readonly overlapping: boolean;
  /** Writes a command. */
  write(command: Command): void;
  /** Writes content, or the command before it. With the last of it a reply is owed, 'final' for a whole message; `text` tells of it. */
  content(octets: Uint8Array | string, owed?: Phase, text?: string): void;
  /** Nothing more will be written: the next procedure may begin. */
  release(): void;
  /** The procedure that runs writes again when its turn comes; it yields to wait for that. */
  again(): void;
  /** One more final reply is owed to the procedure that runs, before those of others; and what is certain until it comes. */
  expect(known?: Pick<SmtpErrorDetails, 'accepted' | 'rejected'>): void;
  /** Runs a procedure inside another one, as the table of phases allows it. */
  within<T>(name: ProcedureName, procedure: Procedure<T>): Procedure<T>;
}

/** Asks the driver for something else than a reply: a connection, a key derivation, a block of content. */
export function* ask<T>(phase: Phase, question: () => T | Promise<T>): Procedure<T> {
  return (yield { type: 'await', phase, ask: question }) as T;
}
