/** connect() by node:net and node:tls: Node, Bun and Deno. */
import type { SmtpClient } from './client.ts';
import { connectBy } from './driver/driver.ts';
import { nodeTransport } from './driver/node-transport.ts';
import type { ConnectOptions } from './options.ts';

/**
 * Connects to a submission server: greeting, EHLO, TLS and AUTH. Resolves when it is ready to send.
 *
 * @throws TypeError for options that cannot be used, before anything is sent
 * @throws SmtpError ERR_SMTP_CONNECT, ERR_SMTP_TLS, ERR_SMTP_AUTH, ERR_SMTP_REPLY, ERR_SMTP_TIMEOUT, ERR_SMTP_PROTOCOL, ERR_SMTP_CLOSED, ERR_SMTP_ABORTED
 *
 * @example
 * ```ts
 * import { connect } from '@posthorn/core';
 *
 * const client = await connect({ host, port, tlsOptions: { ca }, auth: { user, pass } });
 * console.log(client.secure, client.capabilities.has('PIPELINING')); // true true
 * await client.close();
 * ```
 */
export const connect = (options: ConnectOptions): Promise<SmtpClient> =>
  connectBy(nodeTransport, options);
