/** Time as the driver needs it. */
export interface Clock {
  /** Milliseconds from any fixed point; never goes back. */
  now(): number;
  /** Calls `action` after `ms`, never where that is infinite; returns what cancels it. */
  after(ms: number, action: () => void): () => void;
}

/** The clock of the runtime. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    // What is longer, setTimeout() would take for 1 ms.
    const timer = ms < 2 ** 31 ? setTimeout(action, ms) : undefined;
    return () => clearTimeout(timer);
  },
};
