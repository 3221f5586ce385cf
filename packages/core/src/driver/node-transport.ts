/** Transports over node:net and node:tls: Node, Bun and Deno. */
import net from 'node:net';
import tls from 'node:tls';
import type { TlsChannel } from '../sasl/mechanism.ts';
import type { Transport, TransportEvents, TransportOptions } from './transport.ts';

/** What an open socket has to know of the server that it leads to. */
export type SocketTransportOptions = Pick<
  TransportOptions,
  'host' | 'port' | 'secure' | 'tlsOptions' | 'resumption'
>;

/**
 * The transport over a socket that becomes ready. What it rejects with names the peer, and the cure where one is known.
 *
 * @param ready - the event that says so
 */
async function over(
  first: net.Socket,
  ready: string,
  options: SocketTransportOptions,
): Promise<Transport> {
  const { host, resumption = {} } = options;
  let socket!: net.Socket;
  let events: TransportEvents | undefined;

  /** Makes `next` the socket at once; resolves to it when it is ready. */
  const use = (next: net.Socket, ready: string): Promise<net.Socket> =>
    new Promise((resolve, reject) => {
      let cause: (NodeJS.ErrnoException & { reason?: string }) | undefined;
      socket = next
        .once(ready, () => resolve(next))
        .on('drain', () => events?.onDrain())
        .on('error', (error) => {
          cause = error;
          // The message of OpenSSL is a log line, and a failure on several addresses has none.
          // Runtimes word the same failure of TLS differently, so the cure goes by code.
          cause.message = `${host}:${options.port}: ${cause.reason || cause.message || cause.code}${
            options.secure && /SSL|EPROTO/.test(cause.code as string)
              ? "; use tls: 'starttls'?"
              : ''
          }`;
        })
        .on('close', () => {
          reject(cause);
          if (next === socket) events?.onClose(cause);
        });
    });
  /** What is read from the plain socket once TLS has begun is nobody's. */
  const read = (from: net.Socket): net.Socket =>
    from.on('data', (octets: Uint8Array) => from === socket && events?.onData(octets));

  await use(first, ready);
  return {
    secure: false,
    localAddress: first.localAddress,
    attach(to) {
      events = to;
      // Not before: what is read goes to whoever listens.
      read(first);
    },
    write: (octets) => socket.write(octets),
    // Not read before it is ready and the session knows: Deno gives what has come with the end of the handshake at once.
    startTls: () =>
      use(
        tls
          .connect({
            // RFC 6066 §3: an address is no server name.
            servername: net.isIP(host) ? '' : host,
            // RFC 9525 §2: a common name is no name of a server.
            checkServerIdentity: (name, certificate) =>
              tls.checkServerIdentity(name, { ...certificate, subject: {} as tls.Certificate }),
            ...(resumption as tls.ConnectionOptions),
            ...(options.tlsOptions as tls.ConnectionOptions),
            socket,
            host,
          })
          .on('session', (session) => {
            resumption.session = session;
          }),
        'secureConnect',
      ).then(read) as Promise<TlsChannel>,
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
}

/**
 * Connects by node:net; `startTls()` goes on by node:tls.
 *
 * @throws Error on Workers, whose node:tls ignores certificates, versions and checks
 */
export const nodeTransport = (options: TransportOptions): Promise<Transport> => {
  if ((globalThis as { WebSocketPair?: unknown }).WebSocketPair)
    throw new Error('use core/workers');
  return over(net.connect({ ...options, noDelay: true } as net.NetConnectOpts), 'connect', options);
};

/**
 * A transport over a socket of your own: one that a proxy has connected, a Unix domain socket. It waits until the
 * socket is connected. What was read too far goes back first, by `socket.unshift()`. Errors name `host` and `port`, and
 * the certificate is checked against `host`, wherever the socket leads.
 *
 * @throws Error where the socket is closed, or cannot be connected
 *
 * @example
 * ```ts
 * import { connect as dial } from 'node:net';
 * import { connect, socketTransport } from '@posthorn/core';
 *
 * const client = await connect({
 *   host,
 *   port,
 *   tlsOptions: { ca },
 *   transport: (options) => socketTransport(dial(options.port, '127.0.0.1'), options),
 * });
 * console.log(client.secure); // true
 * await client.close();
 * ```
 */
export async function socketTransport(
  socket: net.Socket,
  options: SocketTransportOptions,
): Promise<Transport> {
  if (socket.destroyed)
    throw new Error(`${options.host}:${options.port}: the socket is closed already`);
  // Nothing is read before somebody listens: while there is a listener of 'readable', no 'data' comes.
  const hold = (): void => {};
  socket.setNoDelay().on('readable', hold);
  // A socket that is connected has had its 'connect'. This one nobody else knows.
  const connected = 'posthorn:connected';
  const connecting = over(socket, socket.connecting ? 'connect' : connected, options);
  socket.emit(connected);
  const transport = await connecting;
  return {
    ...transport,
    attach(events) {
      transport.attach(events);
      socket.off('readable', hold);
      // It has told nobody.
      if (socket.destroyed) setImmediate(() => events.onClose(socket.errored ?? undefined));
    },
  };
}
