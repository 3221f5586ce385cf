export const NOTHING: Uint8Array = /*#__PURE__*/ new Uint8Array(0);

/** Runs of octets as one array; what is alone is not copied. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  let longest = NOTHING;
  for (const piece of pieces) {
    length += piece.length;
    if (piece.length > longest.length) longest = piece;
  }
  if (length === longest.length) return longest;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const encoder = /*#__PURE__*/ new TextEncoder();

/** Text as octets: UTF-8. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);
