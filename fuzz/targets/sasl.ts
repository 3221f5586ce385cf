/**
 * SASL against a server that challenges at will (RFC 4954 §4, RFC 5802): a client is satisfied by SCRAM only where the server
 * has proved that it knows the password, as a second implementation by node:crypto finds; what fails is an SmtpError; and no
 * secret is told, though the server repeats what it was told.
 */
import { createHmac, pbkdf2Sync } from 'node:crypto';
import { authenticate } from '../../packages/core/src/authenticate/index.ts';
import {
  cramMd5,
  external,
  login,
  oauthBearer,
  plain,
  type SaslMechanism,
  xoauth2,
} from '../../packages/core/src/sasl/index.ts';
import { scram } from '../../packages/core/src/sasl/scram.ts';
import { createSession, isSmtpError, open } from '../../packages/core/src/session/index.ts';
import { binary, latin1 } from '../../packages/core/test/wire/cuts.ts';
import { claim, same } from '../claim.ts';
import { explore } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 400;

const NONCE = 'fyko+d2lbbFgONRv9qkxdawL';
const SECRET = 'pencil-and-paper';
const SALT = 'QSXCR+Q6sek8bf92';

export const tokens: readonly string[] = [
  `r=${NONCE}`,
  'r=',
  ',s=',
  ',i=',
  'i=4096',
  '4095',
  '10000000',
  '99999999',
  SALT,
  'v=',
  'e=',
  'e=other-error',
  ',m=',
  'm=ext,',
  '=',
  '==',
  ',',
  '3rfcNHYJY1ZVvWVs7j',
  '\x00',
  '\x01',
  '\xff',
  '\xef\xbb\xbf',
  '<123.456@mail.example>',
  '{"status":"400"}',
  SECRET,
];

/** Iterations at the bounds, and in other words. */
const COUNTS = [
  '4096',
  '4096',
  '4095',
  '10000000',
  '10000001',
  '04096',
  '5e3',
  '99999999',
  '',
] as const;

const HASHES = ['SHA-1', 'SHA-256', 'SHA-512'] as const;
type Hash = (typeof HASHES)[number];

/** What the client has said and was told, without base64. */
interface Exchange {
  readonly responses: string[];
  readonly challenges: string[];
}

export async function fuzz(data: Uint8Array): Promise<void> {
  const reader = new OctetReader(data);
  const hash = reader.pick([...HASHES]);
  const user = { user: 'user', pass: SECRET };
  const mechanism = reader.pick<() => SaslMechanism>([
    () => scram(hash, 8, user, () => NONCE),
    () => scram(hash, 8, { ...user, authorizationId: 'a=b,c' }, () => NONCE),
    () => cramMd5(user),
    () => login(user),
    () => plain(user),
    () => xoauth2({ user: 'user', token: SECRET }),
    () => oauthBearer({ user: 'user', token: SECRET, host: 'a.example', port: 587 }),
    () => external({ authorizationId: SECRET }),
  ])();
  const told: string[] = [];
  const session = createSession((_direction, text) => told.push(text));
  let outcome: { error: unknown } | undefined;
  session.start(
    'open',
    open(session, {
      connect: () => ({ secure: false }),
      authenticate: (line) => authenticate(line, { auth: [mechanism], allowInsecureAuth: true }),
      tls: 'off',
      name: 'client.example',
      pipelining: 'off',
      window: { transactions: 1, octets: 1 },
    }),
    (error) => {
      outcome = { error };
    },
  );
  const exchange: Exchange = { responses: [], challenges: [] };
  const offers = `250-x\r\n250 AUTH ${mechanism.name}\r\n`;
  const restore = shortDerivation();
  let last = '';
  let code = 220;
  try {
    for (let turn = 0; !outcome; turn += 1) {
      claim(turn < 100, 'an exchange comes to an end');
      last = await written(session, exchange, last);
      if (outcome) break;
      const reply =
        turn === 0 ? '220 x\r\n' : turn === 1 ? offers : answer(reader, hash, exchange, last);
      code = Number(/^\d{3}/.exec(reply)?.[0] ?? 0);
      exchange.challenges.push(...challengeIn(reply));
      session.receive(latin1(reply));
    }
  } finally {
    restore();
  }
  judge(outcome, mechanism, hash, exchange, code);
  const texts = [...told, String(outcome?.error), String((outcome?.error as Error)?.cause)];
  const secrets = [SECRET, ...exchange.responses.map((one) => btoa(one))];
  for (const secret of secrets.filter((one) => one.length > 7))
    for (const text of texts) claim(!text.includes(secret), 'a secret is told', text);
}

/** Lets the client do all that it wants; returns the last line that it wrote. */
async function written(
  session: ReturnType<typeof createSession>,
  exchange: Exchange,
  before: string,
): Promise<string> {
  let last = before;
  for (let action = session.poll(); action; action = session.poll()) {
    if (action.type === 'write') {
      last = binary(action.octets).slice(0, -2);
      const [, initial] = /^AUTH \S+ (\S+)$/.exec(last) ?? [];
      const response = initial ?? (/^(EHLO|AUTH|QUIT)/.test(last) ? undefined : last);
      if (response !== undefined && response !== '*')
        exchange.responses.push(response === '=' ? '' : atob(response));
    } else if (action.type === 'await') {
      let value: unknown;
      try {
        value = await action.ask();
      } catch (error) {
        session.refuse(action, error);
        continue;
      }
      session.answer(action, value);
    }
  }
  return last;
}

/** The challenge in a reply, if it has one that can be read. */
function challengeIn(reply: string): string[] {
  const [, text] = /^334[ -]([^\r]*)\r\n/.exec(reply) ?? [];
  try {
    return text === undefined ? [] : [atob(text)];
  } catch {
    return [];
  }
}

/** What the server says next: often what it should, and as often something near it. */
function answer(reader: OctetReader, hash: Hash, exchange: Exchange, last: string): string {
  const challenge = (text: string): string => `334 ${btoa(text)}\r\n`;
  const way = reader.left === 0 ? 7 : reader.below(12);
  if (way < 4) {
    const honest =
      exchange.challenges.length === 0
        ? `r=${NONCE}${reader.wire(['3rfcNHYJY1ZVvWVs7j'], 30)},s=${SALT},i=${reader.pick(COUNTS)}${reader.wire(tokens, 40)}`
        : `v=${signature(hash, exchange)}${reader.wire(tokens, 40)}`;
    // One octet of it may be another.
    const at = reader.octet();
    const by = String.fromCharCode(reader.octet());
    return challenge(way === 3 ? honest.slice(0, at) + by + honest.slice(at + 1) : honest);
  }
  if (way < 6) return challenge(reader.wire(tokens, 300));
  if (way === 6) return `334 ${reader.wire(tokens, 300).replace(/[\r\n]/g, '')}\r\n`;
  if (way === 7) return '235 2.7.0 ok\r\n';
  if (way === 8) return `535 5.7.8 ${last}\r\n`;
  if (way === 9) return `334-a\r\n334 ${last}\r\n`;
  if (way === 10) return `${reader.pick([504, 421, 250, 354, 454, 334])} ${last}\r\n`;
  return `${reader.wire(tokens, 100)}\r\n`;
}

function judge(
  outcome: { error: unknown } | undefined,
  { name }: SaslMechanism,
  hash: Hash,
  exchange: Exchange,
  code: number,
): void {
  if (outcome?.error !== undefined) {
    const { error } = outcome;
    claim(isSmtpError(error), 'every failure is an SmtpError', String(error));
    // Which of the reasons it is, whatever the server has said.
    const [, , reason = ''] = error.message.split(': ');
    explore(0, (reason.charCodeAt(0) * 8 + reason.charCodeAt(4)) % 64);
    return;
  }
  same(code, 235, 'the server is satisfied');
  explore(1, exchange.challenges.length);
  if (!name.startsWith('SCRAM')) return;
  const [first = '', final = ''] = exchange.challenges;
  const [nonce = '', salt = '', iterations = ''] = first.split(',');
  claim(nonce.startsWith(`r=${NONCE}`) && nonce.length > NONCE.length + 2, 'the nonce', first);
  claim(/^s=[A-Za-z0-9+/]+=*$/.test(salt), 'the salt', first);
  claim(/^i=\d+$/.test(iterations) && Number(iterations.slice(2)) >= 4_096, 'the count', first);
  claim(!/(^|,)m=/m.test(`${first}\n${final}`), 'no extension is demanded', [first, final]);
  const [verifier = ''] = final.split(',');
  same(
    Buffer.from(verifier.slice(2), 'base64').toString('base64'),
    signature(hash, exchange),
    'the server has proved that it knows the password',
  );
}

/** RFC 5802 §3: what proves that the server knows the password, in base64. */
function signature(hash: Hash, { responses, challenges }: Exchange): string {
  const name = hash.replace('-', '').toLowerCase();
  const length = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-512': 64 }[hash];
  const hmac = (key: Uint8Array, text: string): Buffer =>
    createHmac(name, key).update(text, 'latin1').digest();
  const [clientFirst = '', clientFinal = ''] = responses;
  const [serverFirst = ''] = challenges;
  const salt = Buffer.from(/,s=([^,]*)/.exec(serverFirst)?.[1] ?? '', 'base64');
  const salted = pbkdf2Sync(SECRET, salt, 1, length, name);
  const serverKey = hmac(salted, 'Server Key');
  const bare = /^[^,]*,[^,]*,(.*)$/s.exec(clientFirst)?.[1] ?? '';
  const without = clientFinal.replace(/,p=[^,]*$/, '');
  return hmac(serverKey, `${bare},${serverFirst},${without}`).toString('base64');
}

/** Makes keys by one iteration, whatever the server asks for within bounds: else most of the time goes by here. */
function shortDerivation(): () => void {
  const { subtle } = crypto;
  let asked = 4_096;
  const deriveBits: SubtleCrypto['deriveBits'] = (algorithm, key, length) => {
    asked = (algorithm as Pbkdf2Params).iterations;
    const short = { ...(algorithm as Pbkdf2Params), iterations: 1 };
    return SubtleCrypto.prototype.deriveBits.call(subtle, short, key, length);
  };
  Object.defineProperty(subtle, 'deriveBits', { value: deriveBits, configurable: true });
  return () => {
    Reflect.deleteProperty(subtle, 'deriveBits');
    // The work that a server can ask for is bounded.
    claim(asked >= 4_096 && asked <= 10_000_000, 'iterations in bounds', asked);
  };
}
