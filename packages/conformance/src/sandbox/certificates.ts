/** Certificates for loopback servers, made at start: a CA, and leaves that are good or bad in one way. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/**
 * What a leaf certificate is like: good, for another host, ended yesterday, not signed by the authority, or without a
 * subjectAltName, where only its common name is the host's (RFC 9525 §2 forbids to look at that).
 *
 * @example
 * ```ts
 * import { type CertificateKind, createCertificateAuthority } from '@posthorn/conformance';
 *
 * const kinds: CertificateKind[] = ['wrong-host', 'expired', 'self-signed'];
 * const authority = await createCertificateAuthority();
 * const leaves = await Promise.all(kinds.map((kind) => authority.issue(kind)));
 * console.log(leaves.length); // 3
 * ```
 */
export type CertificateKind = 'good' | 'wrong-host' | 'expired' | 'self-signed' | 'no-san';

/**
 * A certificate with its key, as node:tls takes them.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:tls';
 * import { type Certificate, createCertificateAuthority } from '@posthorn/conformance';
 *
 * const leaf: Certificate = await (await createCertificateAuthority()).issue();
 * const server = createServer({ ...leaf });
 * console.log(server.listening); // false
 * ```
 */
export interface Certificate {
  /** The certificate, in PEM. */
  readonly cert: string;
  /** Its private key, PKCS #8 in PEM. */
  readonly key: string;
}

/**
 * A certificate authority of one's own. Its private key is never handed out.
 *
 * @example
 * ```ts
 * import { type CertificateAuthority, createCertificateAuthority } from '@posthorn/conformance';
 *
 * const authority: CertificateAuthority = await createCertificateAuthority();
 * const trusting = { ca: authority.ca }; // the option of tls.connect()
 * console.log(Object.keys(trusting)); // [ 'ca' ]
 * ```
 */
export interface CertificateAuthority {
  /** Its certificate, in PEM: what a client has to trust. */
  readonly ca: string;
  /**
   * Makes a leaf for DNS:localhost, IP:127.0.0.1 and IP:::1.
   *
   * @param kind - 'wrong-host' is for another host; 'expired' ended yesterday; 'self-signed' is not signed by
   * this authority; 'no-san' names its host in its common name alone. Default 'good': valid from yesterday for a year
   * @throws TypeError for a kind that there is not
   */
  issue(kind?: CertificateKind): Promise<Certificate>;
}

const ALGORITHM: EcKeyGenParams & EcdsaParams = {
  name: 'ECDSA',
  namedCurve: 'P-256',
  hash: 'SHA-256',
};
const KINDS: readonly CertificateKind[] = [
  'good',
  'wrong-host',
  'expired',
  'self-signed',
  'no-san',
];
const ISSUER = 'CN=Posthorn sandbox CA';
const DAY = 86_400_000;
/** How long before its end a kept authority is renewed, in days. */
const RENEWED = 30;

/**
 * Makes a certificate authority (ECDSA P-256), valid from yesterday for a year.
 *
 * @example
 * ```ts
 * import { createCertificateAuthority } from '@posthorn/conformance';
 *
 * const authority = await createCertificateAuthority();
 * const { cert, key } = await authority.issue();
 * console.log(cert.startsWith('-----BEGIN CERTIFICATE-----'), key.includes('PRIVATE KEY')); // true true
 * ```
 */
export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const { certificate, keys } = await makeAuthority();
  return authorityOf(certificate, keys);
}

/** A certificate authority that can be had again: `kept` is its certificate and its private key, in PEM. */
export interface LastingAuthority {
  readonly authority: CertificateAuthority;
  readonly kept: string;
}

/**
 * The authority of what was kept; a new one where nothing was. What ends within 30 days is renewed with its own key, so
 * that a client that trusts the old certificate trusts the new leaves for as long as that is valid.
 *
 * @internal
 * @throws Error where what was kept is no authority
 */
export async function lastingAuthority(kept?: string): Promise<LastingAuthority> {
  const before = kept === undefined ? undefined : await keptAuthority(kept);
  const lasts =
    before !== undefined && before.certificate.notAfter.getTime() > Date.now() + RENEWED * DAY;
  const { certificate, keys } = lasts ? before : await makeAuthority(before?.keys);
  const authority = authorityOf(certificate, keys);
  return { authority, kept: `${authority.ca}\n${await privatePem(keys.privateKey)}\n` };
}

interface AuthorityParts {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

async function keptAuthority(pem: string): Promise<AuthorityParts> {
  const blocks = x509.PemConverter.decodeWithHeaders(pem);
  const octetsOf = (type: string): ArrayBuffer => {
    const found = blocks.find((block) => block.type === type);
    if (!found) throw new Error(`there is no ${type} in it`);
    return found.rawData;
  };
  const certificate = new x509.X509Certificate(octetsOf('CERTIFICATE'));
  const pkcs8 = octetsOf('PRIVATE KEY');
  const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']);
  const publicKey = await certificate.publicKey.export(ALGORITHM, ['verify']);
  const keys = { privateKey, publicKey };
  if (!(await belongTogether(keys))) throw new Error('its key is not that of its certificate');
  return { certificate, keys };
}

async function belongTogether({ privateKey, publicKey }: CryptoKeyPair): Promise<boolean> {
  const said = new Uint8Array(1);
  const signature = await crypto.subtle.sign(ALGORITHM, privateKey, said);
  return crypto.subtle.verify(ALGORITHM, publicKey, signature, said);
}

async function makeAuthority(own?: CryptoKeyPair): Promise<AuthorityParts> {
  const keys = own ?? (await generateKeys());
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: ISSUER,
    ...validity(365),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

function authorityOf(root: x509.X509Certificate, keys: CryptoKeyPair): CertificateAuthority {
  return {
    ca: root.toString('pem'),
    async issue(kind = 'good') {
      if (!KINDS.includes(kind))
        throw new TypeError(
          `There is no certificate ${JSON.stringify(kind)}: there are ${KINDS.join(', ')}`,
        );
      const own = await generateKeys();
      const host = kind === 'wrong-host' ? 'elsewhere.example' : 'localhost';
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: `CN=${host}`,
        issuer: kind === 'self-signed' ? `CN=${host}` : ISSUER,
        ...validity(kind === 'expired' ? -1 : 365),
        publicKey: own.publicKey,
        signingKey: kind === 'self-signed' ? own.privateKey : keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          // RFC 5280 §4.2.1.1: all but self-signed ones MUST have it. Python 3.13 trusts none without.
          ...(kind === 'self-signed'
            ? []
            : [await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)]),
          ...(kind === 'no-san'
            ? []
            : [
                new x509.SubjectAlternativeNameExtension(
                  kind === 'wrong-host'
                    ? [{ type: 'dns', value: host }]
                    : [
                        { type: 'dns', value: host },
                        { type: 'ip', value: '127.0.0.1' },
                        { type: 'ip', value: '::1' },
                      ],
                ),
              ]),
        ],
      });
      return { cert: certificate.toString('pem'), key: await privatePem(own.privateKey) };
    },
  };
}

async function privatePem(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair;
}

/** From a year and a day ago, or yesterday, to so many days from now. */
function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    notBefore: new Date(now - (days < 0 ? 366 : 1) * DAY),
    notAfter: new Date(now + Math.max(days, 0) * DAY - (days < 0 ? DAY : 0)),
  };
}

/** Positive, as RFC 5280 §4.1.2.2 has it: the first digit is no higher than 7. */
function serial(): string {
  const octets = crypto.getRandomValues(new Uint8Array(16));
  octets[0] = ((octets[0] ?? 0) & 0x7f) | 0x40;
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
