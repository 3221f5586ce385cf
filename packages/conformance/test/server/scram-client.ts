/** SCRAM's client, written from RFC 5802 §3 and RFC 7677, and by nobody who wrote the server. */
import { createHash, createHmac, randomBytes } from 'node:crypto';

export type ScramHash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

const xor = (a: Buffer, b: Buffer): Buffer =>
  Buffer.from(a.map((octet, at) => octet ^ Number(b[at])));

/** Hi(str, salt, i), of which PBKDF2 of node:crypto would be the same: here it is as RFC 5802 §2.2 has it. */
function hi(hash: ScramHash, text: string, salt: Buffer, iterations: number): Buffer {
  const step = (octets: Buffer): Buffer => createHmac(hash, text).update(octets).digest();
  let last = step(Buffer.concat([salt, Buffer.from([0, 0, 0, 1])]));
  let sum = last;
  for (let time = 1; time < iterations; time += 1) {
    last = step(last);
    sum = xor(sum, last);
  }
  return sum;
}

export interface ScramOptions {
  readonly hash: ScramHash;
  readonly user: string;
  readonly pass: string;
  /** Default 'n,,'. */
  readonly header?: string;
  /** What binds the channel; default: nothing. */
  readonly binding?: Buffer;
  readonly nonce?: string;
  /** What is done to client-final before its proof is made. */
  readonly bend?: (withoutProof: string) => string;
}

export class ScramClient {
  readonly first: string;
  /** server-first, once it was seen. */
  serverFirst = '';
  readonly nonce: string;
  readonly #bare: string;
  readonly #options: ScramOptions;
  #expected = '';

  constructor(options: ScramOptions) {
    this.#options = options;
    this.nonce = options.nonce ?? randomBytes(9).toString('base64');
    const name = options.user.replace(/[=,]/g, (one) => (one === '=' ? '=3D' : '=2C'));
    this.#bare = `n=${name},r=${this.nonce}`;
    this.first = `${options.header ?? 'n,,'}${this.#bare}`;
  }

  /** client-final, to server-first. */
  final(serverFirst: string): string {
    const { hash, pass, header = 'n,,', binding = Buffer.alloc(0), bend } = this.#options;
    this.serverFirst = serverFirst;
    const fields = new Map(
      serverFirst.split(',').map((field) => [field.slice(0, 1), field.slice(2)] as const),
    );
    const salt = Buffer.from(fields.get('s') ?? '', 'base64');
    const bound = Buffer.concat([Buffer.from(header), binding]).toString('base64');
    const usual = `c=${bound},r=${fields.get('r')}`;
    const withoutProof = bend ? bend(usual) : usual;
    const message = [this.#bare, serverFirst, withoutProof].join(',');
    const salted = hi(hash, pass, salt, Number(fields.get('i')));
    const clientKey = createHmac(hash, salted).update('Client Key').digest();
    const storedKey = createHash(hash).update(clientKey).digest();
    const proof = xor(clientKey, createHmac(hash, storedKey).update(message).digest());
    const serverKey = createHmac(hash, salted).update('Server Key').digest();
    this.#expected = createHmac(hash, serverKey).update(message).digest('base64');
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** Whether server-final has the signature of one who knows the password. */
  verifies(serverFinal: string): boolean {
    return serverFinal === `v=${this.#expected}`;
  }
}
