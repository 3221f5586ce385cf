/**
 * Content into mail data (RFC 5321 §2.3.8, §4.5.2, §4.5.3.1.6) for every cutting: what a server makes of it by taking the
 * dots away is the content with CR LF for each line end, and nothing in it ends the mail data.
 */
import { createTransparency } from '../../packages/core/src/wire/transparency.ts';
import { binary, cutAt, perOctet } from '../../packages/core/test/wire/cuts.ts';
import { claim, same } from '../claim.ts';
import { explore, near } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 800;

export const tokens: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '.',
  '\r\n.\r\n',
  '\n.\n',
  '\r.\r',
  '..',
  '\x00',
  '\x80',
  '\xff',
  '\x0b\x0c\x0d',
  'x'.repeat(997),
  'x'.repeat(998),
  'xxxx',
];

const WAYS = ['DATA', 'BDAT', 'BINARYMIME'] as const;

export function fuzz(data: Uint8Array): void {
  const reader = new OctetReader(data);
  const places = reader.list(8, () => reader.below(4_096));
  const octets = reader.octets(tokens, 8_000);
  const content = binary(octets);
  const lines = content.split(/\r\n|\r|\n/);
  const ended = lines.at(-1) === '';
  const canonical = lines.join('\r\n') + (ended ? '' : '\r\n');
  const refused = content.includes('\0') || lines.some((line) => line.length > 998);

  for (const by of WAYS) {
    const whole = made(by, [octets]);
    const cut = made(by, cutAt(places)(octets));
    same(cut, whole, `${by}, cut`);
    if (octets.length < 1_500) same(made(by, perOctet(octets)), whole, `${by}, octet by octet`);
    if (by === 'BINARYMIME') {
      same(whole, { out: content, octets: content.length, eightBit: false }, by);
      continue;
    }
    same(whole === undefined, refused, `${by} refuses NUL and lines over 998, and nothing else`);
    if (!whole) continue;
    same(whole.octets, canonical.length, `${by}: octets`);
    same(whole.eightBit, /[^\0-\x7f]/.test(content), `${by}: eightBit`);
    same(by === 'DATA' ? received(whole.out) : whole.out, canonical, `${by}: what is received`);
  }
  near(1, Math.max(...lines.map((line) => line.length)), 998);
  explore(0, Math.min(15, lines.length) * 8 + (refused ? 4 : 0) + (ended ? 2 : 0));
}

/** undefined: it was refused. */
function made(
  by: (typeof WAYS)[number],
  chunks: readonly Uint8Array[],
): { out: string; octets: number; eightBit: boolean } | undefined {
  let out = '';
  const data = createTransparency(by, (piece) => {
    out += binary(piece);
  });
  try {
    for (const chunk of chunks) data.push(chunk);
  } catch (error) {
    same((error as Error).message, 'NUL or a line over 998 octets', 'the refusal');
    return undefined;
  }
  data.end();
  return { out, octets: data.octets, eightBit: data.eightBit !== 0 };
}

/** What a server has received when the final dot came (RFC 5321 §4.5.2), character by character. */
function received(data: string): string {
  const wire = `${data}.\r\n`;
  let text = '';
  let begins = true;
  for (let at = 0; at < wire.length; at += 1) {
    if (begins && wire[at] === '.') {
      if (wire.startsWith('\r\n', at + 1)) {
        claim(at === data.length, 'nothing but the final dot ends the mail data', at);
        return text;
      }
      at += 1;
    }
    claim(wire[at] !== '\n' || wire[at - 1] === '\r', 'no bare LF', at);
    claim(wire[at - 1] !== '\r' || wire[at] === '\n', 'no bare CR', at);
    text += wire[at];
    begins = text.endsWith('\r\n');
  }
  throw new Error('the final dot is not found');
}
