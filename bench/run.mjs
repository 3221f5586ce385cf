/**
 * `npm run bench [-- PART … --rounds N --only TEXT --quick --pin --json FILE --markdown]`: our packages beside their
 * peers, in one run. Exit 1 when a counted figure is off or a variant fails, 2 when it is not clear what to run. Never a
 * gate on time: absolute figures belong to the machine, compare the ratios.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compare, sentence } from './compare.mjs';
import { createContext } from './context.mjs';
import { pinning } from './fresh.mjs';
import { machine, machineText } from './machine.mjs';
import { markdownTable, terminalTable } from './table.mjs';

const PARTS = ['send', 'mime', 'size', 'start', 'memory'];

/** How much of an error is shown. */
const ERROR_LINES = 6;

/** What is said in one sentence, without a stack. */
class UsageError extends Error {}

function chosen(args) {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter((name) => !PARTS.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`Unknown: ${unknown.join(', ')}. Choose of ${PARTS.join(', ')}.`);
  const { rounds = values.quick ? '1' : '5' } = values;
  if (!/^[1-9]\d*$/.test(rounds))
    throw new UsageError(`--rounds wants a whole number from 1 on, and not '${rounds}'.`);
  const parts = positionals.length > 0 ? [...new Set(positionals)] : PARTS;
  return { ...values, rounds: Number(rounds), parts };
}

function parse(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        json: { type: 'string' },
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        pin: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** The tables of the parts, each once; with `only`, those with the text in their title, or else the variants that have it. */
async function select({ parts, only, quick }) {
  const all = new Map();
  for (const part of parts) {
    const { tables } = await import(`./${part}.mjs`);
    for (const table of tables({ quick })) if (!all.has(table.title)) all.set(table.title, table);
  }
  if (only === undefined) return [...all.values()];
  const has = (text) => text.toLowerCase().includes(only.toLowerCase());
  const some = [];
  for (const table of all.values()) {
    const found = table.variants.filter(({ name }) => has(`${table.title}: ${name}`));
    if (found.length === 0) continue;
    // Without its base a variant has no ratio.
    const variants = table.variants.filter((one) => found.includes(one) || one.name === table.base);
    some.push({ ...table, variants });
  }
  if (some.length === 0)
    throw new UsageError(
      `Nothing has '${only}' in its title. There are:\n${[...all.keys()].map((title) => `  ${title}`).join('\n')}`,
    );
  return some;
}

function write(file, text) {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`--json: ${error.message}`);
  }
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

async function main() {
  const settings = chosen(process.argv.slice(2));
  const tables = await select(settings);
  let pinned;
  try {
    pinned = settings.pin ? pinning() : undefined;
  } catch (error) {
    throw new UsageError(error.message);
  }
  // A file that cannot be written is no news to have at the end.
  if (settings.json !== undefined) write(settings.json, '');
  const where = machine();
  const text = settings.markdown ? markdownTable : terminalTable;
  const { rounds, quick, pin } = settings;
  console.log(machineText(where));
  console.log(
    `Rounds: ${rounds}${quick ? ', quick: figures say little' : ''}${pin ? ', pinned to one core' : ''}`,
  );

  const results = [];
  for (const table of tables) {
    const result = await compare(table, {
      rounds,
      quick,
      context: () => createContext(pinned),
      onProgress: progress,
    });
    results.push(result);
    progress('');
    console.log(`\n${text(result)}`);
  }

  const broken = results.flatMap(({ gates }) => gates.filter(({ holds }) => !holds));
  const errors = results.flatMap(({ title, rows }) =>
    rows
      .filter(({ error }) => error !== undefined)
      .map(({ name, error }) => `${title}, ${name}: ${error}`),
  );
  const held = results.reduce((sum, { gates }) => sum + gates.length, 0) - broken.length;
  console.log(
    `\n${held} counted figures as they are to be, ${broken.length} off; ${errors.length} errors`,
  );
  for (const gate of broken) console.error(sentence(gate));
  for (const error of errors) console.error(error.split('\n').slice(0, ERROR_LINES).join('\n'));
  if (settings.json !== undefined) {
    const options = { parts: settings.parts, rounds, quick, pin, only: settings.only };
    const data = { machine: where, options, tables: results };
    write(settings.json, `${JSON.stringify(data, null, 2)}\n`);
  }
  if (broken.length + errors.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
