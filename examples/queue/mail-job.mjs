/** What a job of the queue holds, written by `submit()` and read by `mailOf()`; and how BullMQ has to keep it. */
import { compose } from '@posthorn/mime';

/**
 * @import { Job, JobsOptions, Queue } from 'bullmq'
 * @import { MessageSpec } from '@posthorn/mime'
 * @import { Mail } from './deliver.mjs'
 */

/**
 * What survives JSON of what `compose()` takes. Files are better left where they are and named in the job.
 *
 * @typedef {Pick<MessageSpec, 'subject' | 'text' | 'html'> & { from: string, to: string }} MailSpec
 */

/** @typedef {MailSpec & { messageId: string, date: string }} MailData */

/** @type {JobsOptions} */
export const JOB_OPTIONS = {
  // For failures of our own: Redis, a bug. Refusals by the server are not counted; they end by `giveUpAfter`.
  attempts: 1_000,
  backoff: { type: 'fixed', delay: 5_000 },
  // The ledger remembers what was sent for longer than the queue does. What is held or has failed stays to be looked at.
  removeOnComplete: { age: 24 * 60 * 60, count: 10_000 },
  removeOnFail: false,
};

/**
 * Submits a message. To submit it again by the same id does nothing, also when it is long sent.
 *
 * @param {Queue<MailData>} queue
 * @param {string} id - the application's own name for this message to this recipient, as `order-17-receipt`
 * @param {MailSpec} spec
 */
export async function submit(queue, id, spec) {
  if (!/^[\w.-]{1,200}$/.test(id)) throw new TypeError(`Cannot use ${id} as the id of a message`);
  // Made once, here: by its Message-ID a message that is held is found in the server's log.
  const messageId = `<${id}@${spec.from.replace(/.*@|>.*/g, '')}>`;
  const data = { ...spec, messageId, date: new Date().toISOString() };
  await queue.add('mail', data, { ...JOB_OPTIONS, jobId: id });
}

/**
 * The message of a job.
 *
 * @param {Job<MailData>} job
 * @returns {Mail}
 */
export function mailOf({ id = '', timestamp, data }) {
  const { date, ...spec } = data;
  return {
    id,
    since: timestamp,
    to: data.to,
    message: () => compose({ ...spec, date: new Date(date) }),
  };
}
