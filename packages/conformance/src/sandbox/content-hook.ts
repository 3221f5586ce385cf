/** What happens behind DATA: the content is kept within its limit, judged, taken, and answered. */
import type { SMTPServerOptions, SMTPServerSession } from 'smtp-server';
import { judgeContent } from './content-rules.ts';
import type { FaultPoint } from './faults.ts';
import type { Surroundings } from './hooks.ts';
import type { CapturedMessage } from './inbox.ts';
import {
  type Circumstances,
  type Refuse,
  type Replies,
  type ReplyError,
  reply,
} from './replies.ts';
import { judgeFilter, judgeMime, judgeSize, type RuleSettings, type Verdict } from './rules.ts';
import { type Parsed, parseMessage } from './structure.ts';

/** What the hooks have in common. */
export interface Common {
  readonly replies: Replies;
  readonly refused: (
    error: ReplyError,
    session: SMTPServerSession,
    circumstances: Circumstances,
  ) => ReplyError;
  readonly unlessFault: (
    at: FaultPoint,
    session: SMTPServerSession,
    refuse: Refuse,
    goOn: () => void,
    takeSilently?: (giveBack: () => void) => void,
  ) => void;
  /** What was said of the transaction so far. */
  readonly verdicts: (session: SMTPServerSession) => readonly Verdict[];
}

/** One message on its way in. */
interface Delivery {
  readonly session: SMTPServerSession;
  readonly rules: RuleSettings;
  readonly era: number;
  readonly chunks: readonly Uint8Array[];
  readonly size: number;
}

export function contentHook(
  { settings, platform, plan, lineOf }: Surroundings,
  { replies, refused, unlessFault, verdicts }: Common,
): NonNullable<SMTPServerOptions['onData']> {
  return (stream, session, answer) => {
    const refuse = answer as Refuse;
    // The rules are those of now, whatever is changed before all has come.
    const { rules } = settings;
    const { era } = platform;
    const line = lineOf(session);
    const chunks: Uint8Array[] = [];
    let size = 0;
    // Beyond the limit it is counted, and not kept.
    stream.on('data', (chunk: Uint8Array) => {
      size += chunk.length;
      if (size <= rules.profile.maxSize) chunks.push(chunk);
      else chunks.length = 0;
    });
    stream.on('end', () => {
      line?.transcript.content(size, session.secure);
      unlessFault(
        'final-dot',
        session,
        refuse,
        () => take(tell),
        (giveBack) =>
          take((message) => {
            if (message instanceof Error) {
              giveBack();
              refuse(message);
              return;
            }
            line?.struck('fault at final-dot: accept-then-close-before-reply');
            drop(message);
          }),
      );
    });

    function take(then: (message: CapturedMessage | ReplyError) => void): void {
      judge({ session, rules, era, chunks, size })
        .catch((error: unknown) => {
          const failure = replies.failure(error);
          const found = verdicts(session);
          return refused(failure, session, { stage: 'data', verdicts: found, size });
        })
        .then(then)
        .catch((error: unknown) => refuse(replies.failure(error)));
    }

    function tell(message: CapturedMessage | ReplyError): void {
      if (message instanceof Error) {
        refuse(message);
        return;
      }
      plan.strike('after-accept', {
        goOn() {
          answer(null, settings.acceptedText.replaceAll('{id}', message.id));
          amend(message);
        },
        reply(code, text) {
          refuse(reply(code, text));
          amend(message);
        },
        drop: () => drop(message),
        slow: (ms) => line?.slow(ms),
        struck: (what) => line?.struck(what),
      });
    }

    function drop(message: CapturedMessage): void {
      amend(message, '<closed without a reply>');
      line?.drop();
    }

    /** The dialogue as it is now, its end told where the client was told nothing. */
    function amend({ id, transcript }: CapturedMessage, ...more: readonly string[]): void {
      const { secure } = session;
      platform.amend(id, [
        ...(line?.transcript.lines ?? transcript),
        ...more.map((text) => ({ direction: 'server' as const, text, secure })),
      ]);
    }
  };

  /** Asks the rules that see the whole message; takes it, or gives what refuses it. */
  async function judge(delivery: Delivery): Promise<CapturedMessage | ReplyError> {
    const { session, rules, era, chunks, size } = delivery;
    const to = session.envelope.rcptTo.map(({ address }) => address);
    const found = [...verdicts(session), judgeSize(size, rules)];
    /** The refusal that is due by now. */
    const due = (): ReplyError | undefined => {
      const first = replies.due(found, 'data');
      return (
        first &&
        refused(first.error, session, {
          stage: 'data',
          verdicts: found,
          verdict: first.verdict,
          size,
        })
      );
    };
    const early = due();
    if (early) return early;
    const raw = Buffer.concat(chunks);
    let parsed: Parsed | undefined;
    try {
      parsed = await parseMessage(raw);
      found.push(judgeMime(undefined));
    } catch (error) {
      found.push(judgeMime(error instanceof Error ? error.message : String(error)));
    }
    const [first = ''] = to;
    if (parsed) {
      found.push(...judgeContent(parsed, to, rules));
      found.push(
        judgeFilter(first, platform.filtered(first), settings.filtered === 'refuse', rules),
      );
    }
    const late = due();
    if (late || !parsed) return late ?? replies.failure(new Error('unreadable'));
    // No documented text is for a tag that is missing, nor for a charset.
    const strict = found.find(({ outcome, refusal }) => outcome === 'refuse' && !refusal);
    if (strict)
      return refused(replies.undocumented(strict.detail), session, {
        stage: 'data',
        verdicts: found,
        verdict: strict,
        size,
      });
    const { named: _named, ...content } = parsed;
    const { mailFrom } = session.envelope;
    return platform.accept(
      {
        id: platform.ids.next(),
        from: mailFrom ? mailFrom.address : '',
        to,
        notSentTo: to.slice(1),
        raw,
        size,
        ...content,
        verdicts: found,
        secure: session.secure,
        user: session.user || undefined,
        remoteAddress: session.remoteAddress,
        transcript: lineOf(session)?.transcript.lines ?? [],
      },
      era,
    );
  }
}
