/** The platform's text codecs, made once. */

const encoder: TextEncoder = /*#__PURE__*/ new TextEncoder();
const decoder: TextDecoder = /*#__PURE__*/ new TextDecoder();

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes ASCII text into `target` from its start. */
export function encodeInto(text: string, target: Uint8Array): void {
  encoder.encodeInto(text, target);
}

/** Octets of UTF-8 that begin with no byte order mark, as text. */
export function decodeUtf8(octets: Uint8Array): string {
  return decoder.decode(octets);
}

/** base64 without line breaks, of octets that are in memory anyway: texts and encoded-words. */
export function textBase64(octets: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < octets.length; at += 8_192)
    binary += String.fromCharCode(...octets.subarray(at, at + 8_192));
  return btoa(binary);
}
