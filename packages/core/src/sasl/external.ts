/** EXTERNAL (RFC 4422 Appendix A): the server knows the client already, by its certificate for example. */

import { utf8 } from '../wire/octets.ts';
import { credential, type SaslMechanism } from './mechanism.ts';

/**
 * The EXTERNAL mechanism (RFC 4422 Appendix A), for a client that has shown who it is by other means than AUTH,
 * as by `cert` and `key` in `tlsOptions`.
 *
 * @param identity - `authorizationId` to act as somebody else; default: who the server takes the client for
 * @throws TypeError where it holds NUL
 *
 * @example
 * ```ts
 * import { external } from '@posthorn/core/sasl';
 *
 * console.log(external().name); // EXTERNAL
 * ```
 */
export function external(identity: { readonly authorizationId?: string } = {}): SaslMechanism {
  const authorizationId = credential(identity.authorizationId ?? '');
  return {
    name: 'EXTERNAL',
    strength: 10,
    exposesSecret: false,
    *start() {
      yield utf8(authorizationId);
    },
  };
}
