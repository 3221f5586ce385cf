import { existsSync, readFileSync } from 'node:fs';

const STATUS = '/proc/self/status';

/**
 * The highest resident set size of this process so far, in MiB. On Linux maxRSS begins with that of the process that has
 * started this one, so VmHWM is read there.
 */
export function peakMemory() {
  if (!existsSync(STATUS)) return process.resourceUsage().maxRSS / 1_024;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(STATUS, 'utf8'))[1]) / 1_024;
}
