/** Transports over node:net and node:tls: Node, Bun and Deno. */
import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
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
  first: Socket,
  ready: string,
  options: SocketTransportOptions,
): Promise<Transport> {
  const { host, port, tlsOptions, resumption = {} } = options;
  let socket!: Socket;
  let events: TransportEvents | undefined;

  /** Makes `next` the socket at once; resolves when it is ready. */
  const use = (next: Socket, ready: string): Promise<void> =>
    new Promise((resolve, reject) => {
      let cause: (NodeJS.ErrnoException & { reason?: string }) | undefined;
      socket = next
        .once(ready, resolve)
        // What is read from the plain socket once TLS has begun is nobody's.
        .on('data', (octets: Uint8Array) => next === socket && events?.onData(octets))
        .on('drain', () => events?.onDrain())
        .on('error', (error) => {
          cause = error;
          const { code, reason, message } = cause;
          // The message of OpenSSL is a log line, and a failure on several addresses has none.
          // Runtimes word the same failure of TLS differently, so the cure goes by code.
          cause.message = `${host}:${port}: ${reason ?? (message || code)}${
            options.secure && /SSL|EPROTO/.test(code as string)
              ? `; if port ${port} speaks STARTTLS, use tls: 'starttls'`
              : /ALTNAME/.test(code as string)
                ? '; to trust it, set tlsOptions.servername'
                : // SELF_SIGNED_CERT_IN_CHAIN, UNABLE_TO_VERIFY_LEAF_SIGNATURE, UNABLE_TO_GET_ISSUER_CERT …
                  /SIGN|ISSUER/.test(code as string)
                  ? '; to trust it, set tlsOptions.ca'
                  : ''
          }`;
        })
        .on('close', () => {
          reject(cause);
          if (next === socket) events?.onClose(cause);
        });
    });
  await use(first, ready);
  return {
    secure: false,
    localAddress: first.localAddress,
    attach(to) {
      events = to;
    },
    write: (octets) => socket.write(octets),
    async startTls() {
      const secured = connectTls({
        // RFC 6066 §3: an address is no server name.
        servername: isIP(host) ? '' : host,
        // RFC 8997: whatever the runtime was started with.
        minVersion: 'TLSv1.2',
        session: resumption.session as Uint8Array as Buffer,
        ...(tlsOptions as ConnectionOptions),
        socket,
        host,
      }).on('session', (session) => {
        resumption.session = session;
      });
      await use(secured, 'secureConnect');
      // RFC 9266 §4: under TLS 1.2 it would take an extended master secret, which nobody can ask for here.
      return secured.getProtocol() === 'TLSv1.3'
        ? secured.exportKeyingMaterial?.(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
        : undefined;
    },
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
}

/** Connects by node:net; `startTls()` goes on by node:tls. */
export const nodeTransport = (options: TransportOptions): Promise<Transport> =>
  over(connect({ ...options, noDelay: true } as NetConnectOpts), 'connect', options);

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
  socket: Socket,
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
