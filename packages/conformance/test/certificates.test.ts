import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Certificate,
  type CertificateAuthority,
  type CertificateKind,
  createCertificateAuthority,
} from '../src/index.ts';
import { within } from './support.ts';

const DAY = 86_400_000;

let authority: CertificateAuthority;
let leaves: Record<CertificateKind, Certificate>;
beforeAll(async () => {
  authority = await createCertificateAuthority();
  leaves = {
    good: await authority.issue(),
    'wrong-host': await authority.issue('wrong-host'),
    expired: await authority.issue('expired'),
    'self-signed': await authority.issue('self-signed'),
    'no-san': await authority.issue('no-san'),
  };
});

/** What node:tls says of a server with this certificate: 'trusted', or the error's code. */
async function judged(leaf: Certificate, host: string, ca?: string): Promise<unknown> {
  const server = createServer({ ...leaf });
  server.on('tlsClientError', () => {});
  let client: TLSSocket | undefined;
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const socket = connect({
      host: '127.0.0.1',
      port,
      ...(host === 'localhost' && { servername: host }),
      ...(ca !== undefined && { ca }),
    });
    client = socket;
    return await within(
      new Promise((resolve) => {
        socket.once('secureConnect', () => resolve(socket.authorized ? 'trusted' : 'not trusted'));
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      }),
      'The TLS handshake',
    );
  } finally {
    client?.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('a client that trusts the authority', () => {
  test.each(['localhost', '127.0.0.1'])('trusts a good certificate at %s', async (host) => {
    expect(await judged(leaves.good, host, authority.ca)).toBe('trusted');
  });

  test.each([
    ['wrong-host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ] as const)('refuses a %s certificate with %s', async (kind, code) => {
    expect(await judged(leaves[kind], 'localhost', authority.ca)).toBe(code);
  });
});

describe('a client that does not', () => {
  test('refuses a good certificate', async () => {
    expect(await judged(leaves.good, 'localhost')).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('refuses one of another authority', async () => {
    const other = await createCertificateAuthority();
    // Both authorities have one name: it is the key identifier that does not fit (RFC 5280 §4.2.1.1).
    expect(await judged(leaves.good, 'localhost', other.ca)).toBe(
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    );
  });
});

test('there are no other kinds', async () => {
  await expect(authority.issue('toString' as CertificateKind)).rejects.toThrow(
    new TypeError(
      'There is no certificate "toString": there are good, wrong-host, expired, self-signed, no-san',
    ),
  );
});

describe('what is in them', () => {
  test('a good certificate is for localhost, 127.0.0.1 and ::1, and no authority', () => {
    const leaf = new X509Certificate(leaves.good.cert);
    expect(leaf.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect(leaf.checkIP('::1')).toBe('::1');
    expect(leaf.ca).toBe(false);
    expect(leaf.subject).toBe('CN=localhost');
    expect(leaf.verify(new X509Certificate(authority.ca).publicKey)).toBe(true);
  });

  test('the authority may sign', () => {
    const ca = new X509Certificate(authority.ca);
    expect(ca.ca).toBe(true);
    expect(ca.subject).toBe('CN=Posthorn sandbox CA');
    expect(ca.verify(ca.publicKey)).toBe(true);
  });

  test('a wrong-host certificate is for elsewhere.example alone', () => {
    expect(new X509Certificate(leaves['wrong-host'].cert).subjectAltName).toBe(
      'DNS:elsewhere.example',
    );
  });

  test('a certificate without subjectAltName names its host in the subject, and is signed', () => {
    const leaf = new X509Certificate(leaves['no-san'].cert);
    expect(leaf.subjectAltName).toBeUndefined();
    expect(leaf.subject).toBe('CN=localhost');
    expect(leaf.verify(new X509Certificate(authority.ca).publicKey)).toBe(true);
  });

  test('a self-signed certificate is not signed by the authority', () => {
    const leaf = new X509Certificate(leaves['self-signed'].cert);
    expect(leaf.verify(leaf.publicKey)).toBe(true);
    expect(leaf.verify(new X509Certificate(authority.ca).publicKey)).toBe(false);
  });

  test('an expired certificate ended a day ago, the others hold for a year', () => {
    const end = (kind: CertificateKind): number =>
      (Date.parse(new X509Certificate(leaves[kind].cert).validTo) - Date.now()) / DAY;
    expect(end('expired')).toBeCloseTo(-1, 2);
    for (const kind of ['good', 'wrong-host', 'self-signed', 'no-san'] as const)
      expect(end(kind)).toBeCloseTo(365, 2);
  });

  test('keys and certificates are PEM, in lines of 64, and belong together', () => {
    const pem = (label: string): RegExp =>
      new RegExp(
        `^-----BEGIN ${label}-----\\n([A-Za-z0-9+/]{64}\\n)*[A-Za-z0-9+/]{1,64}={0,2}\\n-----END ${label}-----\\n?$`,
      );
    expect(authority.ca).toMatch(pem('CERTIFICATE'));
    for (const { cert, key } of Object.values(leaves)) {
      expect(cert).toMatch(pem('CERTIFICATE'));
      expect(key).toMatch(pem('PRIVATE KEY'));
    }
  });

  test('no two certificates share a serial number', () => {
    const serials = Object.values(leaves).map(({ cert }) => new X509Certificate(cert).serialNumber);
    expect(new Set(serials).size).toBe(5);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][\dA-F]{31}$/);
  });
});
