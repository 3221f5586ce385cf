import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createQueue } from '../../src/pool/queue.ts';

interface Item {
  readonly id: number;
}

test('the queue gives its items in the order of their numbers, whatever is put back, removed or sifted', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant('put' as const) },
    { weight: 3, arbitrary: fc.constantFrom('take', 'put back') },
    { weight: 1, arbitrary: fc.constantFrom('remove', 'sift') },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(30)), { maxLength: 60 }), (steps) => {
      const queue = createQueue<Item>();
      const taken: Item[] = [];
      let expected: Item[] = [];
      let id = 0;
      for (const [name, which] of steps) {
        const at = which % Math.max(1, taken.length);
        const [again] = name === 'put back' ? taken.splice(at, 1) : [];
        if (name === 'put') id += 1;
        const next = name === 'put' ? { id } : again;
        if (next) {
          queue.put(next);
          expected = [...expected, next].sort((a, b) => a.id - b.id);
        } else if (name === 'take') {
          const [first] = expected.splice(0, 1);
          expect(queue.take()).toBe(first);
          if (first) taken.push(first);
        } else if (name === 'remove') {
          const item = expected[which % Math.max(1, expected.length)] ?? { id: -1 };
          expect(Boolean(queue.remove(item))).toBe(expected.includes(item));
          expected = expected.filter((one) => one !== item);
        } else if (name === 'sift') {
          const seen: number[] = [];
          queue.sift((one) => {
            seen.push(one.id);
            return one.id % 2 === which % 2;
          });
          expect(seen).toEqual(expected.map((one) => one.id));
          expected = expected.filter((one) => one.id % 2 === which % 2);
        }
        expect(queue.size).toBe(expected.length);
      }
      const rest = expected.map(() => queue.take());
      expect(rest).toEqual(expected);
      expect(queue.take()).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
});

test('what is put back into a long queue is at its front, and is there at once', () => {
  const queue = createQueue<Item>();
  for (let id = 1; id <= 100_000; id += 1) queue.put({ id });
  const first = Array.from({ length: 640 }, () => queue.take() as Item);
  const before = performance.now();
  for (const item of first.toReversed()) queue.put(item);
  expect(performance.now() - before).toBeLessThan(200);
  expect(Array.from({ length: 640 }, () => queue.take())).toEqual(first);
});
