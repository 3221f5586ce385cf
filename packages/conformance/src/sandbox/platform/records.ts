/** What the platform keeps beside messages, and tells of. */
import type { CapturedMessage, TranscriptLine } from '../inbox.ts';
import type { Stage } from '../profile.ts';
import type { Verdict } from '../rules.ts';
import type { MessageEvent } from './events.ts';

/**
 * What was refused, with why.
 *
 * @example
 * ```ts
 * import type { Refused } from '@posthorn/conformance';
 *
 * const line = ({ stage, code, text }: Refused): string => `${stage}: ${code} ${text}`;
 * ```
 */
export interface Refused {
  readonly id: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly at: number;
  readonly stage: Stage;
  readonly code: number;
  readonly text: string;
  readonly from: string | undefined;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** Octets of the content, where it was refused behind it. */
  readonly size: number | undefined;
  readonly verdicts: readonly Verdict[];
  readonly transcript: readonly TranscriptLine[];
}

/**
 * What went wrong on a connection and is no refusal: TLS that failed, a reply to a command that cannot be, a planned fault.
 *
 * @example
 * ```ts
 * import type { Trouble } from '@posthorn/conformance';
 *
 * const line = ({ kind, what }: Trouble): string => `${kind}: ${what}`;
 * ```
 */
export interface Trouble {
  readonly id: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly at: number;
  readonly kind: 'connection' | 'reply' | 'fault';
  /** In a sentence, or the reply. */
  readonly what: string;
  /** Which server. */
  readonly port: 'starttls' | 'implicit';
  /** Of the client, where it is known. */
  readonly remoteAddress: string | undefined;
  readonly transcript: readonly TranscriptLine[];
}

/** A sender that is confirmed: an address, or all of a domain. */
export interface ConfirmedSender {
  /** `local@domain`, or `@domain` for each address of it. */
  readonly address: string;
}

/** What has changed, for those who watch. */
export type Change =
  | { readonly kind: 'message'; readonly message: CapturedMessage }
  | { readonly kind: 'event'; readonly event: MessageEvent; readonly message: CapturedMessage }
  | { readonly kind: 'refused'; readonly refused: Refused }
  | { readonly kind: 'forgotten'; readonly id: string }
  | { readonly kind: 'trouble'; readonly trouble: Trouble }
  | { readonly kind: 'reset' };
