/** A server that knows at each moment whether it has the last octet of a message. Accepts everything, by DATA and by BDAT. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface WatchedServer {
  readonly port: number;
  /** The messages that it has wholly. */
  readonly messages: string[];
  /** Octets of the message that is not whole. */
  readonly pending: number;
  /** How many recipients it has accepted. */
  readonly recipients: number;
  close(): Promise<void>;
}

export async function startWatchedServer(chunking: boolean): Promise<WatchedServer> {
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  let pending = 0;
  let recipients = 0;

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let buffer = '';
    let content = '';
    let mode: 'command' | 'data' | 'chunk' = 'command';
    let left = 0;
    let last = false;
    const say = (text: string): void => {
      socket.write(`${text}\r\n`);
    };
    const whole = (): void => {
      messages.push(content);
      content = '';
      pending = 0;
      say('250 2.0.0 accepted');
    };
    const step = (): boolean => {
      if (mode === 'chunk') {
        const piece = buffer.slice(0, left);
        buffer = buffer.slice(piece.length);
        content += piece;
        left -= piece.length;
        pending = content.length;
        if (left > 0) return false;
        mode = 'command';
        if (last) whole();
        else say('250 2.0.0 chunk');
        return true;
      }
      const end = buffer.indexOf(mode === 'data' ? '\r\n.\r\n' : '\r\n');
      if (mode === 'data') pending = buffer.length;
      if (end < 0) return false;
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + (mode === 'data' ? 5 : 2));
      if (mode === 'data') {
        mode = 'command';
        content = `${line}\r\n`.replace(/^\./gm, '');
        whole();
        return true;
      }
      const [, size, isLast] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? [];
      if (size) {
        mode = 'chunk';
        left = Number(size);
        last = !!isLast;
      } else if (line === 'DATA') {
        mode = 'data';
        say('354 go on');
      } else if (line.startsWith('EHLO'))
        say(`250-here\r\n250-PIPELINING\r\n${chunking ? '250-CHUNKING\r\n' : ''}250 SIZE`);
      else if (line === 'QUIT') socket.end('221 bye\r\n');
      else {
        if (line.startsWith('RCPT')) recipients += 1;
        say('250 2.1.0 ok');
      }
      return true;
    };
    socket.setEncoding('latin1').on('data', (text) => {
      buffer += text;
      while (step());
    });
    say('220 here');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    get pending() {
      return pending;
    },
    get recipients() {
      return recipients;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
