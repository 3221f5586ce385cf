/** From 0 to 1, the same numbers for the same seed (mulberry32), and choices by them. */
export function seeded(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    /** From 0 to `limit - 1`. */
    below: (limit) => Math.floor(next() * limit),
    /** Once in so many times. */
    once: (times) => next() * times < 1,
    pick: (items) => items[Math.floor(next() * items.length)],
  };
}
