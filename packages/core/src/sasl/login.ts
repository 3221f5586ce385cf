/**
 * LOGIN (draft-murchison-sasl-login §2): user name and password, each in answer to a prompt. The
 * prompts' texts differ from server to server, so they are answered by order.
 */
import { refuseCredential, type SaslMechanism } from './mechanism.ts';

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
  const { user, pass } = credentials;
  refuseCredential(user, pass);
  return {
    name: 'LOGIN',
    strength: 1,
    exposesSecret: true,
    start() {
      const answers = [user, pass];
      return {
        respond() {
          const answer = answers.shift();
          if (answer === undefined) throw new Error('it asked a third time');
          return new TextEncoder().encode(answer);
        },
      };
    },
  };
}
