/**
 * Canonicalization (RFC 6376 §3.4) in pieces and in chunks, cut anywhere: the hash is that of the body canonicalized as a
 * whole, what is canonical stays as it is, and relaxed header fields bear what the RFC says that they bear.
 */
import { createHash } from 'node:crypto';
import { bodyHash, canonicalField } from '../../packages/mime/src/dkim/canonical.ts';
import type { Piece } from '../../packages/mime/src/part.ts';
import { cut, naiveBody, octets, sourceOf } from '../../packages/mime/test/dkim-support.ts';
import { claim, same } from '../claim.ts';
import { explore } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 500;

export const tokens: readonly string[] = [
  '\r\n',
  '\r',
  '\n',
  ' ',
  '\t',
  ' \r\n',
  '\t \r\n',
  '\r\n\r\n',
  '\r\r\n',
  '\n\r',
  '\xa0',
  '\x0b',
  '\x00',
  ': ',
  ' :',
  '\r\n ',
  'Subject: a',
  'x'.repeat(16_383),
];

export async function fuzz(data: Uint8Array): Promise<void> {
  const reader = new OctetReader(data);
  const sizes = reader.list(6, () => reader.octet());
  const places = reader.list(3, () => reader.below(65_536));
  const way = reader.pick(['relaxed', 'simple']);
  const field = reader.wire(tokens, 400);
  const body = reader.wire(tokens, 20_000);
  checkField(field);

  const simple = way === 'simple';
  const canonical = naiveBody(body, way);
  const expected = hashOf(canonical);
  const chunks = cut(octets(body), sizes);
  same(await hashIn([sourceOf(chunks)], simple), expected, `${way}: in chunks`);
  same(await hashIn(piecesOf(body, places), simple), expected, `${way}: in pieces`);
  same(naiveBody(canonical, way), canonical, `${way}: canonical stays as it is`);
  explore(0, Math.min(9, body.split('\r\n').length) * 2 + (body.endsWith('\r\n') ? 1 : 0));
}

const hashOf = (text: string): string => createHash('sha256').update(octets(text)).digest('base64');

async function hashIn(pieces: readonly Piece[], simple: boolean): Promise<string> {
  return Buffer.from(await bodyHash(pieces, simple)).toString('base64');
}

/** Text as it is where it is ASCII, else octets that come later. */
function piecesOf(body: string, places: readonly number[]): Piece[] {
  const ends = places.map((place) => place % (body.length + 1)).sort((a, b) => a - b);
  return [...ends, body.length].map((end, at) => {
    const text = body.slice(ends[at - 1] ?? 0, end);
    return /^[\0-\x7f]*$/.test(text) ? text : sourceOf([octets(text)]);
  });
}

/** A field as they come: a name, a colon, a value that may be folded, CR LF. */
function checkField(text: string): void {
  // Every line end in a field is that of a fold.
  const value = text.replace(/[\r\n]+/g, '\r\n ');
  const field = `X-Field : ${value}`.replace(/[\t \r\n]*$/, '\r\n');
  same(canonicalField(field, true), field, 'simple changes nothing');
  const relaxed = canonicalField(field, false);
  same(canonicalField(relaxed, false), relaxed, 'relaxed twice is relaxed once');
  claim(relaxed.startsWith('x-field:') && relaxed.endsWith('\r\n'), 'a relaxed field', relaxed);
  const inner = relaxed.slice('x-field:'.length, -2);
  claim(!/[\t\r\n]| {2}|^ | $/.test(inner), 'single spaces, none at the ends', relaxed);
  const words = (of: string): string[] => of.split(/[\t\r\n ]+/).filter((word) => word !== '');
  same(words(inner), words(value), 'the words of a relaxed field');
}
