/**
 * A fast SMTP sink in a process of its own: offers PIPELINING, answers every command at once, counts
 * messages and throws their content away. Says its port to the parent; ends with it.
 */
import { createServer } from 'node:net';

const END = Buffer.from('\r\n.\r\n');

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  let rest = Buffer.alloc(0);
  let inContent = false;
  socket.write('220 sink ESMTP\r\n');
  socket.on('data', (chunk) => {
    let octets = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let replies = '';
    for (;;) {
      if (inContent) {
        const end = octets.indexOf(END);
        if (end < 0) {
          // What could be the beginning of the end is kept.
          octets = octets.subarray(Math.max(0, octets.length - END.length + 1));
          break;
        }
        octets = octets.subarray(end + END.length);
        inContent = false;
        replies += '250 2.0.0 Ok: queued\r\n';
        continue;
      }
      const end = octets.indexOf('\r\n');
      if (end < 0) break;
      const verb = octets.toString('latin1', 0, Math.min(end, 4)).toUpperCase();
      octets = octets.subarray(end + 2);
      if (verb === 'EHLO')
        replies += '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n';
      else if (verb === 'DATA') {
        replies += '354 go\r\n';
        inContent = true;
      } else if (verb === 'QUIT') {
        socket.end(`${replies}221 bye\r\n`);
        return;
      } else replies += '250 2.1.0 Ok\r\n';
    }
    rest = octets;
    if (replies) socket.write(replies);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address().port));
process.on('disconnect', () => process.exit());
