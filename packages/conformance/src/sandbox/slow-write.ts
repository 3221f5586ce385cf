/** Writing octet by octet, where all that comes behind it waits. Knows sockets, and nothing of SMTP. */
import type { Socket } from 'node:net';

/** Does something during which another function writes to the socket. */
export function withWrite(
  socket: Socket,
  other: (octets: Buffer, write: (octets: Buffer) => boolean) => boolean,
  act: () => void,
): void {
  const own = Object.getOwnPropertyDescriptor(socket, 'write');
  const write = socket.write.bind(socket) as (octets: Buffer) => boolean;
  socket.write = ((chunk: string | Buffer) => other(Buffer.from(chunk), write)) as Socket['write'];
  try {
    act();
  } finally {
    if (own) Object.defineProperty(socket, 'write', own);
    else Reflect.deleteProperty(socket, 'write');
  }
}

/** What leaves octet by octet; all else of that socket waits for it. */
const dripping = new WeakMap<Socket, Promise<void>>();

export function drip(socket: Socket, octets: Buffer, ms: number): boolean {
  if (!dripping.has(socket)) {
    // Nor is it closed before.
    const end = socket.end.bind(socket) as () => Socket;
    socket.end = (() => {
      queue(socket, async () => {
        end();
      });
      return socket;
    }) as Socket['end'];
  }
  queue(socket, async () => {
    for (const octet of octets) {
      if (socket.destroyed || !socket.writable) return;
      socket.write(Buffer.of(octet));
      await new Promise((resolve) => setTimeout(resolve, ms).unref());
    }
  });
  return true;
}

export function behind(
  socket: Socket,
  octets: Buffer,
  write: (octets: Buffer) => boolean,
): boolean {
  if (!dripping.has(socket)) return write(octets);
  queue(socket, async () => {
    if (!socket.destroyed && socket.writable) write(octets);
  });
  return true;
}

function queue(socket: Socket, act: () => Promise<void>): void {
  dripping.set(socket, (dripping.get(socket) ?? Promise.resolve()).then(act));
}
