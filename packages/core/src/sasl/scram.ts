/**
 * SCRAM (RFC 5802, RFC 7677): client and server each prove that they know the password, or what was derived from
 * it, and neither shows it. It knows the messages and what they are hashed to; WebCrypto does the hashing.
 */

import { utf8 } from '../wire/octets.ts';
import { gs2Header, saslName } from './gs2.ts';
import {
  fromBase64,
  type SaslContext,
  type SaslMechanism,
  type TlsChannel,
  toBase64,
} from './mechanism.ts';
import { saslPrep } from './saslprep.ts';

/** Who authenticates by SCRAM. */
export interface ScramCredentials {
  readonly user: string;
  readonly pass: string;
  /** To act as somebody else. */
  readonly authorizationId?: string;
}

/**
 * The SCRAM-SHA-1 mechanism (RFC 5802), and SCRAM-SHA-1-PLUS. For servers that have no stronger one.
 *
 * @param credentials - `user` and `pass`; `authorizationId` to act as somebody else
 * @throws TypeError where SASLprep (RFC 4013) refuses a part, or leaves nothing of it
 *
 * @example
 * ```ts
 * import { scramSha1 } from '@posthorn/core/sasl';
 *
 * console.log(scramSha1({ user: 'user', pass: 'pencil' }).name); // SCRAM-SHA-1
 * ```
 */
export function scramSha1(credentials: ScramCredentials): SaslMechanism {
  return scram('SHA-1', 7, credentials);
}

/**
 * The SCRAM-SHA-256 mechanism (RFC 7677), and SCRAM-SHA-256-PLUS.
 *
 * @param credentials - `user` and `pass`; `authorizationId` to act as somebody else
 * @throws TypeError where SASLprep (RFC 4013) refuses a part, or leaves nothing of it
 *
 * @example
 * ```ts
 * import { scramSha256 } from '@posthorn/core/sasl';
 *
 * console.log(scramSha256({ user: 'user', pass: 'pencil' }).exposesSecret); // false
 * ```
 */
export function scramSha256(credentials: ScramCredentials): SaslMechanism {
  return scram('SHA-256', 8, credentials);
}

/**
 * The SCRAM-SHA-512 mechanism (draft-melnikov-scram-sha-512), and SCRAM-SHA-512-PLUS.
 *
 * @param credentials - `user` and `pass`; `authorizationId` to act as somebody else
 * @throws TypeError where SASLprep (RFC 4013) refuses a part, or leaves nothing of it
 *
 * @example
 * ```ts
 * import { scramSha512 } from '@posthorn/core/sasl';
 *
 * console.log(scramSha512({ user: 'user', pass: 'pencil' }).strength); // 9
 * ```
 */
export function scramSha512(credentials: ScramCredentials): SaslMechanism {
  return scram('SHA-512', 9, credentials);
}

/**
 * SCRAM with a hash function.
 *
 * @param clientNonce - printable ASCII without a comma, another one for each exchange
 */
export function scram(
  hash: 'SHA-1' | 'SHA-256' | 'SHA-512',
  strength: number,
  credentials: ScramCredentials,
  clientNonce: () => string = () => toBase64(crypto.getRandomValues(new Uint8Array(24))),
): SaslMechanism {
  const user = saslName(saslPrep(credentials.user));
  const pass = saslPrep(credentials.pass);
  const authorizationId = credentials.authorizationId && saslPrep(credentials.authorizationId);
  const bind = ({ capabilities, channel }: SaslContext): SaslMechanism => {
    const bound = bindingOf(channel);
    if (!bound) return unbound;
    const plus = variant('p=tls-exporter', bound);
    // RFC 5802 §6: "y" where the client could bind the channel, and the server does not seem to.
    return capabilities.auth.has(plus.name) ? plus : variant('y');
  };
  const variant = (flag: string, bound?: Uint8Array): SaslMechanism => ({
    name: `SCRAM-${hash}${bound ? '-PLUS' : ''}`,
    strength,
    exposesSecret: false,
    bind,
    async *start() {
      const header = gs2Header(flag, authorizationId);
      const nonce = clientNonce();
      const clientFirst = `n=${user},r=${nonce}`;

      const serverFirst = read(yield utf8(header + clientFirst), [pass]);
      const [, wholeNonce, salt = '', count = ''] = SERVER_FIRST.exec(serverFirst) ?? [];
      if (!wholeNonce) throw new Error('malformed server message');
      if (!wholeNonce.startsWith(nonce) || wholeNonce === nonce) throw new Error('foreign nonce');
      const iterations = +count;
      if (iterations < 4_096 || iterations > 10_000_000)
        throw new Error(`the iteration count is ${count}`);

      // RFC 5802 §3
      const { subtle } = crypto;
      const hmacKey = (key: BufferSource): Promise<CryptoKey> =>
        subtle.importKey('raw', key, { name: 'HMAC', hash }, false, ['sign', 'verify']);
      const hmac = async (key: BufferSource, text: string): Promise<Uint8Array<ArrayBuffer>> =>
        new Uint8Array(await subtle.sign('HMAC', await hmacKey(key), utf8(text)));
      const saltedPassword = await subtle.deriveBits(
        { name: 'PBKDF2', hash, salt: fromBase64(salt) as BufferSource, iterations },
        await subtle.importKey('raw', utf8(pass), 'PBKDF2', false, ['deriveBits']),
        hash === 'SHA-1' ? 160 : +hash.slice(4),
      );
      const channel = new Uint8Array([...utf8(header), ...(bound ?? [])]);
      const clientFinal = `c=${toBase64(channel)},r=${wholeNonce}`;
      const authMessage = `${clientFirst},${serverFirst},${clientFinal}`;
      const clientKey = await hmac(saltedPassword, 'Client Key');
      const signature = await hmac(await subtle.digest(hash, clientKey), authMessage);
      const proof = toBase64(clientKey.map((octet, at) => octet ^ (signature[at] as number)));

      const serverFinal = read(yield utf8(`${clientFinal},p=${proof}`), [pass, proof]);
      const [, verifier = ''] = /^v=([^,]+)/.exec(serverFinal) ?? [];
      const serverKey = await hmacKey(await hmac(saltedPassword, 'Server Key'));
      // It takes as long for a wrong signature as for the right one.
      if (
        !(await subtle.verify(
          'HMAC',
          serverKey,
          fromBase64(verifier) as BufferSource,
          utf8(authMessage),
        ))
      )
        throw new Error('wrong server signature');
      yield utf8('');
    },
  });
  const unbound = variant('n');
  return unbound;
}

/** The `tls-exporter` binding (RFC 9266): 32 octets, or undefined where the runtime or the connection has none. */
function bindingOf(channel: TlsChannel | undefined): Uint8Array | undefined {
  // RFC 9266 §4: under TLS 1.2 it would take an extended master secret, which nobody can ask for here.
  if (channel?.getProtocol?.() !== 'TLSv1.3') return undefined;
  try {
    return channel.exportKeyingMaterial?.(32, 'EXPORTER-Channel-Binding', utf8(''));
  } catch {
    // The connection is lost: what is written next will say so.
  }
  return undefined;
}

/**
 * RFC 5802 §7: the nonce, the salt, which may not be empty, and the iteration count.
 *
 *   server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]
 */
const SERVER_FIRST: RegExp =
  /^r=([!-+\--~]+),s=(?=(?:[^,]{4})+,)([A-Za-z\d+/]+={0,2}),i=([1-9]\d{0,7})(?:,|$)/;

/**
 * A message of the server as text.
 *
 * @param secrets - an error that repeats one stays unsaid
 * @throws Error for an error of the server, for an extension that it demands, and for the end before its proof
 */
function read(challenge: Uint8Array | undefined, secrets: readonly string[]): string {
  if (!challenge) throw new Error('the server proved nothing');
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(challenge);
  const [, error] = /^e=([^,\p{C}]+)/u.exec(text) ?? [];
  if (error)
    throw new Error(
      `the server says ${secrets.some((secret) => error.includes(secret)) ? 'other-error' : error}`,
    );
  // RFC 5802 §5.1: the presence of "m" "MUST cause authentication failure".
  if (/(^|,)m=/.test(text)) throw new Error('the server demands an extension');
  return text;
}
