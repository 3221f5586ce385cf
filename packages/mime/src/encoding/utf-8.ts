/** UTF-8: the platform's encoder, made once. */

export const utf8: TextEncoder = /*#__PURE__*/ new TextEncoder();

/** Octets as a string in which each character is one of them: what `btoa` takes. */
export function binaryText(octets: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < octets.length; at += 8_192)
    binary += String.fromCharCode(...octets.subarray(at, at + 8_192));
  return binary;
}

/** The UTF-8 of a text in the same form. */
export function binaryUtf8(text: string): string {
  return binaryText(utf8.encode(text));
}
