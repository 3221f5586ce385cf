/** The page of the statistics: the golden table of the account, its periods, and the names of its states. */
import { describe, expect, test } from 'vitest';
import { type MessageState, STATES } from '../../src/sandbox/platform/events.ts';
import { attribute, Desk, elementsOf, textOf } from './desk.ts';

/** The rows of the table of statistics, cell by cell. */
function tableOf(page: string): string[][] {
  return elementsOf(page)
    .filter((one) => attribute(one, 'data-state') !== undefined)
    .map((row) => row.childNodes.flatMap((cell) => ('tagName' in cell ? [textOf(cell)] : [])));
}

/** As the account of the provider shows it. */
const GOLDEN = [
  ['Протарифицировано', '20382', '100 %'],
  ['Отправляется', '0', '0 %'],
  ['Отправлено', '1235', '6,06 %'],
  ['Доставлено', '14982', '73,51 %'],
  ['Прочитано', '1425', '6,99 %'],
  ['Переход по ссылке', '293', '1,44 %'],
  ['Ошибки при доставке', '2447', '12,01 %'],
  ['Отклонено', '0', '0 %'],
  ['Всего', '20382', '100 %'],
];
const COUNTS: Readonly<Record<MessageState, number>> = {
  NotSent: 0,
  Sent: 1_235,
  Delivered: 14_982,
  Read: 1_425,
  Clicked: 293,
  Bounced: 2_447,
  Rejected: 0,
};

describe('the statistics page', () => {
  test('shows the table of the account, character for character', async () => {
    const desk = new Desk();
    const { statistics, clock } = desk.site.platform;
    for (const state of STATES)
      for (let count = 0; count < COUNTS[state]; count += 1) statistics.count(clock.now(), state);
    const page = await desk.page('/statistics', { headers: { 'accept-language': 'ru' } });
    expect(page).toContain('<h1>Статистика</h1>');
    expect(tableOf(page)).toEqual(GOLDEN);
    for (const preset of ['today', 'week', 'month', '3months'])
      expect(
        tableOf(
          await desk.page(`/statistics?preset=${preset}`, { headers: { 'accept-language': 'ru' } }),
        ),
      ).toEqual(GOLDEN);
    const english = tableOf(await desk.page('/statistics'));
    expect(english.map(([, ...numbers]) => numbers)).toEqual(
      GOLDEN.map(([, ...numbers]) => numbers),
    );
    expect(english.map(([title]) => title)).toEqual([
      'Charged',
      'Sending',
      'Sent',
      'Delivered',
      'Read',
      'Link followed',
      'Delivery errors',
      'Rejected',
      'Total',
    ]);
  });

  test('counts what a period has in it, and says what is wrong with one', async () => {
    const desk = new Desk();
    const { statistics, clock } = desk.site.platform;
    const at = (hour: number): number => new Date(2025, 5, 10, hour, 30).getTime();
    clock.set(at(20));
    for (const hour of [8, 9, 9, 17]) statistics.count(at(hour), 'Sent');
    const total = async (query: string): Promise<string | undefined> =>
      tableOf(await desk.page(`/statistics?${query}`)).at(-1)?.[1];
    expect(await total('')).toBe('4');
    expect(await total('from=&to=')).toBe('4');
    expect(await total('from=2025-06-10T09%3A00&to=2025-06-10T10%3A00')).toBe('2');
    expect(await total('from=2025-06-10T10%3A00')).toBe('1');
    expect(await total('preset=today')).toBe('4');
    clock.set(at(20) + 40 * 86_400_000);
    expect(await total('preset=month')).toBe('0');
    expect(await total('preset=3months')).toBe('4');
    for (const [query, field, shown] of [
      ['from=soon', 'from', 'soon'],
      ['to=2025-02-31', 'to', '2025-02-31'],
      ['from=2025-06-10&to=2025-06-09', 'to', '2025-06-09T00:00'],
    ] as const) {
      const answer = await desk.ask(`/statistics?${query}`);
      expect(answer.status, query).toBe(422);
      const page = await answer.text();
      const invalid = elementsOf(page).filter((one) => attribute(one, 'aria-invalid') === 'true');
      expect(invalid.map((one) => attribute(one, 'name'))).toEqual([field]);
      expect(invalid.map((one) => attribute(one, 'value'))).toEqual([shown]);
      // Numbers of no period are none.
      expect(tableOf(page)).toEqual([]);
      expect(page).not.toContain('<canvas');
    }
    expect((await desk.ask('/statistics?preset=century')).status).toBe(422);
  });

  test('has each period in its fields, as those want it, and says in which zone', async () => {
    const desk = new Desk();
    const fields = async (query: string): Promise<unknown> =>
      elementsOf(await desk.page(`/statistics?${query}`))
        .filter((one) => attribute(one, 'type') === 'datetime-local')
        .map((one) => attribute(one, 'value'));
    expect(await fields('from=2017-10-01')).toEqual(['2017-10-01T00:00', '']);
    expect(await fields('from=2017-10-01T09&to=2017-10-02T10:30:59')).toEqual([
      '2017-10-01T09:00',
      '2017-10-02T10:30',
    ]);
    const at = new Date('2017-10-01T09:00:00Z');
    const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString();
    expect(await fields('from=2017-10-01T09:00Z')).toEqual([local.slice(0, 16), '']);
    expect(await desk.page('/statistics')).toContain(
      `<bdi translate="no">${Intl.DateTimeFormat().resolvedOptions().timeZone}</bdi>`,
    );
  });

  test('has the names that programs use, and those in Russian without a letter more', async () => {
    const rows = (page: string): (string | undefined)[][] =>
      elementsOf(page)
        .filter((one) => attribute(one, 'data-state') === 'Bounced')
        .flatMap((row) => row.childNodes.flatMap((one) => ('tagName' in one ? [one] : [])))
        .slice(0, 1)
        .map((head) => [textOf(head), attribute(head, 'title'), attribute(head, 'data-api')]);
    const desk = new Desk();
    expect(rows(await desk.page('/statistics'))).toEqual([
      ['Delivery errors', 'in the REST interface: Bounced', 'Bounced'],
    ]);
    expect(rows(await desk.page('/statistics?lang=ru'))).toEqual([
      ['Ошибки при доставке', 'в интерфейсе REST: Bounced', undefined],
    ]);
  });
});
