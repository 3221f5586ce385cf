/** The date filters of the statistics, as the page's form and the REST interface have them. Pure. */
import type { StatisticsFilter } from '../platform/statistics.ts';
import { Problem } from './problem.ts';

/** What a query says; '' is as good as nothing, since a form sends its empty fields too. */
export interface StatisticsQuery {
  /** From when on. `YYYY-MM-DD`, `YYYY-MM-DDTHH`, or a time as ISO 8601 has it; local time where no zone is named. */
  readonly from?: string | undefined;
  /** Until when: a message that was taken at that time is not in it. */
  readonly to?: string | undefined;
  /** One of `PRESETS`. It goes before `from` and `to`. */
  readonly preset?: string | undefined;
}

export type Preset = 'today' | 'week' | 'month' | '3months';

/** 'today' begins at local midnight, the others so long before now. */
export const PRESETS: readonly Preset[] = ['today', 'week', 'month', '3months'];

/**
 * @param now - in ms since 1970
 * @throws Problem 400 for what is no time and no preset, and where `to` does not come after `from`
 */
export function statisticsFilter(query: StatisticsQuery, now: number): StatisticsFilter {
  const { preset } = query;
  if (preset) return { from: beginning(preset, new Date(now)).getTime() };
  const from = timeOf('from', query.from);
  const to = timeOf('to', query.to);
  if (from !== undefined && to !== undefined && to <= from)
    throw new Problem(400, 'Cannot use to: it has to come after from', '/to');
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function beginning(preset: string, now: Date): Date {
  if (preset === 'today') return new Date(now.getFullYear(), now.getMonth(), now.getDate());
  if (preset === 'week') return daysBefore(now, 7);
  if (preset === 'month') return monthsBefore(now, 1);
  if (preset === '3months') return monthsBefore(now, 3);
  throw new Problem(400, `Cannot use this preset: there are ${PRESETS.join(', ')}`, '/preset');
}

/** By the calendar: a day on which the clocks change is a day too. */
function daysBefore(now: Date, days: number): Date {
  const then = new Date(now);
  then.setDate(then.getDate() - days);
  return then;
}

/** The same day of an earlier month; its last where it has no such day. */
function monthsBefore(now: Date, months: number): Date {
  const then = new Date(now);
  then.setDate(1);
  then.setMonth(then.getMonth() - months);
  const last = new Date(then.getFullYear(), then.getMonth() + 1, 0).getDate();
  then.setDate(Math.min(now.getDate(), last));
  return then;
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d{1,3})?))?)?(Z|[+-]\d\d:\d\d)?)?$/;

function timeOf(name: 'from' | 'to', text: string | undefined): number | undefined {
  if (!text) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone] =
    TIME.exec(text) ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone ?? ''}`);
  // Date takes 31 February for a day in March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number.isNaN(time.getTime()) || Number(day) > lastDay)
    throw new Problem(
      400,
      `Cannot use ${name}: it has to be YYYY-MM-DD, YYYY-MM-DDTHH or a time of ISO 8601`,
      `/${name}`,
    );
  return time.getTime();
}
