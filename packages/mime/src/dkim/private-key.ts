/**
 * The key that signs: PEM (RFC 7468) of PKCS#8 (RFC 5958), or a CryptoKey. It knows how long a
 * signature will be before WebCrypto has seen the key, and puts nothing of a key into an error.
 */
import { refuse } from '../errors.ts';

/**
 * What `dkim()` signs with: a= without the hash (RFC 6376 §3.3, RFC 8463 §3), the octets of a signature, and what signs the
 * SHA-256 of octets.
 */
export type SigningKey = readonly [
  algorithm: 'rsa' | 'ed25519',
  size: number,
  sign: (data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>,
];

/** `algorithm` of a CryptoKey of RSA. The others have only a name. */
interface RsaAlgorithm {
  readonly name: string;
  readonly hash: { readonly name: string };
  /** Bits. */
  readonly modulusLength: number;
}

/** PKCS#8 in DER, one octet per character. Throws where it is no PEM. */
function readPem(pem: string): string {
  const [, text] = /-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----/.exec(
    pem,
  ) as unknown as string[];
  return atob(text as string);
}

/** Octets of a signature, where it is a key of RSA. Throws where it is none of Ed25519 either. */
function signatureSize(der: string): number | undefined {
  // DER has one way to write a value (X.690 §10.1), and so all places are known: of id-Ed25519 (RFC 8410 §3), or of the
  // modulus, its length in one octet behind 81 or two behind 82, and a 0 before what would be negative without. Up to 1023
  // bits are up to 128 octets. What is not looked at here is for WebCrypto to check.
  const [, high, low, zero] =
    // biome-ignore lint/suspicious/noControlCharactersInRegex: octets, not text
    /^.{9}(?:\+ep|.{24}\x02(\x81(?!\x80)|\x82.)(.)(\0?))/s.exec(der) as unknown as [
      string,
      string | undefined,
      string,
      string,
    ];
  return high === undefined ? high : ((high.charCodeAt(1) << 8) | low.charCodeAt(0)) - zero.length;
}

/**
 * @throws MimeError `ERR_MIME_DKIM` where it is no such key; what signs rejects with it where WebCrypto refuses the key
 */
export function signingKey(given: string | CryptoKey): SigningKey {
  const refuseKey = (): never => refuse('DKIM', 'dkim.privateKey');
  try {
    let key: CryptoKey | undefined;
    let der = '';
    let size: number | undefined;
    if (typeof given === 'string') {
      der = readPem(given);
      size = signatureSize(der);
    } else {
      key = given;
      const { name, hash, modulusLength } = key.algorithm as RsaAlgorithm;
      // RFC 8301 §3.2: "Signers MUST use RSA keys of at least 1024 bits for all keys."
      if (name === 'RSASSA-PKCS1-v1_5' && hash.name === 'SHA-256' && modulusLength >= 1024)
        size = Math.ceil(modulusLength / 8);
      else if (name !== 'Ed25519') refuseKey();
    }
    return [
      size ? 'rsa' : 'ed25519',
      size ?? 64,
      async (data) => {
        try {
          const { subtle } = crypto;
          const name = size ? 'RSASSA-PKCS1-v1_5' : 'Ed25519';
          key ??= await subtle.importKey(
            'pkcs8',
            Uint8Array.from(der, (octet) => octet.charCodeAt(0)),
            { name, hash: 'SHA-256' },
            false,
            ['sign'],
          );
          // RFC 8463 §3: Ed25519 signs the hash. RSASSA-PKCS1-v1_5 hashes by itself.
          const signed = size ? data : await subtle.digest('SHA-256', data);
          return new Uint8Array(await subtle.sign(name, key, signed));
        } catch {
          return refuseKey();
        }
      },
    ];
  } catch {
    return refuseKey();
  }
}
