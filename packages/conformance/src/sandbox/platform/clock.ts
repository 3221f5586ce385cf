/** The sandbox's clock: the real one unless a test sets it. Messages, events and statistics are dated by it. */

/**
 * Knows no timers: setting it makes nothing happen. A sandbox has one.
 *
 * @example
 * ```ts
 * import { type Clock, startSandbox } from '@posthorn/conformance';
 *
 * const sandbox = await startSandbox();
 * const clock: Clock = sandbox.clock;
 * clock.set(Date.UTC(2017, 9, 1));
 * clock.advance(1_000);
 * console.log(new Date(clock.now()).toISOString()); // 2017-10-01T00:00:01.000Z
 * await sandbox.close();
 * ```
 */
export class Clock {
  #frozen: number | undefined;
  #offset = 0;

  /** Milliseconds since 1970. */
  now(): number {
    return this.#frozen ?? Date.now() + this.#offset;
  }

  /** Whether it stands still. */
  get frozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** Stands still at this time, in ms since 1970; undefined: runs again, as the real one. @throws RangeError for what is no Date */
  set(at: number | undefined): void {
    if (at !== undefined) check(at);
    this.#frozen = at;
    this.#offset = 0;
  }

  /** Goes on by so many ms, standing or running. @throws RangeError for what leads to no Date */
  advance(ms: number): void {
    check(this.now() + ms);
    if (this.#frozen === undefined) this.#offset += ms;
    else this.#frozen += ms;
  }
}

/** ECMAScript: 100,000,000 days to either side of 1970. Less a day, so that some time behind it is one as well. */
const FARTHEST = 8_640_000_000_000_000 - 86_400_000;

function check(at: number): void {
  if (!(Math.abs(at) <= FARTHEST))
    throw new RangeError(`Cannot set the clock to ${at} ms: no date`);
}
