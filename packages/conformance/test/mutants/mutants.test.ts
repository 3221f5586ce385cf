/** Whether the suite sees what it is there for: each case is failed by a client that breaks one rule. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cases } from '../../src/cases/index.ts';
import { runCase } from '../../src/runner/run-case.ts';
import { createSituations, type Situations } from '../../src/server/situations.ts';
import { MUTANTS } from './index.ts';

/** All of them take minutes: `npm run mutants`. Here one of many is tried, to see that they can be. */
const TRIED = process.env['MUTANTS']
  ? MUTANTS
  : MUTANTS.filter((_, at) => at % 48 === 0).map(({ fails, ...mutant }) => ({
      ...mutant,
      fails: fails.slice(0, 1),
      warns: [],
    }));

let situations: Situations;
beforeAll(async () => {
  situations = await createSituations();
});
afterAll(() => situations.close());

test('mutants have names of their own, and fail cases that there are', () => {
  const names = MUTANTS.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  const ids = cases.map(({ id }) => id);
  const named = MUTANTS.flatMap(({ fails, warns = [] }) => [...fails, ...warns]);
  expect(named.filter((id) => !ids.includes(id))).toEqual([]);
});

test('every case is failed by one at least', () => {
  const failed = new Set(MUTANTS.flatMap(({ fails }) => fails));
  expect(cases.map(({ id }) => id).filter((id) => !failed.has(id))).toEqual([]);
});

describe.each(TRIED.map((mutant) => [mutant.name, mutant] as const))('%s', (_name, mutant) => {
  const play = async (id: string, weakly: boolean): Promise<void> => {
    const asked = cases.find((one) => one.id === id);
    if (!asked) throw new Error(`there is no ${id}`);
    const { verdict, reasons } = await runCase(asked, mutant.subject, { situations });
    const allowed = weakly || asked.level === 'SHOULD' ? ['FAIL', 'WARN'] : ['FAIL'];
    expect(allowed, `${verdict}: ${reasons.join('; ')}`).toContain(verdict);
  };
  test.concurrent.each(mutant.fails)('fails %s', (id) => play(id, false));
  test.concurrent.each(mutant.warns ?? [])('warns in %s', (id) => play(id, true));
});
