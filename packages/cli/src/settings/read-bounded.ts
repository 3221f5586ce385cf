/** A small file as text, and no more of it than it may have: a pipe and a device tell no size. */
import type { FileHandle } from 'node:fs/promises';

/**
 * @param most - octets
 * @throws Error where there is more
 */
export async function readBounded(handle: FileHandle, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of handle.createReadStream({ end: most, autoClose: false })) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  if (size > most) throw new Error('it is too large to be one');
  return Buffer.concat(chunks).toString();
}
