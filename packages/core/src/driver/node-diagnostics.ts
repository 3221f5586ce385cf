/** What is told by node:diagnostics_channel: to whoever subscribes, without the application's doing. */
import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { Platform } from '../client.ts';

const replies = channel('posthorn:reply');
const tracing = {
  connect: tracingChannel('posthorn:connect'),
  transaction: tracingChannel('posthorn:transaction'),
};

/** The channels `tracing:posthorn:connect:*`, `tracing:posthorn:transaction:*` and `posthorn:reply`. */
export const diagnostics: Pick<Platform, 'trace' | 'tell'> = {
  trace: (name, context, run) =>
    tracing[name].hasSubscribers ? tracing[name].tracePromise(run, context) : run(),
  tell: (event) => replies.publish(event),
};
