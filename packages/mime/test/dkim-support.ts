/** What the tests of DKIM share: keys made anew, a verifier that nobody here wrote, and canonicalization on whole strings. */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  verify,
} from 'node:crypto';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { type Dkim, type DkimOptions, dkim } from '../src/dkim/dkim.ts';
import { createSha256 } from '../src/dkim/sha-256.ts';
import type { Chunks, Piece, Source } from '../src/part.ts';

export const NOW: Date = new Date('2024-01-02T03:04:05Z');
export const NAMES = { domain: 'example.com', selector: 'mail' } as const;

export interface TestKey {
  readonly privateKey: KeyObject;
  /** PEM of PKCS#8. */
  readonly pem: string;
  /** The TXT record of the public key (RFC 6376 §3.6.1, RFC 8463 §4.2). */
  readonly record: string;
}

export function rsaKey(modulusLength = 2048): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return described(privateKey, `v=DKIM1; k=rsa; p=${spki.toString('base64')}`);
}

export function ed25519Key(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return described(privateKey, `v=DKIM1; k=ed25519; p=${spki.subarray(-32).toString('base64')}`);
}

function described(privateKey: KeyObject, record: string): TestKey {
  return {
    privateKey,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    record,
  };
}

/** One octet per character. */
export const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');
export const text = (parts: Uint8Array): string => Buffer.from(parts).toString('latin1');

/** Cuts into chunks of these sizes, in turn; 0 is an empty chunk. */
export function cut(whole: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < whole.length; turn += 1) {
    const size = turn > 1_000 ? whole.length : (sizes[turn % sizes.length] ?? 1);
    chunks.push(whole.slice(at, at + size));
    at += size;
  }
  return chunks;
}

/** §3.4.3 and §3.4.4 as they are written, on a whole body. */
export function naiveBody(body: string, algorithm: 'relaxed' | 'simple'): string {
  const lines = body.split('\r\n');
  const reduced =
    algorithm === 'simple'
      ? lines
      : lines.map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''));
  while (reduced.at(-1) === '') reduced.pop();
  if (algorithm === 'simple' && reduced.length === 0) return '\r\n';
  return reduced.map((line) => `${line}\r\n`).join('');
}

export const sourceOf = (chunks: Chunks): Source => ({
  size: undefined,
  open: () => chunks,
});

/** The field with the signature that `attach()` puts in front of a message with this head, and its octets. */
export function prepare(
  signer: Dkim,
  head: string,
): { readonly size: number | undefined; sign(body: Chunks): Promise<string> } {
  const attached = (body: Chunks): Source => {
    const pieces: Piece[] = [`${head}\r\n`, sourceOf(body)];
    signer.attach(pieces, { now: () => NOW }, { name: '', count: 0 });
    return pieces[0] as Source;
  };
  return {
    size: attached([]).size,
    async sign(body) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of attached(body).open()) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    },
  };
}

/** The SHA-256 of a message that comes in chunks, each hashed as a part of its own: whole blocks, but for the last. */
export function sha256(chunks: readonly Uint8Array[]): string {
  const buffer = new Uint8Array(Math.max(0, ...chunks.map(({ length }) => length)) + 72);
  const hash = createSha256(buffer);
  for (const chunk of chunks.slice(0, -1)) {
    buffer.set(chunk);
    hash(chunk.length);
  }
  const last = chunks.at(-1) ?? new Uint8Array();
  buffer.set(last);
  hash(last.length, true);
  return Buffer.from(buffer.subarray(0, 32)).toString('hex');
}

/** The signed message, octets. A head outside ASCII is UTF-8. */
export async function signed(signer: Dkim, head: string, body: Uint8Array): Promise<Buffer> {
  const field = await prepare(signer, head).sign([body]);
  return Buffer.concat([Buffer.from(`${field}${head}\r\n`), body]);
}

/** What mailauth says of each signature: `pass`, `fail`, `neutral` … */
export async function verdicts(
  message: Buffer,
  records: Record<string, string>,
): Promise<string[]> {
  const { results } = await dkimVerify(message, {
    resolver: async (name: string) => {
      const record = records[name];
      if (record === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
      return [[record]];
    },
  });
  return results.map(({ status }) => status.result);
}

export async function verdict(message: Buffer, key: TestKey): Promise<string> {
  const found = await verdicts(message, { 'mail._domainkey.example.com': key.record });
  return found.join();
}

export function signerOf(key: TestKey, options: Partial<DkimOptions> = {}): Dkim {
  return dkim({ ...NAMES, privateKey: key.pem, ...options });
}

/** §3.4.2 as it is written, on one octet per character. */
function naiveField(field: string, algorithm: string | undefined): string {
  if (algorithm === 'simple') return field;
  const colon = field.indexOf(':');
  const reduced = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  const name = field
    .slice(0, colon)
    .toLowerCase()
    .replace(/[ \t]+$/, '');
  return `${name}:${reduced}\r\n`;
}

/**
 * A second verifier, of a message with one signature in front (RFC 6376 §6.1). mailauth 4.13.3 takes the octet A0 for white
 * space in relaxed header fields, and CR or LF alone for line ends, and so cannot judge messages with those.
 */
export function verifies(message: Buffer, key: TestKey): boolean {
  const [head = '', ...rest] = text(message).split(/(?<=\r\n)\r\n/);
  const [signature = '', ...fields] = head.split(/(?<=\r\n)(?![ \t])/);
  const tags = new Map(
    signature
      .slice(signature.indexOf(':') + 1)
      .replace(/\s/g, '')
      .split(';')
      .map((tag) => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]),
  );
  const [ofHeader, ofBody] = (tags.get('c') ?? '').split('/');
  const body = naiveBody(rest.join('\r\n'), ofBody === 'relaxed' ? 'relaxed' : 'simple');
  const bodyHash = createHash('sha256').update(octets(body)).digest('base64');
  const left = fields.slice();
  const signedFields = (tags.get('h') ?? '').split(':').map((name) => {
    const at = left.findLastIndex((field) => new RegExp(`^${name}[ \\t]*:`, 'i').test(field));
    return at < 0 ? '' : naiveField(left.splice(at, 1).join(''), ofHeader);
  });
  const own = naiveField(signature.replace(/([;\s]b=)[\w+/=\s]*$/, '$1\r\n'), ofHeader);
  const data = octets(`${signedFields.join('')}${own}`.slice(0, -2));
  const publicKey = createPublicKey(key.privateKey);
  const value = Buffer.from(tags.get('b') ?? '', 'base64');
  const good =
    tags.get('a') === 'rsa-sha256'
      ? verify('sha256', data, publicKey, value)
      : verify(null, createHash('sha256').update(data).digest(), publicKey, value);
  return good && bodyHash === tags.get('bh');
}
