import { fault } from '../errors.ts';
import type { TlsChannel } from '../sasl/mechanism.ts';
import { parseCapabilities } from '../wire/extension.ts';
import { addressLiteral } from '../wire/path.ts';
import type { Reply } from '../wire/reply.ts';
import { demand } from './demand.ts';
import { ask, type Line, type Procedure } from './procedure.ts';

/** What is known of a connection. */
export interface Connected {
  /** Whether it is under TLS already. */
  readonly secure: boolean;
  /** The address of its local end, for the default EHLO argument: '192.0.2.1', '2001:db8::1'. */
  readonly localAddress?: string | undefined;
}

/** How a session is set up. */
export interface OpenOptions {
  /** AUTH, where there are credentials: see `authenticate()` of `@posthorn/core/authenticate`. */
  readonly authenticate?: ((line: Line) => Procedure<void>) | undefined;
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
  const { secure, localAddress } = yield* ask('connect', options.connect);
  const { tls, ignoreExtensions = [], name = addressLiteral(localAddress) } = options;
  line.secure = secure;
  line.lmtp = options.protocol === 'lmtp';
  if (tls === 'implicit' && !secure) {
    line.channel = (yield { type: 'start-tls', phase: 'tls' }) as TlsChannel | undefined;
    line.secure = true;
    line.roundTrips += 1;
  }
  // RFC 5321 §3.1: nothing is sent before the last line of the greeting, the one reply that answers nothing.
  line.write({ phase: 'greeting' });
  let reply = (yield) as Reply;
  line.greeting = reply;
  // RFC 5321 §4.3.2: a connection is established by 220. A 554 or 4yz refuses the session; anything
  // else (354, 250) comes from a server that is not in step.
  if (reply.code !== 220) throw fault('REPLY', 'connect', 'greeting', { reply });
  for (;;) {
    // RFC 3207 §4.2: what the server said before is forgotten.
    line.capabilities = parseCapabilities();
    reply = line.lmtp
      ? // RFC 2033 §4.1: LMTP has LHLO in place of EHLO and HELO, and nothing to fall back to.
        yield* demand(line, `LHLO ${name}`, 'ehlo')
      : // 50z says that the command is not known; 550 and 554 refuse the client itself.
        yield* demand(line, `EHLO ${name}`, 'ehlo', /^2|^50/);
    if (reply.code < 300)
      line.capabilities = parseCapabilities(
        reply,
        // RFC 8689 §2: outside TLS nobody can promise it.
        line.secure ? ignoreExtensions : [...ignoreExtensions, 'REQUIRETLS'],
      );
    // RFC 5321 §3.2: for servers that do not know EHLO. The reply announces nothing.
    else yield* demand(line, `HELO ${name}`, 'ehlo');
    if (line.secure || tls === 'off') break;
    const answer = line.capabilities.has('STARTTLS')
      ? yield* demand(line, 'STARTTLS', 'starttls', /./)
      : undefined;
    if (answer?.code === 220) {
      line.channel = (yield { type: 'start-tls', phase: 'tls' }) as TlsChannel | undefined;
      line.secure = true;
      line.roundTrips += 1;
    } else if (tls === 'starttls' || (answer?.code as number) < 400)
      throw fault(
        'TLS',
        answer ? 'start TLS' : "start TLS: the server offers no STARTTLS; use tls: 'implicit'?",
        'starttls',
        { reply: answer },
      );
    // RFC 3207 §4: after a refusal the client may go on without TLS, where its policy allows it.
    else break;
  }
  if (line.capabilities.has('PIPELINING')) line.pipelining = options.pipelining;
  line.window = options.window;
  if (options.authenticate) yield* options.authenticate(line);
  line.phase = 'ready';
}
