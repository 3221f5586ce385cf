import type { Reply } from '../wire/reply.ts';
import { demand } from './demand.ts';
import type { Line, Procedure } from './procedure.ts';

/** QUIT (RFC 5321 §4.1.1.10). Whatever the reply says, the session is over with it. */
export function quit(line: Line): Procedure<Reply> {
  return demand(line, 'QUIT', 'quit', /./);
}
