/** What XOAUTH2 and OAUTHBEARER share: where the token comes from, and the answer to an error challenge. */

import { utf8 } from '../wire/octets.ts';
import type { SaslMechanism } from './mechanism.ts';
import { fitting, VISIBLE } from './text.ts';

/**
 * An access token, or who brings one. It is asked once for each exchange, and once more, with `refresh`, when the
 * server has refused: then a token that was kept is of no use.
 */
export type BearerToken =
  | string
  | ((context: { readonly refresh: boolean }) => string | Promise<string>);

/** The user name, between %x01: without control characters. */
export const bearerName = (user: string): string =>
  fitting(user, /^[^\p{Cc}\p{Cs}]*$/u, 'credentials');

const bearerToken = (token: string): string => fitting(token, VISIBLE, 'token');

/**
 * A mechanism that shows a token.
 *
 * @param head - what stands before the token in the initial response
 * @param dummy - answers the error challenge, behind which the server refuses
 * @throws TypeError where the token is given, and cannot be used
 */
export function bearer(
  name: string,
  strength: number,
  token: BearerToken,
  head: string,
  dummy: string,
): SaslMechanism {
  function* exchange(given: string): Generator<Uint8Array, void, Uint8Array | undefined> {
    const error = yield utf8(`${head}auth=Bearer ${bearerToken(given)}\x01\x01`);
    if (error) yield utf8(dummy);
  }
  const mechanism = { name, strength, exposesSecret: true };
  if (typeof token !== 'function') {
    bearerToken(token);
    return { ...mechanism, start: () => exchange(token) };
  }
  const asking = (refresh: boolean): SaslMechanism => ({
    ...mechanism,
    async *start() {
      yield* exchange(await token({ refresh }));
    },
  });
  return { ...asking(false), refreshed: asking(true) };
}
