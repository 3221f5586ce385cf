/**
 * Interoperability: the packages as they are built, against servers that people run, which are fetched and started here.
 * What lies in their Maildirs, queues and logs is judged; a client's word counts for nothing.
 *
 *     npm run interop                             all
 *     npm run interop -- --server exim            one of them
 *     npm run interop -- --scenario DSN           the scenarios with that in their name
 */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { shown } from './documented.mjs';
import { install, unpack } from './install.mjs';
import { scenarios } from './scenarios.mjs';
import { servers } from './servers.mjs';

const words = (error) => (error instanceof Error ? error.message : String(error));

function chosen() {
  const { values } = parseArgs({
    options: { server: { type: 'string', multiple: true }, scenario: { type: 'string' } },
  });
  const wanted =
    values.server?.map((name) => {
      const found = servers.find((server) => server.name === name);
      if (!found)
        throw new Error(
          `There is no server ${name}: there are ${servers.map((one) => one.name).join(', ')}.`,
        );
      return found;
    }) ?? servers;
  const { scenario = '' } = values;
  const some = scenarios.filter(({ name }) => name.includes(scenario));
  if (some.length === 0) throw new Error(`There is no scenario with ${scenario} in its name.`);
  return { wanted: [...new Set(wanted)], some, whole: scenario === '' };
}

/** A folder for all of it, which the users of the servers can reach. */
function temporaryFolder() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'posthorn-interop-')));
  chmodSync(folder, 0o711);
  const closed = [];
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above))
    if (!(statSync(above).mode & 0o001)) closed.push(above);
  if (closed.length > 0 || /\s/.test(folder)) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(
      'The servers need a folder that every user may pass, without a blank in its name: set TMPDIR.',
    );
  }
  return folder;
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

function report(order, results) {
  const rows = order.filter((row) => results.some(({ cells }) => cells.has(row)));
  console.log(
    `\n${table([
      ['', ...results.map(({ name }) => name)],
      ...rows.map((row) => [row, ...results.map(({ cells }) => shown(cells.get(row)))]),
    ])}\n`,
  );
  for (const { name, cells } of results)
    for (const [row, { verdict, note }] of cells)
      if (note) console.log(`${verdict === 'ok' ? 'ok *' : verdict}  ${row}: ${note} (${name})`);
}

async function main() {
  const { wanted, some, whole } = chosen();
  await install(wanted);
  // Not before: what is asked for is in order, and the built packages are loaded here.
  const { endAll, start } = await import('./start.mjs');
  const { examine, ROWS } = await import('./examine.mjs');
  process.umask(0o022);
  const folder = temporaryFolder();
  const programs = join(folder, 'programs');
  const clean = () => {
    for (let time = 0; time < 100 && endAll(programs) > 0; time += 1)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', clean);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => process.exit(130));

  const results = await Promise.all(
    wanted.map(async (server) => {
      const own = join(programs, server.name);
      const place = join(folder, server.name);
      mkdirSync(own, { recursive: true });
      mkdirSync(place);
      await unpack([server], own);
      const running = await start(server, own, place);
      const started = performance.now();
      const cells = await examine(running, { some, whole });
      const failed = [...cells.values()].filter(({ verdict }) => verdict === 'FAILED').length;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(
        `${failed ? 'FAILED' : 'ok    '}  ${server.name} ${running.version}, ${cells.size} rows, ${seconds} s`,
      );
      return { name: server.name, cells };
    }),
  );
  report(ROWS, results);
  const verdicts = results.flatMap(({ cells }) => [...cells.values()]);
  const failed = verdicts.filter(({ verdict }) => verdict === 'FAILED').length;
  const passed = verdicts.filter(({ verdict }) => verdict === 'ok').length;
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(words(error));
  // Another server may still run: it is ended on the way out.
  process.exit(2);
}
