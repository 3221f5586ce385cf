/**
 * base64 (RFC 2045 §6.8). The only file that looks for what some runtimes have and some have not:
 * `Uint8Array.prototype.toBase64`, then `Buffer`, else `btoa`, which all have. The first two do 5 GB/s, btoa 0.1 GB/s.
 */
import { utf8 } from './utf-8.ts';

interface NativeOctets extends Uint8Array {
  toBase64?: () => string;
}

interface NativeBuffer {
  toString(encoding: string): string;
  write(text: string, at: number, encoding: string): number;
}

interface Runtime {
  readonly Buffer?: {
    from(text: string): NativeBuffer;
    from(memory: ArrayBufferLike, at?: number, length?: number): NativeBuffer;
  };
}

/** The UTF-8 of a text, without line breaks. Buffer takes the text as it is, which saves a third of the time. */
export function base64(text: string): string {
  return (
    (globalThis as Runtime).Buffer?.from(text).toString('base64') ?? octetsBase64(utf8.encode(text))
  );
}

function octetsBase64(octets: NativeOctets): string {
  return octets.toBase64?.() ?? portableBase64(octets);
}

/** On any runtime; in pieces, as the octets of each become arguments of one call. */
export function portableBase64(octets: Uint8Array): string {
  let text = '';
  for (let at = 0; at < octets.length; at += 8_190) {
    const piece = octets.subarray(at, at + 8_190) as unknown as number[];
    text += btoa(String.fromCharCode.apply(null, piece));
  }
  return text;
}

/**
 * Octets in lines of 76, each with a CRLF before it.
 *
 * The text fills the tail of the target, and each line is then moved to its place: the gap closes at the last line and
 * not before it, so no second buffer is needed. Eight octets at a time as a double, which no ASCII makes a NaN: 1,870 MB/s
 * against 1,350 MB/s with copyWithin() and 890 MB/s with a second buffer (Node 20).
 */
export function base64Lines(octets: NativeOctets): Uint8Array {
  const { Buffer } = octets.toBase64 ? {} : (globalThis as Runtime);
  const { buffer, byteOffset, length } = octets;
  const text = Buffer?.from(buffer, byteOffset, length).toString('base64') ?? octetsBase64(octets);
  const gap = 2 * Math.ceil(text.length / 76);
  const end = gap + text.length;
  // The last line may be moved as if it were full.
  const target = new Uint8Array(end + 76);
  // Without a copy of the octets, and not by encodeInto(): 1,430 MB/s in place of 1,110 for a whole message (Node 20).
  if (Buffer) Buffer.from(target.buffer).write(text, gap, 'latin1');
  else utf8.encodeInto(text, target.subarray(gap));
  const view = new DataView(target.buffer);
  for (let at = 0, from = gap; from < end; at += 78, from += 76) {
    view.setInt16(at, 0x0d_0a);
    for (let step = 0; step < 72; step += 8)
      view.setFloat64(at + 2 + step, view.getFloat64(from + step));
    view.setInt32(at + 74, view.getInt32(from + 72));
  }
  return target.subarray(0, end);
}
