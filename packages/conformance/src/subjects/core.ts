/** @posthorn/core as a subject, by its public names, with @posthorn/mime for what is composed. */
import {
  type ConnectOptions,
  connect,
  isSmtpError,
  type OutgoingMessage,
  type Receipt,
  type SaslMechanism,
  type SmtpError,
} from '@posthorn/core';
import { check, type DevinoExplanation, explain } from '@posthorn/core/devino';
import { createPool } from '@posthorn/core/pool';
import {
  cramMd5,
  external,
  login,
  oauthBearer,
  plain,
  scramSha1,
  scramSha256,
  scramSha512,
  xoauth2,
} from '@posthorn/core/sasl';
import { attachment, compose } from '@posthorn/mime';
import type {
  ClientTask,
  FailureKind,
  MessageOutcome,
  Subject,
  TaskFields,
  TaskMessage,
  TaskOutcome,
} from '../task.ts';
import { octetsOf, pause, piecesOf, recipientsOf } from './content.ts';

/** Where a subject that is nearly core differs from it: what the mutants of the suite's own tests are made by. */
export interface CoreBend {
  readonly name?: string;
  readonly task?: (task: ClientTask) => ClientTask;
  readonly options?: (options: ConnectOptions, task: ClientTask) => ConnectOptions;
  readonly message?: (message: OutgoingMessage, task: ClientTask) => OutgoingMessage;
  readonly run?: (
    task: ClientTask,
    signal: AbortSignal,
    core: Subject['run'],
  ) => Promise<TaskOutcome>;
}

/** core, or what is nearly core. */
export function coreSubject(bend: CoreBend = {}): Subject {
  const run: Subject['run'] = (task, signal) => runTask(bend.task?.(task) ?? task, signal, bend);
  return {
    name: bend.name ?? 'core',
    version: '0.1.0',
    features: [
      'abort',
      'auth-cram-md5',
      'auth-external',
      'auth-login',
      'auth-oauthbearer',
      'auth-plain',
      'auth-scram',
      'auth-scram-plus',
      'auth-xoauth2',
      'binarymime',
      'chunking',
      'client-name',
      'compose',
      'dsn',
      'implicit-tls',
      'limits',
      'lmtp',
      'null-sender',
      'opportunistic-tls',
      'pipelining',
      'pool',
      'preflight',
      'provider',
      'requiretls',
      'reuse',
      'size',
      'smtputf8',
      'starttls',
      'streams',
      'timeouts',
    ],
    reports: [
      'accepted',
      'code',
      'delivery',
      'enhanced',
      'kind',
      'log',
      'memory',
      'reason',
      'rejected',
      'reply-text',
      'temporary',
      'text',
    ],
    run: bend.run
      ? (task, signal) => (bend.run as NonNullable<CoreBend['run']>)(task, signal, run)
      : run,
  };
}

/** What the runner loads. */
export const subject: Subject = coreSubject();

async function runTask(
  task: ClientTask,
  signal: AbortSignal,
  bend: CoreBend,
): Promise<TaskOutcome> {
  const log: string[] = [];
  const outcomes: MessageOutcome[] = [];
  /** Sends a message by whatever client there is. */
  const deliver = async (
    message: TaskMessage,
    send: (outgoing: OutgoingMessage, signal: AbortSignal) => Promise<Receipt>,
  ): Promise<MessageOutcome> => {
    const given = new AbortController();
    const timer =
      message.abortAfter === undefined
        ? undefined
        : setTimeout(() => given.abort(), message.abortAfter);
    try {
      const outgoing = outgoingOf(message);
      const refused = preflight(task, message, outgoing);
      if (refused) return refused;
      return succeeded(
        await send(
          bend.message?.(outgoing, task) ?? outgoing,
          AbortSignal.any([signal, given.signal]),
        ),
        task,
        message,
      );
    } catch (error) {
      return failed(error, task, message);
    } finally {
      clearTimeout(timer);
    }
  };
  let options: ConnectOptions;
  try {
    const own = optionsOf(task, signal, log);
    options = bend.options?.(own, task) ?? own;
  } catch (error) {
    return {
      outcome: 'done',
      messages: task.messages.map((message) => failed(error, task, message)),
    };
  }
  if (task.messages.length > 1 || task.connections !== undefined) {
    let pool: ReturnType<typeof createPool>;
    try {
      pool = createPool({
        ...(options as Omit<ConnectOptions, 'transport'>),
        maxConnections: task.connections ?? 1,
        maxInFlight: 1,
        backoff: { initial: 20, max: 50 },
        closeTimeout: 1_000,
      });
    } catch (error) {
      return {
        outcome: 'done',
        messages: task.messages.map((message) => failed(error, task, message)),
      };
    }
    const one = (message: TaskMessage): Promise<MessageOutcome> =>
      deliver(message, (outgoing, giveUp) => pool.send(outgoing, { signal: giveUp }));
    if (task.connections === undefined) {
      for (const [at, message] of task.messages.entries()) {
        if (at > 0 && task.gap) await pause(task.gap);
        outcomes.push(await one(message));
      }
    } else outcomes.push(...(await Promise.all(task.messages.map(one))));
    await pool.close();
  } else {
    for (const message of task.messages) {
      outcomes.push(
        await deliver(message, async (outgoing, giveUp) => {
          const client = await connect({ ...options, signal: giveUp });
          try {
            return await client.send(outgoing, { signal: giveUp });
          } finally {
            await client.close();
          }
        }),
      );
    }
  }
  return { outcome: 'done', messages: outcomes, log: log.join('\n') };
}

function optionsOf(task: ClientTask, signal: AbortSignal, log: string[]): ConnectOptions {
  const { command, ...limits } = task.timeouts ?? {};
  const each =
    command === undefined
      ? {}
      : Object.fromEntries(
          (['ehlo', 'starttls', 'auth', 'mail', 'rcpt', 'data', 'idle'] as const).map((name) => [
            name,
            command,
          ]),
        );
  const timeouts = { ...each, ...limits };
  const auth = task.auth && mechanismsOf(task.auth);
  return {
    host: task.host,
    port: task.port,
    tls: task.tls,
    tlsOptions: { ca: task.ca },
    protocol: task.protocol,
    timeouts: { quit: 1_000, ...timeouts },
    signal,
    onTranscript: ({ direction, text }) => {
      log.push(`${direction === 'client' ? 'C' : 'S'}: ${text}`);
    },
    ...(task.name === undefined ? {} : { name: task.name }),
    ...(auth ? { auth } : {}),
    ...(task.auth?.insecure ? { allowInsecureAuth: true } : {}),
  };
}

function mechanismsOf({
  user,
  pass,
  token,
  mechanisms,
}: NonNullable<ClientTask['auth']>): NonNullable<ConnectOptions['auth']> {
  if (!mechanisms && pass !== undefined) return { user, pass };
  const words = { user, pass: pass ?? '' };
  const made: Readonly<Record<string, () => SaslMechanism>> = {
    PLAIN: () => plain(words),
    LOGIN: () => login(words),
    'CRAM-MD5': () => cramMd5(words),
    'SCRAM-SHA-1': () => scramSha1(words),
    'SCRAM-SHA-256': () => scramSha256(words),
    'SCRAM-SHA-512': () => scramSha512(words),
    EXTERNAL: () => external(),
    XOAUTH2: () => xoauth2({ user, token: token ?? '' }),
    OAUTHBEARER: () => oauthBearer({ user, token: token ?? '' }),
  };
  return (mechanisms ?? ['XOAUTH2']).flatMap((name) => made[name]?.() ?? []);
}

function outgoingOf(message: TaskMessage): OutgoingMessage {
  const { content } = message;
  const parameters = {
    ...(message.body ? { body: message.body } : {}),
    ...(message.smtpUtf8 === undefined ? {} : { smtpUtf8: message.smtpUtf8 }),
    ...(message.ret ? { ret: message.ret.toUpperCase() as 'FULL' | 'HDRS' } : {}),
    ...(message.envid === undefined ? {} : { envid: message.envid }),
    ...(message.size === undefined ? {} : { size: message.size as number }),
    ...(message.requireTls ? { requireTls: true } : {}),
  };
  const to = message.to.map((recipient) =>
    typeof recipient === 'string'
      ? recipient
      : {
          address: recipient.address,
          ...(recipient.notify
            ? {
                // What no type allows is what some cases ask for.
                notify: (recipient.notify.length === 1 && recipient.notify[0] === 'never'
                  ? 'NEVER'
                  : recipient.notify.map((when) => when.toUpperCase())) as 'NEVER',
              }
            : {}),
          ...(recipient.orcpt === undefined ? {} : { orcpt: recipient.orcpt }),
        },
  );
  if ('fields' in content) return { ...composed(content.fields, message), ...parameters };
  return {
    from: message.from,
    to,
    content: octetsOf(content) ?? piecesOf(content),
    ...parameters,
  };
}

function composed(fields: TaskFields, message: TaskMessage): OutgoingMessage {
  const {
    attachments = [],
    bcc,
    from = message.from,
    to = recipientsOf(message),
    ...rest
  } = fields;
  return compose({
    ...rest,
    from,
    to: [...to],
    ...(bcc ? { bcc: [...bcc] } : {}),
    text: fields.text ?? '',
    ...(attachments[0]
      ? { attachments: attachments.map(({ filename, content }) => attachment(filename, content)) }
      : {}),
  });
}

function preflight(
  task: ClientTask,
  message: TaskMessage,
  outgoing: OutgoingMessage,
): MessageOutcome | undefined {
  if (task.provider !== 'devino') return undefined;
  const size = octetsOf(message.content)?.length;
  const [problem] = check({ ...outgoing, ...(size === undefined ? {} : { size }) }).filter(
    ({ severity, rule }) => severity === 'error' || rule === 'recipient-count',
  );
  return (
    problem && {
      outcome: 'reject',
      kind: 'invalid',
      text: problem.message,
      temporary: false,
      delivery: 'not-sent',
      reason: problem.rule,
      native: 'check()',
    }
  );
}

function succeeded(receipt: Receipt, task: ClientTask, message: TaskMessage): MessageOutcome {
  const [refused] = receipt.rejected;
  return {
    outcome: 'resolve',
    code: receipt.reply.code,
    text: receipt.reply.text,
    accepted: receipt.accepted,
    rejected: receipt.rejected.map(({ address, reply }) => ({ address, code: reply.code })),
    ...(refused ? explained(refused, task, message) : {}),
  };
}

/** Only what explain() says, in the words of an outcome. */
function explained(
  found: unknown,
  task: ClientTask,
  message: TaskMessage,
): Partial<MessageOutcome> & { readonly known?: DevinoExplanation } {
  if (task.provider !== 'devino') return {};
  const known = explain(found as Parameters<typeof explain>[0], {
    recipients: recipientsOf(message),
    sender: message.from,
  });
  return known
    ? {
        reason: known.reason,
        address: known.address,
        extension: known.extension ?? known.type,
        temporary: known.retry === 'later',
      }
    : {};
}

const STAGES: Readonly<Partial<Record<SmtpError['phase'], string>>> = {
  greeting: 'greeting',
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  auth: 'AUTH',
  mail: 'MAIL',
  rcpt: 'RCPT',
  data: 'DATA',
  content: 'DATA',
  final: 'dot',
};

function kindOf({ code, phase }: SmtpError): FailureKind {
  switch (code) {
    case 'ERR_SMTP_REPLY':
      if (phase === 'mail') return 'sender';
      if (phase === 'rcpt') return 'recipient';
      if (phase === 'data' || phase === 'content' || phase === 'final') return 'data';
      return 'refused';
    case 'ERR_SMTP_PROTOCOL':
      return 'protocol';
    case 'ERR_SMTP_TIMEOUT':
      return 'timeout';
    case 'ERR_SMTP_TLS':
      return 'tls';
    case 'ERR_SMTP_AUTH':
      return 'auth';
    case 'ERR_SMTP_UNSUPPORTED':
      return 'unsupported';
    case 'ERR_SMTP_TOO_LARGE':
      return 'size';
    case 'ERR_SMTP_CONTENT':
      return 'content';
    case 'ERR_SMTP_CLOSED':
      return 'closed';
    case 'ERR_SMTP_CONNECT':
      return 'connect';
    case 'ERR_SMTP_ABORTED':
      return 'aborted';
    default:
      return 'other';
  }
}

function failed(error: unknown, task: ClientTask, message: TaskMessage): MessageOutcome {
  if (!isSmtpError(error))
    return {
      outcome: 'reject',
      // A TypeError, a RangeError or a MimeError: the caller's fault, told before an octet is written.
      kind: 'invalid',
      text: String((error as Error | undefined)?.message ?? error),
      temporary: false,
      delivery: 'not-sent',
      native: String((error as Error | undefined)?.name),
    };
  const { reply } = error;
  return {
    outcome: 'reject',
    kind: kindOf(error),
    code: reply?.code,
    enhanced: reply?.enhanced,
    replyText: reply?.text,
    text: error.message,
    temporary:
      error.retry === 'unknown'
        ? undefined
        : error.retry === 'later' || error.retry === 'reconnect',
    delivery: error.delivery,
    accepted: error.accepted ?? [],
    rejected: (error.rejected ?? []).map((refused) => ({
      address: refused.address,
      code: refused.reply.code,
    })),
    stage: STAGES[error.phase],
    native: `${error.code} in ${error.phase}`,
    ...explained(error, task, message),
  };
}
