/** The transport over node:net and node:tls: Node, Bun and Deno. */
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { SmtpError } from '../errors.ts';
import type { Transport, TransportEvents, TransportOptions } from './transport.ts';

class NodeTransport implements Transport {
  secure = false;
  readonly localAddress: string | undefined;
  #socket: Socket;
  #events: TransportEvents | undefined;
  readonly #options: TransportOptions;

  constructor(socket: Socket, options: TransportOptions) {
    this.#socket = socket;
    this.#options = options;
    this.localAddress = socket.localAddress;
    socket.setNoDelay(true);
    socket.on('error', ignore);
    options.signal.addEventListener('abort', () => this.destroy(), { once: true });
  }

  attach(events: TransportEvents): void {
    this.#events = events;
    this.#listen();
  }

  write(octets: Uint8Array): boolean {
    return this.#socket.write(octets);
  }

  startTls(): Promise<void> {
    const { host, port, tlsOptions, secure } = this.#options;
    const plain = this.#socket;
    plain.removeAllListeners('data').removeAllListeners('drain').removeAllListeners('close');
    const servername = tlsOptions.servername ?? host;
    return new Promise((resolve, reject) => {
      const socket = tlsConnect({
        minVersion: 'TLSv1.2',
        ...(tlsOptions as object),
        socket: plain,
        host: servername,
        // RFC 6066 §3: an address is no server name.
        servername: isIP(servername) ? '' : servername,
      });
      const fail = (error?: Error): void => {
        plain.destroy();
        reject(tlsError(error, host, port, secure));
      };
      this.#socket = socket;
      socket.on('error', ignore).once('error', fail).once('close', fail);
      socket.once('secureConnect', () => {
        socket.off('error', fail).off('close', fail);
        this.secure = true;
        if (this.#events) this.#listen();
        resolve();
      });
    });
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    const events = this.#events as TransportEvents;
    let failure: Error | undefined;
    this.#socket
      .on('data', (octets: Uint8Array) => events.onData(octets))
      .on('drain', () => events.onDrain())
      .on('error', (error: Error) => {
        failure = error;
      })
      .on('end', () => events.onClose())
      .on('close', () => events.onClose(failure));
  }
}

function ignore(): void {}

/**
 * Connects by node:net; `startTls()` goes on by node:tls.
 *
 * @throws SmtpError ERR_SMTP_CONNECT
 */
export async function nodeTransport(options: TransportOptions): Promise<Transport> {
  const { host, port, localAddress, signal } = options;
  const socket = await new Promise<Socket>((resolve, reject) => {
    const attempt = tcpConnect({ host, port, ...(localAddress !== undefined && { localAddress }) });
    const fail = (cause?: Error): void => {
      attempt.destroy();
      reject(
        new SmtpError('ERR_SMTP_CONNECT', `Cannot connect to ${host}:${port}: ${reasonOf(cause)}`, { phase: 'connect', cause }),
      );
    };
    const abort = (): void => fail(new Error('it was given up'));
    attempt.on('error', ignore).once('error', fail);
    signal.addEventListener('abort', abort, { once: true });
    attempt.once('connect', () => {
      attempt.off('error', fail);
      signal.removeEventListener('abort', abort);
      resolve(attempt);
    });
  });
  return new NodeTransport(socket, options);
}

/** Of a failure on several addresses, each (`AggregateError` has no message of its own). */
function reasonOf(cause: Error | undefined): string {
  const errors = (cause as AggregateError | undefined)?.errors as Error[] | undefined;
  return errors?.map(({ message }) => message).join('; ') || cause?.message || 'the connection was closed';
}

/** What failed, and its cure. Runtimes name the same failure differently, so this goes by code first. */
function tlsError(cause: Error | undefined, host: string, port: number, implicit: boolean): SmtpError {
  const code = String((cause as { code?: unknown } | undefined)?.code);
  const why = cause?.message ?? 'the connection was closed during the handshake';
  const cure = /ALTNAME/.test(code)
    ? '; connect by a name that the certificate holds, or give it as tlsOptions.servername'
    : /EXPIRED|NOT_YET_VALID/.test(code)
      ? '; the server needs a valid certificate'
      : /CERT|SELF_SIGNED|UNABLE_TO|ISSUER|LEAF/.test(code)
        ? '; if the server is yours, give its CA as tlsOptions.ca'
        : '';
  const other =
    implicit && !cure && /WRONG_VERSION|PACKET_LENGTH|RECORD_TOO|EPROTO|UNKNOWN_PROTOCOL|ERR_SSL_(?!TLSV1_ALERT)/.test(`${code} ${why}`);
  return new SmtpError(
    'ERR_SMTP_TLS',
    other
      ? `Cannot start TLS with ${host}: port ${port} speaks STARTTLS; use tls: 'starttls' (${why})`
      : `Cannot start TLS with ${host}:${port}: ${why}${cure}`,
    { phase: 'tls', cause },
  );
}
