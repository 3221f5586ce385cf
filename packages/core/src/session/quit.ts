import { line } from '../wire/command.ts';
import type { Reply } from '../wire/reply.ts';
import { command, type Procedure } from './procedure.ts';

/** QUIT (RFC 5321 §4.1.1.10). Whatever the reply says, the session is over with it. */
export function quit(): Procedure<Reply> {
  return command(line('QUIT'), 'quit');
}
