import { refused } from '../errors.ts';
import { line } from '../wire/command.ts';
import { command, type Procedure, START_TLS } from './procedure.ts';

/** STARTTLS and the handshake (RFC 3207 §4). The session refuses octets behind the 220. */
export function* startTls(): Procedure<void> {
  const reply = yield* command(line('STARTTLS'), 'starttls');
  if (reply.code !== 220) throw refused('send STARTTLS', reply, { phase: 'starttls' }, 'ERR_SMTP_TLS');
  yield START_TLS;
}
