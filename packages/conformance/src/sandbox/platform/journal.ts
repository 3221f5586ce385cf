/**
 * Where the sandbox's state is kept behind its memory. Everything is read once, at the start; from then on each change
 * is written, in order, and `flush` tells when all so far is safe.
 */

/** What is kept, by kind; keys are unique in their kind. */
export type RecordKind =
  | 'message'
  | 'raw'
  | 'hour'
  | 'unsubscribed'
  | 'hard-bounce'
  | 'sender'
  | 'setting'
  | 'callback'
  | 'delivery'
  | 'refusal';

export interface Journal {
  /** What was there at the start, in the order of the keys: once, it is not held for a second reading. Values are what JSON gives back; of kind 'raw' octets. */
  entries<Value>(kind: RecordKind): Iterable<readonly [key: string, value: Value]>;
  /** Values are anything that JSON can hold; of kind 'raw' octets. Writes in order; does not wait. */
  put(kind: RecordKind, key: string, value: unknown): void;
  delete(kind: RecordKind, key: string): void;
  /** Ends when all that was put or deleted before is safe from the end of the process. Rejects where it could not be written. */
  flush(): Promise<void>;
  /** Flushes, and lets go of its files. */
  close(): Promise<void>;
}

/** Keeps nothing. */
export const FORGETFUL: Journal = {
  entries: () => [],
  put: () => {},
  delete: () => {},
  flush: async () => {},
  close: async () => {},
};
