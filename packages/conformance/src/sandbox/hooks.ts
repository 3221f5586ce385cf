/** The provider's rules as smtp-server's hooks: when each is asked, and with which reply it refuses. */
import { timingSafeEqual } from 'node:crypto';
import type { SMTPServerOptions, SMTPServerSession } from 'smtp-server';
import { judgeContent } from './content-rules.ts';
import type { FaultPlan, FaultPoint } from './faults.ts';
import type { CapturedMessage } from './inbox.ts';
import type { Line } from './listener.ts';
import type { SandboxOptions } from './options.ts';
import type { Platform } from './platform/platform.ts';
import { type Circumstances, keepRefused, Replies, type ReplyError, reply } from './replies.ts';
import {
  judgeAddress,
  judgeAuthentication,
  judgeFault,
  judgeFilter,
  judgeRecipient,
  judgeSender,
  judgeSize,
  judgeTls,
  type Verdict,
} from './rules.ts';
import type { Settings } from './settings.ts';
import { type Parsed, parseMessage } from './structure.ts';

type Refuse = (error?: Error | null) => void;

/** What the hooks work with. */
export interface Surroundings {
  readonly settings: Settings;
  readonly platform: Platform;
  readonly plan: FaultPlan;
  /** The connection of a session. */
  readonly lineOf: (session: SMTPServerSession) => Line | undefined;
}

/** The hooks for both servers, which share all that they work with. */
export function hooks(
  options: SandboxOptions,
  { settings, platform, plan, lineOf }: Surroundings,
): SMTPServerOptions {
  /** What the rules have said of the connection, and of the transaction under way. */
  const beforeOf = new WeakMap<SMTPServerSession, Verdict>();
  const verdictsOf = new WeakMap<SMTPServerSession, Verdict[]>();
  const verdicts = (session: SMTPServerSession): Verdict[] => verdictsOf.get(session) ?? [];
  const replies = new Replies(settings, options.enhancedStatusCodes ?? false);
  /** Keeps what was refused, the verdict on the connection before the others. */
  const refused = (
    error: ReplyError,
    session: SMTPServerSession,
    circumstances: Circumstances,
  ): ReplyError => {
    const before = beforeOf.get(session);
    const { verdicts: found } = circumstances;
    const all = before && !found.includes(before) ? [before, ...found] : found;
    return keepRefused(
      error,
      session,
      { ...circumstances, verdicts: all },
      { platform, line: lineOf(session) },
    );
  };
  /** Lets a planned fault strike, or goes on. */
  const unlessFault = (
    at: FaultPoint,
    session: SMTPServerSession,
    refuse: Refuse,
    goOn: () => void,
  ): void => {
    const line = lineOf(session);
    plan.strike(at, {
      goOn,
      reply: (code, text) => refuse(reply(code, text)),
      drop: () => line?.drop(),
      slow: (ms) => line?.slow(ms),
    });
  };

  const hidden = options.hide ?? [];
  return {
    name: 'sandbox.localhost',
    authOptional: true,
    authMethods: [...(options.authMethods ?? ['LOGIN', 'PLAIN'])],
    disableReverseLookup: true,
    hideSize: true,
    hidePIPELINING: hidden.includes('PIPELINING'),
    hide8BITMIME: hidden.includes('8BITMIME'),
    hideSMTPUTF8: hidden.includes('SMTPUTF8'),
    hideSTARTTLS: hidden.includes('STARTTLS'),
    ...(options.announceSize && { hideSize: false, size: settings.rules.profile.maxSize }),
    ...(options.legacyTls && {
      minVersion: 'TLSv1' as const,
      ciphers: 'DEFAULT:@SECLEVEL=0',
    }),
    onConnect(session, refuse) {
      const greet = (): void => {
        const { remoteAddress } = session;
        const admitted = settings.admits(remoteAddress);
        const verdict = judgeAddress(remoteAddress, admitted, settings.rules);
        beforeOf.set(session, verdict);
        if (admitted) refuse(null);
        else
          refuse(
            refused(reply(554, `${remoteAddress} is not allowed to connect`), session, {
              stage: 'connect',
              verdicts: [verdict],
            }),
          );
      };
      unlessFault('connect', session, refuse, () => unlessFault('banner', session, refuse, greet));
    },
    onAuth(login, session, answer) {
      unlessFault('auth', session, answer as Refuse, () => {
        const { method } = login;
        const [username, password] = [login.username ?? '', login.password ?? ''];
        const { credentials } = settings;
        const known = Object.hasOwn(credentials, username) ? (credentials[username] ?? '') : '';
        const fits =
          Object.hasOwn(credentials, username) &&
          (method === 'CRAM-MD5' ? login.validatePassword(known) : same(known, password));
        if (fits) answer(null, { user: username });
        else {
          const error =
            settings.stageOf('not-authenticated') === 'auth'
              ? replies.documented('not-authenticated')
              : reply(535, 'Authentication failure');
          answer(
            refused(error, session, {
              stage: 'auth',
              verdicts: [
                {
                  rule: 'auth',
                  stage: 'auth',
                  outcome: 'refuse',
                  grade: 'documented',
                  detail: 'wrong login or password',
                  refusal: { reason: 'not-authenticated' },
                },
              ],
            }),
          );
        }
      });
    },
    onMailFrom({ address, args }, session, refuse) {
      unlessFault('mail', session, refuse, () => {
        const { rules } = settings;
        const before = beforeOf.get(session);
        const found = [
          ...(before ? [before] : []),
          judgeTls(session.secure, rules),
          judgeAuthentication(session.user || undefined, rules),
          judgeSender(address, rules),
        ];
        verdictsOf.set(session, found);
        // More may come than was declared (RFC 1870 §6.3), so the content is judged by itself.
        const { SIZE: declared = 0 } = args || {};
        const asked = [...found, judgeSize(Number(declared), rules)];
        const error = replies.due(asked, 'mail');
        if (error)
          refuse(refused(error, session, { stage: 'mail', verdicts: asked, from: address }));
        else refuse(null);
      });
    },
    onRcptTo({ address }, session, refuse) {
      unlessFault('rcpt', session, refuse, () => {
        try {
          const { rules } = settings;
          const { mailFrom, rcptTo } = session.envelope;
          const asked = judgeFault(address, mailFrom ? mailFrom.address : '', rules);
          const found = [judgeRecipient(address, rcptTo.length, rules), ...(asked ? [asked] : [])];
          // One refused recipient says nothing of the others, so its verdict is not kept.
          const own = replies.due(found, 'rcpt');
          if (!own) verdicts(session).push(...found);
          const error = own ?? replies.due(verdicts(session), 'rcpt');
          if (error)
            refuse(
              refused(error, session, {
                stage: 'rcpt',
                verdicts: own ? [...verdicts(session), ...found] : verdicts(session),
                to: address,
              }),
            );
          else refuse(null);
        } catch (error) {
          refuse(replies.failure(error));
        }
      });
    },
    onData(stream, session, refuse) {
      const { maxSize } = settings.rules.profile;
      const chunks: Uint8Array[] = [];
      let size = 0;
      // Beyond the limit it is counted, and not kept.
      stream.on('data', (chunk: Uint8Array) => {
        size += chunk.length;
        if (size <= maxSize) chunks.push(chunk);
        else chunks.length = 0;
      });
      stream.on('end', () => {
        const line = lineOf(session);
        line?.transcript.content(size, session.secure);
        unlessFault('final-dot', session, refuse as Refuse, () => {
          const silently = plan.takesSilently();
          judge(session, chunks, size)
            .then((said) => {
              if (silently) line?.drop();
              else if (typeof said === 'string')
                unlessFault('after-accept', session, refuse as Refuse, () => refuse(null, said));
              else refuse(said);
            })
            .catch((error: unknown) => refuse(replies.failure(error)));
        });
      });
    },
  };

  /** Asks the rules that see the whole message; takes it and says so, or gives what refuses it. */
  async function judge(
    session: SMTPServerSession,
    chunks: readonly Uint8Array[],
    size: number,
  ): Promise<string | ReplyError> {
    const { rules } = settings;
    const to = session.envelope.rcptTo.map(({ address }) => address);
    const found = verdicts(session);
    const no = (error: ReplyError): ReplyError =>
      refused(error, session, { stage: 'data', verdicts: found, size });
    found.push(judgeSize(size, rules));
    const early = replies.due(found, 'data');
    if (early) return no(early);
    const raw = Buffer.concat(chunks);
    let parsed: Parsed;
    try {
      parsed = await parseMessage(raw);
    } catch (error) {
      return no(replies.failure(error));
    }
    const { named, ...content } = parsed;
    found.push(...judgeContent(parsed, to, rules));
    const first = to[0] ?? '';
    const why = platform.unsubscribed.get(first)
      ? 'unsubscribed'
      : platform.hardBounced.get(first)
        ? 'hard-bounced'
        : undefined;
    found.push(judgeFilter(first, why, settings.filtered === 'refuse', rules));
    const late = replies.due(found, 'data');
    if (late) return no(late);
    // No documented text is for a tag that is missing, nor for a charset.
    const strict = found.find(
      ({ outcome, refusal: known }) => outcome === 'refuse' && known === undefined,
    );
    if (strict) return no(replies.undocumented(strict.detail));
    const id = platform.ids.next();
    const said = settings.acceptedText.replaceAll('{id}', id);
    const message: CapturedMessage = await platform.accept({
      id,
      from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
      to,
      notSentTo: to.slice(1),
      raw,
      size,
      ...content,
      verdicts: [...found],
      secure: session.secure,
      user: session.user || undefined,
      remoteAddress: session.remoteAddress,
      transcript: [
        ...(lineOf(session)?.transcript.lines ?? []),
        { direction: 'server', text: `250 ${said}`, secure: session.secure },
      ],
    });
    return settings.acceptedText.replaceAll('{id}', message.id);
  }
}

/** In a time that tells nothing of where they differ. */
function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
