/** How a promise is told to a callback. */

/** Told once, with what was made or with what went wrong. */
export type Callback<Value> = (error: Error | null, value: Value) => void;

/** Calls back outside the promise: what the callback throws is no rejection that nobody handles, but its own affair. */
export function callBack<Value>(promise: Promise<Value>, callback: Callback<Value>): void {
  void promise.then(
    (value) => setImmediate(callback, null, value),
    (error) => setImmediate(callback as (error: Error) => void, error),
  );
}
