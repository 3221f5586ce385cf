/** Which content can be read again. */
import type { OutgoingMessage } from '../session/envelope.ts';

/** A message as a connection gets it. */
export interface Replay {
  readonly message: OutgoingMessage;
  /** Whether its content, or what makes it, can be read from its begin, now. */
  readable(): boolean;
}

/** Watches over content that might be there only once. */
export function replay(message: OutgoingMessage): Replay {
  const { content } = message;
  const source = content as AsyncIterable<Uint8Array>;
  if (!source?.[Symbol.asyncIterator]) return { message, readable: () => true };
  let first: unknown;
  const watched = {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      first ??= iterator;
      return iterator;
    },
  };
  return {
    // Stands for a message of whatever class, frozen or not.
    message: new Proxy({} as OutgoingMessage, {
      get: (_, key) => (key === 'content' ? watched : message[key as 'from']),
    }),
    // Streams give out one iterator after the other, of which only the first one gets anything.
    readable: () =>
      !first ||
      !('getReader' in source || 'pipe' in source || source[Symbol.asyncIterator]() === first),
  };
}
