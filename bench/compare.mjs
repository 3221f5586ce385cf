/**
 * Plays a table: each variant once a round, each time in a fresh process, so that a slow moment of the machine meets all
 * of them and what one has made of the heap and the optimizer is nothing to the next. Medians, and ratios paired by round.
 */
import { median, pairedRatio } from './statistics.mjs';

/**
 * @typedef {object} Table
 * @property {string} title
 * @property {string} [base] - the variant that the ratios are to; without it there are none
 * @property {string} key - the figure that the ratios are of
 * @property {boolean} [lessIsBetter] - whether less of it is better: a ratio says always how much better
 * @property {{ key: string, title: string }[]} columns
 * @property {Variant[]} variants
 * @property {number} [maxRounds] @property {number} [minRounds]
 *
 * @typedef {object} Variant
 * @property {string} name
 * @property {(context: object) => Promise<object>} run - one sample: an object of numbers
 * @property {(sample: object) => Gate[]} [gates] - `{ what, value, most }` or `{ what, value, exactly }`
 * @property {(context: object) => Promise<object>} [recount] - a sample for the gates alone, where a bound did not hold
 */

/**
 * @param {Table} table
 * @param settings.rounds - how many, within the table's own bounds
 * @param settings.context - makes what the variants share; its `close()` is called at the end
 * @returns the table as data: each variant with its samples, medians and ratio, or its error; and the gates that were broken
 */
export async function compare(table, { rounds, quick, context, onProgress = () => {} }) {
  const wanted = quick
    ? rounds
    : Math.max(table.minRounds ?? 1, Math.min(rounds, table.maxRounds ?? rounds));
  const rows = table.variants.map((variant) => ({ variant, samples: [], error: undefined }));
  const gates = [];
  const shared = context();
  try {
    for (let round = 0; round < wanted; round += 1) {
      for (const row of rows) {
        // What has failed once would make every round as long as its bound.
        if (row.error !== undefined) continue;
        onProgress(`${table.title}: ${row.variant.name}, round ${round + 1} of ${wanted}`);
        try {
          const sample = await row.variant.run(shared);
          row.samples[round] = sample;
        } catch (error) {
          row.error = error.message;
        }
      }
    }
    for (const row of rows) gates.push(...(await judged(table, row, shared)));
  } finally {
    await shared.close();
  }
  return { ...described(table), rounds: wanted, rows: figures(table, rows), gates };
}

const described = ({ title, base, key, lessIsBetter = false, columns }) => ({
  title,
  base,
  key,
  lessIsBetter,
  columns,
});

/**
 * What has to be exact has to be so in each round. Of what has a bound the lowest value of the rounds is judged, and where
 * that is above it, one more: waits are counted too often where the machine holds the client up for as long as the line is,
 * and never too seldom.
 */
async function judged(table, row, shared) {
  const { variant, samples } = row;
  const gatesOf = (sample, more) =>
    (variant.gates?.(sample) ?? []).map((gate) => ({
      table: table.title,
      variant: variant.name,
      ...more,
      ...gate,
      holds: gate.most === undefined ? gate.value === gate.exactly : gate.value <= gate.most,
    }));
  const all = samples.flatMap((sample, round) => gatesOf(sample, { round }));
  const bounded = new Map();
  const keep = (gate) => {
    if (gate.most !== undefined && !(bounded.get(gate.what)?.value <= gate.value))
      bounded.set(gate.what, gate);
  };
  for (const gate of all) keep(gate);
  if (variant.recount && [...bounded.values()].some(({ holds }) => !holds)) {
    try {
      for (const gate of gatesOf(await variant.recount(shared), { again: true })) keep(gate);
    } catch (error) {
      row.error = error.message;
    }
  }
  return [...all.filter(({ most }) => most === undefined), ...bounded.values()];
}

function figures({ base, key, lessIsBetter }, rows) {
  const valuesOf = (row) => row.samples.map((sample) => sample[key]);
  const baseRow = rows.find(({ variant }) => variant.name === base);
  return rows.map((row) => {
    const { variant, samples, error } = row;
    const medians = {};
    for (const name of Object.keys(samples.find(Boolean) ?? {})) {
      const values = samples.map((sample) => sample[name]).filter(Number.isFinite);
      if (values.length > 0) medians[name] = median(values);
    }
    const pair = baseRow && [valuesOf(row), valuesOf(baseRow)];
    const ratio = pair && pairedRatio(...(lessIsBetter ? pair.reverse() : pair));
    return {
      name: variant.name,
      medians,
      ratio: Number.isFinite(ratio) ? ratio : undefined,
      error,
      samples,
    };
  });
}

/** The sentence about a gate that does not hold. */
export function sentence({ table, variant, round, again, what, value, most, exactly }) {
  const when = again ? 'counted again' : `round ${round + 1}`;
  const wanted = most === undefined ? `${exactly} were to be` : `${most} at most were to be`;
  return `${table}, ${variant}, ${when}: ${what}: ${value}, where ${wanted}.`;
}
