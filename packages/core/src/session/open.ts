import { SmtpError } from '../errors.ts';
import { type AuthenticateOptions, authenticate } from './authenticate.ts';
import { greet } from './greet.ts';
import { hello } from './hello.ts';
import { ask, type Line, type Procedure } from './procedure.ts';
import { handshake, startTls } from './start-tls.ts';

/** How a session is set up. */
export interface OpenOptions extends AuthenticateOptions {
  /** Connects; returns whether the connection is under TLS already. Asked first of all. */
  readonly connect: () => boolean | Promise<boolean>;
  /** The EHLO argument, asked for once there is a connection: a domain or an address literal. */
  readonly name: () => string;
  /** What to do about TLS; see ConnectOptions. */
  readonly tls: 'implicit' | 'starttls' | 'opportunistic' | 'off';
  /** How far to group commands, where the server offers PIPELINING. */
  readonly pipelining: Line['pipelining'];
  /** EHLO keywords to treat as absent. */
  readonly ignoreExtensions: readonly string[];
}

/** From nothing to a session that is ready to send: connection, TLS, greeting, EHLO, STARTTLS and EHLO again, AUTH. */
export function* open(line: Line, options: OpenOptions): Procedure<void> {
  const { tls } = options;
  line.secure = yield* ask('connect', options.connect);
  if (tls === 'implicit' && !line.secure) yield* handshake(line);
  yield* line.within('greet', greet(line));
  const introduce = (): Procedure<void> =>
    line.within('hello', hello(line, options.name(), options.ignoreExtensions));
  yield* introduce();
  if (tls === 'starttls' || tls === 'opportunistic') {
    try {
      if (!line.capabilities.has('STARTTLS')) {
        throw new SmtpError(
          'ERR_SMTP_TLS',
          "Cannot start TLS: the server offers no STARTTLS; try tls: 'implicit' on its TLS port",
          { phase: 'starttls' },
        );
      }
      yield* line.within('startTls', startTls(line));
      yield* introduce();
    } catch (error) {
      // RFC 3207 §4: after a refusal the client may go on without TLS, where its policy allows it.
      const { code, phase } = error as SmtpError;
      if (tls === 'starttls' || code !== 'ERR_SMTP_TLS' || phase !== 'starttls') throw error;
    }
  }
  if (line.capabilities.has('PIPELINING')) line.pipelining = options.pipelining;
  if (options.mechanisms[0]) yield* line.within('authenticate', authenticate(line, options));
}
