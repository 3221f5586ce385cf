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

/** Octets that are all ASCII, as text. */
export function decodeAscii(octets: Uint8Array): string {
  return decoder.decode(octets);
}
