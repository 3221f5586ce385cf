/** `.ci/run` with a stand-in for npm: what it counts, what its last line and its exit code say. */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TemporaryTree, temporaryTree } from './temporary-tree.ts';

const refusals = [
  'Must authenticate before sending mail',
  'Internal server error',
  'Not allowed attachement type exe',
  'Message exceeds fixed size limit',
  'Invalid recipient address: x',
  'Disallowed source address: x',
];

let tree: TemporaryTree;

beforeEach(() => {
  tree = temporaryTree();
  tree.copy('.ci/run');
  tree.write('scripts/setup.cjs', '');
});

afterEach(() => tree.remove());

interface Npm {
  readonly test?: string;
  readonly demo?: readonly string[];
  readonly lint?: string;
}

const gate = ({ test = 'echo "5 passed, 0 failed"', lint = ':', demo }: Npm = {}) => {
  const lines = demo ?? ['Привет!', ...refusals, 'predicted', 'received'];
  const npm = `#!/bin/sh
case "$*" in
  test) ${test} ;;
  'run lint') ${lint} ;;
  'run demo') cat <<'OUTPUT'
${lines.join('\n')}
OUTPUT
  ;;
esac
`;
  chmodSync(tree.write('bin/npm', npm), 0o755);
  // Nothing is installed by a test.
  chmodSync(tree.write('bin/apt-get', '#!/bin/sh\n'), 0o755);
  const { status, stdout } = spawnSync('bash', [join(tree.path, '.ci/run')], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${tree.path}/bin:${process.env['PATH']}` },
  });
  return { status, stdout, last: stdout.trimEnd().split('\n').at(-1) };
};

it('counts the steps and the tests', () => {
  expect(gate()).toMatchObject({ status: 0, last: '23 passed, 0 failed' });
});

it('counts failed tests beside their step', () => {
  const test = 'echo "3 passed, 2 failed, 1 skipped"; exit 1';
  expect(gate({ test })).toMatchObject({ status: 1, last: '20 passed, 3 failed' });
});

it('goes on after a failed step and shows its output', () => {
  const result = gate({ lint: 'echo "a rule is broken"; exit 1' });
  expect(result).toMatchObject({ status: 1, last: '22 passed, 1 failed' });
  expect(result.stdout).toContain('    a rule is broken\n');
});

it.each(['Привет!', ...refusals, 'predicted'])('fails when the demo does not print %j', (text) => {
  const demo = ['Привет!', ...refusals, 'predicted', 'received'].filter((line) => line !== text);
  expect(gate({ demo })).toMatchObject({ status: 1, last: '22 passed, 1 failed' });
});
