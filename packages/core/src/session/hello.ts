import { fault } from '../errors.ts';
import { parseCapabilities } from '../wire/extension.ts';
import { command, isPositive, type Line, type Procedure } from './procedure.ts';

/**
 * EHLO, with HELO for servers that do not know it (RFC 5321 §3.2).
 *
 * @param name - a domain or an address literal (RFC 5321 §4.1.1.1)
 */
export function* hello(
  line: Line,
  name: string,
  ignoreExtensions: readonly string[],
): Procedure<void> {
  for (const verb of ['EHLO', 'HELO']) {
    const reply = yield* command(line, `${verb} ${name}`, 'ehlo');
    if (isPositive(reply)) {
      // The reply to HELO announces nothing.
      line.capabilities = parseCapabilities(verb === 'EHLO' ? reply : undefined, ignoreExtensions);
      return;
    }
    // 500, 501, 502 and 504 say that the command is not known; 550 and 554 refuse the client itself.
    if (verb === 'HELO' || !/50[0124]/.test(`${reply.code}`))
      throw fault('ERR_SMTP_REPLY', `send ${verb} ${name}`, 'ehlo', { reply });
  }
}
