import { parseCapabilities } from '../wire/extension.ts';
import { demand } from './demand.ts';
import type { Line, Procedure } from './procedure.ts';

/**
 * EHLO, with HELO for servers that do not know it (RFC 5321 §3.2).
 *
 * @param name - a domain or an address literal (RFC 5321 §4.1.1.1)
 */
export function* hello(
  line: Line,
  name: string,
  ignoreExtensions: readonly string[] = [],
): Procedure<void> {
  // RFC 2033 §4.1: LMTP has LHLO in place of both, and nothing to fall back to.
  const verb = line.lmtp ? 'LHLO' : 'EHLO';
  // RFC 3207 §4.2: what the server said before is forgotten. The reply to HELO announces nothing.
  line.capabilities = parseCapabilities();
  // 500, 501, 502 and 504 say that the command is not known; 550 and 554 refuse the client itself.
  const reply = yield* demand(
    line,
    `${verb} ${name}`,
    'ehlo',
    line.lmtp ? undefined : /^2|50[0124]/,
  );
  if (reply.code < 300)
    line.capabilities = parseCapabilities(
      reply,
      // RFC 8689 §2: outside TLS nobody can promise it.
      line.secure ? ignoreExtensions : [...ignoreExtensions, 'REQUIRETLS'],
    );
  else yield* demand(line, `HELO ${name}`, 'ehlo');
}
