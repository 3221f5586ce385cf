/** The recipes of docs/transports.md, as they stand there, through small proxies on the loopback. */
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { importBlock } from '../../../../test/document-blocks.ts';
import {
  type Certificate,
  createCertificateAuthority,
} from '../../../conformance/src/sandbox/certificates.ts';
import {
  connect,
  type SmtpClient,
  socketTransport,
  type Transport,
  type TransportOptions,
} from '../../src/index.ts';
import {
  eventually,
  failureOf,
  greet,
  greetSecurely,
  MESSAGE,
  options,
  Peer,
  type ScriptedServer,
  takeMessages,
  useServers,
  verdict,
  within,
} from './scripted-server.ts';

interface Proxy {
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly pass?: string;
}
type Through = (proxy: Proxy) => (options: TransportOptions) => Promise<Transport>;

const start = useServers();
const listening: (Server | HttpServer)[] = [];
const accepted: Socket[] = [];
let ca: string;
let good: Certificate;
let throughSocks5: Through;
let throughHttp: Through;
let connectLmtp: (path: string) => Promise<SmtpClient>;
let streamTransport: (pair: ReturnType<typeof Duplex.toWeb>) => Transport;

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  good = await authority.issue();
  ({ throughSocks5 } = (await importBlock('docs/transports.md', 'socks5.ts')) as {
    throughSocks5: Through;
  });
  ({ throughHttp } = (await importBlock('docs/transports.md', 'http-connect.ts')) as {
    throughHttp: Through;
  });
  ({ connectLmtp } = (await importBlock('docs/transports.md', 'lmtp.ts')) as {
    connectLmtp: typeof connectLmtp;
  });
  ({ streamTransport } = (await importBlock('docs/transports.md', 'streams.ts')) as {
    streamTransport: typeof streamTransport;
  });
});

afterEach(async () => {
  for (const socket of accepted.splice(0)) socket.destroy();
  await Promise.all(
    listening.splice(0).map((server) => new Promise((resolve) => server.close(resolve))),
  );
});

/** Listens; each connection is looked after. */
async function listen<T extends Server | HttpServer>(server: T, at?: string): Promise<number> {
  listening.push(server);
  server.on('connection', (socket: Socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => {
    if (at === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(at, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** Both ways, until one side ends. */
function join2(one: Socket, other: Socket): void {
  accepted.push(other);
  other.on('error', () => one.destroy());
  one.pipe(other).pipe(one);
}

interface Socks {
  /** What was asked for: the methods, the credentials, the target. */
  readonly asked: string[];
  readonly port: number;
}

interface SocksSettings {
  readonly user?: string;
  readonly pass?: string;
  /** The reply to CONNECT; 0 where it is made. */
  readonly refusal?: number;
  /** The bound address of the reply. */
  readonly bound?: readonly number[];
  /** Hangs up in place of this reply. */
  readonly hangUpAt?: number;
  /** Writes its replies octet by octet. */
  readonly trickle?: boolean;
}

/** A SOCKS5 proxy (RFC 1928, RFC 1929), written anew: it shares nothing with the recipe. */
async function socksProxy(settings: SocksSettings = {}): Promise<Socks> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    let held = Buffer.alloc(0);
    let step = settings.user === undefined ? 'methods' : 'methods with password';
    let replies = 0;
    const reply = (...octets: readonly number[]): void => {
      replies += 1;
      if (settings.hangUpAt === replies) socket.end();
      else if (!settings.trickle) socket.write(Buffer.from(octets));
      else for (const octet of octets) socket.write(Buffer.of(octet));
    };
    const onData = (octets: Buffer): void => {
      held = Buffer.concat([held, octets]);
      if (step.startsWith('methods')) {
        asked.push(`methods ${[...held.subarray(2)].join()}`);
        held = Buffer.alloc(0);
        const wanted = step === 'methods' ? 0 : 2;
        step = step === 'methods' ? 'connect' : 'password';
        reply(5, asked[0] === `methods ${wanted}` ? wanted : 0xff);
      } else if (step === 'password') {
        const [, length = 0] = held;
        const user = held.toString('latin1', 2, 2 + length);
        const pass = held.toString('latin1', 3 + length);
        asked.push(`${user}:${pass}`);
        held = Buffer.alloc(0);
        step = 'connect';
        reply(1, user === settings.user && pass === settings.pass ? 0 : 1);
      } else {
        const [version, command, , type, length = 0] = held;
        const name = held.toString('latin1', 5, 5 + length);
        const port = held.readUInt16BE(5 + length);
        asked.push(`${version} ${command} ${type} ${name}:${port}`);
        socket.off('data', onData);
        if (settings.refusal || settings.hangUpAt === replies + 1) {
          reply(5, settings.refusal ?? 0, 0, 1, 0, 0, 0, 0, 0, 0);
          return;
        }
        const target = dial(port, '127.0.0.1', () => {
          const [kind, ...bound] = settings.bound ?? [1, 127, 0, 0, 1];
          const head = [5, 0, 0, kind ?? 1, ...bound, 1, 2];
          // The server's greeting comes with the reply, in one write.
          if (settings.trickle) reply(...head);
          else
            target.once('data', (greeting) => {
              replies += 1;
              socket.write(Buffer.concat([Buffer.from(head), greeting]));
              join2(socket, target);
            });
          if (settings.trickle) join2(socket, target);
        });
        accepted.push(target);
        target.on('error', () => socket.destroy());
      }
    };
    socket.on('data', onData);
  });
  return { asked, port: await listen(server) };
}

/** An HTTP proxy that knows CONNECT. */
async function httpProxy(status = 200): Promise<Socks> {
  const asked: string[] = [];
  const server = createHttp();
  server.on('connect', (request, socket: Socket) => {
    const { host, 'proxy-authorization': authorization = 'none' } = request.headers;
    asked.push(`${request.url} ${host} ${authorization}`);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const target = dial(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      target.once('data', (greeting) => {
        const head = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.write(Buffer.concat([head, greeting]));
        join2(socket, target);
      });
    });
    accepted.push(target);
    target.on('error', () => socket.destroy());
  });
  return { asked, port: await listen(server) };
}

const secured = (): Promise<ScriptedServer> =>
  start(async (peer) => {
    await greetSecurely(peer, good, 'PIPELINING');
    await takeMessages(peer);
  });

/** One message through a transport; tells whether it went under TLS. */
async function send(
  server: ScriptedServer,
  transport: (options: TransportOptions) => Promise<Transport>,
): Promise<boolean> {
  const client = await connect(
    options(server, { host: 'localhost', tlsOptions: { ca }, transport }),
  );
  expect((await client.send(MESSAGE)).reply.text).toBe('queued as 1');
  await within(2_000, client.close());
  return client.secure;
}

describe('through SOCKS5', () => {
  test('with STARTTLS; the name is the proxy’s to resolve', async () => {
    const server = await secured();
    const { asked, port } = await socksProxy();
    expect(await send(server, throughSocks5({ host: '127.0.0.1', port }))).toBe(true);
    expect(asked).toEqual(['methods 0', `5 1 3 localhost:${server.port}`]);
  });

  test('with user and password, its replies octet by octet', async () => {
    const server = await secured();
    const { asked, port } = await socksProxy({ user: 'me', pass: 'pass word', trickle: true });
    const proxy = { host: '127.0.0.1', port, user: 'me', pass: 'pass word' };
    expect(await send(server, throughSocks5(proxy))).toBe(true);
    expect(asked).toEqual(['methods 2', 'me:pass word', `5 1 3 localhost:${server.port}`]);
  });

  test.each([
    ['IPv6', [4, ...Array<number>(16).fill(1)]],
    ['a name', [3, 4, 104, 111, 115, 116]],
  ])('which says %s as its own address', async (_kind, bound) => {
    const server = await secured();
    const { port } = await socksProxy({ bound });
    expect(await send(server, throughSocks5({ host: '127.0.0.1', port }))).toBe(true);
  });

  test('with implicit TLS', async () => {
    const server = await start(async (peer) => {
      await peer.startTls(good);
      await greet(peer);
      await takeMessages(peer);
    });
    const { port } = await socksProxy({ trickle: true });
    const client = await connect(
      options(server, {
        host: 'localhost',
        tls: 'implicit',
        tlsOptions: { ca },
        transport: throughSocks5({ host: '127.0.0.1', port }),
      }),
    );
    expect(client.secure).toBe(true);
    await within(2_000, client.close());
    expect(server.plain).toBe('');
  });

  test('the certificate is that of the server, not of the proxy', async () => {
    const server = await secured();
    const { port } = await socksProxy();
    const error = await failureOf(
      connect(
        options(server, {
          host: 'mail.example.com',
          tlsOptions: { ca },
          transport: throughSocks5({ host: '127.0.0.1', port }),
        }),
      ),
    );
    expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
    expect(error.message).toContain(`mail.example.com:${server.port}: `);
  });

  test.each<[string, SocksSettings, Partial<Proxy>, RegExp]>([
    ['wants a password', { user: 'me', pass: 'a' }, {}, /wants another way/],
    ['knows no password', {}, { user: 'me' }, /wants another way/],
    ['refuses the password', { user: 'me', pass: 'a' }, { user: 'me', pass: 'b' }, /refuses the/],
    ['cannot connect', { refusal: 5 }, {}, /replied 5$/],
    ['hangs up at once', { hangUpAt: 1 }, {}, /hung up/],
    ['hangs up in place of its reply', { hangUpAt: 2 }, {}, /hung up/],
    ['cannot take so long a name', {}, { user: 'x'.repeat(256) }, /wants another way/],
    ['is asked with so long a name', { user: 'a' }, { user: 'x'.repeat(256) }, /255 octets/],
  ])('a proxy that %s', async (_what, settings, given, message) => {
    const server = await start(() => {});
    const { port } = await socksProxy(settings);
    const error = await failureOf(
      connect(options(server, { transport: throughSocks5({ host: '127.0.0.1', port, ...given }) })),
    );
    expect(verdict(error)).toBe('ERR_SMTP_CONNECT in connect, not-sent, reconnect');
    expect(error.message).toMatch(message);
    expect(server.peers).toEqual([]);
    await eventually(() => accepted.every((socket) => socket.destroyed), 'it hangs up');
  });

  test('a proxy that nobody is at, and one that says nothing', async () => {
    const server = await start(() => {});
    const nobody = throughSocks5({ host: '127.0.0.1', port: 1 });
    expect((await failureOf(connect(options(server, { transport: nobody })))).code).toBe(
      'ERR_SMTP_CONNECT',
    );
    const silent = await start(() => {});
    const transport = throughSocks5({ host: '127.0.0.1', port: silent.port });
    const error = await failureOf(
      connect(options(server, { transport, timeouts: { connect: 50 } })),
    );
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in connect, not-sent, reconnect');
  });
});

describe('through an HTTP proxy', () => {
  test('with STARTTLS', async () => {
    const server = await secured();
    const { asked, port } = await httpProxy();
    expect(await send(server, throughHttp({ host: '127.0.0.1', port }))).toBe(true);
    expect(asked).toEqual([`localhost:${server.port} localhost:${server.port} none`]);
  });

  test('with user and password', async () => {
    const server = await secured();
    const { asked, port } = await httpProxy();
    const proxy = { host: '127.0.0.1', port, user: 'me', pass: 'secret' };
    expect(await send(server, throughHttp(proxy))).toBe(true);
    expect(asked[0]).toContain('Basic bWU6c2VjcmV0');
  });

  test.each([403, 407, 502])('a proxy that replies %i', async (status) => {
    const server = await start(() => {});
    const { port } = await httpProxy(status);
    const error = await failureOf(
      connect(options(server, { transport: throughHttp({ host: '127.0.0.1', port }) })),
    );
    expect(verdict(error)).toBe('ERR_SMTP_CONNECT in connect, not-sent, reconnect');
    expect(error.message).toContain(`the proxy replied ${status}`);
  });

  test('an IPv6 address stands in brackets', async () => {
    const { asked, port } = await httpProxy(403);
    await failureOf(
      connect({ host: '::1', port: 587, transport: throughHttp({ host: '127.0.0.1', port }) }),
    );
    expect(asked).toEqual(['[::1]:587 [::1]:587 none']);
  });

  test('a proxy that nobody is at, and one that says nothing', async () => {
    const server = await start(() => {});
    const nobody = throughHttp({ host: '127.0.0.1', port: 1 });
    expect((await failureOf(connect(options(server, { transport: nobody })))).code).toBe(
      'ERR_SMTP_CONNECT',
    );
    const silent = await start(() => {});
    const transport = throughHttp({ host: '127.0.0.1', port: silent.port });
    const error = await failureOf(
      connect(options(server, { transport, timeouts: { connect: 50 } })),
    );
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in connect, not-sent, reconnect');
  });
});

describe('over a socket of one’s own', () => {
  const given = (port: number): TransportOptions => ({
    host: 'mail.example.com',
    port,
    secure: false,
    tlsOptions: {},
    signal: new AbortController().signal,
  });

  test('a Unix domain socket, to an LMTP server', async () => {
    const path = join(tmpdir(), `posthorn-${process.pid}.sock`);
    const heard: string[] = [];
    const server = createServer((socket) => {
      const peer = new Peer(socket);
      peer.listen();
      (async () => {
        peer.say('220 hello');
        heard.push(await peer.hear());
        peer.say('250 hello');
        heard.push(await peer.hear());
        peer.say('221 bye');
        peer.end();
      })().catch(() => {});
    });
    await listen(server, path);
    const client = await within(2_000, connectLmtp(path));
    await within(2_000, client.close());
    expect(heard).toEqual(['LHLO [127.0.0.1]', 'QUIT']);
  });

  test('what was read before anybody listens is not lost, however long that takes', async () => {
    const server = await start((peer) => peer.say('220 hello'));
    const socket = dial(server.port, '127.0.0.1');
    const read: Buffer = await new Promise((resolve) => socket.once('data', resolve));
    socket.unshift(read);
    const transport = await socketTransport(socket, given(server.port));
    await new Promise((resolve) => setTimeout(resolve, 30));
    const heard: string[] = [];
    transport.attach({
      onData: (octets) => heard.push(Buffer.from(octets).toString()),
      onDrain() {},
      onClose() {},
    });
    await eventually(() => heard.length > 0, 'it is read');
    expect(heard).toEqual(['220 hello\r\n']);
    transport.destroy();
  });

  test('one that breaks before anybody listens', async () => {
    const server = await start(() => {});
    const socket = dial(server.port, '127.0.0.1');
    const transport = await socketTransport(socket, given(server.port));
    await eventually(() => server.peers.length > 0, 'there is a connection');
    server.peer().destroy(true);
    await eventually(() => socket.destroyed, 'it is broken');
    const told: unknown[] = [];
    transport.attach({
      onData: () => told.push('data'),
      onDrain() {},
      onClose: (error) => told.push(error?.message),
    });
    expect(told).toEqual([]);
    await eventually(() => told.length > 0, 'it is told');
    expect(told).toEqual([expect.stringMatching(/^mail\.example\.com:\d+: read ECONNRESET$/)]);
  });

  test('one that has ended before anybody listens', async () => {
    const server = await start((peer) => {
      peer.say('421 no');
      peer.end();
    });
    const socket = dial(server.port, '127.0.0.1');
    const transport = await socketTransport(socket, given(server.port));
    await new Promise((resolve) => setTimeout(resolve, 30));
    const told: unknown[] = [];
    transport.attach({
      onData: (octets) => told.push(Buffer.from(octets).toString()),
      onDrain() {},
      onClose: (error) => told.push(error),
    });
    await eventually(() => told.length > 1, 'it is told');
    expect(told).toEqual(['421 no\r\n', undefined]);
  });

  test('one that is closed, and one that cannot be connected', async () => {
    const server = await start(() => {});
    const { port } = server;
    const socket = dial(port, '127.0.0.1');
    socket.destroy();
    await expect(socketTransport(socket, given(port))).rejects.toThrow(
      `mail.example.com:${port}: the socket is closed already`,
    );
    await expect(socketTransport(dial(1, '127.0.0.1'), given(port))).rejects.toThrow(
      /^mail\.example\.com:\d+: connect ECONNREFUSED/,
    );
  });

  test('one that breaks is told of, and of whom', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await peer.hear();
      peer.destroy(true);
    });
    const socket = dial(server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const client = await connect(
      options(server, {
        host: 'mail.example.com',
        tls: 'off',
        transport: (asked) => socketTransport(socket, asked),
      }),
    );
    const error = await failureOf(client.noop());
    expect(error.message).toContain(`mail.example.com:${server.port}: `);
  });
});

describe('over a pair of streams', () => {
  const streams = async (server: ScriptedServer): Promise<Transport> => {
    const socket = dial(server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    return streamTransport(Duplex.toWeb(socket));
  };

  test('a message, large enough to fill them', async () => {
    const content = `${'x'.repeat(70)}\r\n`.repeat(20_000);
    const taken: string[] = [];
    const server = await start(async (peer) => {
      await greet(peer, 'PIPELINING');
      await takeMessages(peer, taken);
    });
    const client = await connect(options(server, { tls: 'off', transport: () => streams(server) }));
    await within(5_000, client.send({ ...MESSAGE, content }));
    await within(2_000, client.close());
    expect(taken[0] === content).toBe(true);
  });

  test('there is no TLS, and that is said', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'STARTTLS');
      await peer.hear('STARTTLS');
      peer.say('220 go');
    });
    const error = await failureOf(connect(options(server, { transport: () => streams(server) })));
    expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
  });

  test('the end of it', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await peer.hear();
      peer.destroy();
    });
    const client = await connect(options(server, { tls: 'off', transport: () => streams(server) }));
    expect((await failureOf(client.noop())).code).toBe('ERR_SMTP_CLOSED');
  });
});
