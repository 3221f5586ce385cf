/** What was accepted. */
import type { Context } from 'hono';
import type { CapturedMessage } from '../../inbox.ts';
import {
  BOUNCE_REASONS,
  EVENT_TYPES,
  type MessageEvent,
  type MessageState,
  STATES,
} from '../../platform/events.ts';
import { rewrite } from '../../rewrite.ts';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { bodyOf } from './body.ts';
import { queryOf, wholeOf, wordOf } from './query.ts';
import { dated, done, type Route, segment } from './route.ts';
import { flag, given, object, oneOf, optional, text } from './shape.ts';
import { LONGEST_WAIT, type Waiting } from './waiting.ts';

const DEFAULT_LIMIT = 50;
const MOST = 500;

export function messageRoutes(site: Site, waiting: Waiting): readonly Route[] {
  const { platform } = site;
  const { inbox, journal } = platform;
  const messageOf = (context: Context): CapturedMessage => {
    const message = inbox.get(segment(context, 'id'));
    if (!message) throw new Problem(404, 'Cannot find this message: it is not kept');
    return message;
  };
  return [
    {
      method: 'GET',
      path: '/api/messages',
      about:
        'messages, the latest first: ?limit= &before=id &after=id &from= &to= &subject= &state= &wait=ms',
      async answer(context) {
        const asked = askedOf(context);
        const found = await waiting.until(
          () => {
            const page = pageOf(inbox.messages, asked);
            return page.messages.length > 0 ? page : undefined;
          },
          (change) =>
            (change.kind === 'message' || change.kind === 'event') && asked.fits(change.message),
          asked.wait,
          context.req.raw.signal,
        );
        const { messages, more } = found ?? { messages: [], more: false };
        return context.json({ messages: messages.map(summary), more });
      },
    },
    {
      method: 'DELETE',
      path: '/api/messages',
      about: 'forgets all messages',
      async answer() {
        inbox.clear();
        await journal.flush();
        return done();
      },
    },
    {
      method: 'GET',
      path: '/api/messages/:id',
      about: 'one message with all that is known of it',
      answer: (context) => context.json(whole(messageOf(context), site)),
    },
    {
      method: 'DELETE',
      path: '/api/messages/:id',
      about: 'forgets one message',
      async answer(context) {
        inbox.delete(messageOf(context).id);
        await journal.flush();
        return done();
      },
    },
    {
      method: 'GET',
      path: '/api/messages/:id/raw',
      about: 'its octets as they came',
      answer(context) {
        const { id, raw } = messageOf(context);
        return new Response(new Uint8Array(raw), {
          headers: {
            'content-type': 'message/rfc822',
            'content-disposition': `attachment; filename="${id}.eml"`,
            'content-length': String(raw.length),
          },
        });
      },
    },
    {
      method: 'GET',
      path: '/api/messages/:id/html',
      about: 'its HTML as it was sent, as plain text',
      answer: (context) => plain(messageOf(context).html, 'HTML'),
    },
    {
      method: 'GET',
      path: '/api/messages/:id/text',
      about: 'its text as it was sent',
      answer: (context) => plain(messageOf(context).text, 'text'),
    },
    {
      method: 'POST',
      path: '/api/messages/:id/events',
      about: 'lets something happen to it: {type, reason?, isHardbounce?, url?, comment?}',
      async answer(context) {
        const { id } = messageOf(context);
        const asked = await bodyOf(context, HAPPENING);
        checkDetails(asked);
        const events = happen(id, asked);
        await journal.flush();
        const { state } = messageOf(context);
        return context.json({ events: events.map(dated), state }, events.length > 0 ? 201 : 200);
      },
    },
  ];

  function happen(id: string, { type, ...details }: Happening): readonly MessageEvent[] {
    const events: MessageEvent[] = [];
    const stop = platform.watch((change) => {
      if (change.kind === 'event') events.push(change.event);
    });
    try {
      if (type === 'UNSUBSCRIBED') platform.unsubscribe(id, 'api', details.comment);
      else if (type === 'SUBSCRIBED') platform.subscribe(id);
      else platform.record(id, type, given(details));
      // As with the recipient complaint@: who complains is not written to again.
      if (type === 'COMPLAINED') platform.unsubscribe(id, 'complaint');
    } finally {
      stop();
    }
    return events;
  }
}

const HAPPENING = object({
  type: oneOf(EVENT_TYPES),
  reason: optional(oneOf(BOUNCE_REASONS)),
  isHardbounce: optional(flag),
  url: optional(text(2_000)),
  comment: optional(text()),
});

type Happening = ReturnType<typeof HAPPENING>;

/** Which event each detail is of. */
const DETAILS = {
  reason: 'BOUNCED',
  isHardbounce: 'BOUNCED',
  url: 'CLICKED',
  comment: 'UNSUBSCRIBED',
} as const;

function checkDetails(asked: Happening): void {
  for (const name of ['reason', 'isHardbounce', 'url', 'comment'] as const)
    if (asked[name] !== undefined && asked.type !== DETAILS[name])
      throw new Problem(400, `Cannot use /${name}: it is of ${DETAILS[name]} alone`, `/${name}`);
}

interface Asked {
  readonly limit: number;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly wait: number;
  readonly fits: (message: CapturedMessage) => boolean;
}

function askedOf(context: Context): Asked {
  const query = queryOf(context, [
    'limit',
    'before',
    'after',
    'from',
    'to',
    'subject',
    'state',
    'wait',
  ]);
  const state: MessageState | undefined = wordOf(query, 'state', STATES);
  const wait = wholeOf(query, 'wait', 0, LONGEST_WAIT) ?? 0;
  if (wait > 0 && query.before !== undefined)
    throw new Problem(400, 'Cannot wait for messages before another: they have come', '/wait');
  const [from, to, subject] = [query.from, query.to, query.subject].map((one) =>
    one?.toLowerCase(),
  );
  return {
    limit: wholeOf(query, 'limit', 1, MOST) ?? DEFAULT_LIMIT,
    before: query.before,
    after: query.after,
    wait,
    fits: (message) =>
      (state === undefined || message.state === state) &&
      holds(message.from, from) &&
      (to === undefined || message.to.some((one) => holds(one, to))) &&
      holds(message.subject ?? '', subject),
  };
}

function holds(text: string, part: string | undefined): boolean {
  return part === undefined || text.toLowerCase().includes(part);
}

interface Page {
  readonly messages: readonly CapturedMessage[];
  /** Whether there are more that fit, before these. */
  readonly more: boolean;
}

/** The oldest go first, so what is kept came after one that is not, and nothing that is kept came before it. */
function pageOf(all: readonly CapturedMessage[], { limit, before, after, fits }: Asked): Page {
  const messages: CapturedMessage[] = [];
  let begun = before === undefined;
  for (let at = all.length - 1; at >= 0; at -= 1) {
    const message = all[at];
    if (message === undefined || message.id === after) break;
    if (begun && fits(message)) {
      if (messages.length === limit) return { messages, more: true };
      messages.push(message);
    }
    if (message.id === before) begun = true;
  }
  return { messages, more: false };
}

interface Summary {
  readonly id: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string | undefined;
  readonly size: number;
  readonly state: MessageState;
  readonly receivedAt: Date;
  readonly warnings: readonly { readonly rule: string; readonly detail: string }[];
}

function summary(message: CapturedMessage): Summary {
  const { id, from, to, subject, size, state, receivedAt, verdicts } = message;
  const warnings = verdicts
    .filter(({ outcome }) => outcome === 'warn')
    .map(({ rule, detail }) => ({ rule, detail }));
  return { id, from, to, subject, size, state, receivedAt, warnings };
}

function whole(message: CapturedMessage, { url }: Site): Readonly<Record<string, unknown>> {
  const { raw: _raw, events, ...shown } = message;
  return { ...shown, events: events.map(dated), rewritten: rewrite(message, url) };
}

/** HTML of a message is hostile: as plain text no browser runs it. */
function plain(text: string | undefined, what: string): Response {
  if (text === undefined) throw new Problem(404, `Cannot show its ${what}: it has none`);
  return new Response(text, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
