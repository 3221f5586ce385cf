import { fault } from '../errors.ts';
import { parseCapabilities } from '../wire/extension.ts';
import { command, type Line, type Procedure } from './procedure.ts';

/** The handshake. */
export function* handshake(line: Line): Procedure<void> {
  yield { type: 'start-tls', phase: 'tls' };
  line.secure = true;
  line.roundTrips += 1;
}

/** STARTTLS and the handshake (RFC 3207 §4). The session refuses octets behind the 220. */
export function* startTls(line: Line): Procedure<void> {
  const phase = 'starttls';
  if (!line.capabilities.has('STARTTLS'))
    throw fault(
      'ERR_SMTP_TLS',
      "start TLS: the server offers no STARTTLS; if it has a port that speaks TLS, use tls: 'implicit'",
      phase,
    );
  const reply = yield* command(line, 'STARTTLS', phase);
  if (reply.code !== 220) throw fault('ERR_SMTP_TLS', 'start TLS', phase, { reply });
  // RFC 3207 §4.2: whatever the server said before the handshake is forgotten.
  line.capabilities = parseCapabilities();
  yield* handshake(line);
}
