/** PLAIN (RFC 4616 §2): `[authzid] NUL authcid NUL passwd` in one message. */
import { utf8 } from '../wire/octets.ts';
import { credential, type SaslMechanism } from './mechanism.ts';

/**
 * The PLAIN mechanism (RFC 4616). Needs TLS: it sends the password as it is.
 *
 * @param credentials - `user` and `pass`; `authorizationId` to act as somebody else
 * @throws TypeError where a part holds NUL
 *
 * @example
 * ```ts
 * import { plain } from '@posthorn/core/sasl';
 *
 * console.log(plain({ user: 'tim', pass: 'tanstaaftanstaaf' }).name); // PLAIN
 * ```
 */
export function plain(credentials: {
  readonly user: string;
  readonly pass: string;
  readonly authorizationId?: string;
}): SaslMechanism {
  const parts = [credentials.authorizationId ?? '', credentials.user, credentials.pass].map(
    credential,
  );
  return {
    name: 'PLAIN',
    strength: 2,
    exposesSecret: true,
    *start() {
      yield utf8(parts.join('\0'));
    },
  };
}
