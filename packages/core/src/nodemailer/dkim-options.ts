/** DKIM by the options of nodemailer. */
import { createPrivateKey, KeyObject } from 'node:crypto';
import { type Dkim, dkim } from '@posthorn/mime';
import { unsupported } from './error.ts';
import type { DkimInput } from './message-data.ts';

/** What is signed by default, where some of it is to be skipped. */
const FIELDS =
  'From:Sender:Reply-To:Subject:Date:Message-ID:To:Cc:MIME-Version:Content-Type:Content-Transfer-Encoding:In-Reply-To:References:List-Id:List-Help:List-Unsubscribe:List-Unsubscribe-Post';

/** @throws NodemailerError `ECONFIG` for several keys and for SHA-1; Error of node:crypto where it is no private key */
export function dkimOf(options: DkimInput): Dkim {
  const [key, second] = [options.keys ?? {}].flat() as DkimInput[];
  if (second) throw unsupported('dkim.keys', 'a message is signed with one key');
  const all = { ...options, ...key };
  const { domainName = '', keySelector = '', privateKey, skipFields } = all;
  const { headerFieldNames = skipFields && FIELDS, hashAlgo = 'sha256' } = all;
  if (!/^(rsa-)?sha-?256$/i.test(hashAlgo)) throw unsupported('dkim.hashAlgo', 'there is sha256');
  const skipped = `${skipFields}`.toLowerCase().split(/[:\s]+/);
  // PEM of any kind becomes PKCS #8.
  const { key: pem = privateKey, passphrase }: { key?: unknown; passphrase?: string } =
    Object(privateKey);
  const secret =
    pem instanceof KeyObject
      ? pem
      : createPrivateKey({ key: pem as string, ...(passphrase && { passphrase }) });
  return dkim({
    domain: domainName,
    selector: keySelector,
    privateKey: `${secret.export({ type: 'pkcs8', format: 'pem' })}`,
    ...(headerFieldNames && {
      fields: headerFieldNames
        .split(/[:\s]+/)
        .filter((name) => name && !skipped.includes(name.toLowerCase())),
    }),
  });
}
