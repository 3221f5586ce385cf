/** `scripts/setup.cjs`: what it says when it cannot go on, and that it does nothing when nothing changed. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../scripts/bounded-run.cjs';
import { installProblem, nodeProblem } from '../scripts/setup.cjs';
import { exportedFiles } from '../scripts/workspace.cjs';
import { type TemporaryTree, temporaryTree } from './temporary-tree.ts';

describe('nodeProblem()', () => {
  it.each(['v10.24.1', 'v18.20.8', 'v20.18.3', '20.0.0'])(
    'refuses %s in one sentence',
    (version) => {
      expect(nodeProblem(version)).toMatch(
        /^Posthorn needs Node 20\.19 or newer, and this is .*\.$/,
      );
    },
  );

  it.each(['v20.19.0', 'v20.20.2', 'v22.0.0', 'v26.10.0', 'v24.0.0-nightly'])(
    'takes %s',
    (version) => {
      expect(nodeProblem(version)).toBeUndefined();
    },
  );
});

describe('installProblem()', () => {
  it.each([
    ['npm error code ENOTFOUND\nnpm error network request to …', 'cannot be reached (ENOTFOUND)'],
    ['npm error code ECONNREFUSED', 'cannot be reached (ECONNREFUSED)'],
    ['npm error code ETIMEDOUT', 'cannot be reached (ETIMEDOUT)'],
    ['getaddrinfo EAI_AGAIN registry', 'cannot be reached (EAI_AGAIN)'],
    ['ERR_PNPM_META_FETCH_FAIL  GET …', 'cannot be reached (ERR_PNPM_META_FETCH_FAIL)'],
    ['npm error network timeout at: …', 'cannot be reached (network timeout)'],
    ['code SELF_SIGNED_CERT_IN_CHAIN', 'certificate of the package registry is not trusted'],
    ['npm error code E401', 'refuses access (E401)'],
    ['ERR_PNPM_FETCH_404  GET …', 'does not have a package that is needed'],
    ['ERR_PNPM_OUTDATED_LOCKFILE  Cannot install', 'pnpm-lock.yaml does not match'],
    ['ENOSPC: no space left on device', 'The disk is full'],
    ["EACCES: permission denied, mkdir '…'", 'cannot be written (EACCES)'],
    ['Segmentation fault', 'The dependencies could not be installed.'],
  ])('reads %j', (output, sentence) => {
    expect(installProblem(output)).toContain(sentence);
  });
});

describe('exportedFiles()', () => {
  it('finds every file of nested conditions', () => {
    const manifest = {
      main: './a.cjs',
      bin: { tool: './cli.js' },
      exports: {
        '.': { import: { types: './a.d.ts', default: './a.js' } },
        './package.json': null,
      },
    };
    expect(exportedFiles(manifest).sort()).toEqual(['./a.cjs', './a.d.ts', './a.js', './cli.js']);
  });
});

describe('run()', () => {
  it('ends the whole process group at the bound', async () => {
    const result = await run('sh', ['-c', 'echo begun; sleep 60 & sleep 60'], { timeout: 300 });
    expect(result).toEqual({ code: null, timedOut: true, output: 'begun\n' });
  });

  it('says when the program does not exist', async () => {
    const result = await run('no-such-program', [], { timeout: 5000 });
    expect(result.code).toBeNull();
    expect(result.output).toContain('ENOENT');
  });
});

describe('the script', () => {
  let tree: TemporaryTree;

  beforeEach(() => {
    tree = temporaryTree();
    for (const name of ['setup', 'workspace', 'bounded-run']) tree.copy(`scripts/${name}.cjs`);
    tree.write('package.json', '{ "devDependencies": { "x": "1.0.0" } }');
    tree.write('packages/core/package.json', '{ "exports": { ".": "./dist/index.js" } }');
    tree.write('packages/core/src/index.ts', '');
    tree.write('pnpm-lock.yaml', '');
    tree.write('tmp/empty', '');
  });

  afterEach(() => tree.remove());

  /** A stand-in for npx that appends its arguments to `calls`, then does what `body` says. */
  const fakeNpx = (body: string): void => {
    chmodSync(
      tree.write('bin/npx', `#!/bin/sh\necho "$@" >> "${tree.path}/calls"\n${body}\n`),
      0o755,
    );
  };

  const start = (args: string[] = [], environment: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, [join(tree.path, 'scripts/setup.cjs'), ...args], {
      cwd: '/',
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${tree.path}/bin:${process.env['PATH']}`,
        TMPDIR: join(tree.path, 'tmp'),
        ...environment,
      },
    });

  const installed = 'mkdir -p node_modules/x';
  const calls = (): string[] =>
    readFileSync(join(tree.path, 'calls'), 'utf8').trimEnd().split('\n');

  it('installs once, then again only when a manifest, the lock file or a dependency changed', () => {
    fakeNpx(installed);
    const first = start();
    expect(first).toMatchObject({ status: 0, stdout: '', stderr: 'Installing dependencies …\n' });
    expect(start()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(calls()).toEqual(['--yes pnpm@10.34.9 install --frozen-lockfile']);
    tree.write('pnpm-lock.yaml', 'changed');
    expect(start().stderr).toBe('Installing dependencies …\n');
    tree.write('packages/core/package.json', '{ "exports": {} }');
    expect(start().stderr).toBe('Installing dependencies …\n');
    expect(calls()).toHaveLength(3);
  });

  it('tells an unreachable registry in a sentence and keeps the log', () => {
    fakeNpx('echo "npm error code ECONNREFUSED" >&2; exit 1');
    const { status, stderr } = start();
    expect(status).toBe(1);
    const [begun, sentence, where, ...rest] = stderr.trimEnd().split('\n');
    expect(begun).toBe('Installing dependencies …');
    expect(sentence).toMatch(
      /^The package registry cannot be reached \(ECONNREFUSED\): .* again\.$/,
    );
    expect(rest).toEqual([]);
    const log = where?.replace('The whole output: ', '') ?? '';
    expect(readFileSync(log, 'utf8')).toContain('npm error code ECONNREFUSED');
    fakeNpx(installed);
    expect(start().status).toBe(0);
  });

  it.runIf(process.env['LARGE'])(
    'reaches that sentence within a minute with the real npx',
    { timeout: 60_000 },
    () => {
      const home = join(tree.path, 'tmp');
      const started = performance.now();
      const { status, stderr } = start([], {
        HOME: home,
        npm_config_cache: join(home, 'cache'),
        npm_config_registry: 'http://127.0.0.1:9',
      });
      expect(status).toBe(1);
      expect(stderr).toContain('The package registry cannot be reached (ECONNREFUSED)');
      expect(performance.now() - started).toBeLessThan(60_000);
    },
  );

  it('says that npx is missing', () => {
    const { status, stderr } = start([], { PATH: join(tree.path, 'nowhere') });
    expect(status).toBe(1);
    expect(stderr).toContain('npx was not found');
  });

  it('takes a home that can be written when there is none', () => {
    fakeNpx(`echo "$HOME" > home; ${installed}`);
    expect(start([], { HOME: '' }).status).toBe(0);
    const home = readFileSync(join(tree.path, 'home'), 'utf8').trim();
    expect(home).toMatch(/posthorn-home-\d+$/);
    expect(existsSync(home)).toBe(true);
  });

  it('lets one of two set-ups install while the other waits', async () => {
    fakeNpx(`sleep 0.5; ${installed}`);
    const script = join(tree.path, 'scripts/setup.cjs');
    const env = {
      ...process.env,
      PATH: `${tree.path}/bin:${process.env['PATH']}`,
      TMPDIR: join(tree.path, 'tmp'),
    };
    const results = await Promise.all(
      [1, 2].map(() => run(process.execPath, [script], { env, timeout: 15_000 })),
    );
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(calls()).toHaveLength(1);
  });

  it('builds when a source is newer than what was built, and shows what does not build', () => {
    fakeNpx(installed);
    const built = `
      import { mkdirSync, writeFileSync } from 'node:fs';
      import { BUILD_STAMP, buildHash, writeStamp } from './workspace.cjs';
      mkdirSync('packages/core/dist', { recursive: true });
      writeFileSync('packages/core/dist/index.js', '');
      writeStamp(process.cwd(), BUILD_STAMP, buildHash(process.cwd()));`;
    tree.write('scripts/build.mjs', built);
    expect(start(['--build']).stderr).toBe('Installing dependencies …\nBuilding the packages …\n');
    expect(start(['--build']).stderr).toBe('');
    tree.write('packages/core/src/index.ts', 'export {};');
    expect(start(['--build']).stderr).toBe('Building the packages …\n');
    tree.write('packages/core/src/index.ts', '');
    tree.write('scripts/build.mjs', "console.error('index.ts: no such name'); process.exit(1);");
    const { status, stderr } = start(['--build']);
    expect(status).toBe(1);
    expect(stderr).toContain(
      'index.ts: no such name\nThe packages do not build.\nThe whole output: ',
    );
  });
});
