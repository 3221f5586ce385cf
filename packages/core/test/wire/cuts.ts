/** Octets cut into chunks: the three cuts that every case is played in, and random ones. */
import fc from 'fast-check';
import { makeReply, type Reply } from '../../src/wire/reply.ts';

/** Turns octets into chunks; joined, the chunks are the octets. */
export type Cut = (octets: Uint8Array) => Uint8Array[];

const LF = 10;

/** Text as octets: UTF-8. */
export const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Text as octets, one for each character: Latin-1. */
export const latin1 = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Octets as text, one character for each: so that octets can be compared and printed. */
export function binary(octets: Uint8Array): string {
  let text = '';
  for (let at = 0; at < octets.length; at += 8_192) {
    text += String.fromCharCode(...octets.subarray(at, at + 8_192));
  }
  return text;
}

/** A reply of its code and the text of its lines. */
export const replyOf = (code: number, lines: readonly string[]): Reply =>
  makeReply(
    lines.map((line, at) => `${code}${at + 1 < lines.length ? '-' : ' '}${line}`).join('\n'),
  );

export const whole: Cut = (octets) => [octets];

export const perOctet: Cut = (octets) => Array.from(octets, (octet) => Uint8Array.of(octet));

export const perLine: Cut = (octets) => {
  const chunks: Uint8Array[] = [];
  let start = 0;
  octets.forEach((octet, at) => {
    if (octet !== LF) return;
    chunks.push(octets.slice(start, at + 1));
    start = at + 1;
  });
  if (start < octets.length) chunks.push(octets.slice(start));
  return chunks;
};

/** Cuts at the given places, each taken modulo the length; two equal places make an empty chunk. */
export function cutAt(places: readonly number[]): Cut {
  return (octets) => {
    const ends = places.map((place) => place % (octets.length + 1)).sort((a, b) => a - b);
    return [...ends, octets.length].map((end, index) => octets.slice(ends[index - 1] ?? 0, end));
  };
}

/** Random cuts, empty chunks among them. */
export const randomCut: fc.Arbitrary<Cut> = fc
  .array(fc.nat({ max: 100_000 }), { maxLength: 12 })
  .map(cutAt);

/** The three cuts by name, for `test.each`. */
export const CUTS: readonly (readonly [name: string, cut: Cut])[] = [
  ['whole', whole],
  ['per line', perLine],
  ['per octet', perOctet],
];

/** The chunks as one array. */
export function join(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
