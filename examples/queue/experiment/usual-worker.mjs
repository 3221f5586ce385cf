/** The usual recipe: BullMQ tries again by itself, and whatever fails is thrown. */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createTransport } from 'nodemailer';

const {
  REDIS_URL = '',
  SMTP_HOST,
  SMTP_PORT,
  SMTP_NAME,
  QUEUE = '',
  WORKER_SETTINGS = '{}',
} = process.env;

const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const transport = createTransport({
  pool: true,
  host: SMTP_HOST,
  port: Number(SMTP_PORT),
  name: SMTP_NAME,
  ignoreTLS: true,
});
const worker = new Worker(QUEUE, async (job) => transport.sendMail(job.data), {
  ...JSON.parse(WORKER_SETTINGS),
  connection,
});
worker.on('error', (error) => console.error(error.message));
connection.on('error', (error) => console.error(error.message));
process.once('SIGTERM', async () => {
  await worker.close();
  process.exit();
});
process.once('disconnect', () => process.exit(1));
