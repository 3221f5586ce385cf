import { SmtpError } from '../errors.ts';
import { type AuthenticateOptions, authenticate } from './authenticate.ts';
import { greet } from './greet.ts';
import { type HelloOptions, hello } from './hello.ts';
import { ask, type Procedure, START_TLS } from './procedure.ts';
import type { Session, SessionContext } from './session.ts';
import { startTls } from './start-tls.ts';

/** How a session is set up. */
export interface OpenOptions extends Omit<HelloOptions, 'name'>, AuthenticateOptions {
  /** The EHLO argument, asked for once there is a connection. */
  readonly name: () => string;
  /** Connects; returns whether the connection is under TLS already. Asked first of all. */
  readonly connect: () => boolean | Promise<boolean>;
  /** What to do about TLS; see ConnectOptions. */
  readonly tls: 'implicit' | 'starttls' | 'opportunistic' | 'off';
  /** How far to group commands, where the server offers PIPELINING. */
  readonly pipelining: SessionContext['pipelining'];
}

/** From nothing to a session that is ready to send: connection, TLS, greeting, EHLO, STARTTLS and EHLO again, AUTH. */
export function* open(session: Session, options: OpenOptions): Procedure<void> {
  const { context } = session;
  const { tls } = options;
  context.secure = yield* ask('connect', options.connect);
  if (tls === 'implicit' && !context.secure) yield START_TLS;
  yield* session.within('greet', greet(context));
  const introduced = { ...options, name: options.name() };
  yield* session.within('hello', hello(introduced, context));
  if (tls === 'starttls' || tls === 'opportunistic') {
    if (context.capabilities.has('STARTTLS')) {
      try {
        yield* session.within('startTls', startTls());
      } catch (error) {
        // RFC 3207 §4: after a refusal the client may go on without TLS, where its policy allows it.
        if (tls === 'starttls' || !(error instanceof SmtpError && error.code === 'ERR_SMTP_TLS')) throw error;
      }
      if (context.secure) yield* session.within('hello', hello(introduced, context));
    } else if (tls === 'starttls') {
      throw new SmtpError(
        'ERR_SMTP_TLS',
        "Cannot start TLS: the server does not offer STARTTLS; use its port for tls: 'implicit', or tls: 'off' to go without",
        { phase: 'starttls' },
      );
    }
  }
  if (context.capabilities.has('PIPELINING')) context.pipelining = options.pipelining;
  if (options.mechanisms[0]) yield* session.within('authenticate', authenticate(options, context));
}
