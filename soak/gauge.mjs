/** What a process holds, measured while it has nothing to do, and whether that grows. */
import { setImmediate as turn } from 'node:timers/promises';

/**
 * How much may be added in half of a run, in octets: compiled code and caches of the runtime come and go by about so much,
 * however long it runs; and so much for each message, which is less than the smallest thing that could be kept of one.
 */
export const ROOM = {
  heap: { once: 768 * 1024, each: 4 },
  outside: { once: 1024 * 1024, each: 4 },
};

/** Collects garbage, of promises and finalizers too, and measures. Needs --expose-gc. */
export async function measure() {
  for (let times = 0; times < 3; times += 1) {
    globalThis.gc();
    await turn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, outside: external, rss };
}

/** What keeps the process alive: how many of each kind. */
export function resources() {
  const counts = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** What there is more of than before: `TCPSocketWrap +2`. */
export function surplus(before, now) {
  return Object.entries(now).flatMap(([kind, count]) => {
    const more = count - (before[kind] ?? 0);
    return more > 0 ? [`${kind} +${more}`] : [];
  });
}

/**
 * How much there is more with each message: the median of the slopes between any two samples (Theil and Sen), which one odd
 * sample does not change.
 *
 * @param samples - `[messages so far, octets]`
 */
export function slopeOf(samples) {
  const slopes = samples.flatMap(([x, y], at) =>
    samples.slice(at + 1).flatMap(([x2, y2]) => (x2 > x ? [(y2 - y) / (x2 - x)] : [])),
  );
  slopes.sort((a, b) => a - b);
  const middle = slopes.length / 2;
  return slopes.length === 0
    ? 0
    : (slopes[Math.floor(middle)] + slopes[Math.ceil(middle) - 1 + (slopes.length % 2)]) / 2;
}

/**
 * Whether what is held has grown over the second half of the samples: by then what is made once is made.
 *
 * @param room - `{ once, each }` of ROOM
 * @returns `slope`: octets for each message; `growth`: of the half, by that slope; `most`: what it may be
 */
export function growth(samples, room) {
  const half = samples.slice(Math.floor(samples.length / 2));
  const messages = (half.at(-1)?.[0] ?? 0) - (half[0]?.[0] ?? 0);
  const slope = slopeOf(half);
  return {
    slope,
    messages,
    growth: slope * messages,
    most: room.once + room.each * messages,
  };
}
