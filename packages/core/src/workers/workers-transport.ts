/** The transport over `cloudflare:sockets`, for Cloudflare Workers and workerd. No `node:` import is reachable from here. */
import type { Transport, TransportEvents, TransportOptions } from '../driver/transport.ts';
import { WRITE_OCTETS } from '../session/limits.ts';
import type { WorkersSocket, WorkersSockets } from './sockets.ts';

/**
 * The runtime trusts its own certificates and asks for nothing else: an option that would change whom it trusts, or
 * what it shows, is refused, for without it the connection would be another one than was meant.
 *
 * @throws TypeError which names the option
 */
export function refuseUnusable({
  host,
  localAddress,
  tlsOptions,
}: Partial<TransportOptions>): void {
  const granted: Readonly<Record<string, unknown>> = { servername: host, rejectUnauthorized: true };
  // What says the same as the default may stand. The value is not told: it may be a key.
  for (const [name, value] of Object.entries({ localAddress, ...tlsOptions }))
    if (value !== undefined && value !== granted[name])
      throw new TypeError(`Cannot use ${name} on cloudflare:sockets`);
}

/**
 * Connects by `cloudflare:sockets`. The certificate is checked against `host`, by what the runtime trusts. The local
 * address is not known there: set `name`, the argument of EHLO.
 *
 * @throws TypeError for `localAddress` and for each of `tlsOptions` but `servername: host` and `rejectUnauthorized: true`
 * @throws Error which names the peer, where it cannot be connected
 */
export async function workersTransport(options: TransportOptions): Promise<Transport> {
  refuseUnusable(options);
  const { host, port, secure, signal } = options;
  const { connect }: WorkersSockets = await import('cloudflare:sockets' as string);
  let socket: WorkersSocket;
  let reader: ReadableStreamDefaultReader<Uint8Array>;
  let writer: WritableStreamDefaultWriter<Uint8Array>;
  let events: TransportEvents | undefined;

  const named = (cause: unknown): Error =>
    new Error(`${host}:${port}: ${(cause as Error)?.message}`, { cause });
  /** Makes `next` the socket at once; resolves when it is ready. */
  const use = async (next: WorkersSocket): Promise<void> => {
    socket = next;
    reader = next.readable.getReader();
    writer = next.writable.getWriter();
    // Who reads and writes is told of it.
    next.closed.catch(() => {});
    await next.opened.catch((error) => {
      throw named(error);
    });
  };
  const closed = (cause?: unknown): void => {
    const told = events;
    events = undefined;
    told?.onClose(cause ? named(cause) : undefined);
  };
  const read = async (): Promise<void> => {
    const from = reader;
    try {
      // Once TLS has begun, what is left of the plain socket is nobody's.
      while (from === reader) {
        const { done, value } = await from.read();
        if (done) return closed();
        events?.onData(value);
      }
    } catch (error) {
      closed(error);
    }
  };
  const destroy = (): void => {
    writer.abort().catch(() => {});
    socket.close().catch(() => {});
  };

  signal.throwIfAborted();
  await Promise.race([
    use(
      connect(
        { hostname: host.includes(':') ? `[${host}]` : host, port },
        {
          secureTransport: secure ? 'on' : 'starttls',
          allowHalfOpen: false,
          highWaterMark: WRITE_OCTETS,
        },
      ),
    ),
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason);
        destroy();
      });
    }),
  ]);
  return {
    secure,
    attach(to) {
      events = to;
      void read();
    },
    write(octets) {
      // Each write that has left makes room. Not by `writer.ready`: workerd forgets that promise, and makes another one,
      // when the first of several writes has left and there is no room yet.
      writer.write(octets).then(() => events?.onDrain(), closed);
      return (writer.desiredSize as number) > 0;
    },
    async startTls() {
      // Called for what was just read, so that no read is pending: neither stream may be locked.
      reader.releaseLock();
      writer.releaseLock();
      await use(socket.startTls());
      void read();
    },
    end() {
      writer.close().catch(() => {});
    },
    destroy,
  };
}
