/** The words in which the rules refuse, and the keeping of what was refused. */
import type { SMTPServerSession } from 'smtp-server';
import type { Line } from './listener.ts';
import type { Platform } from './platform/platform.ts';
import { REFUSALS, type RefusalReason, STAGES, type Stage } from './profile.ts';
import type { Verdict } from './rules.ts';
import type { Settings } from './settings.ts';

/** smtp-server replies with these where they are on an error that a hook gives back. */
export type ReplyError = Error & { responseCode: number };

/** What a hook answers with: an error, or nothing where all is well. */
export type Refuse = (error?: Error | null) => void;

export function reply(code: number, text: string): ReplyError {
  return Object.assign(new Error(text), { responseCode: code });
}

const LONGEST_VALUE = 254;

/** A reply, and the verdict that it is for. */
export interface DueReply {
  readonly error: ReplyError;
  readonly verdict: Verdict;
}

export class Replies {
  readonly #settings: Settings;
  readonly #enhanced: string;

  /** @param enhanced - whether a status code (RFC 2034) stands before the words */
  constructor(settings: Settings, enhanced: boolean) {
    this.#settings = settings;
    this.#enhanced = enhanced ? '5.7.1 ' : '';
  }

  /** One of the six. */
  documented(reason: RefusalReason, given?: string): ReplyError {
    // RFC 5321 §4.5.3.1.5: a reply line has an end.
    const value =
      given && given.length > LONGEST_VALUE ? `${given.slice(0, LONGEST_VALUE)}…` : given;
    const words = `${this.#settings.prefix}${REFUSALS[reason].text}${value ? ` ${value}` : ''}`;
    return reply(554, `${this.#enhanced}${words}`);
  }

  /** For what the provider has no words. */
  undocumented(detail: string): ReplyError {
    return reply(554, `${this.#enhanced}Transaction failed: ${detail}`);
  }

  /** What a rule throws is a fault of the server, and no end of the process. */
  failure(error: unknown): ReplyError {
    return this.documented(
      'server-error',
      `(${error instanceof Error ? error.message : String(error)})`,
    );
  }

  /** The first of the refusals known so far that is due at this stage, or was at one that is past. */
  due(found: readonly Verdict[], at: Stage): DueReply | undefined {
    const verdict = found.find(
      ({ refusal }) =>
        refusal && STAGES.indexOf(this.#settings.stageOf(refusal.reason)) <= STAGES.indexOf(at),
    );
    return (
      verdict?.refusal && {
        error: this.documented(verdict.refusal.reason, verdict.refusal.value),
        verdict,
      }
    );
  }
}

/** What is known of a refusal beside its reply. */
export interface Circumstances {
  readonly stage: Stage;
  readonly verdicts: readonly Verdict[];
  /** That of them which the reply is for. */
  readonly verdict?: Verdict;
  /** The login that was tried. */
  readonly user?: string;
  /** The sender that was refused: it is not in the envelope. */
  readonly from?: string;
  /** The recipient that was refused, alike. */
  readonly to?: string;
  /** Octets of the content. */
  readonly size?: number;
}

/** Keeps what was refused, with the words that refused it, and gives these back. */
export function keepRefused(
  error: ReplyError,
  session: SMTPServerSession,
  { stage, verdicts, verdict, user, from, to, size }: Circumstances,
  { platform, line }: { readonly platform: Platform; readonly line: Line | undefined },
): ReplyError {
  line?.known();
  const said = `${error.responseCode} ${error.message}`;
  const { envelope, remoteAddress, secure } = session;
  platform.refuse({
    stage,
    code: error.responseCode,
    text: error.message,
    from: envelope?.mailFrom ? envelope.mailFrom.address : from,
    to: [
      ...(envelope?.rcptTo ?? []).map(({ address }) => address),
      ...(to === undefined ? [] : [to]),
    ],
    // smtp-server has false where nobody is logged in.
    user: session.user || user,
    remoteAddress,
    secure,
    size,
    verdicts: verdicts.map((one) => (one === verdict ? { ...one, reply: said } : one)),
    transcript: [
      ...(line?.transcript.lines ?? []),
      { direction: 'server', text: said, secure: session.secure },
    ],
  });
  return error;
}
