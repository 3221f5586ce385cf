/** Growth of time with size: no time is asserted in seconds, only the exponent k of `time = O(size^k)`. */

/**
 * The exponent that fits the measured times best. The sizes are timed in turn, and the best time of each counts: what else
 * the machine does makes times longer, never shorter. So it measures twice, and again, up to `rounds` times, while
 * the exponent is not below `limit`.
 */
export function growthExponent(
  prepare: (size: number) => () => void,
  sizes: readonly number[],
  limit: number,
  rounds = 10,
): number {
  const works = sizes.map(prepare);
  const best = sizes.map(() => Number.POSITIVE_INFINITY);
  let exponent = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds && (round < 2 || exponent >= limit); round += 1) {
    works.forEach((work, index) => {
      const start = performance.now();
      work();
      best[index] = Math.min(best[index] as number, performance.now() - start);
    });
    exponent = slope(sizes.map((size, at) => [Math.log(size), Math.log(best[at] as number)]));
  }
  return exponent;
}

function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (axis: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
