export const NOTHING: Uint8Array = /*#__PURE__*/ new Uint8Array(0);

/** Runs of octets as one array; what is alone is not copied. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const [first = NOTHING, second] = pieces.filter((piece) => piece.length);
  if (!second) return first;
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
