/** The fuzzer itself: a package in a folder of its own, so that nobody installs it who does not fuzz. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/bounded-run.cjs';
import { installFolder } from '../scripts/install-folder.mjs';
import { askForOlderNames } from './older-libc.mjs';

const folder = dirname(fileURLToPath(import.meta.url));
const CORE = '@jazzer.js/core';
const LOAD_TIMEOUT = 60 * 1000;

const addonName = `fuzzer-${process.platform}-${process.arch}.node`;

/** Its command line. */
export const program = join(folder, 'node_modules', CORE, 'dist/cli.js');

/** Why it cannot run here, or undefined: its native half comes ready for some machines. */
export function platformProblem() {
  const { platform, arch } = process;
  const ready = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'];
  if (!ready.includes(`${platform}-${arch}`)) return `this is ${platform} on ${arch}`;
  const glibc = platform !== 'linux' || process.report.getReport().header.glibcVersionRuntime;
  return glibc ? undefined : 'this is a Linux without glibc';
}

const manifestOf = (file) => JSON.parse(readFileSync(file, 'utf8'));

function isInstalled() {
  const manifest = join(folder, 'node_modules', CORE, 'package.json');
  const wanted = manifestOf(join(folder, 'package.json')).dependencies[CORE];
  return existsSync(manifest) && manifestOf(manifest).version === wanted;
}

/** What its native half, which is loaded in a process of its own, says when it does not load. */
async function loadProblem() {
  const addon = join(folder, 'node_modules/@jazzer.js/fuzzer/dist/addon.js');
  const { code, output } = await run(process.execPath, [addon], {
    cwd: folder,
    timeout: LOAD_TIMEOUT,
  });
  return code === 0 ? undefined : output;
}

/** Installs it, unless it is there, and sees it load. @throws Error that says what to do */
export async function install() {
  if (!isInstalled()) {
    console.log('Installing the fuzzer …');
    await installFolder(folder);
  }
  // One version is named at a time.
  for (let problem = await loadProblem(), times = 0; problem; problem = await loadProblem()) {
    const [, version] = /version `(\w+\.[\d.]+)' not found/.exec(problem) ?? [];
    times += 1;
    if (version === undefined || times > 4)
      throw new Error(`${problem.trim()}\nThe native half of the fuzzer does not load here.`);
    const addon = join(folder, `node_modules/@jazzer.js/fuzzer/prebuilds`, addonName);
    const { octets, names } = askForOlderNames(readFileSync(addon), [version]);
    writeFileSync(addon, octets);
    console.log(`This system has no ${version}: ${names.join(', ')} by an older name.`);
  }
}
