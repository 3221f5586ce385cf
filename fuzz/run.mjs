/**
 * Coverage-guided fuzzing of what reads octets of others and of what writes them: each target replays the inputs that are kept
 * for it, and is then fuzzed for a while. Nothing of it is built or installed before: the targets are made of the sources.
 *
 *     npm run fuzz                                        all targets, each for 60 s
 *     npm run fuzz -- --target session --seconds 600      one of them, or several
 *     npm run fuzz -- --replay                            the kept inputs alone, without the fuzzer
 *     npm run fuzz -- --target session --input FILE       one input, from a file or as hex digits
 *     npm run fuzz -- --keep                              then keeps, in fuzz/corpus, what shows something new
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { distil, fuzz, hexOf } from './fuzzer.mjs';
import { install, platformProblem } from './install.mjs';
import { load, names, problemWith, replay } from './targets.mjs';

// A stack names the sources, not the bundles.
process.setSourceMapsEnabled(true);

const folder = dirname(fileURLToPath(import.meta.url));
const crashes = join(folder, 'crashes');
const LONGEST = 24 * 60 * 60;

let passed = 0;
let failed = 0;

function check(name, problems) {
  console.log(`${problems.length > 0 ? 'FAILED' : 'ok    '}  ${name}`);
  for (const problem of problems) console.error(problem.replace(/^/gm, '        '));
  if (problems.length > 0) failed += 1;
  else passed += 1;
}

function chosen() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string' },
      replay: { type: 'boolean', default: false },
      input: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const { target: wanted = names, input, seed, keep } = values;
  for (const name of wanted)
    if (!names.includes(name))
      throw new Error(`There is no target ${name}: there are ${names.join(', ')}.`);
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= LONGEST))
    throw new Error(`--seconds is a number from 1 to ${LONGEST}.`);
  if (seed !== undefined && !/^[1-9]\d{0,9}$/.test(seed))
    throw new Error('--seed is a whole number over 0.');
  if (input !== undefined && wanted.length !== 1)
    throw new Error('--input needs one --target, which it is for.');
  return { wanted, seconds, seed, input, keep, alone: values.replay };
}

const octetsOf = (input) =>
  existsSync(input) ? readFileSync(input) : Buffer.from(input.replace(/\s/g, ''), 'hex');

/** What to do with an input that breaks a claim. */
const howTo = (name, hex) =>
  `the input: ${hex}\nto see it again: npm run fuzz -- --target ${name} --input ${hex}`;

async function replayed(target) {
  const { count, broken } = await replay(target);
  check(
    `${target.name}: ${count} kept inputs`,
    broken.map(
      ({ file, error }) =>
        `${relative(process.cwd(), file)}: ${error.stack}\n${howTo(target.name, hexOf(file))}`,
    ),
  );
}

async function fuzzed(target, { seconds, seed, keep }, place) {
  const found = join(place, `${target.name} found`);
  mkdirSync(found);
  mkdirSync(target.corpus, { recursive: true });
  const { code, timedOut, output, artifacts, begin, end, ...run } = await fuzz(target, {
    found,
    kept: target.corpus,
    crashes,
    seconds,
    seed,
  });
  const problems = [];
  for (const file of artifacts) {
    const error = await problemWith(target.fuzz, readFileSync(file));
    const why =
      error?.stack ?? 'it took too long, or too much memory, or fails within the fuzzer alone';
    problems.push(`${relative(process.cwd(), file)}: ${why}\n${howTo(target.name, hexOf(file))}`);
  }
  if (timedOut) problems.push('the fuzzer did not come to its end');
  else if (code !== 0 && artifacts.length === 0)
    problems.push(`the fuzzer ended with ${code}:\n${output.slice(-2_000)}`);
  else if (!end || end.executions === 0) problems.push('nothing was executed');
  const figures = end
    ? `${end.executions} executions, coverage ${begin?.cov ?? '?'} to ${end.cov}, features ${begin?.ft ?? '?'} to ${end.ft}`
    : 'no figures';
  check(`${target.name}: ${figures}, seed ${run.seed ?? '?'}`, problems);
  if (!keep || problems.length > 0) return;
  const { files, shown } = await distil(target, { found, kept: target.corpus });
  console.log(`        ${files} inputs are kept, which show ${shown} branches and states`);
}

async function main() {
  const options = chosen();
  const { wanted, input, alone } = options;
  const problem = platformProblem();
  if (!alone && input === undefined) {
    if (problem)
      throw new Error(`The fuzzer is not built for this system: ${problem}. --replay needs none.`);
    await install();
  }
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'posthorn-fuzz-')));
  const clean = () => rmSync(place, { recursive: true, force: true });
  process.once('exit', clean);
  try {
    for (const name of wanted) {
      const target = await load(name, place);
      if (input !== undefined) {
        const error = await problemWith(target.fuzz, octetsOf(input));
        check(`${name}: the input`, error ? [error.stack] : []);
        continue;
      }
      await replayed(target);
      if (!alone) await fuzzed(target, options, place);
    }
  } finally {
    process.removeListener('exit', clean);
    clean();
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
