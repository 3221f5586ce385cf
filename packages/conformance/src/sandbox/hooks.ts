/** The provider's rules as smtp-server's hooks: when each is asked, and with which reply it refuses. */
import { BlockList, isIPv6 } from 'node:net';
import PostalMime from 'postal-mime';
import type { SMTPServerOptions, SMTPServerSession } from 'smtp-server';
import type { FaultPlan } from './faults.ts';
import type { Inbox } from './inbox.ts';
import type { SandboxOptions } from './options.ts';
import { PROFILES, REFUSALS, type RefusalReason, STAGES, type Stage } from './profile.ts';
import {
  judgeAuthentication,
  judgeContent,
  judgeFault,
  judgeRecipient,
  judgeSender,
  judgeSize,
  type RuleSettings,
  type Verdict,
} from './rules.ts';

type Refuse = (error?: Error | null) => void;
/** smtp-server replies with these where they are on an error that a hook gives back. */
type ReplyError = Error & { responseCode?: number };

/**
 * The hooks for both servers, which share the inbox and the plan.
 *
 * @param drop - ends the connection of a session
 */
export function hooks(
  options: SandboxOptions,
  inbox: Inbox,
  plan: FaultPlan,
  drop: (session: SMTPServerSession) => void,
): SMTPServerOptions {
  const base = PROFILES[options.profile ?? '2017-10'];
  const profile = { ...base, maxSize: options.maxSize ?? base.maxSize };
  const { credentials = { '1website': 'test' }, allowedAddresses, stages = {} } = options;
  const settings: RuleSettings = {
    profile,
    confirmedSenders: options.confirmedSenders ?? ['noreplay@devinotele.com'],
    invalidRecipient: options.invalidRecipient ?? (() => false),
    tags: options.tags ?? 'warn',
  };
  /** Compares addresses as such: there is more than one way to write them in IPv6. */
  const allowed = allowedAddresses && new BlockList();
  for (const address of allowedAddresses ?? []) allowed?.addAddress(address, family(address));
  /** What the rules have said of the transaction under way. */
  const verdictsOf = new WeakMap<SMTPServerSession, Verdict[]>();
  const verdicts = (session: SMTPServerSession): Verdict[] => verdictsOf.get(session) ?? [];
  const stageOf = (reason: RefusalReason): Stage => stages[reason] ?? REFUSALS[reason].stage;
  const enhanced = options.enhancedStatusCodes ? '5.7.1 ' : '';
  const refusal = (reason: RefusalReason, value?: string): ReplyError =>
    reply(
      554,
      `${enhanced}${options.prefix ?? ''}${REFUSALS[reason].text}${value ? ` ${value}` : ''}`,
    );
  /** What a rule throws is a fault of the server, and no end of the process. */
  const failure = (error: unknown): ReplyError =>
    refusal('server-error', `(${error instanceof Error ? error.message : String(error)})`);
  /** The first of the refusals known so far that is due at this stage, or was at one that is past. */
  const due = (found: readonly Verdict[], at: Stage): ReplyError | undefined => {
    const first = found.find(
      ({ refusal: why }) => why && STAGES.indexOf(stageOf(why.reason)) <= STAGES.indexOf(at),
    );
    return first?.refusal && refusal(first.refusal.reason, first.refusal.value);
  };
  /** Lets a planned fault strike, or goes on. */
  const unlessFault = (
    at: Stage,
    session: SMTPServerSession,
    refuse: Refuse,
    goOn: () => void,
  ): void =>
    plan.strike(at, {
      goOn,
      reply: (code, text) => refuse(reply(code, text)),
      drop: () => drop(session),
    });

  return {
    name: 'sandbox.localhost',
    authOptional: true,
    disableReverseLookup: true,
    hideSize: true,
    ...(options.announceSize && { hideSize: false, size: profile.maxSize }),
    onConnect(session, refuse) {
      unlessFault('connect', session, refuse, () => {
        const { remoteAddress } = session;
        const admitted = !allowed || allowed.check(remoteAddress, family(remoteAddress));
        refuse(admitted ? null : reply(554, `${remoteAddress} is not allowed to connect`));
      });
    },
    onAuth({ username = '', password = '' }, session, answer) {
      unlessFault('auth', session, answer as Refuse, () => {
        if (Object.hasOwn(credentials, username) && credentials[username] === password)
          answer(null, { user: username });
        else if (stageOf('not-authenticated') === 'auth') answer(refusal('not-authenticated'));
        else answer(reply(535, 'Authentication failure'));
      });
    },
    onMailFrom({ address, args }, session, refuse) {
      unlessFault('mail', session, refuse, () => {
        const found = [judgeAuthentication(session.user), judgeSender(address, settings)];
        verdictsOf.set(session, found);
        // More may come than was declared (RFC 1870 §6.3), so the content is judged by itself.
        const { SIZE: declared = 0 } = args || {};
        refuse(due([...found, judgeSize(Number(declared), settings)], 'mail') ?? null);
      });
    },
    onRcptTo({ address }, session, refuse) {
      unlessFault('rcpt', session, refuse, () => {
        try {
          const asked = judgeFault(address);
          const found = [judgeRecipient(address, settings), ...(asked ? [asked] : [])];
          // One refused recipient says nothing of the others, so its verdict is not kept.
          const own = due(found, 'rcpt');
          if (!own) verdicts(session).push(...found);
          refuse(own ?? due(verdicts(session), 'rcpt') ?? null);
        } catch (error) {
          refuse(failure(error));
        }
      });
    },
    onData(stream, session, refuse) {
      const chunks: Uint8Array[] = [];
      let size = 0;
      // Beyond the limit it is counted, and not kept.
      stream.on('data', (chunk: Uint8Array) => {
        size += chunk.length;
        if (size <= profile.maxSize) chunks.push(chunk);
        else chunks.length = 0;
      });
      stream.on('end', () => {
        unlessFault('data', session, refuse as Refuse, () => {
          judge(session, chunks, size).then(
            (said) => (typeof said === 'string' ? refuse(null, said) : refuse(said)),
            (error: unknown) => refuse(failure(error)),
          );
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
    const to = session.envelope.rcptTo.map(({ address }) => address);
    const found = verdicts(session);
    found.push(judgeSize(size, settings));
    const early = due(found, 'data');
    if (early) return early;
    const raw = Buffer.concat(chunks);
    const mail = await PostalMime.parse(raw, { maxNestingDepth: 100 });
    found.push(...judgeContent(mail, raw, to, settings));
    const late = due(found, 'data');
    if (late) return late;
    // No documented text is for a tag that is missing.
    const strict = found.find(({ rule, outcome }) => rule === 'tags' && outcome === 'refuse');
    if (strict) return reply(554, `${enhanced}Transaction failed: ${strict.detail}`);
    const id = crypto.randomUUID();
    inbox.add({
      id,
      from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
      to,
      notSentTo: to.slice(1),
      raw,
      size,
      subject: mail.subject,
      text: mail.text,
      html: mail.html,
      headers: mail.headers.map(({ key, value }) => ({ name: key, value })),
      attachments: mail.attachments.map(({ filename, mimeType, content }) => ({
        filename: filename ?? undefined,
        contentType: mimeType,
        size: typeof content === 'string' ? content.length : content.byteLength,
      })),
      verdicts: [...found],
      secure: session.secure,
      user: session.user,
      receivedAt: new Date(),
    });
    return `Ok: queued as ${id}`;
  }
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

function reply(code: number, text: string): ReplyError {
  return Object.assign(new Error(text), { responseCode: code });
}
