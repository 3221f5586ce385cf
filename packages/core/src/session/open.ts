import { fault } from '../errors.ts';
import { addressLiteral } from '../wire/path.ts';
import { type AuthenticateOptions, authenticate } from './authenticate.ts';
import { demand } from './demand.ts';
import { greet } from './greet.ts';
import { hello } from './hello.ts';
import { ask, type Line, type Procedure } from './procedure.ts';
import { handshake } from './start-tls.ts';

/** What is known of a connection. */
export interface Connected {
  /** Whether it is under TLS already. */
  readonly secure: boolean;
  /** The address of its local end, for the default EHLO argument: '192.0.2.1', '2001:db8::1'. */
  readonly localAddress?: string | undefined;
}

/** How a session is set up. */
export interface OpenOptions extends AuthenticateOptions {
  /** Connects. Asked first of all. */
  readonly connect: () => Connected | Promise<Connected>;
  /** The EHLO argument: a domain or an address literal. Default: the literal of the local end's address. */
  readonly name?: string | undefined;
  /** What to do about TLS; see ConnectOptions. */
  readonly tls: 'implicit' | 'starttls' | 'opportunistic' | 'off';
  /** How far to group commands, where the server offers PIPELINING. */
  readonly pipelining: Line['pipelining'];
  /** LMTP is SMTP but for LHLO and a final reply for each recipient (RFC 2033). */
  readonly protocol?: 'smtp' | 'lmtp' | undefined;
  /** How much may be on its way at once in 'flight'. */
  readonly window: Line['window'];
  /** EHLO keywords to treat as absent. */
  readonly ignoreExtensions?: readonly string[] | undefined;
}

/** From nothing to a session that is ready to send: connection, TLS, greeting, EHLO, STARTTLS and EHLO again, AUTH. */
export function* open(line: Line, options: OpenOptions): Procedure<void> {
  const { tls, ignoreExtensions } = options;
  const { secure, localAddress } = yield* ask('connect', options.connect);
  const name = options.name ?? addressLiteral(localAddress);
  line.secure = secure;
  line.lmtp = options.protocol === 'lmtp';
  if (tls === 'implicit' && !secure) yield* handshake(line);
  yield* greet(line);
  for (;;) {
    yield* hello(line, name, ignoreExtensions);
    if (line.secure || tls === 'off') break;
    const reply = line.capabilities.has('STARTTLS')
      ? yield* demand(line, 'STARTTLS', 'starttls', /./)
      : undefined;
    if (reply?.code === 220) yield* handshake(line);
    else if (tls === 'starttls' || (reply?.code as number) < 400)
      throw fault(
        'ERR_SMTP_TLS',
        reply
          ? 'start TLS'
          : "start TLS: the server offers no STARTTLS; if port 465 speaks TLS, use tls: 'implicit'",
        'starttls',
        { reply },
      );
    // RFC 3207 §4: after a refusal the client may go on without TLS, where its policy allows it.
    else break;
  }
  if (line.capabilities.has('PIPELINING')) line.pipelining = options.pipelining;
  line.window = options.window;
  if (options.mechanisms[0]) yield* authenticate(line, options);
  line.phase = 'ready';
}
