/** The two recipes, each as what submits and what works; and what each says of its messages at the end. */
import { fileURLToPath } from 'node:url';
import { Job } from 'bullmq';
import { createLedger } from '../ledger.mjs';
import { submit } from '../mail-job.mjs';
import { resolve } from '../resolve.mjs';

/**
 * @import { Queue } from 'bullmq'
 * @import { Redis } from 'ioredis'
 * @import { MailSpec } from '../mail-job.mjs'
 * @import { Line } from './server.mjs'
 */

/** @param {string} name */
const program = (name) => fileURLToPath(new URL(name, import.meta.url));

/** @param {string} id @returns {MailSpec} */
const specOf = (id) => ({
  from: 'Shop <shop@queue.example>',
  to: `${id}@customers.example`,
  subject: `Your order ${id}`,
  text: `Thank you for your order ${id}.\n`,
  html: `<p>Thank you for your order <b>${id}</b>.</p>\n`,
});

/** Processor, ledger and settings as they are in this folder. */
export const withLedger = {
  name: 'with the ledger',
  program: program('../worker.mjs'),
  /** @param {Queue} queue @param {string} id */
  submit: (queue, id) => submit(queue, id, specOf(id)),
};

/** What guides to BullMQ show: attempts, exponential backoff, and `sendMail()` in the processor. */
export const usual = {
  name: 'usual recipe',
  program: program('./usual-worker.mjs'),
  /** @param {Queue} queue @param {string} id */
  async submit(queue, id) {
    const options = { attempts: 5, backoff: { type: 'exponential', delay: 300 } };
    const messageId = `<${id}@queue.example>`;
    await queue.add('mail', { ...specOf(id), messageId }, { ...options, jobId: id });
  },
};

/** @param {Redis} redis @param {readonly string[]} ids @returns {Promise<Map<string, string>>} */
export async function statesOf(redis, ids) {
  const ledger = createLedger(redis);
  return new Map(
    await Promise.all(
      ids.map(async (id) => /** @type {const} */ ([id, (await ledger.look(id)).state])),
    ),
  );
}

/**
 * What a human does with what is held: looks for its Message-ID in the server's log.
 *
 * @param {Redis} redis
 * @param {Queue} queue
 * @param {readonly Line[]} record
 * @returns how many there were
 */
export async function resolveHeld(redis, queue, record) {
  const ledger = createLedger(redis);
  const log = new Set(record.map(({ messageId }) => messageId));
  const held = await ledger.held();
  for (const { id } of held) {
    const job = await Job.fromId(queue, id);
    await resolve(ledger, queue, id, log.has(job?.data.messageId) ? 'sent' : 'again');
  }
  return held.length;
}
