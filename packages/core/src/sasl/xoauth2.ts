/** XOAUTH2 (developers.google.com/gmail/imap/xoauth2-protocol): user name and access token in one message. */
import { type BearerToken, bearer, bearerName } from './bearer.ts';
import type { SaslMechanism } from './mechanism.ts';

/**
 * The XOAUTH2 mechanism of Gmail and Outlook. Needs TLS: it sends the token as it is.
 *
 * @param credentials - `user`, and `token`: an access token, or a function that brings one. It is called for each
 *   connection with `refresh` false, and once more with true when the server has refused that token.
 * @throws TypeError where the user name or the token holds a control character
 *
 * @example
 * ```ts
 * import { xoauth2 } from '@posthorn/core/sasl';
 *
 * const mechanism = xoauth2({
 *   user: 'someuser@example.com',
 *   token: async ({ refresh }) => (refresh ? 'a-new-one' : 'the-one-at-hand'),
 * });
 * console.log(mechanism.refreshed?.name); // XOAUTH2
 * ```
 */
export function xoauth2(credentials: {
  readonly user: string;
  readonly token: BearerToken;
}): SaslMechanism {
  const { user, token } = credentials;
  // An error challenge is answered by an empty response.
  return bearer('XOAUTH2', 5, token, `user=${bearerName(user)}\x01`, '');
}
