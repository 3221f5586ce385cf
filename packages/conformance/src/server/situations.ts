/** The certificates of a run, made once: an authority to trust, and a TLS server for each situation. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocketOptions } from 'node:tls';
import { type Certificate, createCertificateAuthority } from '../sandbox/certificates.ts';
import type { TlsSituation } from './steps.ts';

const CERTIFICATES = ['good', 'wrong-host', 'expired', 'self-signed', 'no-san'] as const;

/** The certificates that a scripted server may show, and what its clients are told to trust. */
export interface Situations {
  /** What clients are told to trust, in PEM. */
  readonly ca: string;
  /** The same as a file, for clients that want one. */
  readonly caFile: string;
  /** A folder for what clients are given as files. */
  readonly folder: string;
  /** What a server in such a situation gives to node:tls. */
  tls(situation: TlsSituation): TLSSocketOptions;
  /** Removes the folder. */
  close(): Promise<void>;
}

export async function createSituations(): Promise<Situations> {
  const authority = await createCertificateAuthority();
  const folder = await mkdtemp(join(tmpdir(), 'smtp-conformance-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.ca);
  const leaves = new Map<string, Certificate>();
  for (const kind of CERTIFICATES) leaves.set(kind, await authority.issue(kind));
  leaves.set('unknown-ca', await (await createCertificateAuthority()).issue());
  return {
    ca: authority.ca,
    caFile,
    folder,
    tls(situation) {
      const leaf = leaves.get(situation) ?? (leaves.get('good') as Certificate);
      if (situation === 'old-tls')
        // OpenSSL refuses versions that old at its usual level.
        return {
          ...leaf,
          ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
        };
      if (situation === 'asks-certificate')
        return { ...leaf, requestCert: true, rejectUnauthorized: false };
      return { ...leaf };
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
