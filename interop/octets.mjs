/** Octets: compared, and in pieces. */
import assert from 'node:assert/strict';

/** @throws AssertionError that says where they differ */
export function assertSame(octets, expected, what) {
  const length = Math.max(octets.length, expected.length);
  let at = 0;
  while (at < length && octets[at] === expected[at]) at += 1;
  if (at === length) return;
  const around = (part) => JSON.stringify(part.toString('latin1', Math.max(at - 20, 0), at + 20));
  assert.fail(
    `${what}: octet ${at} of ${octets.length} is not that of ${expected.length}: ${around(octets)}, not ${around(expected)}`,
  );
}

/** Pieces of so many octets, one after the other. */
export async function* pieces(octets, size) {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}
