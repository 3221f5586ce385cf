/** What stands before a release: `scripts/release-check.mjs`, `scripts/name-repository.mjs` and `scripts/version.mjs`. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root, type TemporaryTree, temporaryTree } from './temporary-tree.ts';

const NAMES = ['cli', 'core', 'mime'];
let tree: TemporaryTree;

const read = (file: string): string => readFileSync(join(tree.path, file), 'utf8');
const manifestOf = (name: string) => JSON.parse(read(`packages/${name}/package.json`));
const change = (name: string, change: object): void => {
  const changed = { ...manifestOf(name), ...change };
  tree.write(`packages/${name}/package.json`, JSON.stringify(changed));
};

/** Runs a script on the tree. */
function script(name: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts', name), '--root', tree.path, ...args],
    { encoding: 'utf8', timeout: 60_000, env: { ...process.env, GITHUB_REPOSITORY: '', ...env } },
  );
  return { status, said: stdout.trimEnd(), problems: stderr.split('\n').filter(Boolean) };
}

/** changesets looks at a branch. */
function committed(): void {
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A'],
    ['commit', '-qm', 'One'],
  ])
    spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: tree.path,
    });
}

beforeEach(() => {
  tree = temporaryTree();
  for (const name of NAMES) {
    tree.write(
      `packages/${name}/package.json`,
      JSON.stringify({
        name: `@posthorn/${name}`,
        version: '0.1.0',
        description: name,
        license: 'MIT',
        files: ['dist'],
        publishConfig: { access: 'public', provenance: true },
        dependencies: name === 'cli' ? { '@posthorn/core': '0.1.0' } : {},
      }),
    );
    tree.write(`packages/${name}/README.md`, '');
    tree.write(`packages/${name}/LICENSE`, '');
  }
  tree.write('package.json', JSON.stringify({ private: true, packageManager: 'pnpm@10.34.9+sha' }));
  tree.write('.changeset/README.md', '');
  tree.write(
    'CHANGELOG.md',
    '# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-26\n\n- One\n',
  );
  tree.write('packages/core/src/a.ts', "export const VERSION = '0.1.0';\n * version: '1.0.0',\n");
});
afterEach(() => tree.remove());

describe('release-check.mjs', () => {
  const named = () => script('name-repository.mjs', ['https://github.com/owner/posthorn']);
  const check = (...args: string[]) => script('release-check.mjs', args);

  it('refuses what names no repository, in a sentence for each package', () => {
    const { status, said, problems } = check();
    expect({ status, said }).toEqual({ status: 1, said: '' });
    expect(problems).toEqual(
      NAMES.map(
        (name) =>
          `Cannot release @posthorn/${name}: its package.json names no repository, and npm accepts no provenance ` +
          'without one; see "Name the repository" in docs/releasing.md.',
      ),
    );
  });

  it('passes what name-repository.mjs has named', () => {
    expect(named()).toMatchObject({ status: 0, problems: [] });
    expect(check('--tag', 'v0.1.0')).toEqual({
      status: 0,
      said: 'The packages can be released as 0.1.0.',
      problems: [],
    });
    expect(manifestOf('core')).toMatchObject({
      homepage: 'https://github.com/owner/posthorn/tree/main/packages/core#readme',
      bugs: { url: 'https://github.com/owner/posthorn/issues' },
      repository: {
        type: 'git',
        url: 'git+https://github.com/owner/posthorn.git',
        directory: 'packages/core',
      },
    });
  });

  it.each<[string, () => void, string, string[]?]>([
    [
      'a tag of another version',
      () => {},
      'The tag is v0.2.0, and the packages are 0.1.0.',
      ['--tag', 'v0.2.0'],
    ],
    [
      'a form of the address that npm does not know',
      () =>
        change('mime', {
          repository: {
            ...manifestOf('mime').repository,
            url: 'git@github.com:owner/posthorn.git',
          },
        }),
      'Cannot release @posthorn/mime: repository.url is git@github.com:owner/posthorn.git, not git+https://host/owner/name.git.',
    ],
    [
      'another folder',
      () => change('mime', { repository: { ...manifestOf('core').repository } }),
      'Cannot release @posthorn/mime: repository.directory is not packages/mime.',
    ],
    [
      'a package without homepage',
      () => change('mime', { homepage: undefined }),
      'Cannot release @posthorn/mime: it has no homepage; see "Name the repository" in docs/releasing.md.',
    ],
    [
      'a package without bugs',
      () => change('mime', { bugs: undefined }),
      'Cannot release @posthorn/mime: it has no bugs.url; see "Name the repository" in docs/releasing.md.',
    ],
    [
      'a package that is not public',
      () => change('mime', { publishConfig: { provenance: true } }),
      'Cannot release @posthorn/mime: publishConfig.access is not public.',
    ],
    [
      'a package without provenance',
      () => change('mime', { publishConfig: { access: 'public' } }),
      'Cannot release @posthorn/mime: publishConfig.provenance is not true.',
    ],
    [
      'a package without license',
      () => change('mime', { license: undefined }),
      'Cannot release @posthorn/mime: it has no license.',
    ],
    [
      'a package without a list of files',
      () => change('mime', { files: undefined }),
      'Cannot release @posthorn/mime: it has no list of files.',
    ],
    [
      'a version of its own',
      () => change('mime', { version: '0.1.1' }),
      'Cannot release @posthorn/mime: its version is 0.1.1, that of others 0.1.0.',
    ],
    [
      'a range of another package',
      () => change('cli', { dependencies: { '@posthorn/core': '^0.1.0' } }),
      'Cannot release @posthorn/cli: it depends on @posthorn/core ^0.1.0, which is 0.1.0.',
    ],
    [
      'a changeset that is left',
      () => tree.write('.changeset/one.md', ''),
      'Changesets are not in a version yet: one.md. Run `npm run version`.',
    ],
    [
      'a changelog without the version',
      () => tree.write('CHANGELOG.md', '## [Unreleased]\n\n- One\n'),
      'CHANGELOG.md has no section "## [0.1.0] - " with a date.',
    ],
    [
      'a source that says another version',
      () => tree.write('packages/core/src/a.ts', "  version: '0.0.9',\n"),
      'packages/core/src/a.ts says version 0.0.9, and the packages are 0.1.0.',
    ],
  ])('refuses %s', (_what, spoil, said, args = []) => {
    named();
    spoil();
    expect(check(...args)).toEqual({ status: 1, said: '', problems: [said] });
  });

  it('holds the repository to where it runs', () => {
    named();
    const run = (where: string) => script('release-check.mjs', [], { GITHUB_REPOSITORY: where });
    expect(run('Owner/Posthorn').status).toBe(0);
    const { status, problems } = run('stranger/posthorn');
    expect(status).toBe(1);
    expect(problems[0]).toBe(
      'Cannot release @posthorn/cli: repository.url names owner/posthorn, and this is stranger/posthorn; ' +
        'see "Name the repository" in docs/releasing.md.',
    );
  });

  it('is told what no address is', () => {
    expect(script('name-repository.mjs', ['posthorn'])).toEqual({
      status: 2,
      said: '',
      problems: ['Give the address of the repository, as https://github.com/OWNER/NAME.'],
    });
  });
});

describe('version.mjs', () => {
  const CHANGESET = "---\n'@posthorn/core': minor\n---\n\nTwo.\n";
  const version = () =>
    script('version.mjs', [], { PATH: `${tree.path}/bin:${process.env['PATH']}` });

  beforeEach(() => {
    const { fixed: _, ...config } = JSON.parse(
      readFileSync(join(root, '.changeset/config.json'), 'utf8'),
    );
    const fixed = [NAMES.map((name) => `@posthorn/${name}`)];
    tree.write('.changeset/config.json', JSON.stringify({ ...config, fixed }));
    tree.write('pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
    tree.write('pnpm-lock.yaml', '');
    // The lock file is written by pnpm: here is looked at how it is asked.
    chmodSync(tree.write('bin/npx', '#!/bin/sh\necho "$*" > npx-was-asked\n'), 0o755);
    tree.write(
      'CHANGELOG.md',
      '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Two\n\n## [0.1.0] - 2026-11-26\n\n- One\n',
    );
    committed();
  });

  it('makes one version of all packages, and a heading in the changelog', () => {
    tree.write('.changeset/two.md', CHANGESET);
    expect(version()).toMatchObject({
      status: 0,
      said: expect.stringMatching(/^0\.1\.0 → 0\.2\.0\./),
    });
    expect(NAMES.map((name) => manifestOf(name).version)).toEqual(['0.2.0', '0.2.0', '0.2.0']);
    expect(manifestOf('cli').dependencies).toEqual({ '@posthorn/core': '0.2.0' });
    expect(read('CHANGELOG.md')).toMatch(
      /^# Changelog\n\n## \[Unreleased\]\n\n## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n\n### Added\n\n- Two\n\n## \[0\.1\.0\] - 2026-11-26\n\n- One\n$/,
    );
    expect(read('packages/core/src/a.ts')).toBe(
      "export const VERSION = '0.2.0';\n * version: '1.0.0',\n",
    );
    expect(existsSync(join(tree.path, '.changeset/two.md'))).toBe(false);
    expect(existsSync(join(tree.path, 'packages/core/CHANGELOG.md'))).toBe(false);
    expect(read('npx-was-asked')).toBe(
      '--yes pnpm@10.34.9 install --lockfile-only --prefer-offline\n',
    );
    script('name-repository.mjs', ['https://github.com/owner/posthorn']);
    expect(script('release-check.mjs', ['--tag', 'v0.2.0'])).toMatchObject({ status: 0 });
  });

  it('changes nothing where the changelog says nothing', () => {
    tree.write('.changeset/two.md', CHANGESET);
    tree.write('CHANGELOG.md', '# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-26\n');
    expect(version()).toEqual({
      status: 1,
      said: '',
      problems: ['CHANGELOG.md has nothing under "## [Unreleased]": say what is new there first.'],
    });
    expect(manifestOf('core').version).toBe('0.1.0');
  });

  it('says that there is no changeset', () => {
    expect(version().problems).toEqual(['There is no changeset: `npx changeset` makes one.']);
    expect(read('CHANGELOG.md')).toContain('## [Unreleased]\n\n### Added');
  });
});

describe('this repository', () => {
  const config = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8'));

  it('releases all its packages by one version', () => {
    const names = ['cli', 'conformance', 'core', 'mime'].map((name) => `@posthorn/${name}`);
    expect([...config.fixed.flat()].sort()).toEqual(names);
    expect(config).toMatchObject({ access: 'public', changelog: false });
  });

  it('has changesets that changesets can read', () => {
    for (const name of readdirSync(join(root, 'packages')))
      tree.copy(`packages/${name}/package.json`);
    for (const file of ['.changeset', 'package.json', 'pnpm-workspace.yaml']) tree.copy(file);
    committed();
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'node_modules/@changesets/cli/bin.js'), 'status'],
      { cwd: tree.path, encoding: 'utf8', timeout: 60_000 },
    );
    expect({ status, stderr }, stdout).toMatchObject({ status: 0 });
  });

  it('has nothing in the way of a release but its address and the version that comes', () => {
    const { stderr } = spawnSync(process.execPath, [join(root, 'scripts/release-check.mjs')], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, GITHUB_REPOSITORY: '' },
    });
    const expected =
      /names no repository|^Changesets are not in a version yet|^CHANGELOG\.md has no section/;
    expect(stderr.split('\n').filter((line) => line && !expected.test(line))).toEqual([]);
  });
});
