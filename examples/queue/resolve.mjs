/** What a human has found out about a message that is held, or has failed: said to the ledger, and to the queue. */
import { Job } from 'bullmq';

/**
 * @import { Queue } from 'bullmq'
 * @import { createLedger } from './ledger.mjs'
 * @import { MailData } from './mail-job.mjs'
 */

/**
 * @param {ReturnType<typeof createLedger>} ledger
 * @param {Queue<MailData>} queue
 * @param {string} id
 * @param {'sent' | 'again'} verdict - the server has it; or it has not, and it is to be sent again
 * @throws Error where there is nothing to resolve, and where the queue has nothing left to send again
 */
export async function resolve(ledger, queue, id, verdict) {
  const job = await Job.fromId(queue, id);
  if (!job && verdict === 'again')
    throw new Error(`Cannot send ${id} again: the queue has no such job; submit it again`);
  const state = verdict === 'sent' ? 'sent' : 'open';
  const resolved = await ledger.resolve(id, state, `${verdict}, as somebody has found out`);
  // Who was interrupted between the two steps says it once more.
  if (!resolved && (await ledger.look(id)).state !== state)
    throw new Error(`Cannot resolve ${id}: it is not held`);
  // Taken up again it is sent, or found to be sent: in either case it leaves the failed jobs.
  await job?.retry('failed');
}
