import { describe, expect, test } from 'vitest';
import { Problem } from '../../src/sandbox/http/problem.ts';
import { PRESETS, statisticsFilter } from '../../src/sandbox/http/statistics-filter.ts';

/** Local time, as a person reads it. */
const local = (at: number | undefined): string =>
  at === undefined ? 'none' : new Date(at).toString().slice(4, 24);
const noon = (year: number, month: number, day: number): number =>
  new Date(year, month - 1, day, 12, 34, 56).getTime();

describe('statisticsFilter()', () => {
  test('is of all where nothing is asked, and where a form is sent empty', () => {
    expect(statisticsFilter({}, 0)).toEqual({});
    expect(statisticsFilter({ from: '', to: '', preset: '' }, 0)).toEqual({});
  });

  test('takes days and hours in local time', () => {
    const { from, to } = statisticsFilter({ from: '2017-10-01', to: '2017-10-02T07' }, 0);
    expect([local(from), local(to)]).toEqual(['Oct 01 2017 00:00:00', 'Oct 02 2017 07:00:00']);
    // As the field for a time of a form has it.
    expect(local(statisticsFilter({ from: '2017-10-01T08:30' }, 0).from)).toBe(
      'Oct 01 2017 08:30:00',
    );
    expect(statisticsFilter({ to: '2017-10-01' }, 0)).not.toHaveProperty('from');
  });

  test('takes a time of a zone as it is', () => {
    expect(statisticsFilter({ from: '2017-10-01T12:00:00.5+03:00' }, 0).from).toBe(
      Date.UTC(2017, 9, 1, 9, 0, 0, 500),
    );
    expect(statisticsFilter({ to: '2017-10-01T12Z' }, 0).to).toBe(Date.UTC(2017, 9, 1, 12));
  });

  test('knows today, a week, a month and three months back', () => {
    const now = noon(2017, 10, 15);
    expect(PRESETS.map((preset) => local(statisticsFilter({ preset }, now).from))).toEqual([
      'Oct 15 2017 00:00:00',
      'Oct 08 2017 12:34:56',
      'Sep 15 2017 12:34:56',
      'Jul 15 2017 12:34:56',
    ]);
    expect(statisticsFilter({ preset: 'week', from: 'x', to: 'y' }, now)).not.toHaveProperty('to');
  });

  test('goes to the last day of a shorter month, and over the year', () => {
    const from = (preset: string, now: number): string =>
      local(statisticsFilter({ preset }, now).from);
    expect(from('month', noon(2017, 3, 31))).toBe('Feb 28 2017 12:34:56');
    expect(from('3months', noon(2024, 5, 31))).toBe('Feb 29 2024 12:34:56');
    expect(from('3months', noon(2017, 1, 10))).toBe('Oct 10 2016 12:34:56');
  });

  test.each<readonly [query: Parameters<typeof statisticsFilter>[0], path: string]>([
    [{ from: 'yesterday' }, '/from'],
    [{ from: '2017-2-1' }, '/from'],
    [{ from: '2017-02-29' }, '/from'],
    [{ from: '2017-13-01' }, '/from'],
    [{ to: '2017-10-01T25' }, '/to'],
    [{ to: '2017-10-01 10' }, '/to'],
    [{ from: '2017-10-01', to: '2017-10-01' }, '/to'],
    [{ preset: 'year' }, '/preset'],
  ])('cannot use %j', (query, path) => {
    const asking = (): unknown => statisticsFilter(query, 0);
    expect(asking).toThrow(Problem);
    expect(asking).toThrow(expect.objectContaining({ status: 400, path }));
  });
});
