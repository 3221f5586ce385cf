/** The server's side of SCRAM (RFC 5802 §3, §7) by node:crypto, with StoredKey and ServerKey alone. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

export type Hash = 'SHA-1' | 'SHA-256' | 'SHA-512';

/** One account, and how the server speaks to its owner. */
export interface Account {
  readonly hash: Hash;
  readonly user: string;
  readonly pass: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** The server's part of the nonce. */
  readonly nonce: string;
  /** The channel as the server sees it; undefined: it offers no -PLUS. */
  readonly binding?: Uint8Array;
}

const LENGTHS: Readonly<Record<Hash, number>> = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-512': 64 };

export class ScramServer {
  /** Who the client wants to act as. */
  authorizationId = '';
  header = '';
  readonly #account: Account;
  readonly #name: string;
  readonly #storedKey: Buffer;
  readonly #serverKey: Buffer;
  #clientFirst = '';
  #serverFirst = '';

  constructor(account: Account) {
    const { hash, pass, salt, iterations } = account;
    this.#account = account;
    this.#name = hash.replace('-', '').toLowerCase();
    const salted = pbkdf2Sync(pass, salt, iterations, LENGTHS[hash], this.#name);
    this.#serverKey = this.#hmac(salted, 'Server Key');
    this.#storedKey = createHash(this.#name).update(this.#hmac(salted, 'Client Key')).digest();
  }

  #hmac(key: Uint8Array, text: string): Buffer {
    return createHmac(this.#name, key).update(text).digest();
  }

  /** client-first-message to server-first-message. */
  first(message: string): string {
    const found =
      /^((?:p=tls-exporter|y|n),(?:a=((?:[^,=]|=2C|=3D)+))?,)(n=(.+),r=([!-+\--~]+))$/s.exec(
        message,
      );
    if (!found) return 'e=other-error';
    const [, header = '', identity = '', bare = '', user = '', nonce = ''] = found;
    const plain = (name: string): string => name.replace(/=2C/g, ',').replace(/=3D/g, '=');
    if (/[,]|=(?!2C|3D)/.test(user)) return 'e=invalid-username-encoding';
    if (plain(user) !== this.#account.user) return 'e=unknown-user';
    this.header = header;
    this.authorizationId = plain(identity);
    this.#clientFirst = bare;
    const { salt, iterations, nonce: own } = this.#account;
    this.#serverFirst = `r=${nonce}${own},s=${Buffer.from(salt).toString('base64')},i=${iterations}`;
    return this.#serverFirst;
  }

  /** client-final-message to server-final-message. */
  final(message: string): string {
    const [, without = '', channel = '', nonce, proof = ''] =
      /^(c=([^,]*),r=([^,]*)),p=([^,]*)$/.exec(message) ?? [];
    const { binding } = this.#account;
    if (`r=${nonce}` !== this.#serverFirst.split(',')[0]) return 'e=other-error';
    const bound = this.header.startsWith('p=');
    if (this.header.startsWith('y') && binding) return 'e=server-does-support-channel-binding';
    if (bound && !binding) return 'e=channel-binding-not-supported';
    const expected = Buffer.concat([
      Buffer.from(this.header),
      bound && binding ? binding : new Uint8Array(),
    ]);
    if (channel !== expected.toString('base64')) return 'e=channel-bindings-dont-match';
    const authMessage = `${this.#clientFirst},${this.#serverFirst},${without}`;
    const signature = this.#hmac(this.#storedKey, authMessage);
    const clientKey = Buffer.from(proof, 'base64').map((octet, at) => octet ^ (signature[at] ?? 0));
    const storedKey = createHash(this.#name).update(clientKey).digest();
    if (!storedKey.equals(this.#storedKey)) return 'e=invalid-proof';
    return `v=${this.#hmac(this.#serverKey, authMessage).toString('base64')}`;
  }
}
