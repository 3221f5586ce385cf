/**
 * `cloudflare:sockets` over node:net and node:tls, as workerd has it: streams that are locked cannot start TLS, a reader with
 * a read under way cannot be released, nothing is known of the local end, and errors say little. */
import { connect as dial, isIP, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import type { WorkersSocket, WorkersSockets } from '../../src/workers/sockets.ts';

type Options = Parameters<WorkersSockets['connect']>[1];

/** Every socket that was made, with what it was made for. */
export const made: {
  readonly hostname: string;
  readonly options: Options;
  readonly socket: WorkersSocket;
}[] = [];

/** How the runtime is set up: what it trusts, and whether a connection ever comes to anything. */
export const runtime: { ca: string; stalled: boolean } = { ca: '', stalled: false };

const locked = (what: string): TypeError => new TypeError(`This ${what} is currently locked`);

function over(tcp: Socket, ready: string, hostname: string, options: Options): WorkersSocket {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let resolveClosed!: () => void;
  let rejectClosed!: (error: Error) => void;
  const closed = new Promise<void>((resolve, reject) => {
    resolveClosed = resolve;
    rejectClosed = reject;
  });
  let over = false;
  const lose = (error: Error): void => {
    if (over) return;
    over = true;
    controller.error(error);
    rejectClosed(error);
  };
  const opened = new Promise<unknown>((resolve, reject) => {
    tcp.once(ready, () => resolve({ remoteAddress: `${hostname}:${tcp.remotePort}` }));
    tcp.once('error', () => reject(new Error('proxy request failed')));
    tcp.once('close', () => reject(new Error('proxy request failed')));
  });
  const readable = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull() {
        tcp.resume();
      },
      cancel() {
        over = true;
        tcp.destroy();
      },
    },
    { highWaterMark: 0 },
  );
  const onData = (octets: Buffer): void => {
    tcp.pause();
    controller.enqueue(new Uint8Array(octets));
  };
  const onEnd = (): void => {
    if (over) return;
    over = true;
    controller.close();
  };
  const onError = (): void => lose(new Error('Network connection lost.'));
  const onClose = (): void => {
    if (!over) lose(new Error('Network connection lost.'));
    resolveClosed();
  };
  tcp.pause();
  tcp.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  const writable = new WritableStream<Uint8Array>(
    {
      write: (octets) =>
        new Promise((resolve, reject) => {
          tcp.write(octets, (error) => (error ? reject(error) : resolve()));
        }),
      close: () => new Promise((resolve) => tcp.end(resolve)),
      abort() {
        tcp.destroy();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: options.highWaterMark ?? Infinity }),
  );
  // As workerd does it, against the letter of the Streams standard.
  const reading = readable.getReader.bind(
    readable,
  ) as () => ReadableStreamDefaultReader<Uint8Array>;
  readable.getReader = (() => {
    const reader = reading();
    let pending = 0;
    return {
      read: () => {
        pending += 1;
        return reader.read().finally(() => {
          pending -= 1;
        });
      },
      releaseLock() {
        if (pending > 0)
          throw new TypeError(
            'Cannot call releaseLock() on a reader with outstanding read promises.',
          );
        reader.releaseLock();
      },
    };
  }) as unknown as typeof readable.getReader;
  const socket: WorkersSocket = {
    readable,
    writable,
    opened,
    closed,
    async close() {
      over = true;
      tcp.destroy();
      resolveClosed();
    },
    startTls() {
      if (options.secureTransport !== 'starttls')
        throw new TypeError("The `secureTransport` socket option must be set to 'starttls'");
      if (readable.locked) throw locked('ReadableStream');
      if (writable.locked) throw locked('WritableStream');
      tcp.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      tcp.on('error', () => {});
      resolveClosed();
      return add(
        secure({ socket: tcp, ...namesOf(hostname), ca: runtime.ca }),
        'secureConnect',
        hostname,
        { ...options, secureTransport: 'on' },
      );
    },
  };
  opened.catch(() => {});
  return socket;
}

function namesOf(host: string): { readonly host: string; readonly servername: string } {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return { host: bare, servername: isIP(bare) ? '' : bare };
}

function add(tcp: Socket, ready: string, hostname: string, options: Options): WorkersSocket {
  const socket = over(tcp, ready, hostname, options);
  made.push({ hostname, options, socket });
  return socket;
}

/** The module's one function. */
export const connect: WorkersSockets['connect'] = ({ hostname, port }, options) =>
  runtime.stalled
    ? add(dial({ port, host: namesOf(hostname).host }), 'never', hostname, options)
    : options.secureTransport === 'on'
      ? add(
          secure({ port, ...namesOf(hostname), ca: runtime.ca }),
          'secureConnect',
          hostname,
          options,
        )
      : add(dial({ port, host: namesOf(hostname).host }), 'connect', hostname, options);
