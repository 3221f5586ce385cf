/** What no server could be asked is refused before an octet of it is written. */
import { describe, expect, test } from 'vitest';
import { type ConnectOptions, connect, type OutgoingMessage } from '../../src/index.ts';
import { login, plain } from '../../src/sasl/index.ts';
import {
  failureOf,
  greet,
  MESSAGE,
  options,
  takeMessages,
  useServers,
  verdict,
  within,
} from './scripted-server.ts';

const start = useServers();

/** The control characters that could end a command or a string. */
const CONTROLS = [
  ['CR LF', '\r\n'],
  ['CR', '\r'],
  ['LF', '\n'],
  ['NUL', '\0'],
] as const;

/** The reason that a call throws or rejects with. */
async function reasonOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return `it did not fail: ${await within(2_000, call())}`;
  } catch (reason) {
    return reason;
  }
}

describe('options of connect()', () => {
  const cases: [string, Partial<ConnectOptions>][] = [
    ...CONTROLS.flatMap(([name, control]): [string, Partial<ConnectOptions>][] => [
      [`${name} inside name`, { name: `client${control}MAIL FROM:<a@b.example>` }],
      [`${name} behind name`, { name: `client.example${control}` }],
      [`${name} inside an address literal`, { name: `[127.0.0.1${control}]` }],
    ]),
    ['an empty name', { name: '' }],
    ['two words as name', { name: 'client.example SIZE=1' }],
    ['NUL in user', { auth: { user: 'a\0b', pass: 'c' } }],
    ['NUL in pass', { auth: { user: 'a', pass: 'b\0c' } }],
    ['an empty host', { host: '' }],
    ['no such tls', { tls: 'yes' as 'off' }],
    ['no such pipelining', { pipelining: 'on' as 'off' }],
    ['a timeout of 0', { timeouts: { mail: 0 } }],
    ['a timeout that is no number', { timeouts: { mail: Number.NaN } }],
    ['a timeout that is negative', { timeouts: { total: -1 } }],
  ];

  test.each(cases)('%s: a TypeError, and nobody is connected to', async (_name, given) => {
    const server = await start((peer) => greet(peer));
    const made = { ...options(server), tls: 'off' as const, ...given };
    const error = await reasonOf(() => connect(made));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(/^Cannot use /);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(server.peers).toEqual([]);
  });

  test('no host at all', async () => {
    expect(await reasonOf(() => connect({} as ConnectOptions))).toBeInstanceOf(TypeError);
  });

  test('mechanisms refuse NUL as they are made', () => {
    for (const make of [plain, login]) {
      expect(() => make({ user: 'a\0', pass: 'b' })).toThrow(TypeError);
      expect(() => make({ user: 'a', pass: '\0' })).toThrow(TypeError);
    }
    expect(() => plain({ user: 'a', pass: 'b', authorizationId: '\0' })).toThrow(TypeError);
  });

  test('a password is not in what is thrown for it', async () => {
    const error = await reasonOf(() =>
      connect({ host: '127.0.0.1', auth: { user: 'a', pass: 'correct-horse\0' } }),
    );
    expect(String((error as Error).stack)).not.toContain('correct-horse');
  });

  test('CR LF in a password is no matter: it is written as base64', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'AUTH PLAIN');
      await takeMessages(peer);
    });
    const auth = { user: 'a', pass: 'b\r\nMAIL FROM:<a@b.example>' };
    const client = await connect(options(server, { tls: 'off', allowInsecureAuth: true, auth }));
    await client.close();
    expect(server.peer().lines[1]).toBe(
      `AUTH PLAIN ${Buffer.from(`\0${auth.user}\0${auth.pass}`).toString('base64')}`,
    );
  });
});

describe('messages', () => {
  /** A client, and what its server has heard since it was ready. */
  const ready = async (
    ...keywords: readonly string[]
  ): Promise<{ client: Awaited<ReturnType<typeof connect>>; heard: () => string }> => {
    const server = await start(async (peer) => {
      await greet(peer, ...keywords);
      await takeMessages(peer);
    });
    const client = await connect(options(server, { tls: 'off' }));
    const before = server.peer().plain.length;
    return { client, heard: () => server.peer().plain.slice(before) };
  };

  const bad = (change: object): OutgoingMessage => ({ ...MESSAGE, ...change }) as OutgoingMessage;
  const cases: [string, object][] = [
    ...CONTROLS.flatMap(([name, control]): [string, object][] =>
      [
        `a${control}@b.example`,
        `a@b.example${control}`,
        `a@b${control}.example`,
        `"a${control}b"@b.example`,
      ].flatMap((address, at): [string, object][] => [
        [`${name} in from, ${at}`, { from: address }],
        [`${name} in to, ${at}`, { to: ['good@example.com', address] }],
        [`${name} in to.address, ${at}`, { to: [{ address }] }],
      ]),
    ),
    ['a second command in from', { from: 'a@b.example>\r\nRCPT TO:<c@d.example' }],
    ['a parameter in from', { from: 'a@b.example> SIZE=1' }],
    ['a parameter in to', { to: 'a@b.example> NOTIFY=NEVER' }],
    ['no domain', { to: 'nobody' }],
    ['no recipient', { to: [] }],
    ['an empty recipient', { to: '' }],
    ['a list in one address', { to: 'a@b.example, c@d.example' }],
    ['a display name', { to: 'A <a@b.example>' }],
    ['no from', { from: undefined }],
    ['no to', { to: undefined }],
    ['no content', { content: undefined }],
    ['content that is a number', { content: 7 }],
    ['a size that is negative', { content: (async function* () {})(), size: -1 }],
  ];

  test('each of them is a TypeError, and the server hears nothing of it', async () => {
    const { client, heard } = await ready('PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE');
    for (const [name, change] of cases) {
      const error = await reasonOf(() => client.send(bad(change)));
      expect({ name, type: (error as Error)?.constructor }).toEqual({ name, type: TypeError });
    }
    for (const [, control] of CONTROLS)
      expect(await reasonOf(() => client.verify(`a${control}@b.example`))).toBeInstanceOf(
        TypeError,
      );
    await client.close();
    expect(heard()).toBe('QUIT\r\n');
  });

  test('between two good ones it harms neither', async () => {
    const { client, heard } = await ready('PIPELINING');
    const [first, second, third] = await Promise.allSettled([
      client.send(MESSAGE),
      client.send({ ...MESSAGE, to: 'a@b.example\r\nDATA' }),
      client.send(MESSAGE),
    ]);
    expect([first?.status, second?.status, third?.status]).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    await client.close();
    expect(heard().match(/MAIL/g)).toHaveLength(2);
  });

  test('what this server cannot be asked fails before MAIL, with its own code', async () => {
    const { client, heard } = await ready('SIZE 100');
    const long = `${'x'.repeat(999)}\r\n`;
    const refused: [object, string][] = [
      [{ content: 'x\0y\r\n' }, 'ERR_SMTP_CONTENT in content, not-sent, fix-first'],
      [{ content: long }, 'ERR_SMTP_CONTENT in content, not-sent, fix-first'],
      [{ content: 'x\r\n'.repeat(50) }, 'ERR_SMTP_TOO_LARGE in mail, not-sent, fix-first'],
      [{ content: 'é\r\n' }, 'ERR_SMTP_UNSUPPORTED in mail, not-sent, fix-first'],
      [{ to: 'é@example.com' }, 'ERR_SMTP_UNSUPPORTED in mail, not-sent, fix-first'],
    ];
    for (const [change, expected] of refused)
      expect(verdict(await failureOf(client.send(bad(change))))).toBe(expected);
    await client.close();
    expect(heard()).toBe('QUIT\r\n');
  });
});
