/** The server's side of authentication, right or with one fault. RFC 4954, 4616, 5802, 7677, 7628, 2195. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Peer } from './peer.ts';

/** What a client has to know. */
export interface Credentials {
  readonly user: string;
  readonly pass: string;
  readonly token: string;
}

/** How this exchange differs from a right one. */
export interface SaslPlan {
  /** Who is known, in place of the suite's own user. */
  readonly knows?: { readonly user: string; readonly pass: string };
  /** What is said in the end to one who knows the secret; default '235 2.7.0 welcome'. Lines are parted by LF. */
  readonly welcome?: string;
  /** What is said in the end to anybody. */
  readonly answer?: string;
  /** The line of an empty challenge; default '334 '. */
  readonly empty?: string;
  /** The two prompts of LOGIN, in base64; one without text is an empty challenge. */
  readonly prompts?: readonly [string, string];
  /** The challenge of XOAUTH2 or OAUTHBEARER to a token, in place of welcome: text that is sent in base64. */
  readonly challenge?: string;
  /** SCRAM: the iteration count; default 4096. */
  readonly iterations?: number;
  /** SCRAM: a nonce that does not begin with the client's. */
  readonly foreignNonce?: boolean;
  /** SCRAM: stands in front of server-first: 'm=x,'. */
  readonly extension?: string;
  /** CRAM-MD5 and SCRAM: the challenge is filled up to so many octets, in SCRAM by an extension at its end. */
  readonly length?: number;
  /** SCRAM: server-final in place of v=: 'e=other-error'. An empty one is not sent. */
  readonly final?: string;
}

/** The client has given up by '*' (RFC 4954 §4). */
class Cancelled extends Error {}

const base64 = (text: string, encoding: BufferEncoding = 'utf8'): string =>
  Buffer.from(text, encoding).toString('base64');
const decoded = (text: string): string => Buffer.from(text, 'base64').toString('utf8');
const equal = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

/** Plays the exchange that an AUTH line has begun, to its final reply, which is given back. */
export async function authenticate(
  peer: Peer,
  line: string,
  credentials: Credentials,
  plan: SaslPlan,
): Promise<string> {
  const [, mechanism = '', initial] = line.split(' ');
  const { user: name, pass: word } = plan.knows ?? credentials;
  const empty = plan.empty ?? '334 ';
  const ask = async (challenge: string): Promise<string> => {
    await peer.write(`${challenge}\r\n`);
    const response = await peer.line();
    if (response === '*') throw new Cancelled();
    return response;
  };
  const first = async (): Promise<string> => {
    if (initial === undefined) return decoded(await ask(empty));
    return initial === '=' ? '' : decoded(initial);
  };
  let known = false;
  try {
    switch (mechanism.toUpperCase()) {
      case 'PLAIN': {
        const [, user, pass, more] = (await first()).split('\0');
        known = user === name && pass === word && more === undefined;
        break;
      }
      case 'LOGIN': {
        const prompts = plan.prompts ?? [base64('Username:'), base64('Password:')];
        const [one, other] = prompts.map((prompt) => (prompt ? `334 ${prompt}` : empty));
        const user = decoded(initial ?? (await ask(one as string)));
        const pass = decoded(await ask(other as string));
        known = user === name && pass === word;
        break;
      }
      case 'CRAM-MD5': {
        const challenge = `<${filled(randomBytes(6).toString('hex'), plan, 19)}@mail.example.com>`;
        const answer = decoded(await ask(`334 ${base64(challenge)}`));
        const digest = createHmac('md5', word).update(challenge).digest('hex');
        known = answer === `${name} ${digest}`;
        break;
      }
      case 'EXTERNAL':
        await first();
        known = true;
        break;
      case 'XOAUTH2':
      case 'OAUTHBEARER': {
        const response = await first();
        known =
          mechanism.toUpperCase() === 'XOAUTH2'
            ? response === `user=${name}\x01auth=Bearer ${credentials.token}\x01\x01`
            : isBearer(response, name, credentials.token);
        if (plan.challenge !== undefined) {
          known = false;
          await ask(`334 ${base64(plan.challenge)}`);
        }
        break;
      }
      default: {
        const [, hash = '', plus] =
          /^SCRAM-(SHA-(?:1|224|256|384|512))(-PLUS)?$/.exec(mechanism.toUpperCase()) ?? [];
        if (!hash) return '504 5.5.4 there is no such mechanism';
        const user = { user: name, pass: word };
        known = await scram(peer, await first(), ask, user, plan, hash, plus !== undefined);
      }
    }
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    return '501 5.7.0 cancelled';
  }
  if (plan.answer !== undefined) return plan.answer;
  return known ? (plan.welcome ?? '235 2.7.0 welcome') : '535 5.7.8 authentication failed';
}

/** RFC 7628 §3.1: a GS2 header, and pairs of which one is the token. Whoever acts for somebody names himself. */
function isBearer(response: string, user: string, token: string): boolean {
  const [header = '', ...pairs] = response.split('\x01');
  const [known, authzid] = /^[ny],(?:a=([^,]*))?,$/.exec(header) ?? [];
  return (
    known !== undefined &&
    (authzid === undefined || plainName(authzid) === user) &&
    pairs.slice(-2).join('') === '' &&
    pairs.slice(0, -2).every((pair) => /^[A-Za-z]+=/.test(pair)) &&
    pairs.includes(`auth=Bearer ${token}`)
  );
}

/** What a saslname stands for (RFC 5802 §5.1). */
const plainName = (name: string): string => name.replaceAll('=2C', ',').replaceAll('=3D', '=');

/** RFC 5802 §3, the server's side. */
async function scram(
  peer: Peer,
  clientFirst: string,
  ask: (challenge: string) => Promise<string>,
  credentials: { readonly user: string; readonly pass: string },
  plan: SaslPlan,
  hash: string,
  plus: boolean,
): Promise<boolean> {
  const digest = hash === 'SHA-1' ? 'sha1' : hash.toLowerCase().replace('sha-', 'sha');
  const [, header = '', bare = ''] = /^([nyp][^,]*,[^,]*,)(.*)$/s.exec(clientFirst) ?? [];
  const [, name = ''] = /(?:^|,)n=([^,]*)/.exec(bare) ?? [];
  const [, own = ''] = /(?:^|,)r=([^,]*)/.exec(bare) ?? [];
  const nonce = plan.foreignNonce
    ? randomBytes(18).toString('base64')
    : `${own}${randomBytes(12).toString('base64')}`;
  const salt = randomBytes(16);
  const iterations = plan.iterations ?? 4096;
  const whole = `${plan.extension ?? ''}r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
  const serverFirst = plan.length === undefined ? whole : filled(`${whole},x=`, plan);
  const clientFinal = decoded(await ask(`334 ${base64(serverFirst)}`));
  const [, withoutProof = '', proof = ''] = /^(.*),p=([^,]*)$/s.exec(clientFinal) ?? [];
  const [, binding = '', used] = /^c=([^,]*),r=([^,]*)/.exec(withoutProof) ?? [];
  const size = createHash(digest).digest().length;
  const salted = pbkdf2Sync(credentials.pass, salt, iterations, size, digest);
  const mac = (key: Buffer, text: string): Buffer => createHmac(digest, key).update(text).digest();
  const message = `${bare},${serverFirst},${withoutProof}`;
  const clientKey = mac(salted, 'Client Key');
  const signature = mac(createHash(digest).update(clientKey).digest(), message);
  const expected = Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] as number)));
  const [, type] = /^p=([^,]*)/.exec(header) ?? [];
  const bound = type === undefined ? Buffer.alloc(0) : channelOf(peer, type);
  const known =
    plainName(name) === credentials.user &&
    used === nonce &&
    plus === (type !== undefined) &&
    bound !== undefined &&
    equal(Buffer.from(proof, 'base64'), expected) &&
    equal(Buffer.from(binding, 'base64'), Buffer.concat([Buffer.from(header), bound]));
  if (plan.final !== undefined) {
    if (plan.final) await ask(`334 ${base64(plan.final)}`);
    return false;
  }
  if (known)
    await ask(`334 ${base64(`v=${mac(mac(salted, 'Server Key'), message).toString('base64')}`)}`);
  return known;
}

/** Text that is filled up to the length of the plan, less what stands around it. */
const filled = (text: string, { length = 0 }: SaslPlan, around = 0): string =>
  text.padEnd(length - around, 'p');

/** What a channel is bound by: RFC 9266 §2, RFC 5929 §3 and §4; undefined where there is no such thing. */
function channelOf({ tls }: Peer, type: string): Buffer | undefined {
  if (type === 'tls-exporter')
    return tls?.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  if (type === 'tls-unique' && tls?.getProtocol() !== 'TLSv1.3') return tls?.getPeerFinished();
  const certificate = tls?.getCertificate();
  if (type === 'tls-server-end-point' && certificate && 'raw' in certificate)
    return createHash('sha256').update(certificate.raw).digest();
  return undefined;
}
