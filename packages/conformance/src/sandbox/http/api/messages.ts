/** What was accepted. */
import type { Context } from 'hono';
import type { CapturedMessage } from '../../inbox.ts';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { bodyOf } from './body.ts';
import { happen, happening } from './happening.ts';
import { askedOf, pageOf } from './message-filter.ts';
import { summary, whole } from './message-shown.ts';
import { dated, done, type Route, segment } from './route.ts';
import type { Waiting } from './waiting.ts';

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
        messageOf(context);
        const asked = await bodyOf(context, happening);
        const events = happen(messageOf(context), asked, site);
        await journal.flush();
        const { state } = messageOf(context);
        return context.json({ events: events.map(dated), state }, events.length > 0 ? 201 : 200);
      },
    },
  ];
}

/** HTML of a message is hostile: as plain text no browser runs it. */
function plain(text: string | undefined, what: string): Response {
  if (text === undefined) throw new Problem(404, `Cannot show its ${what}: it has none`);
  return new Response(text, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
