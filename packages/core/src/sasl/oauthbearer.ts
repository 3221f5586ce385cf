/** OAUTHBEARER (RFC 7628): a GS2 header and an access token in one message. */
import { type BearerToken, bearer, bearerName } from './bearer.ts';
import { gs2Header } from './gs2.ts';
import type { SaslMechanism } from './mechanism.ts';
import { fitting, VISIBLE } from './text.ts';

/**
 * The OAUTHBEARER mechanism (RFC 7628). Needs TLS: it sends the token as it is.
 *
 * @param credentials - `user`, and `token`: an access token, or a function that brings one, called as for
 *   `xoauth2()`. `authorizationId` stands in the message in place of `user`; where it is empty, neither does, and
 *   the token alone says who it is. `host` and `port` are what was connected to, for servers that compare (§3.1).
 * @throws TypeError where a name, the host or the token holds a control character, or the port is none
 *
 * @example
 * ```ts
 * import { oauthBearer } from '@posthorn/core/sasl';
 *
 * console.log(oauthBearer({ user: 'user@example.com', token: 'vF9dft4qmTc2Nvb3' }).name); // OAUTHBEARER
 * ```
 */
export function oauthBearer(credentials: {
  readonly user: string;
  readonly token: BearerToken;
  readonly authorizationId?: string;
  readonly host?: string;
  readonly port?: number;
}): SaslMechanism {
  const { user, token, authorizationId = user, host, port } = credentials;
  let head = `${gs2Header('n', bearerName(authorizationId))}\x01`;
  if (host !== undefined) head += `host=${fitting(host, VISIBLE, 'host')}\x01`;
  if (port !== undefined) head += `port=${fitting(`${port}`, /^[1-9]\d{0,4}$/, 'port')}\x01`;
  // §3.2.3: "a single %x01 (control A) character" lets the server finish.
  return bearer('OAUTHBEARER', 6, token, head, '\x01');
}
