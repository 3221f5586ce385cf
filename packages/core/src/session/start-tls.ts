import type { TlsChannel } from '../sasl/mechanism.ts';
import type { Line, Procedure } from './procedure.ts';

/** The handshake. */
export function* handshake(line: Line): Procedure<void> {
  line.channel = (yield { type: 'start-tls', phase: 'tls' }) as TlsChannel | undefined;
  line.secure = true;
  line.roundTrips += 1;
}
