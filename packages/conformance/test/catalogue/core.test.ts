import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groups } from '../../src/cases/index.ts';
import { runCase } from '../../src/runner/run-case.ts';
import { createSituations, type Situations } from '../../src/server/situations.ts';
import { subject } from '../../src/subjects/core.ts';

let situations: Situations;
beforeAll(async () => {
  situations = await createSituations();
});
afterAll(() => situations.close());

for (const group of groups)
  describe(group.title, () => {
    for (const one of group.cases)
      for (const delivery of ['whole', 'line', 'octet'] as const)
        test.concurrent(`${one.id} ${delivery}`, async () => {
          const result = await runCase(one, subject, { situations, delivery });
          expect(result.reasons.filter(() => result.verdict !== 'INFO')).toEqual([]);
        });
  });
