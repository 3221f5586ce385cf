/** nodemailer as a subject, by its public names. */
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import type {
  ClientTask,
  FailureKind,
  MessageOutcome,
  Subject,
  TaskMessage,
  TaskOutcome,
} from '../task.ts';
import { limitOf, octetsOf, pause, piecesOf, recipientsOf } from './content.ts';

/** As much of nodemailer as is used here. */
interface Nodemailer {
  createTransport(options: object): Transport;
}
interface Transport {
  sendMail(message: object): Promise<{
    readonly accepted: readonly (string | { readonly address: string })[];
    readonly rejected: readonly (string | { readonly address: string })[];
    readonly rejectedErrors?: readonly {
      readonly recipient?: string;
      readonly responseCode?: number;
    }[];
    readonly response: string;
  }>;
  close(): void;
}
interface NodemailerError extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
  readonly rejected?: readonly string[];
  readonly rejectedErrors?: readonly {
    readonly recipient?: string;
    readonly responseCode?: number;
  }[];
}

const require = createRequire(import.meta.url);
const nodemailer = require('nodemailer') as Nodemailer;
const { version } = require('nodemailer/package.json') as { version: string };

/** What the runner loads. */
export const subject: Subject = {
  name: 'nodemailer',
  version,
  features: [
    'auth-cram-md5',
    'auth-login',
    'auth-plain',
    'auth-xoauth2',
    'client-name',
    'compose',
    'dsn',
    'implicit-tls',
    'lmtp',
    'null-sender',
    'opportunistic-tls',
    'pipelining',
    'pool',
    'requiretls',
    'reuse',
    'size',
    'smtputf8',
    'starttls',
    'streams',
    'timeouts',
  ],
  // What its own codes stand for is a guess of ours, so its kinds are shown and not judged.
  reports: ['accepted', 'code', 'log', 'memory', 'rejected', 'text'],
  run,
};

async function run(task: ClientTask, signal: AbortSignal): Promise<TaskOutcome> {
  const log: string[] = [];
  const several = task.messages.length > 1 || task.connections !== undefined;
  const transport = nodemailer.createTransport(optionsOf(task, several, log));
  const stop = (): void => transport.close();
  signal.addEventListener('abort', stop);
  const one = async (message: TaskMessage): Promise<MessageOutcome> => {
    try {
      const {
        accepted,
        rejected,
        rejectedErrors = [],
        response,
      } = await transport.sendMail(mailOf(message));
      return {
        outcome: 'resolve',
        code: Number(response?.slice(0, 3)) || undefined,
        text: response,
        accepted: accepted.map(plain),
        rejected: rejected.map((address, at) => ({
          address: plain(address),
          code: rejectedErrors[at]?.responseCode,
        })),
      };
    } catch (error) {
      return failed(error as NodemailerError);
    }
  };
  const outcomes: MessageOutcome[] = [];
  try {
    if (task.connections !== undefined)
      outcomes.push(...(await Promise.all(task.messages.map(one))));
    else
      for (const [at, message] of task.messages.entries()) {
        if (at > 0 && task.gap) await pause(task.gap);
        outcomes.push(await one(message));
      }
  } finally {
    signal.removeEventListener('abort', stop);
    transport.close();
  }
  return { outcome: 'done', messages: outcomes, log: log.join('\n') };
}

const plain = (address: string | { readonly address: string }): string =>
  typeof address === 'string' ? address : address.address;

function optionsOf(task: ClientTask, several: boolean, log: string[]): object {
  const { auth } = task;
  const [mechanism] = auth?.mechanisms ?? [];
  const write = (_entry: unknown, ...said: readonly unknown[]): void => {
    log.push(said.map(String).join(' '));
  };
  const level = {
    level: () => {},
    trace: write,
    debug: write,
    info: write,
    warn: write,
    error: write,
    fatal: write,
  };
  return {
    host: task.host,
    port: task.port,
    secure: task.tls === 'implicit',
    ignoreTLS: task.tls === 'off',
    requireTLS: task.tls === 'starttls',
    opportunisticTLS: task.tls === 'opportunistic',
    lmtp: task.protocol === 'lmtp',
    tls: { ca: task.ca },
    logger: level,
    debug: true,
    ...(task.name === undefined ? {} : { name: task.name }),
    ...(several ? { pool: true, maxConnections: task.connections ?? 1 } : {}),
    ...(auth
      ? {
          auth:
            auth.token === undefined
              ? { user: auth.user, pass: auth.pass }
              : { type: 'OAuth2', user: auth.user, accessToken: auth.token },
          ...(mechanism ? { authMethod: mechanism } : {}),
        }
      : {}),
    ...(task.timeouts
      ? {
          connectionTimeout: limitOf(task, 'connect') ?? 10_000,
          greetingTimeout: limitOf(task, 'greeting') ?? 10_000,
          socketTimeout: Math.max(...Object.values(task.timeouts)),
        }
      : {}),
  };
}

function mailOf(message: TaskMessage): object {
  const { content } = message;
  const envelope = {
    from: message.from,
    to: recipientsOf(message),
    ...(message.size === undefined ? {} : { size: message.size }),
    ...(message.requireTls ? { requireTLSExtensionEnabled: true } : {}),
  };
  // nodemailer has one set of DSN parameters for all recipients.
  const [first] = message.to;
  const { notify, orcpt } = typeof first === 'object' ? first : {};
  const dsn = {
    ...(message.envid === undefined ? {} : { id: message.envid }),
    ...(message.ret ? { return: message.ret === 'full' ? 'full' : 'headers' } : {}),
    ...(notify ? { notify: [...notify] } : {}),
    ...(orcpt === undefined ? {} : { recipient: orcpt }),
  };
  const parameters = {
    ...(message.requireTls ? { requireTLSExtensionEnabled: true } : {}),
    ...(Object.keys(dsn).length > 0 ? { dsn } : {}),
  };
  if ('fields' in content) {
    const { from = message.from, to = recipientsOf(message), ...rest } = content.fields;
    return { ...rest, from, to: [...to], ...parameters };
  }
  const octets = octetsOf(content);
  return { envelope, raw: octets ?? Readable.from(piecesOf(content)), ...parameters };
}

const KINDS: Readonly<Record<string, FailureKind>> = {
  EAUTH: 'auth',
  ECONNECTION: 'connect',
  ECONNREFUSED: 'connect',
  EDNS: 'connect',
  ENOTFOUND: 'connect',
  ETIMEDOUT: 'timeout',
  ETLS: 'tls',
  ESOCKET: 'tls',
  EPROTOCOL: 'protocol',
  EENVELOPE: 'recipient',
  EMESSAGE: 'data',
  ESTREAM: 'content',
  EREQUIRETLS: 'unsupported',
  EOAUTH2: 'auth',
};

function failed(error: NodemailerError): MessageOutcome {
  const { code = '', command = '' } = error;
  const kind = code === 'EENVELOPE' && /MAIL/.test(command) ? 'sender' : (KINDS[code] ?? 'other');
  return {
    outcome: 'reject',
    kind,
    code: error.responseCode,
    text: error.message,
    rejected: (error.rejectedErrors ?? []).map(({ recipient = '', responseCode }) => ({
      address: recipient,
      code: responseCode,
    })),
    native: `${code} in ${command}`,
  };
}
