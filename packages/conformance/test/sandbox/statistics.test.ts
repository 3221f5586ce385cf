/** The table of the provider's account page, character for character. */
import { expect, test } from 'vitest';
import { FORGETFUL } from '../../src/sandbox/platform/journal.ts';
import { Statistics, statisticsRows } from '../../src/sandbox/platform/statistics.ts';

const PAGE = `Протарифицировано|20382|100 %
Отправляется|0|0 %
Отправлено|1235|6,06 %
Доставлено|14982|73,51 %
Прочитано|1425|6,99 %
Переход по ссылке|293|1,44 %
Ошибки при доставке|2447|12,01 %
Отклонено|0|0 %
Всего|20382|100 %`;

test('20,382 messages in their states are the table of the page', () => {
  const statistics = new Statistics(FORGETFUL);
  const states = { Sent: 1_235, Delivered: 14_982, Read: 1_425, Clicked: 293, Bounced: 2_447 };
  let at = 0;
  for (const [state, count] of Object.entries(states) as [keyof typeof states, number][])
    for (let one = 0; one < count; one += 1) {
      // In all hours of a month, each of them once on its way.
      at += 127_000;
      statistics.count(at, 'NotSent');
      statistics.count(at, state, 'NotSent');
    }
  const table = statisticsRows(statistics.counts())
    .map(({ title, count, share }) => `${title}|${count}|${share}`)
    .join('\n');
  expect(table).toBe(PAGE);
  expect(statistics.hours().length).toBeGreaterThan(700);
});
