/** The certificate authority of a data folder: the same at each start, so that what clients trust stays true. */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateAuthority, lastingAuthority } from './certificates.ts';
import { JournalError } from './platform/disk-journal.ts';

/** Its certificate and its private key; only its owner may read it. */
const FILE = 'authority.pem';

/**
 * The authority that a folder keeps: made at the first start, renewed before it ends.
 *
 * @param data - only one process may use it at a time
 * @throws JournalError where the file cannot be read or written, or holds no authority
 */
export async function authorityIn(data: string): Promise<CertificateAuthority> {
  const file = join(data, FILE);
  try {
    const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    const { authority, kept } = await lastingAuthority(before);
    if (kept !== before) await replace(file, kept);
    return authority;
  } catch (error) {
    throw new JournalError(
      `Cannot use ${file}: ${(error as Error).message}; without this file, a new authority is made`,
    );
  }
}

/** Whatever ends the process, there is the file of before or the new one. */
async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.new`;
  try {
    await rm(draft, { force: true });
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
