/** The platform's text encoder, made once. */

const encoder: TextEncoder = /*#__PURE__*/ new TextEncoder();

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Writes ASCII text into `target` from its start. */
export function encodeInto(text: string, target: Uint8Array): void {
  encoder.encodeInto(text, target);
}

/** The UTF-8 of a text as a string in which each character is one octet: what `btoa` takes. */
export function binaryUtf8(text: string): string {
  const octets = encodeUtf8(text);
  let binary = '';
  for (let at = 0; at < octets.length; at += 8_192)
    binary += String.fromCharCode(...octets.subarray(at, at + 8_192));
  return binary;
}
