/** Requests that wait until there is something to answer. Each ends: in time, with its client, or with the sandbox. */
import type { Change, Platform } from '../../platform/platform.ts';
import { Problem } from '../problem.ts';

/** At a time. */
const MOST = 100;
/** How long one may wait, in ms. */
export const LONGEST_WAIT = 30_000;

export class Waiting {
  readonly #platform: Platform;
  #count = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /**
   * What there is as soon as there is something, or nothing after so many ms.
   *
   * @param look - gives undefined where there is nothing yet
   * @param concerns - whether it is worth looking again
   * @throws Problem 503 where too many wait
   */
  async until<Found>(
    look: () => Found | undefined,
    concerns: (change: Change) => boolean,
    ms: number,
    signal: AbortSignal,
  ): Promise<Found | undefined> {
    const end = performance.now() + ms;
    let found = look();
    if (found !== undefined || ms === 0) return found;
    if (this.#count >= MOST)
      throw new Problem(503, `Cannot wait: ${MOST} requests wait already`, undefined, {
        'retry-after': '1',
      });
    this.#count += 1;
    try {
      while (found === undefined && !signal.aborted) {
        const left = end - performance.now();
        if (left <= 0) break;
        await this.#change(concerns, left, signal);
        found = look();
      }
      return found;
    } finally {
      this.#count -= 1;
    }
  }

  #change(concerns: (change: Change) => boolean, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const leave = (): void => {
        stop();
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const stop = this.#platform.watch((change) => {
        if (concerns(change)) leave();
      });
      const timer = setTimeout(leave, ms);
      signal.addEventListener('abort', leave);
    });
  }
}
