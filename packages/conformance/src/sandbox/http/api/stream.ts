/** Tells of what happens as it happens, by server-sent events. Each tells ids alone: what they stand for is asked for. */
import type { Context } from 'hono';
import { type SSEMessage, streamSSE } from 'hono/streaming';
import type { Change, Platform } from '../../platform/platform.ts';
import { Problem } from '../problem.ts';
import type { Route } from './route.ts';

/** At a time. */
const MOST = 50;
/** Says something at least so often, in ms: who went away is noticed by it. */
const HEARTBEAT = 15_000;
/** A reader that is so far behind is let go; browsers come again by themselves. */
const BACKLOG = 1_000;

export function streamRoutes(platform: Platform): readonly Route[] {
  let streams = 0;
  return [
    {
      method: 'GET',
      path: '/api/stream',
      about: 'server-sent events: message, event, refused, trouble, forgotten and reset, with ids',
      answer(context) {
        // A stream without a reader would not end.
        if (context.req.method === 'HEAD')
          return new Response(null, { headers: { 'content-type': 'text/event-stream' } });
        if (streams >= MOST)
          throw new Problem(503, `Cannot open a stream: ${MOST} are open already`, undefined, {
            'retry-after': '5',
          });
        streams += 1;
        return told(context, platform, () => {
          streams -= 1;
        });
      },
    },
  ];
}

function told(context: Context, platform: Platform, ended: () => void): Response {
  const due: SSEMessage[] = [];
  let wake: () => void = () => {};
  const stop = platform.watch((change) => {
    if (due.length <= BACKLOG) due.push(messageOf(change));
    wake();
  });
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => wake());
    try {
      // A comment: the head of the response leaves with it.
      await stream.write(':\n\n');
      while (!stream.aborted && due.length <= BACKLOG) {
        const next = due.shift();
        if (next) await stream.writeSSE(next);
        else {
          const quiet = await new Promise<boolean>((resolve) => {
            const timer = setTimeout(() => resolve(true), HEARTBEAT);
            wake = () => {
              clearTimeout(timer);
              resolve(false);
            };
          });
          if (quiet) await stream.write(':\n\n');
        }
      }
    } finally {
      stop();
      ended();
    }
  });
}

function messageOf(change: Change): SSEMessage {
  const data = (ids: Readonly<Record<string, string>>): SSEMessage => ({
    event: change.kind,
    data: JSON.stringify(ids),
  });
  if (change.kind === 'message') return data({ id: change.message.id });
  if (change.kind === 'event')
    return data({ id: change.event.id, messageId: change.event.messageId });
  if (change.kind === 'refused') return data({ id: change.refused.id });
  if (change.kind === 'trouble') return data({ id: change.trouble.id });
  if (change.kind === 'forgotten') return data({ id: change.id });
  return data({});
}
