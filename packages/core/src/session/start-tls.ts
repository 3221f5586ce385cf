import type { Line, Procedure } from './procedure.ts';

/** The handshake. */
export function* handshake(line: Line): Procedure<void> {
  line.channelBinding = (yield { type: 'start-tls', phase: 'tls' }) as Uint8Array | undefined;
  line.secure = true;
  line.roundTrips += 1;
}
