/**
 * The provider on the desk: an SMTP server by the smtp-server package that keeps the provider's rules and
 * gives its refusals. Loopback only, never relays, prints nothing.
 */
import { type AddressInfo, isIPv4, type Socket } from 'node:net';
import { inspect } from 'node:util';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { createCertificateAuthority } from './certificates.ts';
import { type Fault, FaultPlan } from './faults.ts';
import { Inbox } from './inbox.ts';
import { POSSIBLE_STAGES, PROFILES, REFUSALS, type RefusalReason, type Stage } from './profile.ts';
import {
  judgeContent,
  judgeFault,
  judgeRecipient,
  judgeSender,
  judgeSize,
  type RuleSettings,
  type Verdict,
} from './rules.ts';

/** How a sandbox is set up. Everything has a default. */
export interface SandboxOptions {
  /** Port of the STARTTLS server, as 587 of the provider. Default 0: a free one. */
  readonly smtp?: number;
  /** Port of the server with TLS from the first octet, as 465. Default 0: a free one. */
  readonly smtps?: number;
  /** Address to bind to. Anything but loopback needs `unsafeBind`. Default '127.0.0.1'. */
  readonly bind?: string;
  /** Allows another address than loopback: everybody who reaches it can use the sandbox. */
  readonly unsafeBind?: boolean;
  /** Version of the provider's rules. Default '2017-10'. */
  readonly profile?: keyof typeof PROFILES;
  /** Logins and their passwords. Default `{ '1website': 'test' }`, the page's own. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Default `['noreplay@devinotele.com']`, the page's own. */
  readonly confirmedSenders?: readonly string[];
  /** Client addresses that may connect. Default: any. */
  readonly allowedAddresses?: readonly string[];
  /** Recipients to refuse, beside those that are refused by name. */
  readonly invalidRecipient?: (address: string) => boolean;
  /** In octets. Default: of the profile, 512,000. */
  readonly maxSize?: number;
  /** What a missing tag costs. Default 'warn'. */
  readonly tags?: 'off' | 'warn' | 'reject';
  /** Where refusals are given, if not where the profile guesses. 'not-authenticated' at 'auth' refuses a wrong password with 554 in place of 535. */
  readonly stages?: Partial<Record<RefusalReason, Stage>>;
  /** Put before each refusal's text, for instance 'Transaction failed: '. Default ''. */
  readonly prefix?: string;
  /** Whether refusals carry enhanced status codes (RFC 2034). Default false. */
  readonly enhancedStatusCodes?: boolean;
  /** Whether EHLO announces SIZE: a client that heeds it never sees the documented 554. Default false. */
  readonly announceSize?: boolean;
  /** What goes wrong, in order. */
  readonly faults?: readonly Fault[];
  /** How many messages are kept. Default 1,000. */
  readonly retention?: number;
}

/** A running sandbox. */
export interface Sandbox {
  /** A name that its certificate holds: 'localhost'. */
  readonly host: string;
  /** Port of the STARTTLS server. */
  readonly smtp: number;
  /** Port of the server with TLS from the first octet. */
  readonly smtps: number;
  /** The certificate of its authority, in PEM. */
  readonly ca: string;
  readonly inbox: Inbox;
  /** Connections that are open now. */
  readonly connections: number;
  /** Plans faults, behind those that are still due. @throws TypeError for a fault that cannot strike */
  plan(...faults: readonly Fault[]): void;
  /**
   * Closes both servers. Who is still connected has half a second to leave, and is then told so by a 421
   * and cut off. Waits for a message end with an error.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type Refuse = (error?: Error | null) => void;
/** smtp-server replies with these where they are on an error that a hook gives back. */
type ReplyError = Error & { responseCode?: number };

/**
 * Starts the provider's SMTP side on loopback.
 *
 * @throws TypeError for options that make no sense, and where `bind` is not loopback and `unsafeBind` is not set
 * @throws Error EADDRINUSE, EACCES, … where it cannot listen
 *
 * @example
 * ```ts
 * import { startSandbox } from '@posthorn/conformance';
 *
 * const sandbox = await startSandbox();
 * console.log(sandbox.host, sandbox.inbox.messages.length); // localhost 0
 * await sandbox.close();
 * ```
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { bind = '127.0.0.1', smtp = 0, smtps = 0 } = options;
  checkOptions(options);
  const plan = new FaultPlan(options.faults ?? []);
  const authority = await createCertificateAuthority();
  const certificate = await authority.issue();
  const inbox = new Inbox(options.retention ?? 1_000);
  const servers: SMTPServer[] = [];
  const sockets = new Set<Socket>();
  const start = async (secure: boolean, port: number): Promise<number> => {
    const server = new SMTPServer({
      ...certificate,
      ...hooks(options, inbox, plan, servers),
      secure,
    });
    servers.push(server);
    server.server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    return listen(server, port, bind);
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    inbox.close();
    closing ??= closeAll(servers, sockets);
    return closing;
  };
  // Both are awaited, so that none begins to listen after all has been closed.
  const [plain, secure] = await Promise.allSettled([start(false, smtp), start(true, smtps)]);
  try {
    if (plain.status === 'rejected') throw plain.reason;
    if (secure.status === 'rejected') throw secure.reason;
    return {
      host: 'localhost',
      smtp: plain.value,
      smtps: secure.value,
      ca: authority.ca,
      inbox,
      get connections() {
        return servers.reduce((open, server) => open + server.connections.size, 0);
      },
      plan: (...faults) => plan.add(...faults),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function listen(server: SMTPServer, port: number, bind: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, bind, () => {
      server.off('error', reject);
      // What a client does to its connection is not the sandbox's fault, and must not end the process.
      server.on('error', () => {});
      resolve((server.server.address() as AddressInfo).port);
    });
  });
}

/** How long a client that was told to go may keep its side open, in ms. */
const LAST_WORDS = 100;

async function closeAll(
  servers: readonly SMTPServer[],
  sockets: ReadonlySet<Socket>,
): Promise<void> {
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );
  const left = [...sockets].map(
    (socket) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(() => socket.destroy(), LAST_WORDS);
        socket.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  );
  await Promise.all(left);
}

/** @throws TypeError for what would be ignored, or lead to something else than it says */
function checkOptions(options: SandboxOptions): void {
  const { bind = '127.0.0.1', profile, tags, stages = {}, prefix = '' } = options;
  const refuse = (name: string, value: unknown, why: string): never => {
    throw new TypeError(`Cannot use ${inspect(value)} as ${name}: ${why}`);
  };
  const whole = (name: 'smtp' | 'smtps' | 'maxSize' | 'retention', from: number, to: number) => {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= from && value <= to))
      refuse(name, value, `it has to be a whole number from ${from} to ${to}`);
  };
  const loopback = (isIPv4(bind) && bind.startsWith('127.')) || /^(::1|localhost)$/.test(bind);
  if (!loopback && !options.unsafeBind)
    throw new TypeError(
      `Cannot bind to ${JSON.stringify(bind)}: it is not loopback; set unsafeBind to let others in`,
    );
  whole('smtp', 0, 65_535);
  whole('smtps', 0, 65_535);
  if (options.smtp && options.smtp === options.smtps)
    refuse('smtps', options.smtps, 'it is the port of the STARTTLS server');
  whole('maxSize', 1, Number.MAX_SAFE_INTEGER);
  whole('retention', 1, Number.MAX_SAFE_INTEGER);
  if (profile !== undefined && !Object.hasOwn(PROFILES, profile))
    refuse('profile', profile, `there are ${Object.keys(PROFILES).join(' and ')}`);
  if (tags !== undefined && !/^(off|warn|reject)$/.test(tags))
    refuse('tags', tags, "there are 'off', 'warn' and 'reject'");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
  if (/[\x00-\x1f\x7f]/.test(prefix)) refuse('prefix', prefix, 'a reply here is one line');
  for (const [reason, stage] of Object.entries(stages) as [RefusalReason, Stage | undefined][]) {
    if (!Object.hasOwn(POSSIBLE_STAGES, reason))
      refuse('stages', stages, `there is no refusal ${inspect(reason)}`);
    if (stage !== undefined && !POSSIBLE_STAGES[reason].includes(stage))
      refuse(
        `stages['${reason}']`,
        stage,
        `it can be given at ${POSSIBLE_STAGES[reason].join(', ')}`,
      );
  }
}

/** The provider's rules as smtp-server's hooks. */
function hooks(
  options: SandboxOptions,
  inbox: Inbox,
  plan: FaultPlan,
  servers: readonly SMTPServer[],
): SMTPServerOptions {
  const base = PROFILES[options.profile ?? '2017-10'];
  const profile = { ...base, maxSize: options.maxSize ?? base.maxSize };
  const { credentials = { '1website': 'test' }, stages = {} } = options;
  const settings: RuleSettings = {
    profile,
    confirmedSenders: options.confirmedSenders ?? ['noreplay@devinotele.com'],
    invalidRecipient: options.invalidRecipient ?? (() => false),
    tags: options.tags ?? 'warn',
  };
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
  /** Those of the refusals known so far that are due at this stage; the first is given. */
  const due = (session: SMTPServerSession, stage: Stage): ReplyError | undefined => {
    const found = verdicts(session).find(
      ({ refusal: why }) => why && stageOf(why.reason) === stage,
    );
    return found?.refusal && refusal(found.refusal.reason, found.refusal.value);
  };
  /** Lets a planned fault strike, or goes on. */
  const unlessFault = (
    at: Stage,
    session: SMTPServerSession,
    refuse: Refuse,
    goOn: () => void,
  ): void => {
    const action = plan.take(at);
    if (action === undefined) goOn();
    else if (action === 'close') drop(servers, session.id);
    else if ('stall' in action) setTimeout(goOn, action.stall).unref();
    else refuse(reply(action.code, action.text));
  };

  return {
    name: 'sandbox.localhost',
    authOptional: true,
    closeTimeout: 500,
    disableReverseLookup: true,
    hideSize: true,
    ...(options.announceSize && { hideSize: false, size: profile.maxSize }),
    onConnect(session, refuse) {
      unlessFault('connect', session, refuse, () => {
        const { allowedAddresses } = options;
        const allowed = !allowedAddresses || allowedAddresses.includes(session.remoteAddress ?? '');
        refuse(allowed ? null : reply(554, `${session.remoteAddress} is not allowed to connect`));
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
    onMailFrom({ address }, session, refuse) {
      unlessFault('mail', session, refuse, () => {
        verdictsOf.set(session, [
          judgeAuthentication(session.user),
          judgeSender(address, settings),
        ]);
        const unknown =
          !session.user && stageOf('not-authenticated') === 'auth'
            ? refusal('not-authenticated')
            : undefined;
        refuse(unknown ?? due(session, 'mail') ?? null);
      });
    },
    onRcptTo({ address }, session, refuse) {
      unlessFault('rcpt', session, refuse, () => {
        const asked = judgeFault(address);
        const found = [judgeRecipient(address, settings), ...(asked ? [asked] : [])];
        // One refused recipient says nothing of the others.
        const own = found.find(({ refusal: why }) => why && stageOf(why.reason) === 'rcpt');
        if (own?.refusal) {
          refuse(refusal(own.refusal.reason, own.refusal.value));
          return;
        }
        verdicts(session).push(...found);
        refuse(due(session, 'rcpt') ?? null);
      });
    },
    onData(stream, session, refuse) {
      const chunks: Uint8Array[] = [];
      let size = 0;
      // Beyond the limit it is counted, and not kept.
      stream.on('data', (chunk: Uint8Array) => {
        size += chunk.length;
        if (size <= profile.maxSize) chunks.push(chunk);
      });
      stream.on('end', () => {
        unlessFault('data', session, refuse as Refuse, () => {
          judge(session, Buffer.concat(chunks), size).then(
            (id) => refuse(null, `Ok: queued as ${id}`),
            (error: ReplyError) => refuse(error),
          );
        });
      });
    },
  };

  /** Asks the rules that see the whole message; takes it, or throws what refuses it. */
  async function judge(session: SMTPServerSession, raw: Uint8Array, size: number): Promise<string> {
    const to = session.envelope.rcptTo.map(({ address }) => address);
    const found = verdicts(session);
    found.push(judgeSize(size, settings));
    const early = due(session, 'data');
    if (early) throw early;
    const mail = await PostalMime.parse(raw, { maxNestingDepth: 100 });
    found.push(...judgeContent(mail, raw, to, settings));
    const strict = found.find(({ rule, outcome }) => rule === 'tags' && outcome === 'refuse');
    const late =
      due(session, 'data') ??
      (strict && reply(554, `${enhanced}Transaction failed: ${strict.detail}`));
    if (late) throw late;
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
    return id;
  }
}

function judgeAuthentication(user: string | undefined): Verdict {
  return {
    rule: 'auth',
    stage: 'mail',
    grade: 'documented',
    outcome: user ? 'pass' : 'refuse',
    detail: user ? `logged in as ${user}` : 'not logged in',
    ...(!user && { refusal: { reason: 'not-authenticated' } }),
  };
}

function reply(code: number, text: string): ReplyError {
  return Object.assign(new Error(text), { responseCode: code });
}

/** Ends a connection without a word. smtp-server has no call for it. */
function drop(servers: readonly SMTPServer[], id: string): void {
  for (const server of servers) {
    for (const connection of server.connections) {
      if (connection.id === id)
        (connection as unknown as { _socket: { destroy(): void } })._socket.destroy();
    }
  }
}
