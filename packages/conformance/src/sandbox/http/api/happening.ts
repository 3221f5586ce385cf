/** Lets something happen to a message by hand. */
import type { CapturedMessage } from '../../inbox.ts';
import {
  BOUNCE_REASONS,
  type BounceReason,
  EVENT_TYPES,
  type EventType,
  type MessageEvent,
} from '../../platform/events.ts';
import { rewrite } from '../../rewrite.ts';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { flag, given, object, oneOf, optional, type Shape, text, webAddress } from './shape.ts';

interface Happening {
  readonly type: EventType;
  readonly reason: BounceReason | undefined;
  readonly isHardbounce: boolean | undefined;
  readonly url: string | undefined;
  readonly comment: string | undefined;
}

const fields: Shape<Happening> = object<Happening>({
  type: oneOf(EVENT_TYPES),
  reason: optional(oneOf(BOUNCE_REASONS)),
  isHardbounce: optional(flag),
  url: optional(webAddress),
  comment: optional(text()),
});

/** Which event each detail is of. */
const DETAILS = {
  reason: 'BOUNCED',
  isHardbounce: 'BOUNCED',
  url: 'CLICKED',
  comment: 'UNSUBSCRIBED',
} as const;

/** What can be asked for. */
export const happening: Shape<Happening> = (value, path) => {
  const asked = fields(value, path);
  for (const name of ['reason', 'isHardbounce', 'url', 'comment'] as const)
    if (asked[name] !== undefined && asked.type !== DETAILS[name])
      throw new Problem(
        400,
        `Cannot use /${name}: it is of ${DETAILS[name]} alone`,
        `${path}/${name}`,
      );
  return asked;
};

/** What came of it: more than one event, or none where there was nothing to change. */
export function happen(
  message: CapturedMessage,
  { type, ...details }: Happening,
  { platform, url }: Site,
): readonly MessageEvent[] {
  const { id } = message;
  const events: MessageEvent[] = [];
  const stop = platform.watch((change) => {
    if (change.kind === 'event') events.push(change.event);
  });
  try {
    if (type === 'UNSUBSCRIBED') platform.unsubscribe(id, 'api', details.comment);
    else if (type === 'SUBSCRIBED') platform.subscribe(id);
    else if (type === 'CLICKED' && details.url === undefined)
      platform.record(id, type, given({ url: rewrite(message, url).links[0] }));
    else platform.record(id, type, given(details));
    // As with the recipient complaint@: who complains is not written to again.
    if (type === 'COMPLAINED') platform.unsubscribe(id, 'complaint');
  } finally {
    stop();
  }
  return events;
}
