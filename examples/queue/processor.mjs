/** BullMQ: what became of a message, in the queue's own terms. */
import { DelayedError, RateLimitError, UnrecoverableError } from 'bullmq';
import { deliver } from './deliver.mjs';
import { mailOf } from './mail-job.mjs';

/**
 * @import { Job, Queue, WorkerOptions } from 'bullmq'
 * @import { Delivery } from './deliver.mjs'
 * @import { MailData } from './mail-job.mjs'
 */

/** However long the server asks for, the whole queue looks again after so many ms. */
const LONGEST_PAUSE = 15 * 60 * 1_000;

/** @type {Omit<WorkerOptions, 'connection'>} */
export const WORKER_OPTIONS = {
  concurrency: 10,
  // A worker that does not renew its lock for so long has lost its jobs to the others.
  lockDuration: 30_000,
  stalledInterval: 15_000,
  // The default is 1: a message whose workers die twice would be failed, and so be lost. This is for one that kills them.
  maxStalledCount: 1_000,
  // What the server allows. Without a limiter BullMQ does not look whether the queue is paused by rateLimit().
  limiter: { max: 1_000, duration: 1_000 },
};

/**
 * The processor for `new Worker()`.
 *
 * @param {Pick<Queue, 'rateLimit'>} queue
 * @param {Delivery} delivery
 */
export function processorOf(queue, delivery) {
  /** @param {Job<MailData>} job @param {string} [token] */
  return async (job, token) => {
    const outcome = await deliver(delivery, mailOf(job));
    if (outcome.state === 'sent') return outcome.note;
    if (outcome.state !== 'open') throw new UnrecoverableError(`${outcome.state}: ${outcome.note}`);
    if (outcome.slowDown) {
      await queue.rateLimit(Math.min(outcome.wait, LONGEST_PAUSE));
      throw new RateLimitError();
    }
    await job.moveToDelayed(Date.now() + outcome.wait, token);
    throw new DelayedError();
  };
}
