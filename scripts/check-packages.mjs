/**
 * Looks at the packages as a user gets them: packs each one, lets publint and attw judge the tarball, installs it
 * without a network into an empty folder, and imports, requires and type-checks every export from there.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { run } from './bounded-run.cjs';
import { exportedFiles, missingExports, packageFolders, readJson } from './workspace.cjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const WITHOUT_DEPENDENCIES = ['@posthorn/core', '@posthorn/mime'];
const TIMEOUT = 2 * 60 * 1000;
const temporary = mkdtempSync(join(tmpdir(), 'posthorn packages '));
const consumer = join(temporary, 'consumer');
let failed = 0;

async function check(name, task) {
  const problem = await task().catch((error) => error.message);
  console.log(`${problem ? 'FAILED' : 'ok    '}  ${name}`);
  if (problem) {
    failed += 1;
    console.error(String(problem).trimEnd());
  }
}

async function program(command, args, cwd) {
  const result = await run(command, args, { cwd, timeout: TIMEOUT });
  if (result.code === 0) return undefined;
  return result.timedOut
    ? `${result.output}\nstopped after ${TIMEOUT / 60_000} minutes`
    : result.output;
}

/** Packs without running any script; returns the tarball's path. */
function pack(folder) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', temporary];
  const options = {
    cwd: folder,
    encoding: 'utf8',
    timeout: TIMEOUT,
    stdio: ['ignore', 'pipe', 'ignore'],
  };
  const [{ filename }] = Object.values(JSON.parse(execFileSync('npm', args, options)));
  return join(temporary, filename);
}

async function lint(tarball) {
  const { messages, pkg } = await publint({
    strict: true,
    pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
  });
  return messages.map((message) => formatMessage(message, pkg)).join('\n');
}

/** Node 10 resolution knows no `exports`; every Node that these packages support does. */
function types(tarball) {
  const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
  return program(
    process.execPath,
    [attw, tarball, '--profile', 'node16', '--no-emoji', '--no-color'],
    temporary,
  );
}

/** Every file that the manifest names is in the tarball, and nothing but what belongs there. */
async function contents(folder, tarball, manifest) {
  const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n');
  const missing = exportedFiles(manifest).filter((file) => !listed.includes(join('package', file)));
  const expected = [...manifest.files, 'package.json', 'LICENSE', 'README.md'];
  const strange = listed.filter(
    (file) =>
      file &&
      !expected.some((name) => file === `package/${name}` || file.startsWith(`package/${name}/`)),
  );
  if (!existsSync(join(folder, 'LICENSE'))) missing.push('LICENSE');
  return [
    ...missing.map((file) => `the tarball lacks ${file}`),
    ...strange.map((file) => `the tarball holds ${file}`),
  ].join('\n');
}

/** A folder with the tarballs unpacked in node_modules: no registry is asked, nothing is linked to the sources. */
function unpack(tarball, manifest) {
  const target = join(consumer, 'node_modules', manifest.name);
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
}

/** What else a package depends on. Only when all are unpacked: what is a link by then would be unpacked into the sources. */
function linkDependencies(folder, manifest) {
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const link = join(consumer, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link))
      symlinkSync(realpathSync(join(folder, 'node_modules', name)), link, 'dir');
  }
}

/** Each program of a package starts, with what it depends on, and knows its version. */
async function programs(manifest) {
  for (const [name, path] of Object.entries(manifest.bin ?? {})) {
    const file = join(consumer, 'node_modules', manifest.name, path);
    const result = await run(process.execPath, [file, '--version'], {
      cwd: consumer,
      timeout: TIMEOUT,
    });
    if (result.code !== 0 || result.output !== `${manifest.version}\n`)
      return `${name} --version ended with ${result.code}:\n${result.output}`;
  }
  return undefined;
}

/** npm itself accepts the tarballs that stand alone, with the network off. */
async function offlineInstall(tarballs) {
  const folder = join(temporary, 'offline');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  return program(
    'npm',
    ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', ...tarballs],
    folder,
  );
}

function specifiers(manifest) {
  return Object.keys(manifest.exports)
    .filter((key) => !key.endsWith('.json'))
    .map((key) => manifest.name + key.slice(1));
}

/** Both module systems see the same names, and at least one. */
async function smoke(names) {
  const file = join(consumer, 'smoke.mjs');
  writeFileSync(
    file,
    `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
for (const name of ${JSON.stringify(names)}) {
  const esm = Object.keys(await import(name)).filter((key) => key !== 'default').sort().join();
  const cjs = Object.keys(require(name)).filter((key) => key !== 'default').sort().join();
  if (esm === '') throw new Error(name + ' exports nothing');
  if (esm !== cjs) throw new Error(name + ': import gives ' + esm + ', require gives ' + cjs);
}
process.exit(0);
`,
  );
  return program(process.execPath, [file], consumer);
}

/** The declarations compile for a strict user, in both module systems, with their own imports checked. */
async function declarations(names, compiler, module, lib = []) {
  const lines = names.map(
    (name, index) =>
      `import * as m${index} from '${name}';\nexport const k${index}: object = m${index};`,
  );
  for (const extension of ['mts', 'cts'])
    writeFileSync(join(consumer, `user.${extension}`), lines.join('\n'));
  const types = join(consumer, 'node_modules', '@types', 'node');
  if (!existsSync(types)) {
    mkdirSync(dirname(types), { recursive: true });
    symlinkSync(realpathSync(join(root, 'node_modules', '@types', 'node')), types, 'dir');
  }
  const options = {
    compilerOptions: {
      module,
      target: 'es2022',
      lib: ['ES2023', 'DOM', 'DOM.Iterable', ...lib],
      strict: true,
      noEmit: true,
      types: ['node'],
    },
    files: ['user.mts', 'user.cts'],
  };
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify(options));
  const tsc = join(root, 'node_modules', compiler, 'bin', 'tsc');
  return program(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], consumer);
}

async function main() {
  const missing = missingExports(root);
  if (missing.length > 0)
    throw new Error(`Not built: ${missing.join(', ')}. Run \`npm run build\` first.`);
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }\n');
  const alone = [];
  const packages = packageFolders(root).map((folder) => {
    const manifest = readJson(join(folder, 'package.json'));
    return { folder, manifest, tarball: pack(folder), entries: specifiers(manifest) };
  });
  for (const { tarball, manifest } of packages) unpack(tarball, manifest);
  for (const { folder, manifest } of packages) linkDependencies(folder, manifest);
  for (const { folder, manifest, tarball, entries } of packages) {
    const short = basename(folder);
    await check(`${short}: the tarball holds what the exports name`, () =>
      contents(folder, tarball, manifest),
    );
    await check(`${short}: publint`, () => lint(tarball));
    // What is only run has no types.
    if (entries.length > 0) await check(`${short}: attw`, () => types(tarball));
    if (manifest.bin) await check(`${short}: its program starts`, () => programs(manifest));
    if (WITHOUT_DEPENDENCIES.includes(manifest.name)) {
      alone.push(tarball);
      await check(`${short}: no dependencies`, async () =>
        ['dependencies', 'peerDependencies', 'optionalDependencies']
          .filter((key) => Object.keys(manifest[key] ?? {}).length > 0)
          .map((key) => `${manifest.name} has ${key}`)
          .join('\n'),
      );
    }
  }
  const names = packages.flatMap(({ entries }) => entries);
  await check('core and mime install without a network', () => offlineInstall(alone));
  await check(`import and require give the same names: ${names.length} entries`, () =>
    smoke(names),
  );
  await check('the declarations compile for a user, ESM and CommonJS', () =>
    declarations(names, 'typescript', 'node20', ['DOM.AsyncIterable']),
  );
  await check('those of core and mime for the oldest TypeScript too', () =>
    declarations(
      names.filter((name) => !name.startsWith('@posthorn/conformance')),
      'typescript-oldest',
      'nodenext',
    ),
  );
}

try {
  await main();
} catch (error) {
  failed += 1;
  console.error(error.message);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
if (failed > 0) console.error(`${failed} package checks failed.`);
process.exitCode = failed > 0 ? 1 : 0;
