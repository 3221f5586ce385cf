/** Whether the catalogue is whole, and each case of it says what it has to say. */
import { describe, expect, test } from 'vitest';
import { cases, groups } from '../../src/cases/index.ts';
import { described } from '../../src/cli/list.ts';
import { select } from '../../src/runner/select.ts';
import { TABLE } from './table.ts';

test('the catalogue has every case of its table, in its order, at its level', () => {
  expect(cases.map(({ id, level }) => `${id} ${level}`)).toEqual(
    TABLE.map(([id, level]) => `${id} ${level}`),
  );
  expect(cases).toHaveLength(241);
});

test('each group has its own ids, and all of them', () => {
  for (const { id, title, cases: own } of groups) {
    expect(title).not.toBe('');
    expect(own.map((one) => one.id.slice(0, 3))).toEqual(own.map(() => id));
  }
  expect(new Set(groups.map(({ id }) => id)).size).toBe(groups.length);
});

/** One place that a clause may name. */
const PLACE =
  /^(RFC \d{3,5} §\d+(\.\d+)*( \(\d+\))?|§\d+(\.\d+)*|CWE-\d+|GHSA(-[0-9a-z]{4}){3}|draft-[a-z-]+( §\d+(\.\d+)*)?|provider documentation)$/;

describe.each(cases.map((one) => [one.id, one] as const))('%s', (id, one) => {
  test('has a title, a requirement, a clause that can be looked up, tags, and is reachable', () => {
    for (const text of [one.title, one.requirement]) {
      expect(text.trim()).toBe(text);
      expect(text.length).toBeGreaterThan(3);
      expect(text).not.toMatch(/\.$/);
    }
    expect(one.clause.split(/[,;] /).filter((place) => !PLACE.test(place))).toEqual([]);
    expect(one.tags.length).toBeGreaterThan(0);
    for (const tag of one.tags) expect(tag).toMatch(/^[a-z0-9-]+$/);
    expect(select(cases, id)).toEqual([one]);
    expect(described(one)).toMatchObject({ id, title: one.title, clause: one.clause });
  });

  test('expects something, in plays that have titles where there are several', () => {
    const judged = one.plays.filter(
      ({ expect: wanted }) =>
        [wanted.client]
          .flat()
          .some((outcome) => Object.keys(outcome).length > 1 || outcome.outcome !== 'settle') ||
        (wanted.wire?.length ?? 0) > 0 ||
        wanted.within !== undefined ||
        wanted.memory !== undefined ||
        wanted.logNot !== undefined,
    );
    // What is only recorded is judged by its end and by the invariants.
    expect(judged.length > 0 || one.level === 'INFO').toBe(true);
    for (const claim of one.plays.flatMap(({ expect: { wire } }) => wire ?? []))
      expect(claim.says.length).toBeGreaterThan(2);
    const titles = one.plays.map(({ title }) => title?.trim());
    if (one.plays.length > 1) expect(titles.filter((title) => !title)).toEqual([]);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

test('what an honest server can play runs on smtp-server, or says why not', () => {
  const elsewhere = TABLE.filter(([, , server]) => server === 'S')
    .map(([id]) => cases.find((one) => one.id === id))
    .filter((one) => one && !one.plays.some(({ server }) => server.engine === 'smtp-server'));
  expect(elsewhere.filter((one) => !one?.note).map((one) => one?.id)).toEqual([]);
});
