import { refused } from '../errors.ts';
import { line } from '../wire/command.ts';
import { parseCapabilities } from '../wire/extension.ts';
import { command, isPositive, type Procedure } from './procedure.ts';
import type { SessionContext } from './session.ts';

/** What hello says and heeds. */
export interface HelloOptions {
  /** The argument: a domain or an address literal (RFC 5321 §4.1.1.1). */
  readonly name: string;
  readonly protocol: 'smtp' | 'lmtp';
  readonly ignoreExtensions: readonly string[];
}

/**
 * EHLO, with HELO for servers that do not know it (RFC 5321 §3.2); LHLO without such a fallback
 * (RFC 2033 §4.1).
 */
export function* hello({ name, protocol, ignoreExtensions }: HelloOptions, context: SessionContext): Procedure<void> {
  let verb = protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  for (;;) {
    const reply = yield* command(line(`${verb} ${name}`), 'ehlo');
    if (isPositive(reply)) {
      // The reply to HELO announces nothing.
      context.capabilities = parseCapabilities(verb === 'HELO' ? undefined : reply, ignoreExtensions);
      return;
    }
    // 500, 501, 502 and 504 say that the command is not known; 550 and 554 refuse the client itself.
    if (verb !== 'EHLO' || !/50[0124]/.test(`${reply.code}`)) throw refused(`send ${verb} ${name}`, reply, { phase: 'ehlo' });
    verb = 'HELO';
  }
}
