/** The transport over node:net and node:tls: Node, Bun and Deno. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SmtpError } from '../errors.ts';
import type { Transport, TransportEvents, TransportOptions } from './transport.ts';

/**
 * Connects by node:net; `startTls()` goes on by node:tls.
 *
 * @throws SmtpError ERR_SMTP_CONNECT; of `startTls()` ERR_SMTP_TLS
 */
export function nodeTransport({
  host,
  port,
  localAddress,
  tlsOptions,
  secure,
  signal,
}: TransportOptions): Promise<Transport> {
  let socket: Socket;
  let events: TransportEvents | undefined;
  signal.addEventListener('abort', () => socket.destroy());

  /** Resolves when `next` is ready, and makes it the socket at once. */
  const use = (next: Socket, tls: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      let ready = false;
      let cause: (AggregateError & NodeJS.ErrnoException) | undefined;
      socket = next
        .once(tls ? 'secureConnect' : 'connect', () => {
          ready = true;
          if (events) flow();
          resolve();
        })
        .on('error', (error) => {
          cause = error as typeof cause;
        })
        .on('close', () => {
          if (ready) {
            if (next === socket) events?.onClose(cause);
            return;
          }
          // Of a failure on several addresses, each: an AggregateError has no message of its own.
          const why = `${host}:${port}: ${cause?.errors ?? cause?.message ?? 'the connection was closed'}`;
          reject(
            tls
              ? new SmtpError('ERR_SMTP_TLS', `Cannot start TLS with ${why}${cure(cause?.code)}`, {
                  phase: 'tls',
                  cause,
                })
              : new SmtpError('ERR_SMTP_CONNECT', `Cannot connect to ${why}`, {
                  phase: 'connect',
                  cause,
                }),
          );
        });
    });
  const flow = (): void => {
    const from = socket;
    from
      .on('data', (octets: Uint8Array) => from === socket && events?.onData(octets))
      .on('drain', () => events?.onDrain())
      .on('end', () => from === socket && events?.onClose());
  };
  /** What to do about it. Runtimes word the same failure differently, so this goes by code. */
  const cure = (code = ''): string =>
    secure && /VERSION|EPROTO|PACKET/.test(code)
      ? `; port ${port} speaks STARTTLS; use tls: 'starttls'`
      : /ALTNAME/.test(code)
        ? '; check host, or set tlsOptions.servername'
        : /CERT|SIGNED|ISSUER|LEAF/.test(code)
          ? '; to trust its CA, set tlsOptions.ca'
          : '';

  return use(
    connect({ host, port, noDelay: true, ...(localAddress && { localAddress }) }),
    false,
  ).then(() => ({
    secure: false,
    localAddress: socket.localAddress,
    attach(to) {
      events = to;
      flow();
    },
    write: (octets) => socket.write(octets),
    startTls() {
      const name = tlsOptions.servername ?? host;
      // RFC 6066 §3: an address is no server name.
      return use(
        connectTls({
          ...(tlsOptions as object),
          socket,
          host: name,
          servername: isIP(name) ? '' : name,
        }),
        true,
      );
    },
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  }));
}
