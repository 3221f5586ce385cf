/** @posthorn/core: one connection. */
import { connect } from '@posthorn/core';

export async function open({ host, port, tls, ca, auth, pipelining, window }) {
  const client = await connect({
    host,
    port,
    tls,
    tlsOptions: { ca },
    ...(auth && { auth }),
    ...(pipelining && { pipelining }),
    ...(window && { window }),
  });
  return {
    /** @returns what sends the message once more each time it is called */
    sender(message) {
      return () => client.send(message);
    },
    /** Composes and sends one message with a file of this size from a stream. @returns the octets of its content */
    async attach({ from, to, size, chunks }) {
      const { attachment, compose } = await import('@posthorn/mime');
      const file = attachment('large.bin', { stream: chunks, size });
      const message = compose({
        from,
        to,
        subject: 'Large',
        text: 'See the file.',
        attachments: [file],
      });
      const receipt = await client.send(message);
      return receipt.octets;
    },
    /** Sends content of this size from a stream. */
    async stream({ from, to, size, chunks }) {
      const { octets } = await client.send({ from, to, content: chunks(), size });
      return octets;
    },
    close: () => client.close(),
  };
}
