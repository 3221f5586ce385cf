/** @posthorn/core/pool with one connection. */
import { createPool } from '@posthorn/core/pool';

export async function open({ host, port, tls, ca, auth, pipelining, window }) {
  const pool = createPool({
    host,
    port,
    tls,
    tlsOptions: { ca },
    maxConnections: 1,
    maxMessages: Number.POSITIVE_INFINITY,
    ...(auth && { auth }),
    ...(pipelining && { pipelining }),
    ...(window && { window }),
  });
  return {
    sender(message) {
      return () => pool.send(message);
    },
    close: () => pool.close(),
  };
}
