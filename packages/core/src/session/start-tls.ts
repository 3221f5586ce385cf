import type { Line, Procedure } from './procedure.ts';

/** The handshake. */
export function* handshake(line: Line): Procedure<void> {
  yield { type: 'start-tls', phase: 'tls' };
  line.secure = true;
  line.roundTrips += 1;
}
