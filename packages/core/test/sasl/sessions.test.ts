/** The mechanisms that have to wait, for a key or for a token, in whole sessions over a socket. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createCertificateAuthority } from '../../../conformance/src/sandbox/certificates.ts';
import { type ConnectOptions, connect, type TranscriptEvent } from '../../src/index.ts';
import {
  oauthBearer,
  plain,
  scramSha1,
  scramSha256,
  scramSha512,
  xoauth2,
} from '../../src/sasl/index.ts';
import {
  everythingIn,
  failureOf,
  greet,
  greetSecurely,
  type KeyPair,
  MESSAGE,
  options,
  PASS,
  type Peer,
  PLAIN,
  takeMessages,
  USER,
  useServers,
  verdict,
  within,
} from '../e2e/scripted-server.ts';
import { type Hash, ScramServer } from './scram-server.ts';

const start = useServers();
const OFF = { tls: 'off' } as const;
const OWNER = { user: USER, pass: PASS };
const HELD = { user: USER, token: 'ya29.held-token' };
/** The error of XOAUTH2's documentation. */
const ERROR = btoa('{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}');

let ca = '';
let pair: KeyPair;
beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  pair = await authority.issue();
});

const decode = (text: string): string => Buffer.from(text, 'base64').toString();
const encode = (text: string): string => Buffer.from(text).toString('base64');

/** What was said in an exchange, so that nothing of it is found anywhere else. */
interface Said {
  readonly clientFirst: string;
  readonly clientFinal: string;
}

/** SCRAM up to the client's last message; the server's last is returned, and not sent. */
async function scramOf(peer: Peer, hash: Hash, pass = PASS): Promise<Said & { verifier: string }> {
  const server = new ScramServer({
    hash,
    user: USER,
    pass,
    salt: randomBytes(16),
    iterations: 4096,
    nonce: 'of-the-server',
  });
  const [, , clientFirst = ''] = (await peer.hear(new RegExp(`^AUTH SCRAM-${hash} \\S+$`))).split(
    ' ',
  );
  peer.say(`334 ${encode(server.first(decode(clientFirst)))}`);
  const clientFinal = await peer.hear(/^\S+$/);
  return { clientFirst, clientFinal, verifier: server.final(decode(clientFinal)) };
}

/** The password, what it was turned into, and what was said of it. */
const secretsIn = (said: Said): string[] => [
  PASS,
  encode(PASS),
  PLAIN,
  said.clientFirst,
  said.clientFinal,
  decode(said.clientFinal),
  decode(said.clientFinal).split(',p=')[1] ?? 'no proof',
];

/** A session that does not begin: its error, and what was heard of it. */
async function refused(
  keywords: string,
  script: (peer: Peer) => Promise<void>,
  more: Partial<ConnectOptions>,
): Promise<{
  error: Awaited<ReturnType<typeof failureOf>>;
  heard: string;
  lines: readonly string[];
}> {
  const events: TranscriptEvent[] = [];
  const server = await start(async (peer) => {
    await greet(peer, keywords);
    await script(peer);
  });
  const error = await failureOf(
    connect(options(server, { ...OFF, onTranscript: (event) => events.push(event), ...more })),
  );
  return { error, heard: JSON.stringify(events), lines: server.peer().lines };
}

describe('SCRAM in a session', () => {
  test.each([
    ['SHA-1', 'SCRAM-SHA-1'],
    ['SHA-256', 'SCRAM-SHA-1 SCRAM-SHA-256'],
    ['SHA-512', 'SCRAM-SHA-1 SCRAM-SHA-512 SCRAM-SHA-256'],
  ] as const)(
    'connect() authenticates by SCRAM-%s, and shows nothing of it, when AUTH PLAIN %s is offered',
    async (hash, names) => {
      const events: TranscriptEvent[] = [];
      const taken: string[] = [];
      let said: Said | undefined;
      const server = await start(async (peer) => {
        await greet(peer, `AUTH PLAIN ${names}`);
        const { verifier, ...rest } = await scramOf(peer, hash);
        said = rest;
        peer.say(`334 ${encode(verifier)}`);
        await peer.hear('');
        peer.say('235 2.7.0 welcome');
        await takeMessages(peer, taken);
      });
      const auth = [plain(OWNER), scramSha1(OWNER), scramSha256(OWNER), scramSha512(OWNER)];
      const client = await within(
        4_000,
        connect(options(server, { ...OFF, auth, onTranscript: (event) => events.push(event) })),
      );
      await client.send(MESSAGE);
      await client.close();
      expect(taken).toEqual([MESSAGE.content]);
      const heard = JSON.stringify(events);
      expect(heard).toContain(`AUTH SCRAM-${hash} ***`);
      for (const secret of secretsIn(said as Said)) expect(heard).not.toContain(secret);
    },
  );

  test('connect() derives one key, by WebCrypto, when it authenticates by SCRAM', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'AUTH SCRAM-SHA-256');
      const { verifier } = await scramOf(peer, 'SHA-256');
      peer.say(`334 ${encode(verifier)}`);
      await peer.hear('');
      peer.say('235 welcome');
      await takeMessages(peer);
    });
    const derive = vi.spyOn(crypto.subtle, 'deriveBits');
    const client = await connect(options(server, { ...OFF, auth: scramSha256(OWNER) }));
    expect(derive).toHaveBeenCalledTimes(1);
    derive.mockRestore();
    await client.close();
  });

  test('connect() fails, and sends nothing, when the server is satisfied and has proved nothing', async () => {
    let said: Said | undefined;
    const { error, heard, lines } = await refused(
      'AUTH SCRAM-SHA-256 PLAIN',
      async (peer) => {
        said = await scramOf(peer, 'SHA-256');
        peer.say('235 2.7.0 come in');
      },
      { auth: [scramSha256(OWNER), plain(OWNER)] },
    );
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(error.message).toBe('Cannot authenticate: SCRAM-SHA-256: the server proved nothing');
    expect(lines.filter((line) => /^(?:MAIL|AUTH PLAIN)/.test(line))).toEqual([]);
    for (const secret of secretsIn(said as Said))
      expect(everythingIn(error) + heard).not.toContain(secret);
  });

  test.each([
    [
      'signs by another password',
      'wrong server signature',
      (_: Said): string => `v=${btoa('x'.repeat(32))}`,
    ],
    ['says an error', 'the server says other-error', (_: Said): string => 'e=other-error'],
    ['says the password', 'the server says other-error', (_: Said): string => `e=not ${PASS}`],
    [
      'says the proof',
      'the server says other-error',
      (said: Said): string => `e=${decode(said.clientFinal).split(',p=')[1]}`,
    ],
    [
      'says the message of the client',
      'wrong server signature',
      (said: Said): string => decode(said.clientFinal),
    ],
  ])(
    'connect() cancels the exchange, and shows nothing of it, when the server %s',
    async (_name, message, last) => {
      let said: Said | undefined;
      const { error, heard, lines } = await refused(
        'AUTH SCRAM-SHA-256',
        async (peer) => {
          said = await scramOf(peer, 'SHA-256');
          peer.say(`334 ${encode(last(said))}`);
          await peer.hear('*');
          peer.say('501 5.7.0 cancelled');
        },
        { auth: scramSha256(OWNER) },
      );
      expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
      expect(error.message).toBe(`Cannot authenticate: SCRAM-SHA-256: ${message}`);
      expect(lines).toContain('*');
      for (const secret of secretsIn(said as Said))
        expect(everythingIn(error) + heard).not.toContain(secret);
    },
  );

  test('connect() fails with the reply, and tries no other mechanism, when the password is wrong', async () => {
    let said: Said | undefined;
    const { error, heard, lines } = await refused(
      'AUTH SCRAM-SHA-256 SCRAM-SHA-1 PLAIN',
      async (peer) => {
        const { verifier, ...rest } = await scramOf(peer, 'SHA-256', 'another password');
        expect(verifier).toBe('e=invalid-proof');
        said = rest;
        peer.say(`535 5.7.8 no: ${rest.clientFinal}`);
      },
      { auth: [scramSha1(OWNER), scramSha256(OWNER), plain(OWNER)] },
    );
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(error.reply).toMatchObject({ code: 535, lines: ['5.7.8 no: ***'] });
    expect(lines.filter((line) => line.startsWith('AUTH'))).toHaveLength(1);
    for (const secret of secretsIn(said as Said))
      expect(everythingIn(error) + heard).not.toContain(secret);
  });

  test('connect() cancels the exchange when the nonce is not ours', async () => {
    const { error, lines } = await refused(
      'AUTH SCRAM-SHA-256',
      async (peer) => {
        await peer.hear(/^AUTH SCRAM-SHA-256 /);
        peer.say(`334 ${encode('r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096')}`);
        await peer.hear('*');
        peer.say('501 cancelled');
      },
      { auth: scramSha256(OWNER) },
    );
    expect(error.message).toContain('foreign nonce');
    expect(lines).toContain('*');
  });
});

describe('tokens in a session', () => {
  /** XOAUTH2 refused as its documentation says, on a line `AUTH XOAUTH2 …`. Returns the token. */
  const refuse = async (peer: Peer): Promise<string> => {
    const [, , first = ''] = (await peer.hear(/^AUTH XOAUTH2 \S+$/)).split(' ');
    peer.say(`334 ${ERROR}`);
    await peer.hear('');
    peer.say('535 5.7.8 Username and Password not accepted');
    return /Bearer ([!-~]+)/.exec(decode(first))?.[1] ?? '';
  };
  const secure = (): Partial<ConnectOptions> => ({ tlsOptions: { ca } });

  test('connect() begins once more with a fresh token when the server has refused the first', async () => {
    const token = vi.fn(async ({ refresh }: { refresh: boolean }) =>
      refresh ? 'fresh-token' : HELD.token,
    );
    const events: TranscriptEvent[] = [];
    const seen: string[] = [];
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'AUTH XOAUTH2');
      seen.push(await refuse(peer));
      const [, , again = ''] = (await peer.hear(/^AUTH XOAUTH2 \S+$/)).split(' ');
      seen.push(decode(again));
      peer.say('235 2.7.0 Accepted');
      await takeMessages(peer);
    });
    const auth = xoauth2({ user: USER, token });
    const client = await within(
      4_000,
      connect(options(server, { ...secure(), auth, onTranscript: (event) => events.push(event) })),
    );
    await client.close();
    expect(seen).toEqual([HELD.token, `user=${USER}\x01auth=Bearer fresh-token\x01\x01`]);
    expect(token.mock.calls).toEqual([[{ refresh: false }], [{ refresh: true }]]);
    const heard = JSON.stringify(events);
    expect(heard).toContain('AUTH XOAUTH2 ***');
    for (const secret of [HELD.token, 'fresh-token', encode(HELD.token), encode('fresh-token')])
      expect(heard).not.toContain(secret);
  });

  test('connect() gives up when the fresh token is refused too', async () => {
    const token = vi.fn(async () => HELD.token);
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'AUTH XOAUTH2 PLAIN');
      await refuse(peer);
      await refuse(peer);
    });
    const auth = [xoauth2({ user: USER, token }), plain(OWNER)];
    const error = await failureOf(connect(options(server, { ...secure(), auth })));
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(error.reply?.code).toBe(535);
    expect(token).toHaveBeenCalledTimes(2);
    expect(server.peer().lines.filter((line) => line.startsWith('AUTH'))).toHaveLength(2);
    expect(everythingIn(error)).not.toContain(HELD.token);
  });

  test('connect() does the same by OAUTHBEARER when the function promises nothing', async () => {
    const token = vi.fn(({ refresh }: { refresh: boolean }) => (refresh ? 'fresh' : 'held'));
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'AUTH OAUTHBEARER');
      await peer.hear(`AUTH OAUTHBEARER ${encode(`n,a=${USER},\x01auth=Bearer held\x01\x01`)}`);
      peer.say(`334 ${ERROR}`);
      await peer.hear('AQ==');
      peer.say('535 no');
      await peer.hear(`AUTH OAUTHBEARER ${encode(`n,a=${USER},\x01auth=Bearer fresh\x01\x01`)}`);
      peer.say('235 ok');
      await takeMessages(peer);
    });
    const auth = oauthBearer({ user: USER, token });
    const client = await within(4_000, connect(options(server, { ...secure(), auth })));
    await client.close();
    expect(token).toHaveBeenCalledTimes(2);
  });

  test('connect() asks once when the first token is accepted', async () => {
    const token = vi.fn(async () => HELD.token);
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'AUTH XOAUTH2');
      await takeMessages(peer);
    });
    const auth = xoauth2({ user: USER, token });
    const client = await within(4_000, connect(options(server, { ...secure(), auth })));
    await client.close();
    expect(token.mock.calls).toEqual([[{ refresh: false }]]);
  });

  test('connect() fails with the cause, and says no AUTH, when there is no token', async () => {
    const cause = new Error('the token endpoint is down');
    const server = await start((peer) => greetSecurely(peer, pair, 'AUTH XOAUTH2'));
    const auth = xoauth2({ user: USER, token: () => Promise.reject(cause) });
    const error = await failureOf(connect(options(server, { ...secure(), auth })));
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(error.cause).toBe(cause);
    expect(server.peer().secured).not.toContain('AUTH');
  });

  test('connect() fails, and does not name it, when the token has a line end', async () => {
    const server = await start((peer) => greetSecurely(peer, pair, 'AUTH XOAUTH2'));
    const auth = xoauth2({ user: USER, token: async () => `${HELD.token}\n` });
    const error = await failureOf(connect(options(server, { ...secure(), auth })));
    expect(error.message).toBe('Cannot authenticate: XOAUTH2: Cannot use token');
    expect(everythingIn(error)).not.toContain(HELD.token);
  });
});
