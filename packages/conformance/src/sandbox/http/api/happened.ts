/** What was refused, what has happened, and the counts of it. */
import type { MessageEvent } from '../../platform/events.ts';
import { EVENT_TYPES } from '../../platform/events.ts';
import { statisticsRows } from '../../platform/statistics.ts';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { statisticsFilter } from '../statistics-filter.ts';
import { queryOf, wholeOf, wordOf } from './query.ts';
import { dated, iso, type Route, segment } from './route.ts';
import { LONGEST_WAIT, type Waiting } from './waiting.ts';

const DEFAULT_LIMIT = 50;
const MOST = 500;

export function happenedRoutes({ platform }: Site, waiting: Waiting): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/refused',
      about: 'what was refused, the latest first: ?limit=',
      answer(context) {
        const limit = wholeOf(queryOf(context, ['limit']), 'limit', 1, MOST) ?? DEFAULT_LIMIT;
        const refused = platform.refused
          .slice(0, limit)
          .map(({ transcript: _transcript, verdicts: _verdicts, ...one }) => dated(one));
        return context.json({ refused });
      },
    },
    {
      method: 'GET',
      path: '/api/refused/:id',
      about: 'one refusal with its verdicts and its transcript',
      answer(context) {
        const id = segment(context, 'id');
        const refused = platform.refused.find((one) => one.id === id);
        if (!refused) throw new Problem(404, 'Cannot find this refusal: it is not kept');
        return context.json(dated(refused));
      },
    },
    {
      method: 'GET',
      path: '/api/troubles',
      about: 'what went wrong on connections and is no refusal, the latest first: ?limit=',
      answer(context) {
        const limit = wholeOf(queryOf(context, ['limit']), 'limit', 1, MOST) ?? DEFAULT_LIMIT;
        return context.json({ troubles: platform.troubles.slice(0, limit).map(dated) });
      },
    },
    {
      method: 'GET',
      path: '/api/events',
      about:
        'what has happened, the first first: ?limit= &type= &messageId= &after=id &wait=ms; without after the last ones',
      async answer(context) {
        const query = queryOf(context, ['limit', 'type', 'messageId', 'after', 'wait']);
        const limit = wholeOf(query, 'limit', 1, MOST) ?? DEFAULT_LIMIT;
        const type = wordOf(query, 'type', EVENT_TYPES);
        const fits = (event: MessageEvent): boolean =>
          (type === undefined || event.type === type) &&
          (query.messageId === undefined || event.messageId === query.messageId);
        const events = await waiting.until(
          () => {
            const page = pageOf(platform.events, fits, query.after, limit);
            return page.length > 0 ? page : undefined;
          },
          (change) => change.kind === 'event' && fits(change.event),
          wholeOf(query, 'wait', 0, LONGEST_WAIT) ?? 0,
          context.req.raw.signal,
        );
        return context.json({ events: (events ?? []).map(dated) });
      },
    },
    {
      method: 'GET',
      path: '/api/statistics',
      about:
        'counts by state: ?from= &to= (YYYY-MM-DD, YYYY-MM-DDTHH, ISO 8601) or &preset=today|week|month|3months',
      answer(context) {
        const query = queryOf(context, ['from', 'to', 'preset']);
        const filter = statisticsFilter(query, platform.clock.now());
        return context.json({
          rows: statisticsRows(platform.statistics.counts(filter)),
          from: filter.from === undefined ? null : iso(filter.from),
          to: filter.to === undefined ? null : iso(filter.to),
          hours: platform.statistics.hours(filter).map(dated),
        });
      },
    },
  ];
}

/** Of events that are not kept any more, all others came after. */
function pageOf(
  all: readonly MessageEvent[],
  fits: (event: MessageEvent) => boolean,
  after: string | undefined,
  limit: number,
): readonly MessageEvent[] {
  if (after === undefined) return all.filter(fits).slice(-limit);
  const before = all.findLastIndex(({ id }) => id === after);
  return all
    .slice(before + 1)
    .filter(fits)
    .slice(0, limit);
}
