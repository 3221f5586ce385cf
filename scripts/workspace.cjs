'use strict';
/*
 * What the workspace consists of, and whether it is installed and built: a stamp holds the hash of everything that
 * decides. Part of setup.cjs, so in the syntax of Node 10.
 */
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function packageFolders(root) {
  const folder = path.join(root, 'packages');
  return fs
    .readdirSync(folder)
    .sort()
    .map((name) => path.join(folder, name))
    .filter((name) => fs.existsSync(path.join(name, 'package.json')));
}

/** Every dependency that a package.json of the workspace names, as the path where it must stand. */
function dependencyPaths(root) {
  const paths = [];
  for (const folder of [root].concat(packageFolders(root))) {
    const manifest = readJson(path.join(folder, 'package.json'));
    const names = Object.keys(Object.assign({}, manifest.dependencies, manifest.devDependencies));
    for (const name of names) paths.push(path.join(folder, 'node_modules', name));
  }
  return paths;
}

function hashFiles(root, files, extra) {
  const hash = crypto.createHash('sha256').update(extra);
  for (const file of files) {
    hash.update('\0' + path.relative(root, file).split(path.sep).join('/') + '\0');
    if (fs.existsSync(file)) hash.update(fs.readFileSync(file));
  }
  return hash.digest('hex');
}

/** What decides whether an install is needed: the lock file, every package.json, the settings, this Node. */
function installHash(root) {
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', 'package.json'].map((name) =>
    path.join(root, name)
  );
  for (const folder of packageFolders(root)) files.push(path.join(folder, 'package.json'));
  const machine = [process.version.split('.')[0], process.platform, process.arch];
  return hashFiles(root, files, machine.join(' '));
}

function filesUnder(folder) {
  let files = [];
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) files = files.concat(filesUnder(name));
    else files.push(name);
  }
  return files.sort();
}

/** What decides whether a build is needed: the sources and the settings of every package. */
function buildHash(root) {
  let files = [path.join(root, 'tsconfig.base.json'), path.join(root, 'pnpm-lock.yaml')];
  for (const folder of packageFolders(root)) {
    for (const name of ['package.json', 'tsconfig.json', 'tsup.config.ts'])
      files.push(path.join(folder, name));
    if (fs.existsSync(path.join(folder, 'src')))
      files = files.concat(filesUnder(path.join(folder, 'src')));
  }
  return hashFiles(root, files, 'build');
}

/** Every file that a manifest's `exports`, `main`, `module`, `types` and `bin` name. */
function exportedFiles(manifest) {
  const files = new Set();
  const walk = (value) => {
    if (typeof value === 'string') files.add(value);
    else for (const key of Object.keys(value || {})) walk(value[key]);
  };
  for (const key of ['exports', 'main', 'module', 'types', 'bin']) walk(manifest[key]);
  return Array.from(files);
}

/** The exported files of every package that do not exist. */
function missingExports(root) {
  const missing = [];
  for (const folder of packageFolders(root)) {
    for (const file of exportedFiles(readJson(path.join(folder, 'package.json')))) {
      if (!fs.existsSync(path.join(folder, file)))
        missing.push(path.relative(root, path.join(folder, file)));
    }
  }
  return missing;
}

const INSTALL_STAMP = path.join('node_modules', '.posthorn-installed');
const BUILD_STAMP = path.join('node_modules', '.posthorn-built');

function readStamp(root, stamp) {
  try {
    return fs.readFileSync(path.join(root, stamp), 'utf8');
  } catch (_absent) {
    return undefined;
  }
}

function writeStamp(root, stamp, hash) {
  fs.writeFileSync(path.join(root, stamp), hash);
}

function isInstalled(root) {
  return (
    readStamp(root, INSTALL_STAMP) === installHash(root) &&
    dependencyPaths(root).every((name) => fs.existsSync(name))
  );
}

function isBuilt(root) {
  return readStamp(root, BUILD_STAMP) === buildHash(root) && missingExports(root).length === 0;
}

module.exports = {
  BUILD_STAMP,
  INSTALL_STAMP,
  buildHash,
  exportedFiles,
  installHash,
  isBuilt,
  isInstalled,
  missingExports,
  packageFolders,
  readJson,
  writeStamp,
};
