/**
 * The key that signs: PEM (RFC 7468) of PKCS#8 (RFC 5958) or PKCS#1 (RFC 8017 §A.1.2), or a CryptoKey. It knows how long a
 * signature will be before WebCrypto has seen the key, and puts nothing of a key into an error.
 */
import { refuse } from '../errors.ts';

/** What `dkim()` signs with. */
export interface SigningKey {
  /** a= without the hash (RFC 6376 §3.3, RFC 8463 §3). */
  readonly algorithm: 'rsa' | 'ed25519';
  /** Octets of a signature. */
  readonly size: number;
  /** Signs the SHA-256 of these octets. */
  sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** What is known of a key without WebCrypto: `algorithm` of a CryptoKey, or the same of PEM. */
interface Described {
  readonly name: string;
  /** Bits of the modulus of RSA. */
  readonly modulusLength?: number;
  readonly hash?: { readonly name: string };
  readonly pkcs8?: Uint8Array<ArrayBuffer>;
}

const RSA = 'RSASSA-PKCS1-v1_5';
const ED25519 = 'Ed25519';
const HASH = 'SHA-256';

/** DER has one way to write a value (X.690 §10.1), and so what these begin with stands at fixed places in PKCS#8. */
const VERSION_0 = '\x02\x01\x00';
/** AlgorithmIdentifier: rsaEncryption and NULL (RFC 8017 §A.1). OCTET STRING: the key, its length of two octets. */
const RSA_PREFIX = '0\r\x06\t*\x86H\x86\xf7\r\x01\x01\x01\x05\x00\x04\x82';
/** AlgorithmIdentifier: id-Ed25519 (RFC 8410 §3). OCTET STRING: the key. */
const ED25519_PREFIX = '0\x05\x06\x03+ep\x04';

/** Refuses one of the options, by its path in them. */
export function refuseOption(path: string, value: unknown, why: string, fields?: object): never {
  refuse('ERR_MIME_DKIM', `dkim.${path}`, value, why, fields);
}

/** A key that is refused is not shown. */
function refuseKey(why: string, fields?: object): never {
  refuseOption('privateKey', 'a key', why, fields);
}

function lengthOctets(length: number): string {
  return String.fromCharCode(length >> 8, length & 255);
}

/** What is not looked at here is for WebCrypto to check. */
function readPem(pem: string): Described | undefined {
  const [, pkcs1, text] =
    /^\s*-----BEGIN (RSA )?PRIVATE KEY-----([^-]+)-----END \1PRIVATE KEY-----\s*$/.exec(pem) ?? [];
  if (!text) return undefined;
  let der = atob(text);
  if (pkcs1) {
    der = `${VERSION_0}${RSA_PREFIX}${lengthOctets(der.length)}${der}`;
    der = `0\x82${lengthOctets(der.length)}${der}`;
  }
  const pkcs8 = Uint8Array.from(der, (character) => character.charCodeAt(0));
  if (der.startsWith(ED25519_PREFIX, 5)) return { name: ED25519, pkcs8 };
  if (!der.startsWith(VERSION_0 + RSA_PREFIX, 4) || !der.startsWith(`${VERSION_0}\x02`, 30))
    return undefined;
  // The modulus: a length of one octet behind 0x81 or of two behind 0x82, and a 0 before what would be negative without.
  const view = new DataView(pkcs8.buffer);
  const size = view.getUint8(34) - 128;
  const length = view.getUint16(35) >> (16 - 8 * size);
  const modulusLength = 8 * length - Math.clz32(view.getUint32(35 + size));
  return { name: RSA, hash: { name: HASH }, modulusLength, pkcs8 };
}

function read(given: string | CryptoKey): Described | undefined {
  try {
    return typeof given === 'string'
      ? readPem(given)
      : given.usages.includes('sign')
        ? given.algorithm
        : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @throws MimeError `ERR_MIME_DKIM` where it is no such key; `sign()` rejects with it where WebCrypto refuses the key
 */
export function signingKey(given: string | CryptoKey): SigningKey {
  const { name = '', hash, modulusLength = 0, pkcs8 } = read(given) ?? {};
  const rsa = name === RSA && hash?.name === HASH;
  if (!rsa && name !== ED25519)
    refuseKey('not PEM (PKCS#8, PKCS#1) or CryptoKey to sign with RSA and SHA-256 or Ed25519');
  // RFC 8301 §3.2: "Signers MUST use RSA keys of at least 1024 bits for all keys."
  if (rsa && modulusLength < 1024) refuseKey('RSA under 1024 bits');
  let key: Promise<CryptoKey> | undefined;
  return {
    algorithm: rsa ? 'rsa' : 'ed25519',
    size: rsa ? Math.ceil(modulusLength / 8) : 64,
    async sign(data) {
      try {
        const { subtle } = crypto;
        key ??= pkcs8
          ? subtle.importKey('pkcs8', pkcs8, { name, hash: HASH }, false, ['sign'])
          : Promise.resolve(given as CryptoKey);
        const imported = await key;
        // RFC 8463 §3: Ed25519 signs the hash. RSASSA-PKCS1-v1_5 hashes by itself.
        const signed = rsa ? data : await subtle.digest(HASH, data);
        return new Uint8Array(await subtle.sign(name, imported, signed));
      } catch (cause) {
        return refuseKey('WebCrypto refuses it', { cause });
      }
    },
  };
}
