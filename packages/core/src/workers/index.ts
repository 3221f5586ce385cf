/** The client on Cloudflare Workers and workerd: connections by `cloudflare:sockets`, nothing of `node:`. */
import type { SmtpClient } from '../client.ts';
import { connectBy } from '../driver/driver.ts';
import type { ConnectOptions } from '../options.ts';
import { refuseUnusable, workersTransport } from './workers-transport.ts';

export type { Receipt, SmtpClient } from '../client.ts';
export type { Transport, TransportEvents, TransportOptions } from '../driver/transport.ts';
export { isSmtpError, SmtpError } from '../errors.ts';
export type { ConnectOptions } from '../options.ts';
export type { OutgoingMessage, SendOptions } from '../session/envelope.ts';
export { workersTransport };

/**
 * As `connect()` of `@posthorn/core`, by `cloudflare:sockets`. Set `name`: the local address is not known there.
 *
 * @throws TypeError, SmtpError as the other one; TypeError also for `localAddress` and for each of `tlsOptions` but
 * `servername: host` and `rejectUnauthorized: true`, which `cloudflare:sockets` could only ignore
 */
export async function connect(options: ConnectOptions): Promise<SmtpClient> {
  if (!options.transport) refuseUnusable(options);
  return connectBy(workersTransport, options);
}
