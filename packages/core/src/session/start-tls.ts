import { refused } from '../errors.ts';
import { commandLine } from '../wire/command.ts';
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
  const reply = yield* command(line, commandLine('STARTTLS'), 'starttls');
  if (reply.code !== 220)
    throw refused('send STARTTLS', reply, { phase: 'starttls' }, 'ERR_SMTP_TLS');
  // RFC 3207 §4.2: whatever the server said before the handshake is forgotten.
  line.capabilities = parseCapabilities();
  yield* handshake(line);
}
