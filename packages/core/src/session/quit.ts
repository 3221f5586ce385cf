import type { Reply } from '../wire/reply.ts';
import { command, type Line, type Procedure } from './procedure.ts';

/** QUIT (RFC 5321 §4.1.1.10). Whatever the reply says, the session is over with it. */
export function quit(line: Line): Procedure<Reply> {
  return command(line, 'QUIT', 'quit');
}
