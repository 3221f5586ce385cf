/** What the tables are made of: medians, and ratios that are paired by round. */

/** @returns the median; of an even number of values the mean of the two in the middle; NaN of none */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * The median of value / base of each round: what slows a round down meets both, and falls out.
 * A round that lacks one of them does not count.
 */
export function pairedRatio(values, bases) {
  const ratios = [];
  for (const [round, value] of values.entries()) {
    const ratio = value / bases[round];
    if (Number.isFinite(ratio)) ratios.push(ratio);
  }
  return median(ratios);
}
