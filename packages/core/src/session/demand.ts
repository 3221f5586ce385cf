import { fault, type Phase } from '../errors.ts';
import { commandLine } from '../wire/command.ts';
import type { Reply } from '../wire/reply.ts';
import type { Line, Procedure } from './procedure.ts';

/** Writes one command, given without its CRLF, and awaits a reply that is wanted. */
export function* demand(
  line: Line,
  text: string,
  phase: Phase,
  wanted: RegExp = /^2/,
): Procedure<Reply> {
  line.write({ line: commandLine(text), phase });
  const reply = (yield) as Reply;
  if (!wanted.test(`${reply.code}`))
    throw fault('ERR_SMTP_REPLY', `send ${text}`, phase, { reply });
  return reply;
}
