/**
 * Procedures: dialogues as generators. A procedure yields steps and is resumed with what each step
 * brings; it touches nothing but its arguments and the replies. Only session.ts runs one.
 */
import type { Phase } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';

/** One command line on its way out; each owes one reply. */
export interface Command {
  /** With its CRLF. */
  readonly line: string;
  readonly phase: Phase;
  /** What transcripts and errors show in place of the line, where it holds a secret. */
  readonly shown?: string;
  /** What is blotted out of the reply to this command. */
  readonly secrets?: readonly string[];
}

/** What a procedure can ask of the session. */
export type Step =
  /** Write a command group (RFC 2920 §3.1). Resumed at once. */
  | { readonly type: 'write'; readonly commands: readonly Command[] }
  /** Write content; `replies` final replies are owed for it. With the last of it comes the size of the whole in `complete`. */
  | { readonly type: 'octets'; readonly octets: Uint8Array; readonly replies: number; readonly complete?: number }
  /** Resumed with the next reply to what this procedure has written. */
  | { readonly type: 'reply' }
  /** Nothing more will be written: the next procedure may begin. Resumed at once. */
  | { readonly type: 'release' }
  /** Resumed with what `ask` brings, once everything written before has been handed to the transport. */
  | { readonly type: 'await'; readonly phase: Phase; readonly ask: () => unknown }
  /** Resumed when TLS is up. */
  | { readonly type: 'start-tls'; readonly phase: 'tls' };

export type Procedure<T> = Generator<Step, T, unknown>;

export const REPLY: Step = { type: 'reply' };
export const START_TLS: Step = { type: 'start-tls', phase: 'tls' };
export const RELEASE: Step = { type: 'release' };

/** Writes one command and awaits its reply. */
export function* command(
  line: string,
  phase: Phase,
  secret?: Pick<Command, 'shown' | 'secrets'>,
): Procedure<Reply> {
  yield { type: 'write', commands: [{ line, phase, ...secret }] };
  return (yield REPLY) as Reply;
}

/** Awaits something else than the server: a key derivation, a token, a block of content. */
export function* ask<T>(phase: Phase, question: () => T | Promise<T>): Procedure<T> {
  return (yield { type: 'await', phase, ask: question }) as T;
}

/** RFC 5321 §4.2.1: a positive completion reply, 2yz. */
export const isPositive = (reply: Reply): boolean => reply.code < 300;
