/**
 * Procedures: dialogues as generators. A procedure writes on the line that it is given, and yields to
 * wait: nothing for its next reply, or a question for the driver. It touches nothing else. Only
 * session.ts runs one.
 */
import type { Phase, SmtpErrorDetails } from '../errors.ts';
import type { TlsChannel } from '../sasl/mechanism.ts';
import type { Capabilities } from '../wire/extension.ts';
import type { Reply } from '../wire/reply.ts';
import type { Question } from './action.ts';
import type { SessionPhase } from './phase.ts';

/** A dialogue that comes to a T. */
export type Procedure<T> = Generator<Question | undefined, T, unknown>;

/** What is written at once: a command line, content, or both. */
export interface Command {
  /** With its CRLF. */
  readonly line?: string;
  /** Where a reply is owed: what it will be about; 'final' for a whole message. */
  readonly phase?: Phase | undefined;
  readonly content?: Uint8Array;
  /** What is told of it. Default: the command line. */
  readonly text?: string | undefined;
}

/** Something that the session waits for. */
export interface Wait {
  readonly phase: Phase;
}

/** The session as a procedure sees it. What is written before the next yield leaves as one group (RFC 2920 §3.1). */
export interface Line {
  /** Where the session stands. */
  phase: SessionPhase;
  capabilities: Capabilities;
  /** Whether the transport is under TLS. */
  secure: boolean;
  greeting?: Reply;
  /** What SASL can bind itself to (RFC 9266), where there is one. */
  channel?: TlsChannel | undefined;
  /** Times the client had to wait for the server so far, a TLS handshake among them. */
  roundTrips: number;
  /** Times that the running procedure had to wait for it. */
  readonly waited: number;
  /** How far commands are grouped. */
  pipelining: 'flight' | 'overlap' | 'envelope' | 'off';
  /** How much may be on its way at once in 'flight': messages, and octets of content. */
  window: { readonly transactions: number; readonly octets: number };
  /** Whether the server speaks LMTP (RFC 2033). */
  lmtp?: boolean;
  /** What is blotted out of what is said in AUTH, and of what answers nothing: the password, if it is known, and each response. None is empty. */
  secrets: string[];
  /** A MAIL was accepted, and content has not ended its transaction, or may not have: RSET goes before the next one. */
  open?: boolean;
  /** What the session waits for first of all; undefined while it waits for nothing. A deadline runs as long as this stays the same. */
  readonly waiting: Wait | undefined;
  /** With phase 'final' nothing more will be written: the next procedure may begin. */
  write(command: Command): void;
  /**
   * Commands behind content are not taken here: none are put there any more. The procedure that runs writes again when
   * its turn comes, and yields to wait for that; false where it has been given up.
   */
  again(): boolean;
  /** One more final reply is owed to the procedure that runs, before those of others; and what is certain until it comes. */
  expect(known?: Pick<SmtpErrorDetails, 'accepted' | 'rejected'> | false): void;
}

/** Asks the driver for something else than a reply: a connection, a key derivation, a block of content. */
export function* ask<T>(phase: Phase, question: () => T | Promise<T>): Procedure<T> {
  return (yield { type: 'await', phase, ask: question }) as T;
}
