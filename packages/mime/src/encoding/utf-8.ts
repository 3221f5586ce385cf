/** UTF-8: the platform's encoder, made once. */

export const utf8: TextEncoder = /*#__PURE__*/ new TextEncoder();
