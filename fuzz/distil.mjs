/**
 * Which inputs to keep: as few and as small as show all branches and states that all of them show together. Runs in a process
 * of its own, as the fuzzer does: it takes the fuzzer's instrumentation, and looks at the counters behind each input.
 *
 *     node fuzz/distil.mjs BUNDLE MOST FOLDER…      prints the files as JSON
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { initFuzzing, OptionSource, OptionsManager, registerGlobals } from '@jazzer.js/core';

const [bundle, most, ...folders] = process.argv.slice(2);

/** Loads the target, its code instrumented; returns it, and what gives the counters that are not 0, which are then 0. */
async function instrumented() {
  const options = new OptionsManager(OptionSource.DefaultCLIOptions).merge(
    { fuzzTarget: bundle, includes: [basename(bundle)], excludes: [], fuzzerOptions: ['-seed=1'] },
    OptionSource.CommandLineArguments,
  );
  registerGlobals(options);
  await initFuzzing(options);
  const { fuzz } = createRequire(import.meta.url)(bundle);
  const { coverageMap, moduleCounters } = globalThis.Fuzzer.coverageTracker;
  const taken = () => {
    const shown = new Set();
    for (const [at, counters] of [coverageMap, ...moduleCounters].entries()) {
      // Most of them are not in use.
      for (let place = 0; place < counters.length; place += 1)
        if (counters[place]) shown.add(at * 2 ** 24 + place);
      counters.fill(0);
    }
    return shown;
  };
  return { fuzz, taken };
}

const { fuzz, taken } = await instrumented();
const inputs = [];
for (const folder of folders)
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const octets = readFileSync(file);
    taken();
    await fuzz(octets);
    inputs.push({ file, size: octets.length, shows: taken() });
  }

const kept = [];
const shown = new Set();
while (kept.length < Number(most)) {
  let best;
  for (const input of inputs) {
    for (const one of shown) input.shows.delete(one);
    const { size } = input.shows;
    if (!best || size > best.shows.size || (size === best.shows.size && input.size < best.size))
      best = input;
  }
  if (!best || best.shows.size === 0) break;
  for (const one of best.shows) shown.add(one);
  kept.push(best.file);
}
console.log(JSON.stringify({ kept, shown: shown.size }));
