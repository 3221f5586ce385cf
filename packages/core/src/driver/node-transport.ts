/** The transport over node:net and node:tls: Node, Bun and Deno. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Transport, TransportEvents, TransportOptions } from './transport.ts';

/** Connects by node:net; `startTls()` goes on by node:tls. What it rejects with names the peer, and the cure where one is known. */
export async function nodeTransport(options: TransportOptions): Promise<Transport> {
  const { host, port, localAddress, tlsOptions } = options;
  let socket!: Socket;
  let events: TransportEvents;

  /** Makes `next` the socket at once; resolves when it is ready. */
  const use = (next: Socket, ready: 'connect' | 'secureConnect'): Promise<void> =>
    new Promise((resolve, reject) => {
      let cause: (NodeJS.ErrnoException & Partial<AggregateError>) | undefined;
      socket = next
        .once(ready, resolve)
        .on('error', (error) => {
          cause = error;
          const { code = '', errors, message } = cause;
          // Of a failure on several addresses, each: an AggregateError has no message of its own.
          // Runtimes word the same failure of TLS differently, so the cure goes by code.
          cause.message = `${host}:${port}: ${errors ?? message}${
            options.secure && /VERSION|EPROTO|PACKET/.test(code)
              ? `; port ${port} speaks STARTTLS; use tls: 'starttls'`
              : /ALTNAME/.test(code)
                ? '; check host, or set tlsOptions.servername'
                : /CERT|SIGNED|ISSUER|LEAF/.test(code)
                  ? '; to trust its CA, set tlsOptions.ca'
                  : ''
          }`;
        })
        .on('close', () => {
          reject(cause);
          if (next === socket) events?.onClose(cause);
        });
    });
  const flow = (): void => {
    const from = socket;
    from
      .on('data', (octets: Uint8Array) => from === socket && events.onData(octets))
      .on('drain', () => events.onDrain());
  };

  const opened = use(
    connect({ host, port, noDelay: true, ...(localAddress && { localAddress }) }),
    'connect',
  );
  options.signal.addEventListener('abort', () => socket.destroy());
  await opened;
  return {
    secure: false,
    localAddress: socket.localAddress,
    attach(to) {
      events = to;
      flow();
    },
    write: (octets) => socket.write(octets),
    startTls() {
      const name = tlsOptions.servername ?? host;
      const secured = use(
        connectTls({
          ...(tlsOptions as object),
          socket,
          host: name,
          // RFC 6066 §3: an address is no server name.
          servername: isIP(name) ? '' : name,
        }),
        'secureConnect',
      );
      flow();
      return secured;
    },
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
}
