/** The limit: precomputed octets on a socket, and replies that are counted by their line feeds. It understands nothing. */
import net from 'node:net';
import tls from 'node:tls';

const LF = 10;

export async function open({ host, port, tls: security, ca, chunking, window = 1 }) {
  const socket =
    security === 'implicit'
      ? tls.connect({ host, port, ca, servername: '' })
      : net.connect({ host, port });
  socket.setNoDelay(true);
  let lines = 0;
  let wanted = 1;
  let wake = () => {};
  let failure;
  socket.on('data', (chunk) => {
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines += 1;
    if (lines >= wanted) wake();
  });
  socket.on('error', (error) => {
    failure = error;
    wake();
  });
  socket.on('close', () => wake());
  /** Waits for so many lines more than it has waited for before. */
  const replies = (count) => {
    wanted += count;
    return awaited();
  };
  const awaited = async () => {
    while (lines < wanted) {
      if (failure || socket.destroyed) throw failure ?? new Error('the sink has closed');
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  };
  await awaited();
  socket.write('EHLO limit\r\n');
  // How many lines the capabilities have depends on the sink: the reply ends where nothing more comes.
  wanted += 1;
  await awaited();
  wanted = lines;

  const exchange = (octets, count) => {
    socket.write(octets);
    return replies(count);
  };

  return {
    /**
     * @param mode - 'queued' overlaps: `window` messages in one write with BDAT, the next envelope behind the content with
     * DATA; 'awaited' has one message at a time
     * @returns what sends so many messages, a multiple of the window
     */
    batches({ from, to, content }, mode) {
      const recipients = to.map((address) => `RCPT TO:<${address}>\r\n`).join('');
      const envelope = `MAIL FROM:<${from}> SIZE=${content.length}\r\n${recipients}`;
      if (chunking) {
        const command = Buffer.from(`${envelope}BDAT ${content.length} LAST
`);
        const burst = Buffer.concat(Array(window).fill([command, content]).flat());
        return async (count, onEach) => {
          for (let sent = 0; sent < count; sent += window) {
            await exchange(burst, (2 + to.length) * window);
            onEach?.(sent + window);
          }
        };
      }
      const opening = Buffer.from(`${envelope}DATA\r\n`);
      if (mode === 'awaited') {
        const body = Buffer.concat([content, Buffer.from('.\r\n')]);
        return async (count, onEach) => {
          for (let sent = 0; sent < count; sent += 1) {
            await exchange(opening, 2 + to.length);
            await exchange(body, 1);
            onEach?.(sent + 1);
          }
        };
      }
      const body = Buffer.concat([content, Buffer.from('.\r\n')]);
      const group = Buffer.concat([body, opening]);
      return async (count, onEach) => {
        await exchange(opening, 2 + to.length);
        for (let sent = 1; sent < count; sent += 1) {
          await exchange(group, 3 + to.length);
          onEach?.(sent);
        }
        await exchange(body, 1);
        onEach?.(count);
      };
    },
    async close() {
      socket.destroy();
    },
  };
}
