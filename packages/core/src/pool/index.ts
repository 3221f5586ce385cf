/** createPool() by the package's connect(): Node, Bun and Deno. */
import { connect } from '../connect.ts';
import type { PoolOptions, SmtpPool } from './options.ts';
import { poolBy } from './pool.ts';

export type { PoolOptions, PoolStats, SmtpPool } from './options.ts';

/**
 * A pool of connections to one server. Synchronous: it connects when there is something to send.
 *
 * @throws TypeError for limits that are not above 0
 *
 * @example
 * ```ts
 * import { createPool } from '@posthorn/core/pool';
 *
 * const pool = createPool({ host, port, tlsOptions: { ca }, auth: { user, pass }, maxConnections: 2 });
 * const message = {
 *   from: 'noreplay@devinotele.com',
 *   to: 'test@devinotele.com',
 *   content: 'Subject: Test from smtp\r\n\r\nHello\r\n',
 * };
 * const receipts = await Promise.all([pool.send(message), pool.send(message), pool.send(message)]);
 * console.log(receipts.length, pool.stats.sent, pool.stats.queued); // 3 3 0
 * await pool.close();
 * ```
 */
export const createPool = (options: PoolOptions): SmtpPool => poolBy(connect, options);
