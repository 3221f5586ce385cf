/** What a target holds against its subject. A claim that does not hold is a finding. */
import { isDeepStrictEqual } from 'node:util';

const MOST_SHOWN = 2_000;

/** @throws Error where it does not hold */
export function claim(holds: unknown, what: string, seen?: unknown): asserts holds {
  if (!holds) throw new Error(seen === undefined ? what : `${what}: ${shown(seen)}`);
}

/** @throws Error where the two are not the same, Maps and Sets looked into */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected))
    throw new Error(`${what}: ${shown(actual)} in place of ${shown(expected)}`);
}

/** What a call throws, or undefined. What it returns is given to `then`. */
export function thrown<T>(call: () => T, then: (value: T) => void = () => {}): unknown {
  let value: T;
  try {
    value = call();
  } catch (error) {
    claim(error instanceof Error, 'what is thrown is an Error', error);
    return error;
  }
  then(value);
  return undefined;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Map || inner instanceof Set
      ? [...inner]
      : typeof inner === 'bigint' || typeof inner === 'symbol'
        ? String(inner)
        : inner,
  );
  return (text ?? String(value)).slice(0, MOST_SHOWN);
}
