import { parsePath } from '../wire/path.ts';
import type { Reply } from '../wire/reply.ts';
import { demand } from './demand.ts';
import type { Line, Procedure } from './procedure.ts';

/** RSET (RFC 5321 §4.1.1.5): ends an open transaction. */
export function reset(line: Line): Procedure<Reply> {
  return demand(line, 'RSET', 'idle');
}

/** NOOP (RFC 5321 §4.1.1.9). */
export function noop(line: Line): Procedure<Reply> {
  return demand(line, 'NOOP', 'idle');
}

/** VRFY (RFC 5321 §4.1.1.6): the answer is given as it is, 252 and refusals included (RFC 5321 §3.5.3). */
export function verify(line: Line, address: string): Procedure<Reply> {
  return demand(line, `VRFY ${parsePath(address, 'address')}`, 'idle', /./);
}
