/** Which of some processes run, for tests of what outlives whom. */
import { existsSync, readFileSync } from 'node:fs';

/** A zombie that nobody has waited for yet is not running. */
function isRunning(pid: number): boolean {
  try {
    if (existsSync('/proc/self/stat'))
      return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The process ids that a file holds, parted by white space; none where there is no such file. */
export function pidsIn(file: string): number[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
}

/** Those of a file that still run when some time has been given to them. */
export async function outliving(file: string, ms = 3_000): Promise<number[]> {
  const end = performance.now() + ms;
  for (;;) {
    const left = pidsIn(file).filter(isRunning);
    if (left.length === 0 || performance.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
