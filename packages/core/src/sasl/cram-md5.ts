/** CRAM-MD5 (RFC 2195 §2): the server gives a challenge, the client its HMAC-MD5 keyed with the password. */

import { utf8 } from '../wire/octets.ts';
import { hmacMd5 } from './md5.ts';
import { credential, type SaslMechanism } from './mechanism.ts';

/**
 * The CRAM-MD5 mechanism (RFC 2195). Keeps the password from who reads the wire, but not from who guesses it
 * offline; does not show that the server knows it. Prefer SCRAM.
 *
 * @param credentials - `user` and `pass`
 * @throws TypeError where a part holds NUL
 *
 * @example
 * ```ts
 * import { cramMd5 } from '@posthorn/core/sasl';
 *
 * console.log(cramMd5({ user: 'tim', pass: 'tanstaaftanstaaf' }).exposesSecret); // false
 * ```
 */
export function cramMd5(credentials: {
  readonly user: string;
  readonly pass: string;
}): SaslMechanism {
  const user = credential(credentials.user);
  const key = utf8(credential(credentials.pass));
  return {
    name: 'CRAM-MD5',
    strength: 3,
    exposesSecret: false,
    *start() {
      const challenge = yield;
      if (!challenge) return;
      // "in hexadecimal format, using lower-case ASCII characters"
      const digest = [...hmacMd5(key, challenge)].map((octet) =>
        (octet + 256).toString(16).slice(1),
      );
      yield utf8(`${user} ${digest.join('')}`);
    },
  };
}
