/**
 * The options of `createTransport()`, by the names of nodemailer, as those of the pool. It knows what each of them means
 * here; it opens nothing.
 */
import type { TlsOptions } from '../index.ts';
import { type AuthOptions, mechanismsOf, type ProvisionCallback } from './auth-options.ts';
import { unsupported } from './error.ts';
import { type LoggerOption, loggerOf } from './logger.ts';
import type { SendMailOptions } from './message-data.ts';
import { serviceOf } from './service.ts';
import type { PosthornTransportOptions } from './transport.ts';

/**
 * How to reach a server, and how to log in there. Durations are in ms. STARTTLS is required where TLS does not come first: what
 * else is wanted has to be said.
 */
export interface SmtpTransportOptions
  extends Pick<PosthornTransportOptions, 'transport' | 'allowInsecureAuth' | 'onUnsupported'>,
    Pick<
      SendMailOptions,
      'dkim' | 'attachDataUrls' | 'disableFileAccess' | 'disableUrlAccess' | 'maxRecipients'
    > {
  /** Default 'localhost'. */
  readonly host?: string | undefined;
  /** Default: 465 with `secure`, else 587. */
  readonly port?: number | string | undefined;
  /** TLS from the first octet. Default: on port 465. */
  readonly secure?: boolean | undefined;
  /** Nothing is sent without TLS: so it is without this, too. It goes before the two that say otherwise. */
  readonly requireTLS?: boolean | undefined;
  /** No TLS at all, as for a test server on one's own machine; and so the password, if there is one, goes as it is. */
  readonly ignoreTLS?: boolean | undefined;
  /** STARTTLS where it is offered, and no login where it is not. */
  readonly opportunisticTLS?: boolean | undefined;
  /** By the names of node:tls. */
  readonly tls?: TlsOptions | Readonly<Record<string, unknown>> | undefined;
  /** The name to check the certificate against. Default: the host. */
  readonly servername?: string | undefined;
  readonly auth?: AuthOptions | false | null | undefined;
  /** Default: PLAIN, LOGIN, CRAM-MD5, whichever the server offers first. */
  readonly authMethod?: string | undefined;
  /** The argument of EHLO. Default: the literal of the local end's address. */
  readonly name?: string | undefined;
  readonly localAddress?: string | undefined;
  /** For the lookup of the name, the connection and the handshake, each. Default 30,000. */
  readonly connectionTimeout?: number | undefined;
  readonly greetingTimeout?: number | undefined;
  /** For each reply, and each block of content. Defaults: those of `connect()`. */
  readonly socketTimeout?: number | undefined;
  readonly lmtp?: boolean | undefined;
  /** Host, port and security of a service that is known by its name. */
  readonly service?: string | undefined;
  /** All of these, as `smtp://user:pass@host:port/?name=value`. */
  readonly url?: string | undefined;
  /** Keeps connections for further messages. `close()` it. */
  readonly pool?: boolean | undefined;
  /** With `pool`, default 5. */
  readonly maxConnections?: number | undefined;
  /** With `pool`, default 100. */
  readonly maxMessages?: number | undefined;
  /** With `pool`: how often a message is sent again that was provably not sent. Default 2. */
  readonly maxRequeues?: number | undefined;
  /** With `pool`: messages in each `rateDelta`. */
  readonly rateLimit?: number | undefined;
  /** Default 1,000. */
  readonly rateDelta?: number | undefined;
  /** With `pool`, default 30,000. */
  readonly idleTimeout?: number | undefined;
  /** `true` for the terminal, or what has `debug`, `info` and `error` as bunyan has them. */
  readonly logger?: LoggerOption | undefined;
  /** Logs what is said on the connection, without passwords. */
  readonly debug?: boolean | undefined;
  readonly transactionLog?: boolean | undefined;
  /** What wrappers add for themselves. */
  readonly [more: string]: unknown;
}

/** What nodemailer takes, and is another thing here. */
const REFUSED: Record<string, string> = {
  proxy: 'give transport: (options) => socketTransport(socket, options) of @posthorn/core',
  getSocket: 'give transport: (options) => socketTransport(socket, options) of @posthorn/core',
  socket: 'give transport: (options) => socketTransport(socket, options) of @posthorn/core',
  connection: 'give transport: (options) => socketTransport(socket, options) of @posthorn/core',
  secured: 'the transport says whether it is under TLS',
  customAuth: 'posthornTransport() takes a SaslMechanism as auth',
  maxResponseSize: 'a reply has 65,536 characters at most',
  sendmail: 'this sends by SMTP',
  SES: 'this sends by SMTP: service: "SES" with the credentials for it',
  direct: 'this sends to a server that is named',
  normalizeHeaderKey: 'fields are written as they are named',
};

/** What errors of core say, by the names of these options. */
const WORDS: Record<string, string> = {
  "no STARTTLS; use tls: 'implicit'?":
    'no STARTTLS; ignoreTLS: true goes on without TLS, opportunisticTLS: true where there is none, secure: true begins with it',
  "use tls: 'implicit'?": 'use secure: true?',
  "use tls: 'starttls'?": 'use secure: false?',
};

export const words = (message: string): string =>
  Object.entries(WORDS).reduce((text, [from, to]) => text.replace(from, to), message);

/** Every phase in which the other side is waited for. */
const PHASES = ['ehlo', 'starttls', 'auth', 'idle', 'mail', 'rcpt', 'data', 'content', 'final'];

/**
 * @param provision - see {@link mechanismsOf}
 * @throws NodemailerError `ECONFIG`
 */
export function poolOptions(
  given: SmtpTransportOptions,
  provision: () => ProvisionCallback | undefined,
  onToken: (token: object) => void,
): PosthornTransportOptions {
  const service = given.service ? serviceOf(given.service) : {};
  if (!service) throw unsupported('service', 'it is not known here; give host, port and secure');
  const options: SmtpTransportOptions = { ...given, ...service };
  for (const name in REFUSED) if (options[name]) throw unsupported(name, REFUSED[name] as string);
  if (typeof options.tls === 'string')
    throw unsupported('tls', 'it takes options of node:tls; secure and ignoreTLS say whether');
  const { ignoreTLS, opportunisticTLS, requireTLS, auth, authMethod, logger, pool } = options;
  const number = (name: string): number => Number(options[name]) || 0;
  const secure = options.secure ?? number('port') === 465;
  const tls = secure
    ? 'implicit'
    : requireTLS || !(ignoreTLS || opportunisticTLS)
      ? 'starttls'
      : ignoreTLS
        ? 'off'
        : 'opportunistic';
  const timeouts: Record<string, number> = {};
  const limit = (name: string, phases: readonly string[]): void => {
    for (const phase of phases) if (number(name) > 0) timeouts[phase] = number(name);
  };
  limit('connectionTimeout', ['connect', 'tls']);
  limit('greetingTimeout', ['greeting']);
  limit('socketTimeout', PHASES);
  const log = options.debug || options.transactionLog ? loggerOf(logger) : undefined;
  const idle = options.idleTimeout;
  return {
    host: options.host || 'localhost',
    port: number('port') || (secure ? 465 : 587),
    tls,
    tlsOptions: {
      ...(options.servername && { servername: options.servername }),
      ...(options.tls as TlsOptions),
    },
    auth: auth
      ? mechanismsOf(
          auth,
          `${auth.method ?? authMethod ?? ''}`.trim().toUpperCase(),
          provision,
          onToken,
        )
      : [],
    // Who says that there is to be no TLS says it of the password that is given with it.
    allowInsecureAuth: options.allowInsecureAuth ?? tls === 'off',
    ...(options.name && { name: options.name }),
    ...(options.localAddress && { localAddress: options.localAddress }),
    ...(options.lmtp && { protocol: 'lmtp' }),
    ...(options.transport && { transport: options.transport }),
    ...(options.onUnsupported && { onUnsupported: options.onUnsupported }),
    timeouts,
    ...(log && {
      onTranscript: ({ direction, text, ...more }) => log.debug({ tnx: direction, ...more }, text),
    }),
    maxQueue: Infinity,
    ...(pool
      ? {
          maxConnections: number('maxConnections') || 5,
          maxMessages: number('maxMessages') || 100,
          ...(options.maxRequeues !== undefined && {
            maxAttempts: number('maxRequeues') < 0 ? Infinity : number('maxRequeues') + 1,
          }),
          ...(typeof idle === 'number' && { idleTimeout: idle > 0 ? idle : Infinity }),
          ...(number('rateLimit') > 0 && {
            rate: { messages: number('rateLimit'), per: number('rateDelta') || 1_000 },
          }),
        }
      : // A connection for each message, and no second try.
        { maxConnections: Infinity, maxMessages: 1, maxAttempts: 1 }),
  };
}
