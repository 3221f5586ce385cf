/** Names for messages, links and events: random, or with a seed the same in each run. */
import { createHash, randomUUID } from 'node:crypto';

export class Ids {
  readonly #seed: string | undefined;
  #count = 0;

  constructor(seed?: string) {
    this.#seed = seed;
  }

  /** A UUID (RFC 9562): version 4, or with a seed version 8, which follows from the seed and the number of those before. */
  next(): string {
    if (this.#seed === undefined) return randomUUID();
    this.#count += 1;
    const hex = createHash('sha256').update(`${this.#seed}:${this.#count}`).digest('hex');
    const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) % 4);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  /** Begins again. */
  reset(): void {
    this.#count = 0;
  }
}
