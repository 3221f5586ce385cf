/** Pieces into octets, one after the other as they are asked for. */
import { encodeUtf8 } from './encoding/utf-8.ts';
import type { Piece } from './part.ts';
import { limitSize } from './size.ts';

/**
 * Gives the octets of a message. Leaving early releases the source that is open.
 *
 * @param minimumSize - octets of all pieces that know theirs
 * @param limit - octets that are never exceeded: what would do so is not given out
 * @throws MimeError `ERR_MIME_TOO_LARGE`, and what the sources throw
 */
export async function* serialize(
  pieces: readonly Piece[],
  minimumSize: number,
  limit: number | undefined,
  progress: { sent: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  progress.sent = 0;
  let total = minimumSize;
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      const octets = encodeUtf8(piece);
      progress.sent += octets.length;
      if (octets.length > 0) yield octets;
      continue;
    }
    for await (const octets of piece.open()) {
      if (piece.size === undefined) {
        total += octets.length;
        if (limit !== undefined) limitSize(total, limit);
      }
      progress.sent += octets.length;
      yield octets;
    }
  }
}
