import { fault } from '../errors.ts';
import { parsePath } from '../wire/path.ts';
import type { Reply } from '../wire/reply.ts';
import { command, isPositive, type Line, type Procedure } from './procedure.ts';

/** RSET (RFC 5321 §4.1.1.5): ends an open transaction. */
export function* reset(line: Line): Procedure<Reply> {
  const reply = yield* noop(line, 'RSET');
  line.transactionOpen = false;
  return reply;
}

/** NOOP (RFC 5321 §4.1.1.9). */
export function* noop(line: Line, verb = 'NOOP'): Procedure<Reply> {
  const reply = yield* command(line, verb, 'idle');
  if (!isPositive(reply)) throw fault('ERR_SMTP_REPLY', `send ${verb}`, 'idle', { reply });
  return reply;
}

/** VRFY (RFC 5321 §4.1.1.6): the answer is given as it is, 252 and refusals included (RFC 5321 §3.5.3). */
export function verify(line: Line, address: string): Procedure<Reply> {
  return command(line, `VRFY ${parsePath(address, 'address').text}`, 'idle');
}
