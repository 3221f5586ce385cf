/** A server that speaks TLS from the first octet, and tells of each connection what only its end of TLS knows. */
import { createServer } from 'node:tls';
import { createCertificateAuthority } from '@posthorn/conformance';

export async function startObserver() {
  const authority = await createCertificateAuthority();
  const connections = [];
  const sockets = new Set();
  const server = createServer({
    ...(await authority.issue()),
    // Whoever has a certificate shows it, whoever has signed it.
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.on('tlsClientError', () => {});
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', (socket) => {
    connections.push({
      remoteAddress: socket.remoteAddress,
      servername: socket.servername,
      protocol: socket.getProtocol(),
      resumed: socket.isSessionReused(),
      fingerprint256: socket.getPeerCertificate().fingerprint256,
    });
    let rest = '';
    socket.on('error', () => {});
    socket.on('data', (octets) => {
      const lines = (rest + octets.toString('latin1')).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line !== 'QUIT') socket.write('250 mail.example.com\r\n');
        else socket.end('221 bye\r\n');
      }
    });
    socket.write('220 mail.example.com ESMTP\r\n');
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    port: server.address().port,
    ca: authority.ca,
    seen: () => ({ connections }),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
