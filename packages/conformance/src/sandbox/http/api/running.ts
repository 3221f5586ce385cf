/** The sandbox itself: what it is, its clock, who is told of events, and how it begins again. */
import { maskedUrl } from '../../callbacks.ts';
import { checkCallback } from '../../options.ts';
import { EVENT_TYPES } from '../../platform/events.ts';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { bodyOf, noBody } from './body.ts';
import { queryOf, wholeOf } from './query.ts';
import { dated, done, iso, type Route, segment } from './route.ts';
import { given, listOf, nullable, object, oneOf, optional, text, time, whole } from './shape.ts';

/** 31 December 9999: behind it ISO 8601 has no four digits for the year. */
const LAST = Date.UTC(10_000, 0) - 1;
/** Ten years, in ms. */
const LEAP = 315_360_000_000;

export function runningRoutes(site: Site): readonly Route[] {
  const { platform, settings, callbacks } = site;
  const { clock, journal } = platform;
  const clockShown = (): Readonly<Record<string, unknown>> => ({
    now: iso(clock.now()),
    frozen: clock.frozen,
  });
  return [
    {
      method: 'GET',
      path: '/api/status',
      about: 'where it listens, and how much there is',
      answer: (context) =>
        context.json({
          host: site.host,
          smtp: site.smtp,
          smtps: site.smtps,
          url: site.url,
          profile: settings.rules.profile.version,
          messages: platform.inbox.size,
          refused: platform.refused.length,
          connections: site.connections,
          clock: clockShown(),
        }),
    },
    {
      method: 'GET',
      path: '/api/clock',
      about: 'its clock',
      answer: (context) => context.json(clockShown()),
    },
    {
      method: 'PUT',
      path: '/api/clock',
      about: 'stops it at a time, or lets it run: {now: ISO 8601 | null}',
      async answer(context) {
        const { now } = await bodyOf(context, object({ now: nullable(time) }));
        clock.set(now ?? undefined);
        await journal.flush();
        return context.json(clockShown());
      },
    },
    {
      method: 'POST',
      path: '/api/clock/advance',
      about: 'sets it forward: {ms}',
      async answer(context) {
        const { ms } = await bodyOf(context, object({ ms: whole(0, LEAP) }));
        if (clock.now() + ms > LAST)
          throw new Problem(400, 'Cannot use /ms: it leads behind the year 9999', '/ms');
        clock.advance(ms);
        await journal.flush();
        return context.json(clockShown());
      },
    },
    {
      method: 'GET',
      path: '/api/callback',
      about: 'who is told of events',
      answer: (context) => context.json({ callback: callbackShown() }),
    },
    {
      method: 'PUT',
      path: '/api/callback',
      about: 'tells this one: {url, format?: json | xml, events?: [type]}',
      async answer(context) {
        const asked = await bodyOf(context, CALLBACK);
        const why = checkCallback(given(asked));
        if (why !== undefined) throw new Problem(400, `Cannot use /url: ${why}`, '/url');
        const { url, ...rest } = asked;
        callbacks.set({ url, ...given(rest) });
        await journal.flush();
        return context.json({ callback: callbackShown() });
      },
    },
    {
      method: 'DELETE',
      path: '/api/callback',
      about: 'tells nobody',
      async answer() {
        callbacks.set(undefined);
        await journal.flush();
        return done();
      },
    },
    {
      method: 'GET',
      path: '/api/callbacks',
      about: 'who was told what, and what they answered, the latest first: ?limit=',
      answer(context) {
        const limit = wholeOf(queryOf(context, ['limit']), 'limit', 1, 500) ?? 50;
        return context.json({ callbacks: callbacks.log.slice(0, limit).map(deliveryShown) });
      },
    },
    {
      method: 'POST',
      path: '/api/callbacks/:id/replay',
      about: 'tells it again',
      async answer(context) {
        await noBody(context);
        const delivery = await callbacks.replay(segment(context, 'id'));
        if (!delivery)
          throw new Problem(
            404,
            'Cannot tell it again: it is not kept, or nobody is told any more',
          );
        await journal.flush();
        return context.json(deliveryShown(delivery), 201);
      },
    },
    {
      method: 'POST',
      path: '/api/reset',
      about: 'as at the start: no messages, no lists, no counts, no faults, the options’ settings',
      async answer(context) {
        await noBody(context);
        await site.reset();
        return done();
      },
    },
    {
      method: 'GET',
      path: '/ca.pem',
      about: 'the certificate of its authority',
      answer: () =>
        new Response(site.ca, {
          headers: {
            'content-type': 'application/x-pem-file',
            'content-disposition': 'attachment; filename="ca.pem"',
          },
        }),
    },
  ];

  function callbackShown(): Readonly<Record<string, unknown>> | null {
    const { options } = callbacks;
    if (!options) return null;
    const { url, format = 'json', events = EVENT_TYPES } = options;
    return { url: maskedUrl(url), format, events };
  }

  function deliveryShown(delivery: (typeof callbacks.log)[number]): unknown {
    return { ...dated(delivery), event: dated(delivery.event) };
  }
}

const CALLBACK = object({
  url: text(2_000),
  format: optional(oneOf<'json' | 'xml'>(['json', 'xml'])),
  events: optional(listOf(oneOf(EVENT_TYPES), EVENT_TYPES.length)),
});
