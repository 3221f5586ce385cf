/**
 * What is held, for a human.
 *
 *     node held.mjs                      lists it: since when, id, Message-ID, recipient, why
 *     node held.mjs sent order-17        the server has it: it is done with
 *     node held.mjs again order-17       the server does not have it: it is sent again
 *
 * `again` is also for what has failed, once the reason is mended. REDIS_URL and QUEUE as for worker.mjs.
 */
import { parseArgs } from 'node:util';
import { Job, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createLedger } from './ledger.mjs';
import { resolve } from './resolve.mjs';

/** @import { MailData } from './mail-job.mjs' */

const { REDIS_URL = 'redis://127.0.0.1:6379', QUEUE = 'mail' } = process.env;
const { positionals } = parseArgs({ allowPositionals: true });
const [verdict, ...ids] = positionals;
const connection = new Redis(REDIS_URL, { maxRetriesPerRequest: 1 });
/** @type {Queue<MailData>} */
const queue = new Queue(QUEUE, { connection });
const ledger = createLedger(connection);
// What they fail with is told by the command that fails.
connection.on('error', () => {});
queue.on('error', () => {});

async function list() {
  const held = await ledger.held();
  for (const { id, since } of held) {
    const [job, { note }] = await Promise.all([Job.fromId(queue, id), ledger.look(id)]);
    console.log([since.toISOString(), id, job?.data.messageId, job?.data.to, note].join('\t'));
  }
  console.log(`${held.length} held`);
}

try {
  if (verdict === undefined) await list();
  else if (verdict !== 'sent' && verdict !== 'again')
    throw new Error(`Cannot say ${verdict} of a message: it is sent, or to be sent again`);
  else for (const id of ids) await resolve(ledger, queue, id, verdict);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  connection.disconnect();
}
