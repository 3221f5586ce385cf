/**
 * What an import costs: bundles each entry of budgets.json from the sources, minifies and compresses it, and
 * compares with its budget. Where `from` names several modules, one bundle gets what `import` names of any of them, or,
 * where it is `*`, everything.
 * `--json` prints the figures as data. Exit 1 over budget or when an import is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** `@posthorn/core` is packages/core/src/index.ts, `@posthorn/core/x` is packages/core/src/x/index.ts. */
const sources = {
  name: 'workspace sources',
  setup({ onResolve }) {
    onResolve({ filter: /^@posthorn\// }, ({ path }) => {
      const [, name, ...subpath] = path.split('/');
      const file = join(root, 'packages', name, 'src', ...subpath, 'index.ts');
      if (existsSync(file)) return { path: file, sideEffects: false };
      return { errors: [{ text: `${path} has no source file` }] };
    });
  },
};

async function bundle(contents) {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    external: ['node:*', 'cloudflare:*'],
    legalComments: 'none',
    logLevel: 'silent',
    write: false,
    metafile: true,
    plugins: [sources],
  });
  return { code: outputFiles[0].contents, names: Object.values(metafile.outputs)[0].exports };
}

/** Exports what is wanted of the modules. A name that an earlier one has already is exported by another name. */
async function together(modules, wanted) {
  const taken = new Set();
  const clauses = [];
  for (const [at, path] of modules.entries()) {
    const all = (await bundle(`export * from '${path}';`)).names;
    const names = all.filter((name) => !wanted || wanted.includes(name));
    const exported = names.map((name) => (taken.has(name) ? `${name} as ${name}${at}` : name));
    for (const name of names) taken.add(name);
    clauses.push(`export { ${exported} } from '${path}';`);
  }
  const missing = wanted?.filter((name) => !taken.has(name)) ?? [];
  if (missing.length > 0) throw new Error(`none of them exports ${missing.join(', ')}`);
  return clauses.join('');
}

async function measure({ name, import: names, from, maxGzip }) {
  const clause = names.startsWith('*') ? '*' : names;
  const { code } = await bundle(
    Array.isArray(from)
      ? await together(from, names === '*' ? undefined : names.match(/[\w$]+/g))
      : `export ${clause} from '${from}';`,
  );
  const gzip = gzipSync(code, { level: 9 }).length;
  return {
    name,
    import: names,
    from: Array.isArray(from) ? from.join(', ') : from,
    minified: code.length,
    gzip,
    maxGzip,
    room: maxGzip - gzip,
  };
}

function explain(entry, error) {
  const texts = error.errors?.map(({ text }) => text) ?? [error.message];
  return `Cannot measure import ${entry.import} from '${entry.from}': ${texts.join('; ')}.`;
}

function table(rows) {
  const head = ['import', 'minified', 'gzip', 'budget', 'room'];
  const lines = rows.map((row) => [
    `${row.import} from '${row.from}'`,
    ...[row.minified, row.gzip, row.maxGzip, row.room].map((octets) =>
      octets.toLocaleString('en-US'),
    ),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column].length)),
  );
  return [head, ...lines]
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
        )
        .join('  '),
    )
    .join('\n');
}

const rows = [];
const faults = [];
for (const entry of JSON.parse(readFileSync(join(root, 'budgets.json'), 'utf8'))) {
  try {
    const row = await measure(entry);
    rows.push(row);
    if (row.room < 0) {
      faults.push(
        `import ${row.import} from '${row.from}' is ${-row.room} octets over its budget of ${row.maxGzip} (gzip).`,
      );
    }
  } catch (error) {
    faults.push(explain(entry, error));
  }
}

console.log(process.argv.includes('--json') ? JSON.stringify(rows, null, 2) : table(rows));
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
