/** The transport over node:net and node:tls: Node, Bun and Deno. */
import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Transport, TransportEvents, TransportOptions } from './transport.ts';

/** Connects by node:net; `startTls()` goes on by node:tls. What it rejects with names the peer, and the cure where one is known. */
export async function nodeTransport(options: TransportOptions): Promise<Transport> {
  const { host, port, tlsOptions, resumption = {} } = options;
  let socket!: Socket;
  let events: TransportEvents | undefined;

  /** Makes `next` the socket at once; resolves when it is ready. */
  const use = (next: Socket, ready: 'connect' | 'secureConnect'): Promise<void> =>
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

  await use(connect({ ...options, noDelay: true } as NetConnectOpts), 'connect');
  return {
    secure: false,
    localAddress: socket.localAddress,
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
