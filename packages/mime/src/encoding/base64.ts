/**
 * base64 (RFC 2045 §6.8). The only file that looks for what some runtimes have and some have not:
 * `Uint8Array.prototype.toBase64`, then `Buffer`, else `btoa`, which all have.
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

/** UTF-8 with a character for each octet, which is what btoa() takes. Without Buffer it takes six times as long. */
export function binary(text: string): string {
  return (
    (globalThis as Runtime).Buffer?.from(text).toString('latin1') ??
    unescape(encodeURIComponent(text))
  );
}

/**
 * Octets in lines of 76, each with a CRLF behind it, but for the last line of all.
 *
 * The text fills the tail of the target, and each line is then moved to its place: the gap closes at the last line and
 * not before it, so no second buffer is needed. Eight octets at a time as a double, which no ASCII makes a NaN: 1,870 MB/s
 * against 1,350 MB/s with copyWithin() and 890 MB/s with a second buffer (Node 20).
 */
export function base64Lines(octets: NativeOctets, last?: boolean): Uint8Array {
  const { Buffer } = globalThis as Runtime;
  const text =
    octets.toBase64?.() ??
    Buffer?.from(octets.buffer, octets.byteOffset, octets.length).toString('base64') ??
    btoa(octets.reduce((text, octet) => text + String.fromCharCode(octet), ''));
  const gap = 2 * Math.ceil(text.length / 76);
  const end = gap + text.length;
  // The last line may be moved as if it were full.
  const target = new Uint8Array(end + 76);
  // Without a copy of the octets, and not by encodeInto(): 1,430 MB/s in place of 1,110 for a whole message (Node 20).
  if (Buffer) Buffer.from(target.buffer).write(text, gap, 'latin1');
  else utf8.encodeInto(text, target.subarray(gap));
  const view = new DataView(target.buffer);
  for (let at = 0, from = gap; from < end; at += 78, from += 76) {
    for (let step = 0; step < 72; step += 8)
      view.setFloat64(at + step, view.getFloat64(from + step));
    view.setInt32(at + 72, view.getInt32(from + 72));
    view.setInt16(at + 76, 0x0d_0a);
  }
  return target.subarray(0, last ? end - 2 : end);
}
