/**
 * LOGIN (draft-murchison-sasl-login §2): user name and password, each in answer to a prompt. The
 * prompts' texts differ from server to server, so they are answered by order.
 */
import { utf8 } from '../wire/octets.ts';
import { credential, type SaslMechanism } from './mechanism.ts';

/**
 * The LOGIN mechanism, for servers and gateways that offer no PLAIN. Needs TLS.
 *
 * @param credentials - `user` and `pass`
 * @throws TypeError where a part holds NUL
 *
 * @example
 * ```ts
 * import { login } from '@posthorn/core/sasl';
 *
 * console.log(login({ user: '1website', pass: 'test' }).exposesSecret); // true
 * ```
 */
export function login(credentials: {
  readonly user: string;
  readonly pass: string;
}): SaslMechanism {
  const parts = [credentials.user, credentials.pass].map(credential);
  return {
    name: 'LOGIN',
    strength: 1,
    exposesSecret: true,
    *start() {
      yield;
      for (const part of parts) yield utf8(part);
    },
  };
}
