/**
 * A worker: takes messages from the queue until it is told to stop. Start as many as there is work for.
 *
 *     REDIS_URL=redis://127.0.0.1:6379 SMTP_HOST=mail.example.com SMTP_USER=… SMTP_PASS=… node worker.mjs
 *
 * SIGTERM lets what is under way come to its end. SIGKILL costs nothing but time: what it was at is taken up by another
 * worker, or held.
 */
import { createPool } from '@posthorn/core/pool';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createLedger } from './ledger.mjs';
import { processorOf, WORKER_OPTIONS } from './processor.mjs';

/** @import { ConnectOptions } from '@posthorn/core' */

const {
  REDIS_URL = 'redis://127.0.0.1:6379',
  SMTP_HOST = '127.0.0.1',
  SMTP_PORT,
  SMTP_TLS,
  SMTP_USER,
  SMTP_PASS = '',
  SMTP_NAME,
  QUEUE = 'mail',
  WORKER_SETTINGS = '{}',
} = process.env;

// null: a command waits until Redis is back, and then runs, in its order.
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const queue = new Queue(QUEUE, { connection });
const settings = { ...WORKER_OPTIONS, ...JSON.parse(WORKER_SETTINGS) };
const pool = createPool({
  host: SMTP_HOST,
  ...(SMTP_PORT && { port: Number(SMTP_PORT) }),
  ...(SMTP_TLS && { tls: /** @type {NonNullable<ConnectOptions['tls']>} */ (SMTP_TLS) }),
  ...(SMTP_USER && { auth: { user: SMTP_USER, pass: SMTP_PASS } }),
  ...(SMTP_NAME && { name: SMTP_NAME }),
});
const delivery = { ledger: createLedger(connection), send: pool.send };
const worker = new Worker(QUEUE, processorOf(queue, delivery), { ...settings, connection });

worker.on('error', (error) => console.error(error.message));
queue.on('error', (error) => console.error(error.message));
connection.on('error', (error) => console.error(error.message));
worker.on('failed', (job, error) => console.error(`${job?.id} ${error.message}`));

async function stop() {
  await worker.close();
  await pool.close();
  await queue.close();
  connection.disconnect();
  process.exit();
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
// One that was started by another program does not outlive it.
process.once('disconnect', () => process.exit(1));
