import { refused } from '../errors.ts';
import { line } from '../wire/command.ts';
import { parsePath } from '../wire/path.ts';
import type { Reply } from '../wire/reply.ts';
import { command, isPositive, type Procedure } from './procedure.ts';
import type { SessionContext } from './session.ts';

/** RSET (RFC 5321 §4.1.1.5): ends an open transaction. */
export function* reset(context: SessionContext): Procedure<Reply> {
  const reply = yield* demand('RSET');
  context.transactionOpen = false;
  return reply;
}

/** NOOP (RFC 5321 §4.1.1.9). */
export function noop(): Procedure<Reply> {
  return demand('NOOP');
}

/** VRFY (RFC 5321 §4.1.1.6): the answer is given as it is, 252 and refusals included (RFC 5321 §3.5.3). */
export function verify(address: string): Procedure<Reply> {
  return command(line(`VRFY ${parsePath(address, 'address').text}`), 'idle');
}

function* demand(verb: string): Procedure<Reply> {
  const reply = yield* command(line(verb), 'idle');
  if (!isPositive(reply)) throw refused(`send ${verb}`, reply, { phase: 'idle' });
  return reply;
}
