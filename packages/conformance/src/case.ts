/** A case of the catalogue: what a server does to a client, and what the client has to do about it. */
import type { Claim } from './judge/claims.ts';
import type { ServerPlan } from './server/plan.ts';
import type { ClientTask, FailureKind, Feature, MessageOutcome } from './task.ts';

/** What breaking a case means: the client is wrong; unwise; or it is only recorded. */
export type Level = 'MUST' | 'SHOULD' | 'INFO';

/** What a client is asked, where it differs from one plain message without TLS and without credentials. */
export type TaskPlan = Partial<Omit<ClientTask, 'port' | 'ca' | 'caFile'>>;

/** A value, or one of several. */
export type OneOf<T> = T | readonly T[];

/** What a client has to say of a message. What is absent is not judged. */
export interface OutcomeExpectation {
  /** 'settle': either, but in time. */
  readonly outcome: 'resolve' | 'reject' | 'settle';
  readonly kind?: OneOf<FailureKind>;
  /** The level of `kind`, where only the name of the failure is less of a matter than the failure. */
  readonly kindLevel?: Level;
  readonly code?: OneOf<number | undefined>;
  readonly enhanced?: OneOf<string | undefined>;
  readonly replyText?: OneOf<string>;
  readonly text?: RegExp;
  readonly textNot?: RegExp;
  readonly temporary?: boolean;
  readonly delivery?: OneOf<NonNullable<MessageOutcome['delivery']>>;
  readonly accepted?: readonly string[];
  readonly rejected?: readonly { readonly address: string; readonly code?: number }[];
  readonly reason?: OneOf<string | undefined>;
  readonly stage?: OneOf<string | undefined>;
  readonly address?: OneOf<string | undefined>;
  readonly extension?: OneOf<string | undefined>;
  /** The level of all that is said here; default: that of the case. */
  readonly level?: Level;
}

/** What has to come of a play. */
export interface Expectation {
  /** Of each message; or of the first, the second … of them. */
  readonly client: OutcomeExpectation | readonly OutcomeExpectation[];
  /** What has to be seen on the wire. */
  readonly wire?: readonly Claim[];
  /** The client is done within so many ms. */
  readonly within?: number;
  /** The client holds at most so many octets more than before. */
  readonly memory?: number;
  /** What may not stand in its log. */
  readonly logNot?: RegExp;
}

/** One server, one task, and what is expected. */
export interface Play {
  /** What tells it from the other plays of its case. */
  readonly title?: string;
  readonly requires?: readonly Feature[];
  readonly task?: TaskPlan;
  readonly server: ServerPlan;
  readonly expect: Expectation;
  /** The client hangs where it is not done within so many ms. Default 10,000. */
  readonly deadline?: number;
}

/**
 * A case of the catalogue.
 *
 * @example
 * ```ts
 * import { type Case, cases } from '@posthorn/conformance';
 *
 * const first = cases[0] as Case;
 * console.log(first.id, first.level, first.clause);
 * // GRE-01 MUST RFC 5321 §3.1, §3.2, §4.3.1
 * ```
 */
export interface Case {
  /** A mnemonic that never changes: 'TLS-01'. */
  readonly id: string;
  readonly level: Level;
  /** What the server does, in a few words. */
  readonly title: string;
  /** What the client has to do about it. */
  readonly requirement: string;
  /** Where it says so: 'RFC 5321 §4.2'. */
  readonly clause: string;
  readonly tags: readonly string[];
  /** The client can do all of these, else the case is skipped. */
  readonly requires?: readonly Feature[];
  /** The client can do one of these at least, else the case is skipped. */
  readonly requiresAny?: readonly Feature[];
  /** Played one after the other; the worst of them is the case's verdict. */
  readonly plays: readonly [Play, ...Play[]];
  /** What is left open, or was chosen. */
  readonly note?: string;
}

/** Cases of one kind. */
export interface Group {
  /** What their ids begin with: 'TLS'. */
  readonly id: string;
  readonly title: string;
  readonly cases: readonly Case[];
}
