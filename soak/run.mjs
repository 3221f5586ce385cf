/**
 * The built packages under load, at a server that has every fault there is, for as long as is asked: whether each call
 * settles, whether what is told of each message is true, and whether anything is left behind, of memory, sockets, timers.
 *
 *     npm run soak                                five minutes
 *     npm run soak -- --minutes 0.2 --seed 7      shorter, with the choices of another run
 *     npm run soak -- --json                      all figures and samples as data
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../scripts/bounded-run.cjs';

const folder = dirname(fileURLToPath(import.meta.url));
/** What may come on top of the minutes, in ms: its start, its last round, its end. */
const AROUND = 60_000;
const LONGEST = 24 * 60;

function chosen() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes >= 0.1 && minutes <= LONGEST))
    throw new Error(`--minutes is a number from 0.1 to ${LONGEST}.`);
  if (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed))
    throw new Error('--seed is a whole number of nine digits at most.');
  const seed = values.seed ?? Math.floor(Math.random() * 1e9);
  return { minutes, seed: Number(seed), json: values.json };
}

try {
  const options = chosen();
  if (!options.json) console.log(`seed ${options.seed}, ${options.minutes} minutes`);
  const { code, timedOut } = await run(
    process.execPath,
    ['--expose-gc', '--trace-warnings', join(folder, 'soak.mjs'), JSON.stringify(options)],
    {
      cwd: folder,
      timeout: options.minutes * 60_000 + AROUND,
      onOutput: (text) => process.stdout.write(text),
    },
  );
  if (timedOut) console.error('The soak did not come to its end in time, and was ended.');
  else if (code === null) console.error('The soak was ended from outside.');
  process.exitCode = code ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
