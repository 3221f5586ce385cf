import { fault } from '../errors.ts';
import type { Reply } from '../wire/reply.ts';
import type { Line, Procedure } from './procedure.ts';

/** Awaits the greeting (RFC 5321 §3.1). Nothing is sent before its last line. */
export function* greet(line: Line): Procedure<void> {
  // The greeting is the one reply that answers nothing.
  line.write({ phase: 'greeting' });
  const reply = (yield) as Reply;
  line.greeting = reply;
  // RFC 5321 §4.3.2: a connection is established by 220. A 554 or 4yz refuses the session; anything
  // else (354, 250) comes from a server that is not in step.
  if (reply.code !== 220) throw fault('ERR_SMTP_REPLY', 'connect', 'greeting', { reply });
}
