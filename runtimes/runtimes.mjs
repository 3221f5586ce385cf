/** The runtimes of the matrix: where their programs are, and what each is able to do. docs/runtimes.md says it in words. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installFolder } from '../scripts/install-folder.mjs';

const folder = dirname(fileURLToPath(import.meta.url));

/**
 * What the scenarios are told. A runtime that can do more, or less, than stands here fails its scenario.
 *
 * @property tlsOptions - certificates, versions and names are the caller's to choose
 * @property localAddress - the local end can be chosen, and is known
 * @property channelBinding - there is exportKeyingMaterial(), for SCRAM-PLUS
 * @property resumption - TLS sessions are resumed
 * @property implicitTlsError - the code where the handshake fails on a connection that is under TLS from its first octet
 * @property diagnostics - node:diagnostics_channel
 * @property workers - there is cloudflare:sockets
 */
const NODE = {
  tlsOptions: true,
  localAddress: true,
  channelBinding: true,
  resumption: true,
  implicitTlsError: 'ERR_SMTP_TLS',
  diagnostics: true,
  workers: false,
};
const WORKERD = {
  tlsOptions: false,
  localAddress: false,
  channelBinding: false,
  // By the runtime itself.
  resumption: true,
  implicitTlsError: 'ERR_SMTP_CONNECT',
  diagnostics: false,
  workers: true,
};

const installed = (name, file) => join(folder, 'node_modules', name, file);
const node = (major) => ({
  name: `node-${major}`,
  program: installed(`node-${major}`, 'bin/node'),
  args: () => [],
  commonjs: true,
  able: NODE,
});

/** @property args - what stands in front of the script; `place` is all that it has to read */
export const runtimes = [
  node(20),
  node(22),
  node(24),
  node(26),
  {
    name: 'bun',
    program: installed('bun', 'bin/bun'),
    args: () => ['--no-install'],
    commonjs: true,
    able: NODE,
  },
  {
    name: 'deno',
    program: installed('deno', 'deno'),
    args: (place) => [
      'run',
      '--no-prompt',
      '--no-lock',
      '--node-modules-dir=manual',
      '--allow-net=localhost,127.0.0.1,127.0.0.2',
      `--allow-read=${place}`,
    ],
    commonjs: true,
    able: { ...NODE, channelBinding: false, resumption: false },
  },
  {
    name: 'workerd',
    program: installed('workerd', 'bin/workerd'),
    commonjs: false,
    able: WORKERD,
  },
];

/** The Node that runs this: where there are no binaries for the machine, it is all that is left. */
export const thisNode = {
  name: 'this-node',
  program: process.execPath,
  args: () => [],
  commonjs: true,
  able: NODE,
};

/** Why the binaries cannot run here, or undefined. */
export function platformProblem() {
  const { platform, arch } = process;
  if (platform !== 'linux' || arch !== 'x64') return `this is ${platform} on ${arch}`;
  return process.report.getReport().header.glibcVersionRuntime
    ? undefined
    : 'this is a Linux without glibc';
}

/** The versions that package.json pins, by the name of the runtime. */
const pinned = () =>
  Object.entries(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies).map(
    ([name, spec]) => [name, spec.slice(spec.lastIndexOf('@') + 1)],
  );

function isInstalled([name, version]) {
  const manifest = installed(name, 'package.json');
  return (
    existsSync(manifest) &&
    JSON.parse(readFileSync(manifest, 'utf8')).version.replace(/^v/, '') === version
  );
}

/** Installs the binaries, unless all that are wanted are there. */
export async function install(wanted) {
  const needed = pinned().filter(([name]) => wanted.some((runtime) => runtime.name === name));
  if (needed.every(isInstalled)) return;
  console.log('Installing the runtimes …');
  await installFolder(folder);
}

/** What the program says its version is. */
export function versionOf({ program }) {
  const { stdout, error } = spawnSync(program, ['--version'], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (error) throw error;
  return /\d+(\.\d+)+|\d{4}-\d\d-\d\d/.exec(stdout)?.[0] ?? 'unknown';
}
