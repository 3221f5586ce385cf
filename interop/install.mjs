/**
 * How the servers come here: Debian's packages of them. Postfix and Exim conflict as packages, each wants to be the
 * mail transport agent of the machine, so neither is installed. Their packages are kept as files in node_modules/.cache,
 * and unpacked into the folder of a run. What is installed are libraries; and the accounts are made that the programs want.
 *
 *     node interop/install.mjs
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/bounded-run.cjs';
import { servers } from './servers.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, 'node_modules/.cache/interop');
const APT_TIMEOUT = 5 * 60 * 1000;
const APT = ['-qq', '-o', 'APT::Sandbox::User=root', '-o', 'DPkg::Lock::Timeout=120'];
/** What Cyrus SASL loads when it is asked for a mechanism or a password: no program is linked to it. */
const PLUGINS = ['libsasl2-modules', 'libsasl2-modules-db'];

/** Why the servers cannot be had or started here, or undefined. */
export function machineProblem() {
  if (process.platform !== 'linux') return `they are Debian's, and this is ${process.platform}`;
  if (process.getuid() !== 0) return 'they are started by root, and this is another user';
  const missing = ['dpkg-deb', 'apt-get', 'useradd', 'openssl'].filter((name) => !isThere(name));
  return missing.length > 0 ? `there is no ${missing.join(', no ')}` : undefined;
}

/**
 * Has the packages of the servers, the libraries that they want, and their accounts. Does nothing that is done.
 *
 * @throws Error which says what could not be had
 */
export async function install(wanted) {
  const problem = machineProblem();
  if (problem) throw new Error(`The servers cannot run here: ${problem}.`);
  const absent = packagesOf(wanted).filter((name) => !fileOf(name));
  if (absent.length > 0 || !areInstalled(librariesOf(wanted))) await fetch(wanted, absent);
  for (const { account, group } of wanted) {
    if (group) have('group', group, ['groupadd', '--system', group]);
    have('passwd', account, [
      ...['useradd', '--system', '--user-group', '--no-create-home'],
      ...['--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', account],
    ]);
  }
}

/** Unpacks the programs of the servers into a folder. */
export async function unpack(wanted, folder) {
  for (const name of packagesOf(wanted)) await done('dpkg-deb', ['-x', fileOf(name), folder]);
  // Debian's Exim is setuid root. As it is started here it needs that for nothing.
  const exim = join(folder, 'usr/sbin/exim4');
  if (existsSync(exim)) chmodSync(exim, 0o755);
}

/** The user and group numbers of an account. */
export function accountOf(name) {
  const [, , uid, gid] = output('getent', ['passwd', name]).split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

async function fetch(wanted, absent) {
  console.log('Fetching the servers …');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'fetch-'));
  try {
    // What is known of the packages may be too old, or nothing.
    if (!(await downloaded(absent, folder))) {
      await done('apt-get', ['update', ...APT]);
      if (!(await downloaded(absent, folder)))
        throw new Error(`apt-get cannot download ${absent.join(', ')}.`);
    }
    const files = readdirSync(folder).map((name) => join(folder, name));
    const kept = packagesOf(wanted).map(fileOf).filter(Boolean);
    const needs = [...needsOf([...files, ...kept]), ...PLUGINS].join(', ');
    const satisfy = ['satisfy', '-y', '--no-install-recommends', ...APT, needs];
    await done('apt-get', satisfy).catch(async () => {
      await done('apt-get', ['update', ...APT]);
      await done('apt-get', satisfy);
    });
    // Not before: a package that is kept has the libraries that it needs.
    for (const file of files) renameSync(file, join(cache, file.slice(folder.length + 1)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function downloaded(names, folder) {
  if (names.length === 0) return true;
  const { code } = await run('apt-get', ['download', ...APT, ...names], {
    cwd: folder,
    timeout: APT_TIMEOUT,
  });
  return code === 0;
}

const packagesOf = (wanted) => [...new Set(wanted.flatMap(({ packages }) => packages))];

/** The file of a package, or undefined. */
function fileOf(name) {
  const found = existsSync(cache)
    ? readdirSync(cache).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'))
    : undefined;
  return found && join(cache, found);
}

/** The libraries that packages depend on, with versions as their packages say it. */
const needsOf = (files) =>
  files
    .flatMap((file) => output('dpkg-deb', ['-f', file, 'Depends']).split(','))
    .map((need) => need.trim())
    .filter((need) => need.startsWith('lib'));

const librariesOf = (wanted) => [
  ...needsOf(packagesOf(wanted).map(fileOf).filter(Boolean)).map((need) => need.split(/[ :(]/)[0]),
  ...PLUGINS,
];

function areInstalled(names) {
  const asked = spawnSync('dpkg-query', ['-W', '-f', `\${db:Status-Abbrev}\n`, ...names], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return asked.status === 0 && !/^(?!ii)./m.test(asked.stdout);
}

/** Makes what a database of the machine has no entry of. */
function have(database, name, [command, ...args]) {
  const asked = spawnSync('getent', [database, name], { timeout: 20_000 });
  if (asked.status !== 0) output(command, args);
}

const isThere = (command) =>
  spawnSync('sh', ['-c', 'command -v "$0"', command], { timeout: 20_000 }).status === 0;

function output(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${error?.message ?? stderr}`);
  return stdout.trim();
}

async function done(command, args) {
  const { code, output: said } = await run(command, args, {
    cwd: root,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: APT_TIMEOUT,
  });
  if (code !== 0) throw new Error(`${command} ${args[0]} failed:\n${said.trim()}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  try {
    await install(servers);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
