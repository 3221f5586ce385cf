/**
 * The strict reference: core keeps to every MUST and SHOULD. `npm run conformance` plays all cases in all deliveries; here
 * the gate (LARGE) has two of them, and a plain run each third case.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groups } from '../../src/cases/index.ts';
import { runCase } from '../../src/runner/run-case.ts';
import { createSituations, type Situations } from '../../src/server/situations.ts';
import type { Delivery } from '../../src/server/wire-log.ts';
import { subject } from '../../src/subjects/core.ts';

const LARGE = Boolean(process.env['LARGE']);
const deliveries: readonly Delivery[] = LARGE ? ['line', 'byte'] : ['whole'];

let situations: Situations;
beforeAll(async () => {
  situations = await createSituations();
});
afterAll(() => situations.close());

for (const group of groups)
  describe(group.title, () => {
    for (const one of group.cases.filter((_, at) => LARGE || at % 3 === 0))
      for (const delivery of deliveries)
        test.concurrent(`${one.id} ${delivery}`, async () => {
          const { verdict, reasons } = await runCase(one, subject, { situations, delivery });
          // What is recorded is neither right nor wrong.
          expect(verdict === 'INFO' ? [] : reasons).toEqual([]);
        });
  });
