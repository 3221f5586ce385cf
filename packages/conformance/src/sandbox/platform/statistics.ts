/**
 * The statistics of the provider's account page: how many messages are in each state, by the hour in which they were
 * taken. Counts alone are kept, so they outlive the messages.
 */
import { type MessageState, STATES } from './events.ts';
import type { Journal } from './journal.ts';

const HOUR = 3_600_000;

/** Counts by state. */
export type StateCounts = Readonly<Record<MessageState, number>>;

/** From when to when messages were taken, in ms since 1970: `from` is in it, `to` is not. Full hours: a begun one is in it. */
export interface StatisticsFilter {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/**
 * One row of the table.
 *
 * @example
 * ```ts
 * import { type StatisticsRow, startSandbox } from '@posthorn/conformance';
 *
 * const sandbox = await startSandbox();
 * const rows: readonly StatisticsRow[] = sandbox.statistics();
 * console.log(rows[0]?.title, rows[0]?.count, rows[0]?.share); // Протарифицировано 0 0 %
 * await sandbox.close();
 * ```
 */
export interface StatisticsRow {
  /** Its name in the account, in Russian. */
  readonly title: string;
  readonly count: number;
  /** The share of all, as the page writes it: '6,06 %'. */
  readonly share: string;
  /** Which state it counts; 'Charged' is the sum of all but the rejected ones, 'Total' that of all. */
  readonly state: MessageState | 'Charged' | 'Total';
}

const TITLES: readonly (readonly [StatisticsRow['state'], string])[] = [
  ['Charged', 'Протарифицировано'],
  ['NotSent', 'Отправляется'],
  ['Sent', 'Отправлено'],
  ['Delivered', 'Доставлено'],
  ['Read', 'Прочитано'],
  ['Clicked', 'Переход по ссылке'],
  ['Bounced', 'Ошибки при доставке'],
  ['Rejected', 'Отклонено'],
  ['Total', 'Всего'],
];

/** The table of the account page: its rows in their order. */
export function statisticsRows(counts: StateCounts): readonly StatisticsRow[] {
  const total = STATES.reduce((sum, state) => sum + counts[state], 0);
  const all = { ...counts, Charged: total - counts.Rejected, Total: total };
  return TITLES.map(([state, title]) => ({
    title,
    count: all[state],
    share: share(all[state], total),
    state,
  }));
}

/** With a comma, two decimals at the most and a blank before the sign, as the page has it. */
function share(count: number, total: number): string {
  const percent = total === 0 ? 0 : Math.round((count / total) * 10_000) / 100;
  return `${String(percent).replace('.', ',')} %`;
}

const none = (): Record<MessageState, number> => ({
  NotSent: 0,
  Sent: 0,
  Delivered: 0,
  Read: 0,
  Clicked: 0,
  Bounced: 0,
  Rejected: 0,
});

export class Statistics {
  /** By the hour since 1970. */
  readonly #hours = new Map<number, Record<MessageState, number>>();
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
    for (const [hour, counts] of journal.entries<Record<MessageState, number>>('hour'))
      this.#hours.set(Number(hour), { ...none(), ...counts });
  }

  /** Counts a message that was taken at this time, or that goes from one state to another. */
  count(at: number, state: MessageState, before?: MessageState): void {
    if (state === before) return;
    const hour = Math.floor(at / HOUR);
    const counts = this.#hours.get(hour) ?? none();
    this.#hours.set(hour, counts);
    counts[state] += 1;
    if (before !== undefined) counts[before] -= 1;
    this.#journal.put('hour', String(hour), counts);
  }

  /** Takes one back that was counted. */
  uncount(at: number, state: MessageState): void {
    const hour = Math.floor(at / HOUR);
    const counts = this.#hours.get(hour);
    if (!counts) return;
    counts[state] -= 1;
    this.#journal.put('hour', String(hour), counts);
  }

  /** How many are in each state. */
  counts({ from = -Infinity, to = Infinity }: StatisticsFilter = {}): StateCounts {
    const sum = none();
    for (const [hour, counts] of this.#hours) {
      if ((hour + 1) * HOUR <= from || hour * HOUR >= to) continue;
      for (const state of STATES) sum[state] += counts[state];
    }
    return sum;
  }

  /** The hours in which something was counted, the earliest first: what a chart over time needs. */
  hours(
    filter: StatisticsFilter = {},
  ): readonly { readonly at: number; readonly counts: StateCounts }[] {
    const { from = -Infinity, to = Infinity } = filter;
    return [...this.#hours]
      .filter(([hour]) => (hour + 1) * HOUR > from && hour * HOUR < to)
      .sort(([a], [b]) => a - b)
      .map(([hour, counts]) => ({ at: hour * HOUR, counts: { ...counts } }));
  }

  reset(): void {
    for (const hour of this.#hours.keys()) this.#journal.delete('hour', String(hour));
    this.#hours.clear();
  }
}
