/** nodemailer's pool with one connection. */
import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';

export async function open({ host, port, tls, ca, auth }) {
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    ignoreTLS: tls === 'off',
    requireTLS: tls === 'starttls',
    tls: { ca },
    auth,
    pool: true,
    maxConnections: 1,
    maxMessages: Number.POSITIVE_INFINITY,
  });
  return {
    sender({ from, to, content }) {
      const mail = { envelope: { from, to }, raw: content };
      return () => transport.sendMail(mail);
    },
    /** Composes and sends one message with a file from a stream. */
    async attach({ from, to, chunks }) {
      const file = { filename: 'large.bin', content: Readable.from(chunks()) };
      const spec = { from, to, subject: 'Large', text: 'See the file.', attachments: [file] };
      await transport.sendMail(spec);
    },
    async stream({ from, to, chunks }) {
      await transport.sendMail({ envelope: { from, to }, raw: Readable.from(chunks()) });
    },
    close: async () => transport.close(),
  };
}
