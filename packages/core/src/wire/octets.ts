/** Runs of octets as one array; a single one is not copied. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces[0] && !pieces[1]) return pieces[0];
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
