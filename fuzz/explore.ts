/**
 * Feedback beside coverage: the fuzzer keeps an input that shows a state for the first time. What a regular expression has
 * read, and where a dialogue stands, no branch tells. Where there is no fuzzer it does nothing.
 */

interface WithFuzzer {
  readonly Fuzzer?: {
    readonly coverageTracker: { createModuleCounters(size: number): Uint8Array };
  };
}

const PLACES = 16;
const STATES = 256;

/** Counters like those of branches. The fuzzer looks at them behind each input, and sets them to 0. */
const counters = (globalThis as WithFuzzer).Fuzzer?.coverageTracker.createModuleCounters(
  PLACES * STATES,
);

/** How near a value is to a bound: what is at it and beside it is worth keeping. */
export function near(place: number, value: number, bound: number): void {
  explore(place, Math.max(-2, Math.min(2, value - bound)) + 2);
}

/**
 * @param place - which kind of state it is: 0 to 15
 * @param state - a whole number; what is over 255 falls together with what is less
 */
export function explore(place: number, state: number): void {
  if (counters) counters[place * STATES + (state & (STATES - 1))] = 1;
}
