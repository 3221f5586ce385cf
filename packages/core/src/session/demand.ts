import { fault, type Phase } from '../errors.ts';
import { commandLine } from '../wire/command.ts';
import type { Reply } from '../wire/reply.ts';
import type { Line, Procedure } from './procedure.ts';

/**
 * Writes one command, given without its CRLF, and awaits a reply that is wanted.
 *
 * @param text - is named in the error: what is secret may only be written where every reply is wanted
 * @param wanted - the reply codes; default: 2yz, a positive completion (RFC 5321 §4.2.1)
 * @throws SmtpError for any other reply
 */
export function* demand(
  line: Line,
  text: string,
  phase: Phase,
  wanted: RegExp = /^2/,
): Procedure<Reply> {
  line.write({ line: commandLine(text), phase });
  const reply = (yield) as Reply;
  if (!wanted.test(`${reply.code}`)) throw fault('REPLY', `send ${text}`, phase, { reply });
  return reply;
}
