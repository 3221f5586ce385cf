/** npm packages in a folder of their own, so that nobody installs them with the workspace. It runs none of their scripts. */
import { run } from './bounded-run.cjs';
import { installProblem } from './setup.cjs';

const TIMEOUT = 5 * 60 * 1000;

/**
 * Installs what the folder's package.json names.
 *
 * @throws Error that says why it could not be, and what to do
 */
export async function installFolder(folder) {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  const { code, output } = await run('npm', [...args, '--prefer-offline'], {
    cwd: folder,
    timeout: TIMEOUT,
  });
  if (code !== 0) throw new Error(`${output.trim()}\n${installProblem(output)}`);
}
