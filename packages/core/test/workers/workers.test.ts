/** The client on `cloudflare:sockets`, as sockets.ts has it over node:net. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Certificate,
  createCertificateAuthority,
} from '../../../conformance/src/sandbox/certificates.ts';
import { connect as connectByNode } from '../../src/index.ts';
import {
  type ConnectOptions,
  connect,
  isSmtpError,
  type TransportEvents,
  type TransportOptions,
  workersTransport,
} from '../../src/workers/index.ts';
import {
  eventually,
  failureOf,
  greet,
  greetSecurely,
  MESSAGE,
  options,
  PASS,
  PLAIN,
  takeMessages,
  USER,
  useServers,
  verdict,
  within,
} from '../e2e/scripted-server.ts';
import { made, runtime } from './sockets.ts';

const loaded = vi.hoisted(() => ({ times: 0 }));
vi.mock('cloudflare:sockets', () => {
  loaded.times += 1;
  return import('./sockets.ts');
});

test('nothing is loaded with the module', () => {
  expect(loaded.times).toBe(0);
});

const start = useServers();
let ca: string;
let good: Certificate;
let elsewhere: Certificate;

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  [good, elsewhere] = await Promise.all([authority.issue(), authority.issue('wrong-host')]);
});
beforeEach(() => {
  runtime.ca = ca;
});
afterEach(() => {
  runtime.stalled = false;
  made.length = 0;
});

test('no node: module is reachable, and nothing else but cloudflare:sockets', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('../../src/workers/index.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    external: ['node:*', 'cloudflare:*'],
    metafile: true,
    write: false,
    outdir: 'out',
  });
  expect(outputFiles).toHaveLength(1);
  expect(Object.values(metafile.outputs)[0]?.imports).toEqual([
    { path: 'cloudflare:sockets', kind: 'dynamic-import', external: true },
  ]);
});

describe('a message', () => {
  test('over STARTTLS', async () => {
    const taken: string[] = [];
    const server = await start(async (peer) => {
      await greetSecurely(peer, good, 'PIPELINING', 'AUTH PLAIN');
      await takeMessages(peer, taken);
    });
    const client = await connect(options(server, { auth: { user: USER, pass: PASS } }));
    expect(client.secure).toBe(true);
    const receipts = await Promise.all([client.send(MESSAGE), client.send(MESSAGE)]);
    expect(receipts.map(({ reply }) => reply.text)).toEqual(['queued as 1', 'queued as 2']);
    await within(2_000, client.close());
    expect(taken).toEqual([MESSAGE.content, MESSAGE.content]);
    expect(server.plain).toBe('EHLO [127.0.0.1]\r\nSTARTTLS\r\n');
    expect(server.peer().secured).toContain(`AUTH PLAIN ${PLAIN}`);
    expect(made[0]?.options).toEqual({
      secureTransport: 'starttls',
      allowHalfOpen: false,
      highWaterMark: 65_536,
    });
    expect(made).toHaveLength(2);
  });

  test('over implicit TLS', async () => {
    const server = await start(async (peer) => {
      await peer.startTls(good);
      await greet(peer);
      await takeMessages(peer);
    });
    const client = await connect(options(server, { tls: 'implicit', host: 'localhost' }));
    expect(client.secure).toBe(true);
    expect((await client.send(MESSAGE)).reply.code).toBe(250);
    await within(2_000, client.close());
    expect(
      made.map(({ hostname, options: { secureTransport } }) => [hostname, secureTransport]),
    ).toEqual([['localhost', 'on']]);
  });

  test('without TLS', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await takeMessages(peer);
    });
    const client = await connect(options(server, { tls: 'off' }));
    expect(client.secure).toBe(false);
    expect((await client.send(MESSAGE)).reply.code).toBe(250);
    await within(2_000, client.close());
  });

  test('by the transport alone, for any client', async () => {
    const server = await start(async (peer) => {
      await greetSecurely(peer, good);
      await takeMessages(peer);
    });
    const client = await connectByNode(options(server, { transport: workersTransport }));
    expect((await client.send(MESSAGE)).reply.code).toBe(250);
    await within(2_000, client.close());
  });

  test('through a transport of the own kind: its options are its own', async () => {
    const transport = (): Promise<never> => Promise.reject(new Error('no proxy'));
    const error = await failureOf(
      connect({ host: 'mail.example.com', transport, tlsOptions: { ca } }),
    );
    expect(error.message).toContain('no proxy');
  });

  test('of 16 MB, from a stream: no more is read from it than the server takes', async () => {
    const block = new TextEncoder().encode(`${'x'.repeat(62)}\r\n`.repeat(1_024));
    const blocks = 256;
    let read = 0;
    let taken = '';
    let go = (): void => {};
    const server = await start(async (peer) => {
      await greet(peer, 'PIPELINING');
      await peer.hear(/^MAIL/);
      await peer.hear(/^RCPT/);
      await peer.hear('DATA');
      peer.pause();
      peer.say('250 ok', '250 ok', '354 go');
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      peer.resume();
      taken = await peer.content();
      peer.say('250 queued');
      await takeMessages(peer);
    });
    const client = await connect(options(server, { tls: 'off' }));
    async function* content(): AsyncGenerator<Uint8Array> {
      for (; read < blocks; read += 1) yield block;
    }
    const sending = client.send({ ...MESSAGE, content: content() });
    let before = -1;
    // The kernel's buffers fill; then nothing moves any more.
    while (read !== before) {
      before = read;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(read).toBeLessThan(blocks);
    go();
    const { octets } = await within(10_000, sending);
    expect(octets).toBe(blocks * block.length);
    expect(taken.length).toBe(octets);
    await within(2_000, client.close());
  });
});

describe('the transport itself', () => {
  async function transportTo(port: number): Promise<{
    readonly transport: Awaited<ReturnType<typeof workersTransport>>;
    readonly told: unknown[];
  }> {
    const told: unknown[] = [];
    const transport = await workersTransport({
      host: '127.0.0.1',
      port,
      secure: false,
      tlsOptions: {},
      signal: new AbortController().signal,
    });
    const events: TransportEvents = {
      onData: (octets) => told.push(Buffer.from(octets).toString()),
      onDrain: () => told.push('drain'),
      onClose: (error) => told.push(['close', error?.message]),
    };
    transport.attach(events);
    return { transport, told };
  }

  test('says when it is full, and when it takes more', async () => {
    const server = await start((peer) => peer.pause());
    const { transport, told } = await transportTo(server.port);
    const block = new Uint8Array(65_536);
    // With less than a block waiting it takes one more.
    expect(transport.write(block.subarray(1))).toBe(true);
    let drained = 0;
    let taken = 0;
    do {
      drained = told.length;
      taken += 1;
      expect(transport.write(block)).toBe(false);
      await eventually(() => told.length > drained, 'it drains', 200).catch(() => {});
    } while (told.length > drained);
    expect(taken).toBeLessThan(500);
    server.peer().resume();
    await eventually(() => told.length > drained, 'it has drained');
    expect(new Set(told)).toEqual(new Set(['drain']));
    transport.destroy();
    await eventually(() => server.peer().gone, 'it is gone');
  });

  test('tells of the end once, in order', async () => {
    const server = await start((peer) => {
      peer.say('220 hello');
      peer.end();
    });
    const { transport, told } = await transportTo(server.port);
    await eventually(() => told.length > 1, 'it has ended');
    transport.end();
    transport.end();
    transport.destroy();
    transport.destroy();
    await eventually(() => server.peer().gone, 'it is gone');
    expect(told).toEqual(['220 hello\r\n', ['close', undefined]]);
  });

  test('tells of a reset once, and of whom', async () => {
    const server = await start(async (peer) => {
      await peer.hear();
      peer.destroy(true);
    });
    const { transport, told } = await transportTo(server.port);
    transport.write(Buffer.from('NOOP\r\n'));
    await eventually(() => told.some((event) => event !== 'drain'), 'it is lost');
    transport.write(Buffer.from('NOOP\r\n'));
    transport.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told.filter((event) => event !== 'drain')).toEqual([
      ['close', `127.0.0.1:${server.port}: Network connection lost.`],
    ]);
  });

  test('end() lets leave what was written', async () => {
    const server = await start(async (peer) => {
      await peer.octets(500_000);
      peer.end();
    });
    const { transport, told } = await transportTo(server.port);
    transport.write(new Uint8Array(500_000));
    transport.end();
    await eventually(() => told.some((event) => Array.isArray(event)), 'it has ended');
    expect(server.peer().plain.length).toBe(500_000);
    transport.destroy();
  });

  test('destroy() leaves at once, also what is full', async () => {
    const server = await start((peer) => peer.pause());
    const { transport } = await transportTo(server.port);
    while (transport.write(new Uint8Array(65_536)));
    await eventually(() => server.peers.length > 0, 'there is a connection');
    transport.destroy();
    // Who does not read is not told of its end.
    server.peer().resume();
    await eventually(() => server.open === 0, 'it is gone');
  });
});

describe('failures', () => {
  test('nobody listens', async () => {
    const server = await start(() => {});
    const { port } = server;
    await server.close();
    const error = await failureOf(connect({ host: '127.0.0.1', port, tls: 'off' }));
    expect(verdict(error)).toBe('ERR_SMTP_CONNECT in connect, not-sent, reconnect');
    expect(error.message).toBe(`Cannot go on: 127.0.0.1:${port}: proxy request failed`);
    expect(isSmtpError(error)).toBe(true);
  });

  test('an IPv6 address stands in brackets', async () => {
    const error = await failureOf(connect({ host: '::1', port: 1, tls: 'off' }));
    expect(error.message).toContain('::1:1: ');
    expect(made[0]?.hostname).toBe('[::1]');
  });

  test.each(['starttls', 'implicit'] as const)(
    'a certificate for another host, %s',
    async (tls) => {
      const server = await start(async (peer) => {
        if (tls === 'implicit') await peer.startTls(elsewhere);
        else await greetSecurely(peer, elsewhere);
        await greet(peer);
      });
      const error = await failureOf(
        connect(options(server, { tls, auth: { user: USER, pass: PASS } })),
      );
      // With implicit TLS nothing says whether the connection or the handshake has failed.
      expect(verdict(error)).toBe(
        tls === 'starttls'
          ? 'ERR_SMTP_TLS in tls, not-sent, fix-first'
          : 'ERR_SMTP_CONNECT in connect, not-sent, reconnect',
      );
      expect(server.peer().secured).toBe('');
    },
  );

  test('octets behind the 220 to STARTTLS', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'STARTTLS');
      await peer.hear('STARTTLS');
      peer.raw('220 go\r\n250 injected\r\n');
    });
    const error = await failureOf(connect(options(server)));
    expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
  });

  test.each([
    ['while the envelope is answered', 1, 'not-sent'],
    ['behind the content', 3, 'unknown'],
  ] as const)('the connection is lost %s', async (_when, at, delivery) => {
    const server = await start(async (peer) => {
      await greetSecurely(peer, good);
      await peer.hear(/^MAIL/);
      if (at === 1) return peer.destroy();
      peer.say('250 ok');
      await peer.hear(/^RCPT/);
      peer.say('250 ok');
      await peer.hear('DATA');
      peer.say('354 go');
      await peer.content();
      peer.destroy();
    });
    const client = await connect(options(server));
    const error = await failureOf(client.send(MESSAGE));
    expect([error.code, error.delivery]).toEqual(['ERR_SMTP_CLOSED', delivery]);
    await within(2_000, client.closed);
  });

  test('a deadline', async () => {
    const server = await start(() => {});
    const error = await failureOf(connect(options(server, { timeouts: { greeting: 30 } })));
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in greeting, not-sent, reconnect');
  });

  test('given up while it connects', async () => {
    runtime.stalled = true;
    const server = await start(() => {});
    const controller = new AbortController();
    const connecting = failureOf(connect(options(server, { signal: controller.signal })));
    await eventually(() => made.length > 0, 'it connects');
    controller.abort();
    expect(verdict(await connecting)).toBe('ERR_SMTP_ABORTED in connect, not-sent, reconnect');
  });

  test('its signal: the transport rejects', async () => {
    runtime.stalled = true;
    const server = await start(() => {});
    const controller = new AbortController();
    const given: TransportOptions = {
      host: '127.0.0.1',
      port: server.port,
      secure: false,
      tlsOptions: {},
      signal: controller.signal,
    };
    const connecting = workersTransport(given);
    await eventually(() => made.length > 0, 'it connects');
    const why = new Error('enough');
    controller.abort(why);
    await expect(within(1_000, connecting)).rejects.toBe(why);
    await expect(workersTransport(given)).rejects.toBe(why);
    expect(made).toHaveLength(1);
  });
});

describe('what cloudflare:sockets cannot do is refused before anything is sent', () => {
  const SECRET = 'correct horse';
  const refused: [string, Partial<ConnectOptions>][] = [
    ...Object.entries({
      ca: SECRET,
      cert: SECRET,
      key: SECRET,
      passphrase: SECRET,
      servername: 'other.example',
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ciphers: 'HIGH',
      checkServerIdentity: (): undefined => undefined,
      pskCallback: (): null => null,
    }).map(([name, value]): [string, Partial<ConnectOptions>] => [
      `tlsOptions.${name}`,
      { tlsOptions: { [name]: value } },
    ]),
    ['localAddress', { localAddress: '192.0.2.1' }],
  ];

  test.each(refused)('%s', async (name, given) => {
    const reason = await connect({ host: 'mail.example.com', ...given }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(reason).toBeInstanceOf(TypeError);
    const message = `Cannot use ${name.replace('tlsOptions.', '')} on cloudflare:sockets`;
    expect((reason as Error).message).toBe(message);
    expect((reason as Error).message).not.toContain(SECRET);
    const error = await failureOf(
      connectByNode({ host: 'mail.example.com', ...given, transport: workersTransport }),
    );
    expect(error.code).toBe('ERR_SMTP_CONNECT');
    expect(error.message).toContain(message);
    expect(made).toEqual([]);
  });

  test('what says the same as the default may stand', async () => {
    const server = await start(async (peer) => {
      await greetSecurely(peer, good);
      await takeMessages(peer);
    });
    const client = await connect(
      options(server, {
        host: 'localhost',
        tlsOptions: { servername: 'localhost', rejectUnauthorized: true, ca: undefined as never },
      }),
    );
    await within(2_000, client.close());
  });
});
