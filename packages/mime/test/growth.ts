/** Growth of time with size: no time is asserted in seconds, only the exponent k of `time = O(size^k)`. */

/**
 * The exponent that fits the measured times best. Each size is timed `rounds` times, the sizes in turn, and its best time
 * counts: what else the machine does makes times longer, never shorter.
 */
export function growthExponent(
  prepare: (size: number) => () => void,
  sizes: readonly number[],
  rounds = 5,
): number {
  const works = sizes.map(prepare);
  const best = sizes.map(() => Number.POSITIVE_INFINITY);
  for (const work of works) work();
  for (let round = 0; round < rounds; round += 1) {
    works.forEach((work, index) => {
      const start = performance.now();
      work();
      best[index] = Math.min(best[index] as number, performance.now() - start);
    });
  }
  const points = sizes.map(
    (size, index) => [Math.log(size), Math.log(best[index] as number)] as const,
  );
  const mean = (axis: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
