/** The fuzzer's command line: how a target is run by it, what it says of a run, and how it makes a corpus small. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/bounded-run.cjs';
import { program } from './install.mjs';

const folder = dirname(fileURLToPath(import.meta.url));
/** ms that loading, instrumenting and reading the corpus may take. */
const AROUND = 120_000;
/** Seconds for one input; then it is a finding. */
const LONGEST_INPUT = 20;
/** Files that are kept for a target. */
const MOST_FILES = 100;

/** @param target - `{ file, isAsync, maxLength }` */
function argumentsFor({ file, isAsync }, folders, options) {
  return [
    program,
    file,
    ...folders,
    '--includes',
    basename(file),
    ...(isAsync ? [] : ['--sync']),
    '--timeout',
    String(LONGEST_INPUT * 1000),
    '--',
    ...options,
  ];
}

/**
 * Runs one target.
 *
 * @param settings.found - the folder for inputs that show something new
 * @param settings.kept - the folder that it begins with
 * @param settings.crashes - the folder for inputs that break a claim
 * @returns what it says: executions, coverage at its begin and end, what it has found
 */
export async function fuzz(target, { found, kept, crashes, seconds, seed }) {
  mkdirSync(crashes, { recursive: true });
  const before = new Set(readdirSync(crashes));
  const { code, timedOut, output } = await run(
    process.execPath,
    argumentsFor(
      target,
      [found, kept],
      [
        `-max_total_time=${seconds}`,
        `-max_len=${target.maxLength}`,
        `-artifact_prefix=${crashes}/${target.name}-`,
        '-print_final_stats=1',
        '-len_control=20',
        '-rss_limit_mb=4096',
        '-report_slow_units=60',
        ...(seed === undefined ? [] : [`-seed=${seed}`]),
      ],
    ),
    { timeout: seconds * 1000 + AROUND },
  );
  const artifacts = readdirSync(crashes)
    // Others may run at the same time.
    .filter((name) => !before.has(name) && name.startsWith(`${target.name}-`))
    .map((name) => join(crashes, name));
  return { code, timedOut, output, artifacts, ...figuresIn(output) };
}

/** `#1234 NEW cov: 12 ft: 34 corp: 5/6b …`: the first line of that kind, and the last. */
export function figuresIn(output) {
  const lines = [...output.matchAll(/^#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+)/gm)].map(
    ([, executions, event, cov, ft]) => ({
      executions: Number(executions),
      event,
      cov: Number(cov),
      ft: Number(ft),
    }),
  );
  const begin = lines.find(({ event }) => event === 'INITED');
  const end = lines.at(-1);
  const [, seed] = /(?:generated seed|Seed): (\d+)/.exec(output) ?? [];
  return { begin, end, seed };
}

/**
 * Makes of two folders one, with as few and small files as show the same branches, at most 100.
 *
 * @returns how many files are kept, and how many branches and states they show
 */
export async function distil({ name, file }, { found, kept }) {
  const { code, output } = await run(
    process.execPath,
    [join(folder, 'distil.mjs'), file, String(MOST_FILES), kept, found],
    { timeout: 5 * AROUND },
  );
  const [json] = /^\{"kept".*$/m.exec(output) ?? [];
  if (code !== 0 || json === undefined)
    throw new Error(`The corpus of ${name} cannot be made small: ${output.slice(-2_000)}`);
  const { kept: files, shown } = JSON.parse(json);
  const all = files.map((one) => readFileSync(one));
  rmSync(kept, { recursive: true });
  mkdirSync(kept);
  for (const octets of all)
    writeFileSync(
      join(kept, createHash('sha256').update(octets).digest('hex').slice(0, 16)),
      octets,
    );
  return { files: all.length, shown };
}

/** The octets of a file as hex digits. */
export const hexOf = (file) => readFileSync(file).toString('hex');
