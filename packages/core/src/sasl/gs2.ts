/** The GS2 header, with which SCRAM and OAUTHBEARER begin. */

/** A name in which `,` and `=` separate nothing (RFC 5802 §5.1). */
export const saslName = (text: string): string =>
  text.replaceAll('=', '=3D').replaceAll(',', '=2C');

/**
 * `gs2-cbind-flag "," [ "a=" saslname ] ","` (RFC 5802 §7).
 *
 * @param authorizationId - none where it is empty
 */
export const gs2Header = (flag: string, authorizationId = ''): string =>
  `${flag},${authorizationId && `a=${saslName(authorizationId)}`},`;
