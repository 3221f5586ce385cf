/**
 * The runtime matrix: one end-to-end test with the packages as they are published, on every runtime that they are for.
 *
 *     npm run runtimes                            all
 *     npm run runtimes -- --runtime bun           one of them, or several
 *     npm run runtimes -- --scenario abort        the scenarios with that in their name
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shown } from './documented.mjs';
import { install, platformProblem, runtimes, thisNode, versionOf } from './runtimes.mjs';
import { scenarios } from './scenarios.mjs';

const words = (error) => (error instanceof Error ? error.message : String(error));

function chosen() {
  const { values } = parseArgs({
    options: { runtime: { type: 'string', multiple: true }, scenario: { type: 'string' } },
  });
  const problem = platformProblem();
  const all = [...runtimes, thisNode];
  const wanted =
    values.runtime?.map((name) => {
      const found = all.find((runtime) => runtime.name === name);
      if (!found)
        throw new Error(
          `There is no runtime ${name}: there are ${all.map((one) => one.name).join(', ')}.`,
        );
      if (problem && found !== thisNode)
        throw new Error(
          `${name} cannot run here: there are binaries for Linux on x64 with glibc only, and ${problem}.`,
        );
      return found;
    }) ?? (problem ? [thisNode] : runtimes);
  if (problem && !values.runtime)
    console.log(
      `There are binaries for Linux on x64 with glibc only, and ${problem}: this Node alone is looked at.`,
    );
  const { scenario = '' } = values;
  const some = scenarios.filter(({ name }) => name.includes(scenario));
  if (some.length === 0) throw new Error(`There is no scenario with ${scenario} in its name.`);
  return { wanted, some, whole: scenario === '' };
}

/** A table of words, each column as wide as its widest. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * @param order - the rows
 * @param results - of each runtime, what came of each row: a verdict and its reason
 */
function report(order, wanted, results) {
  const all = new Set([...order, ...results.flatMap((cells) => [...cells.keys()])]);
  const rows = [...all].filter((row) => results.some((cells) => cells.has(row)));
  console.log(
    `\n${table([
      ['', ...wanted.map(({ name }) => name)],
      ...rows.map((row) => [row, ...results.map((cells) => shown(cells.get(row)))]),
    ])}\n`,
  );
  const reasons = new Map();
  for (const [at, cells] of results.entries())
    for (const [row, { verdict, note }] of cells) {
      if (!note) continue;
      const reason = `${verdict === 'ok' ? 'ok *' : verdict}  ${row}: ${note}`;
      reasons.set(reason, [...(reasons.get(reason) ?? []), wanted[at].name]);
    }
  for (const [reason, names] of reasons) console.log(`${reason} (${names.join(', ')})`);
}

async function main() {
  const { wanted, some, whole } = chosen();
  await install(wanted);
  // Not before: what is asked for is in order, and the built packages are loaded here.
  const { entries, makeConsumer } = await import('./consumer.mjs');
  const { examine, ROWS } = await import('./examine.mjs');
  const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'posthorn runtimes ')));
  try {
    const place = join(temporary, 'consumer');
    mkdirSync(place);
    makeConsumer(place);
    const names = await entries();
    const results = [];
    for (const runtime of wanted) {
      const started = performance.now();
      const version = versionOf(runtime);
      const cells = await examine(runtime, { place, some, whole, names });
      results.push(cells);
      const failed = [...cells.values()].filter(({ verdict }) => verdict === 'FAILED').length;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(
        `${failed ? 'FAILED' : 'ok    '}  ${runtime.name} ${version}, ${cells.size} scenarios, ${seconds} s`,
      );
    }
    report(ROWS, wanted, results);
    const all = results.flatMap((cells) => [...cells.values()]);
    const failed = all.filter(({ verdict }) => verdict === 'FAILED').length;
    console.log(`${all.length - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(words(error));
  process.exitCode = 2;
}
