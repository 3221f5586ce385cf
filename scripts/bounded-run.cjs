'use strict';
/* Part of setup.cjs, so in the syntax of Node 10. Knows nothing of this workspace. */
const childProcess = require('child_process');

/**
 * Runs a program with its input closed and its time bounded; at the bound the whole process group is ended.
 * Resolves to `{ code, timedOut, output }` and never rejects; code is null when it could not start or was ended.
 */
function run(command, args, options) {
  return new Promise((resolve) => {
    const windows = process.platform === 'win32';
    const child = childProcess.spawn(command, args, {
      cwd: options.cwd,
      env: options.env || process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: !windows,
      shell: windows,
    });
    let output = '';
    let timedOut = false;
    const take = (text) => {
      output += text;
      if (options.onOutput) options.onOutput(text);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);

    const end = (signal) => {
      try {
        if (windows) childProcess.spawnSync('taskkill', ['/pid', String(child.pid), '/t', '/f']);
        else process.kill(-child.pid, signal);
      } catch (_gone) {
        // The group ended by itself.
      }
    };
    const interrupted = (signal) => {
      end(signal);
      process.exit(130);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.once(signal, interrupted);
    const bound = setTimeout(() => {
      timedOut = true;
      end('SIGKILL');
    }, options.timeout);

    const settle = (code) => {
      clearTimeout(bound);
      for (const signal of signals) process.removeListener(signal, interrupted);
      resolve({ code: timedOut ? null : code, timedOut, output });
    };
    child.once('error', (error) => {
      take(String(error.message) + '\n');
      settle(null);
    });
    // A grandchild that outlives its parent may hold the pipes open: do not wait for it.
    child.once('exit', (code) => setTimeout(settle, 2000, code).unref());
    child.once('close', settle);
  });
}

module.exports = { run };
