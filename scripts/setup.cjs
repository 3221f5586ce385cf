'use strict';
/*
 * Makes the workspace ready before `npm test`, `npm run demo` and the other root scripts: the right Node, the
 * installed dependencies and, with --build, the built packages. Does nothing when nothing changed.
 *
 * Any Node from 10 on must be able to parse and run this file and what it requires, else an old one dies of a
 * syntax error before it can say that it is too old. So: no `node:` imports, no `?.`, no `??`.
 */
const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { run } = require('./bounded-run.cjs');
const { INSTALL_STAMP, installHash, isBuilt, isInstalled, writeStamp } = require('./workspace.cjs');

const ROOT = path.dirname(__dirname);
const PACKAGE_MANAGER = 'pnpm@10.34.9';
const OLDEST_NODE = [20, 19];
const MINUTE = 60 * 1000;
const INSTALL_TIMEOUT = 10 * MINUTE;
const BUILD_TIMEOUT = 5 * MINUTE;

/** Three attempts of 20 s at most: a registry that does not answer is reported within about a minute. */
const FETCH_BOUNDS = {
  npm_config_fetch_retries: '2',
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '4000',
  npm_config_fetch_timeout: '20000',
};

/** Every version is pinned, so what was fetched before is as good as a new answer, and works without a network. */
const CACHE_FIRST = { npm_config_prefer_offline: 'true' };

/** What the output of a failed install says, and the sentence for it. The first match wins. */
const INSTALL_FAULTS = [
  [
    /ERR_PNPM_OUTDATED_LOCKFILE/,
    () =>
      'pnpm-lock.yaml does not match a package.json: run `npx ' +
      PACKAGE_MANAGER +
      ' install` and commit the lock file.',
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY)_[A-Z_]+|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED/,
    (code) =>
      'The TLS certificate of the package registry is not trusted (' +
      code +
      '): name its CA in NODE_EXTRA_CA_CERTS, then run the same command again.',
  ],
  [
    /ENOTFOUND|ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|UND_ERR_[A-Z_]+|ERR_PNPM_META_FETCH_FAIL|ERR_PNPM_NO_OFFLINE_[A-Z]+|ENOTCACHED|socket hang up|network timeout/,
    (code) =>
      'The package registry cannot be reached (' +
      code +
      '): check the network, or name a mirror in npm_config_registry, then run the same command again.',
  ],
  [
    /\bE40[13]\b|ERR_PNPM_FETCH_40[13]/,
    (code) =>
      'The package registry refuses access (' +
      code +
      '): check the npm credentials, then run the same command again.',
  ],
  [
    /\bE404\b|\bETARGET\b|ERR_PNPM_FETCH_404|ERR_PNPM_NO_MATCHING_VERSION/,
    (code) =>
      'The package registry does not have a package that is needed (' +
      code +
      '): name a complete mirror in npm_config_registry, then run the same command again.',
  ],
  [/ENOSPC/, () => 'The disk is full (ENOSPC): free some space, then run the same command again.'],
  [
    /\b(?:EACCES|EPERM|EROFS)\b/,
    (code) =>
      'A folder cannot be written (' + code + '): check who owns the work tree and the npm cache.',
  ],
];

/** The sentence for a Node that is too old, or undefined. `version` is like process.version. */
function nodeProblem(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]))
    return undefined;
  return (
    'Posthorn needs Node ' +
    OLDEST_NODE.join('.') +
    ' or newer, and this is ' +
    version +
    ': install a newer Node, then run the same command again.'
  );
}

/** One sentence: why the install failed and how to go on. */
function installProblem(output) {
  for (const [pattern, sentence] of INSTALL_FAULTS) {
    const match = pattern.exec(output);
    if (match) return sentence(match[0]);
  }
  return 'The dependencies could not be installed.';
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two root scripts may start at once in one work tree: one sets up, the other waits for it. */
async function withLock(root, task) {
  const key = crypto.createHash('sha256').update(root).digest('hex').slice(0, 16);
  const file = path.join(os.tmpdir(), 'posthorn-setup-' + key + '.lock');
  const deadline = Date.now() + INSTALL_TIMEOUT + BUILD_TIMEOUT;
  for (;;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let holder = 0;
    try {
      holder = Number(fs.readFileSync(file, 'utf8'));
    } catch (_released) {
      continue;
    }
    if (holder > 0 && !isAlive(holder)) fs.unlinkSync(file);
    else if (Date.now() > deadline)
      throw new Problem(
        'Another set-up of this work tree does not end; if none runs, delete ' + file + '.'
      );
    else await sleep(200);
  }
  const release = () => {
    try {
      fs.unlinkSync(file);
    } catch (_gone) {
      // Released already.
    }
  };
  process.once('exit', release);
  try {
    return await task();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/** A fault that is told in one sentence, without a stack. */
class Problem extends Error {}

/** Runs a step with its whole output in a log file, which stays only when the step fails. */
async function step(name, command, args, options) {
  const log = path.join(os.tmpdir(), 'posthorn-' + name + '-' + process.pid + '.log');
  const descriptor = fs.openSync(log, 'w');
  const result = await run(command, args, {
    cwd: options.root,
    env: options.env,
    timeout: options.timeout,
    onOutput: (text) => fs.writeSync(descriptor, text),
  });
  fs.closeSync(descriptor);
  if (result.code === 0) {
    fs.unlinkSync(log);
    return;
  }
  const sentence = result.timedOut
    ? 'The ' + name + ' was stopped after ' + options.timeout / MINUTE + ' minutes.'
    : options.explain(result.output);
  throw new Problem(sentence + '\nThe whole output: ' + log);
}

/** npm and pnpm want a home they can write to: without one npm hangs and pnpm gives up. */
function homeEnvironment() {
  const home = os.homedir();
  try {
    if (home === '') throw new Error('empty');
    fs.accessSync(home, fs.constants.W_OK);
    return {};
  } catch (_unusable) {
    const substitute = path.join(os.tmpdir(), 'posthorn-home-' + os.userInfo().uid);
    fs.mkdirSync(substitute, { recursive: true, mode: 0o700 });
    return { HOME: substitute };
  }
}

async function install(root) {
  process.stderr.write('Installing dependencies …\n');
  await step(
    'install',
    process.platform === 'win32' ? 'npx.cmd' : 'npx',
    ['--yes', PACKAGE_MANAGER, 'install', '--frozen-lockfile'],
    {
      root,
      // Without a terminal pnpm would ask before it replaces a node_modules of another layout.
      env: Object.assign({}, process.env, homeEnvironment(), FETCH_BOUNDS, CACHE_FIRST, {
        npm_config_confirm_modules_purge: 'false',
      }),
      timeout: INSTALL_TIMEOUT,
      explain: (output) =>
        /spawn npx\S* ENOENT/.test(output)
          ? 'npx was not found: install npm, which comes with Node, then run the same command again.'
          : installProblem(output),
    }
  );
  writeStamp(root, INSTALL_STAMP, installHash(root));
}

async function build(root) {
  process.stderr.write('Building the packages …\n');
  await step('build', process.execPath, [path.join(root, 'scripts', 'build.mjs')], {
    root,
    timeout: BUILD_TIMEOUT,
    explain: (output) => output.trim() + '\nThe packages do not build.',
  });
}

async function main(args) {
  const problem = nodeProblem(process.version);
  if (problem) throw new Problem(problem);
  const wantsBuild = args.indexOf('--build') >= 0;
  if (isInstalled(ROOT) && (!wantsBuild || isBuilt(ROOT))) return;
  await withLock(ROOT, async () => {
    if (!isInstalled(ROOT)) await install(ROOT);
    if (wantsBuild && !isBuilt(ROOT)) await build(ROOT);
  });
}

module.exports = { installProblem, nodeProblem };

if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    const text =
      error instanceof Problem ? error.message : 'The workspace cannot be set up: ' + error.message;
    process.stderr.write(text + '\n');
    process.exitCode = 1;
  });
}
