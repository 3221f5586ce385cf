/** A transport of the caller's own, in place of node:net and node:tls. */
import { connect as dial, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { connect, type Transport, type TransportOptions } from '../../src/index.ts';
import {
  eventually,
  failureOf,
  greet,
  MESSAGE,
  options,
  PASS,
  PLAIN,
  type ScriptedServer,
  takeMessages,
  USER,
  useServers,
  verdict,
  within,
} from './scripted-server.ts';

const start = useServers();
const OFF = { tls: 'off' } as const;

/** Plain TCP, connected. */
async function tcp(port: number): Promise<{ transport: Transport; socket: Socket }> {
  const socket = dial(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  const transport: Transport = {
    secure: false,
    localAddress: '192.0.2.1',
    attach({ onData, onDrain, onClose }) {
      socket
        .on('data', onData)
        .on('drain', onDrain)
        .on('close', () => onClose());
    },
    write: (octets) => socket.write(octets),
    startTls: () => Promise.reject(new Error('there is no TLS here')),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
  return { transport, socket };
}

const taker = (): Promise<ScriptedServer> =>
  start(async (peer) => {
    await greet(peer, 'PIPELINING', 'STARTTLS', 'AUTH PLAIN');
    await takeMessages(peer);
  });

test('a connected one', async () => {
  const server = await taker();
  const { transport } = await tcp(server.port);
  const client = await connect(options(server, { ...OFF, transport }));
  expect((await client.send(MESSAGE)).reply.code).toBe(250);
  await within(2_000, client.close());
  expect(server.peer().lines[0]).toBe('EHLO [192.0.2.1]');
});

test('one that is made: it is told what for', async () => {
  const server = await taker();
  let asked: TransportOptions | undefined;
  const client = await connect(
    options(server, {
      ...OFF,
      auth: { user: USER, pass: PASS },
      allowInsecureAuth: true,
      tlsOptions: { servername: 'mail.example.com' },
      transport: async (given) => {
        asked = given;
        return (await tcp(given.port)).transport;
      },
    }),
  );
  await within(2_000, client.close());
  expect(asked).toMatchObject({
    host: '127.0.0.1',
    port: server.port,
    secure: false,
    tlsOptions: { servername: 'mail.example.com' },
  });
  expect(asked?.signal.aborted).toBe(true);
  // Credentials are no concern of a transport: there is none, and nothing that would give them.
  expect(asked).toMatchObject({ auth: [] });
  expect(server.peer().lines).toContain(`AUTH PLAIN ${PLAIN}`);
});

test('one that cannot be made fails the connection', async () => {
  const server = await taker();
  const cause = new Error('no proxy');
  const transport = (): Promise<Transport> => Promise.reject(cause);
  const error = await failureOf(connect(options(server, { transport })));
  expect(verdict(error)).toBe('ERR_SMTP_CONNECT in connect, not-sent, reconnect');
  expect(error.cause).toBe(cause);
  expect(server.peers).toEqual([]);
});

test('one that cannot start TLS fails the connection', async () => {
  const server = await start(async (peer) => {
    await greet(peer, 'STARTTLS');
    await peer.hear('STARTTLS');
    peer.say('220 go');
  });
  const { transport } = await tcp(server.port);
  const error = await failureOf(connect(options(server, { transport })));
  expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
  expect(error.message).toMatch(/there is no TLS here/);
});

test('one that comes when nobody wants it any more is destroyed', async () => {
  const server = await taker();
  const { transport, socket } = await tcp(server.port);
  let come = (_: Transport): void => {};
  const controller = new AbortController();
  const connecting = failureOf(
    connect(
      options(server, {
        ...OFF,
        signal: controller.signal,
        // It does not listen to the signal that it is given.
        transport: () =>
          new Promise((resolve) => {
            come = resolve;
          }),
      }),
    ),
  );
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  expect(verdict(await connecting)).toBe('ERR_SMTP_ABORTED in connect, not-sent, reconnect');
  come(transport);
  await eventually(() => socket.destroyed, 'it is destroyed');
  expect(server.plain).toBe('');
});

test('50 calls at once add no listener that Node would warn of', async () => {
  const server = await taker();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const client = await connect(options(server, OFF));
  await within(4_000, Promise.all(Array.from({ length: 50 }, () => client.noop())));
  await client.close();
  // Warnings are given in a tick of their own.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

test('one that tells of its end inside end() and destroy()', async () => {
  let ended = 0;
  const transport: Transport = {
    secure: false,
    attach(events) {
      this.end = this.destroy = () => {
        ended += 1;
        events.onClose();
      };
    },
    write: () => true,
    startTls: () => Promise.resolve(),
    end() {},
    destroy() {},
  };
  const error = await failureOf(
    connect({ host: 'mail.example.com', tls: 'off', transport, timeouts: { greeting: 20 } }),
  );
  expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in greeting, not-sent, reconnect');
  await eventually(() => ended > 0, 'it is destroyed');
  expect(ended).toBe(1);
});
