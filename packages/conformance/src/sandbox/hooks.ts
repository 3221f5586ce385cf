/** The provider's rules as smtp-server's hooks: when each is asked, and with which reply it refuses. */
import { timingSafeEqual } from 'node:crypto';
import type { SMTPServerAuthentication, SMTPServerOptions, SMTPServerSession } from 'smtp-server';
import { contentHook } from './content-hook.ts';
import type { FaultPlan, FaultPoint } from './faults.ts';
import type { AnswerMalformed, Line } from './listener.ts';
import type { SandboxOptions } from './options.ts';
import type { Platform } from './platform/platform.ts';
import {
  type Circumstances,
  keepRefused,
  type Refuse,
  Replies,
  type ReplyError,
  reply,
} from './replies.ts';
import {
  judgeAddress,
  judgeAuthentication,
  judgeFault,
  judgeMalformed,
  judgePassword,
  judgeRecipient,
  judgeSender,
  judgeSize,
  judgeTls,
  type Verdict,
} from './rules.ts';
import type { Settings } from './settings.ts';

/** What the hooks work with. */
export interface Surroundings {
  readonly settings: Settings;
  readonly platform: Platform;
  readonly plan: FaultPlan;
  /** The connection of a session. */
  readonly lineOf: (session: SMTPServerSession) => Line | undefined;
}

/** The rules as smtp-server asks them, and for what it does not ask them of. */
export interface Hooks {
  readonly rules: SMTPServerOptions;
  readonly malformed: AnswerMalformed;
}

/** RFC 5321 §4.5.3.1.8: at least 100 have to be taken. */
const MOST_RECIPIENTS = 1_000;

/** The hooks for both servers, which share all that they work with. */
export function hooks(
  options: SandboxOptions,
  { settings, platform, plan, lineOf }: Surroundings,
): Hooks {
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
    takeSilently?: (giveBack: () => void) => void,
  ): void => {
    const line = lineOf(session);
    // smtp-server does so itself for every hook but this.
    if (at === 'connect' || at === 'banner') line?.busy(true);
    const done = (): void => line?.busy(false);
    plan.strike(at, {
      goOn() {
        done();
        goOn();
      },
      reply(code, text) {
        done();
        refuse(reply(code, text));
      },
      drop: () => line?.drop(),
      slow: (ms) => line?.slow(ms),
      struck: (what) => line?.struck(what),
      ...(takeSilently && { takeSilently }),
    });
  };

  const hidden = options.hide ?? [];
  const rules: SMTPServerOptions = {
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
    // Node may have been told to admit older ones.
    minVersion: options.legacyTls ? 'TLSv1' : 'TLSv1.2',
    ...(options.legacyTls && { ciphers: 'DEFAULT:@SECLEVEL=0' }),
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
        const { username = '' } = login;
        const { credentials } = settings;
        const known = Object.hasOwn(credentials, username) ? credentials[username] : undefined;
        if (known !== undefined && fits(login, known)) answer(null, { user: username });
        else {
          const verdict = judgePassword(settings.rules);
          const error =
            settings.stageOf('not-authenticated') === 'auth'
              ? replies.documented('not-authenticated')
              : reply(535, 'Authentication failure');
          answer(
            refused(error, session, {
              stage: 'auth',
              verdicts: [verdict],
              verdict,
              user: username,
            }),
          );
        }
      });
    },
    onMailFrom({ address, args }, session, refuse) {
      unlessFault('mail', session, refuse, () => {
        const { rules } = settings;
        const found = [...judgeSession(session), judgeSender(address, rules)];
        verdictsOf.set(session, found);
        // More may come than was declared (RFC 1870 §6.3), so the content is judged by itself.
        const { SIZE: declared } = args || {};
        const asked =
          declared === undefined ? found : [...found, judgeSize(Number(declared), rules)];
        const due = replies.due(asked, 'mail');
        refuse(
          due
            ? refused(due.error, session, {
                stage: 'mail',
                verdicts: asked,
                verdict: due.verdict,
                from: address,
              })
            : null,
        );
      });
    },
    onRcptTo({ address }, session, refuse) {
      unlessFault('rcpt', session, refuse, () => {
        const { mailFrom, rcptTo } = session.envelope;
        if (rcptTo.length >= MOST_RECIPIENTS) {
          refuse(reply(452, 'Too many recipients'));
          return;
        }
        const before = verdicts(session);
        try {
          const { rules } = settings;
          const asked = judgeFault(address, mailFrom ? mailFrom.address : '', rules);
          const found = [judgeRecipient(address, rcptTo.length, rules), ...(asked ? [asked] : [])];
          const due = replies.due(found, 'rcpt') ?? replies.due(before, 'rcpt');
          if (due) {
            const { error, verdict } = due;
            const all = [...before, ...found];
            refuse(refused(error, session, { stage: 'rcpt', verdicts: all, verdict, to: address }));
            return;
          }
          // One refused recipient says nothing of the others: only what was asked of this one is kept.
          verdictsOf.set(session, [...before, ...found]);
          refuse(null);
        } catch (error) {
          const failure = replies.failure(error);
          refuse(refused(failure, session, { stage: 'rcpt', verdicts: before, to: address }));
        }
      });
    },
    onData: contentHook(
      { settings, platform, plan, lineOf },
      { replies, refused, unlessFault, verdicts },
    ),
  };
  return { rules, malformed };

  /** What is known of the session at MAIL. */
  function judgeSession(session: SMTPServerSession): Verdict[] {
    const before = beforeOf.get(session);
    return [
      ...(before ? [before] : []),
      judgeTls(session.secure, settings.rules),
      judgeAuthentication(session.user || undefined, settings.rules),
    ];
  }

  /** Who may not send is told that first. */
  function malformed(
    stage: 'mail' | 'rcpt',
    address: string,
    session: SMTPServerSession,
  ): ReturnType<AnswerMalformed> {
    const found = judgeMalformed(stage, address, settings.rules);
    const before = stage === 'mail' ? judgeSession(session) : verdicts(session);
    const { error, verdict } = replies.due(before, stage) ?? {
      error: replies.documented(
        stage === 'mail' ? 'sender-not-confirmed' : 'invalid-recipient',
        address,
      ),
      verdict: found,
    };
    refused(error, session, {
      stage,
      verdicts: [...before, found],
      verdict,
      ...(stage === 'mail' ? { from: address } : { to: address }),
    });
    return { code: error.responseCode, text: error.message };
  }
}

/** Whether a login has the password of its name; of XOAUTH2 it is the token. */
function fits(login: SMTPServerAuthentication, known: string): boolean {
  if (login.method === 'CRAM-MD5') return login.validatePassword(known);
  return same(known, (login.method === 'XOAUTH2' ? login.accessToken : login.password) ?? '');
}

/** In a time that tells nothing of where they differ. */
function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
